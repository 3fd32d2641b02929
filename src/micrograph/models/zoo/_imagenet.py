"""The thousand classes of ImageNet (ILSVRC 2012) in the order of their wnids."""

from importlib.resources import files

CLASSES: tuple[str, ...] = tuple(
    line.split(" ", 1)[1]
    for line in files("micrograph.models.zoo")
    .joinpath("imagenet_classes.txt")
    .read_text(encoding="utf-8")
    .splitlines()
)
"""Class names, one per logit. Two names stand twice: "crane" and "maillot"."""
