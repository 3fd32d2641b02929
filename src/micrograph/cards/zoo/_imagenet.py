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


def _groups() -> tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]:
    found = []
    for line in _lines("imagenet_groups.txt"):
        names, _, numbers = line.partition(":")
        if line.startswith("#") or not numbers:
            continue
        spans = [[int(n) for n in span.split("-")] for span in numbers.split()]
        listed = tuple(n for span in spans for n in range(span[0], span[-1] + 1))
        found.append((tuple(name.strip() for name in names.split(",")), listed))
    return tuple(found)


GROUPS: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...] = _groups()
"""What several classes have in common that their names do not say: its names, and their numbers."""
