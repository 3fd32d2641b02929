"""What people call models. The names are on their cards."""

import re
from collections.abc import Sequence
from functools import lru_cache

from micrograph.cards import cards

LITERATURE = "inceptionv1"
"""The model that papers mean by `4c:447` alone."""

Phrases = tuple[tuple[str, str], ...]
"""Names, longest first, each with the model that it stands for."""


def relative_of(id: str) -> str:
    """Where to look instead of a model that was never released; "" for any other."""
    card = cards().get(id)
    return card.instead if card is not None else ""


@lru_cache(maxsize=16)
def phrases(models: tuple[tuple[str, str], ...]) -> Phrases:
    """The names of models, given as id and title. A title that two models share names neither.

    `GoogLeNet` alone names none: it means Google's network, BVLC's, or torchvision's, whose units
    have nothing to do with each other.
    """
    known = cards()
    found: dict[str, str] = {}
    titles: dict[str, set[str]] = {}
    for id, title in models:
        titles.setdefault(_key(title), set()).add(id)
        for name in (id, *(known[id].names if id in known else ())):
            found[_key(name)] = id
    for name, ids in titles.items():
        if len(ids) == 1 and name not in _VAGUE:
            found.setdefault(name, *ids)
    found.pop("", None)
    return tuple(sorted(found.items(), key=lambda item: (-len(item[0]), item[0])))


_VAGUE = ("googlenet", "inception", "clip", "resnet", "vgg", "network")


def named(text: str, known: Phrases) -> str | None:
    """The model whose name `text` is, or None."""
    match = _pattern(tuple(name for name, _ in known)).fullmatch(text[:200].strip())
    return known[int(str(match.lastgroup)[1:])][1] if match else None


def mentions(text: str, known: Phrases) -> list[tuple[str, int, int]]:
    """Models that `text` names, each with the place of the name, in order and without overlap."""
    by_number = _pattern(tuple(name for name, _ in known))
    return [
        (known[int(str(m.lastgroup)[1:])][1], m.start(), m.end()) for m in by_number.finditer(text)
    ]


@lru_cache(maxsize=16)
def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    """Names as whole words, with up to three marks between their words, in any case."""
    parts = (
        f"(?P<n{number}>{r'[^A-Za-z0-9]{0,3}'.join(map(re.escape, name.split()))})"
        for number, name in enumerate(names)
    )
    before, behind = r"(?<![A-Za-z0-9_])(?<![A-Za-z0-9][-.:/])", r"(?![A-Za-z0-9_]|[-.][A-Za-z0-9])"
    return re.compile(rf"{before}(?:{'|'.join(parts) or 'a^'}){behind}", re.I)


def _key(name: str) -> str:
    """Words and numbers apart: between them marks may stand or not, so that `VGG-19` and `vgg19`
    are one name. Sizes such as `50x4` stay whole."""
    return " ".join(re.findall(r"\d+x\d+|\d+[a-z]+|[a-z]+|\d+", name[:200].lower()))
