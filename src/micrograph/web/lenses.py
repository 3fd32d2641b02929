"""The lenses the site can show, in words. A new technique's page text is one more entry here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """One way to look through a lens: a variant as the atlas names it, in words for people."""

    variant: str
    objective: str
    sign: str
    title: str
    meaning: str


@dataclass(frozen=True)
class Lens:
    """A technique as a reader meets it: its question, how to read the answer, how that misleads."""

    technique: str
    title: str
    question: str
    explanation: str
    reading: str
    caution: str
    views: tuple[View, ...]


LENSES: tuple[Lens, ...] = (
    Lens(
        technique="feature_vis",
        title="Feature visualization",
        question="What would excite it most?",
        explanation=(
            "Start from noise and change the picture, step by step, so that one unit answers "
            "more and more strongly. What remains is a portrait of what the unit looks for."
        ),
        reading=(
            "Look for the pattern that repeats across the picture: that is what the unit looks for."
        ),
        caution=(
            "It is the extreme, not the everyday: no photograph looks like this, and a unit with "
            "several meanings may show only one of them."
        ),
        views=(
            View("channel", "channel", "positive", "Whole channel",
                 "excites the unit at every position of its map"),
            View("neuron", "neuron", "positive", "Centre neuron",
                 "excites the unit at the central position only"),
            View("channel-negative", "channel", "negative", "Whole channel, negative",
                 "silences the unit at every position of its map"),
            View("neuron-negative", "neuron", "negative", "Centre neuron, negative",
                 "silences the unit at the central position only"),
        ),
    ),
)


def lens(technique: str) -> Lens | None:
    """The lens of a technique, or None where the site has no words for it."""
    return next((known for known in LENSES if known.technique == technique), None)
