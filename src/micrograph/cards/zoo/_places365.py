"""The 365 classes of Places365, in the order of CSAIL's models.

From `categories_places365.txt` of github.com/CSAILVision/places365 (MIT licence).
"""

from importlib.resources import files

CLASSES: tuple[str, ...] = tuple(
    files("micrograph.cards.zoo")
    .joinpath("places365_classes.txt")
    .read_text(encoding="utf-8")
    .replace("_", " ")
    .splitlines()
)
"""Class names, one per logit: "airfield", "apartment building/outdoor", ..."""
