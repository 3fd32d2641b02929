"""What the site may say of models: plain facts about cards."""

from micrograph.models import cards
from micrograph.web.known import Known
from micrograph.weights import store


def known(model: str) -> Known:
    """Whether the model of that id can be run here, and what to type."""
    card = cards().get(model)
    if card is None:
        return Known("none")
    if card.unreleased:
        return Known("unreleased", note=card.unreleased)
    render = f"micrograph render {model}"
    if store.status(card).path is not None:
        return Known("here", [render], accuracy=card.accuracy)
    return Known(
        "missing",
        [f"micrograph weights fetch {model}", render],
        accuracy=card.accuracy,
        download=next((s.size for s in card.sources if s.url), 0),
    )
