"""Whether models can be run here: facts from their cards, and from where weights may lie."""

from dataclasses import dataclass, field

from micrograph.atlas import Outline
from micrograph.cards import cards
from micrograph.resolve.names import relative_of
from micrograph.weights import store


@dataclass(frozen=True)
class Known:
    """Whether a model can be run here.

    `weights` is "here", "missing", "unreleased" (nobody outside has them), "none" (there is an
    atlas only, not a model) or "" where nobody said. `commands` are what to type, in order, for a
    first picture of it. `note` is a sentence for people, or ""; `instead` is a model to look at in
    its place, or "". `accuracy` says what is known of it, and who says so; `download` is how many
    bytes fetching its weights takes, 0 where that is not known.
    """

    weights: str = ""
    commands: list[str] = field(default_factory=list)
    note: str = ""
    instead: str = ""
    accuracy: str = ""
    download: int = 0

    @property
    def key(self) -> tuple[object, ...]:
        """Equal where all is."""
        return (
            self.weights,
            tuple(self.commands),
            self.note,
            self.instead,
            self.accuracy,
            self.download,
        )

    @property
    def first(self) -> str:
        """What to type before anything can be rendered of it, or ""."""
        return self.commands[0] if self.missing else ""

    @property
    def missing(self) -> bool:
        """Whether its weights have to be fetched first."""
        return self.weights == "missing"

    def reason(self, model: str) -> str:
        """Why nothing can be asked of it, or "" where it can be run."""
        if self.missing:
            return f"the weights of {model} are not here; `{self.commands[0]}` gets them"
        if self.weights == "unreleased":
            return self.note
        return f"here {model} is an atlas only, not a model to be run" * (self.weights == "none")


def known_here(model: str) -> Known:
    """Whether the model of that id can be run here, and what to type."""
    card = cards().get(model)
    if card is None:
        return Known("none")
    if card.unreleased:
        return Known("unreleased", note=card.unreleased)
    render = f"micrograph render {model}"
    if store.is_there(card):
        return Known("here", [render], accuracy=card.accuracy)
    from micrograph.weights.fetchable import command_for, reason_not_fetched

    return Known(
        "missing",
        [command_for(card), render],
        accuracy=card.accuracy,
        download=next((s.size for s in card.sources if not reason_not_fetched(s)), 0),
    )


def never_released(outline: Outline) -> Known:
    """The state of a model whose weights were never released."""
    return Known("unreleased", note=outline.unreleased, instead=relative_of(outline.model.id))
