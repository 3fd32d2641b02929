"""What the one who started the site says of models: the site itself never imports them."""

from dataclasses import dataclass, field

from micrograph.atlas import Outline
from micrograph.resolve.names import SIBLINGS


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
    def missing(self) -> bool:
        """Whether its weights are to be fetched first."""
        return self.weights == "missing"

    def reason(self, model: str) -> str:
        """Why nothing can be asked of it, or "" where it can be run."""
        if self.missing:
            return f"the weights of {model} are not here; `{self.commands[0]}` gets them"
        if self.weights == "unreleased":
            return self.note
        return f"here {model} is an atlas only, not a model to be run" * (self.weights == "none")


def never_released(outline: Outline) -> Known:
    """What is known of a model whose weights nobody outside has."""
    return Known("unreleased", note=outline.unreleased, instead=SIBLINGS.get(outline.model.id, ""))
