"""The thousand classes of ImageNet (ILSVRC 2012) in the order of their wnids, and in another."""

from importlib.resources import files


def _lines(name: str) -> list[str]:
    file = files("micrograph.cards.zoo").joinpath(name)
    return file.read_text(encoding="utf-8").splitlines()


CLASSES: tuple[str, ...] = tuple(line.split(" ", 1)[1] for line in _lines("imagenet_classes.txt"))
"""Class names, one per logit. Two names stand twice: "crane" and "maillot"."""

WNIDS: tuple[str, ...] = tuple(line.split(" ", 1)[0] for line in _lines("imagenet_classes.txt"))
"""Their WordNet ids, by which ImageNet's files are called."""


def devkit_order() -> tuple[int, ...]:
    """The numbers in CLASSES of the classes with the ids 1, 2, ... in ILSVRC 2012's own kit.

    Which of the two maillots is which is not known.
    """
    return tuple(int(n) for line in _lines("imagenet_devkit_order.txt") for n in line.split())
