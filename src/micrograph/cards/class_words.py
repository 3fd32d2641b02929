"""Which classes of a dataset a word means: "dog" those of all breeds, "wheel" what has wheels.

Names of classes are compared word by word, in the singular. Where the classes are ImageNet's, by
name or by WordNet id, groups of them have names too: those that we wrote down in
`zoo/imagenet_groups.txt`.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from micrograph.cards.zoo._imagenet import CLASSES, GROUPS, WNIDS

_WNID = re.compile(r"n\d{8}(?=[_.\W]|$)")
_MOST_WORDS = 8


def classes_meant(text: str, classes: Sequence[str]) -> frozenset[int]:
    """The numbers of those of `classes` that `text` means; none where it means nothing here.

    The name of a group means the classes of that group, else the text means all classes whose name
    has each of its words.

    >>> from micrograph.cards.class_words import classes_meant
    >>> sorted(classes_meant("dogs", ["tabby", "beagle", "golden retriever", "hotdog"]))
    [1, 2]
    >>> sorted(classes_meant("retriever", ["tabby", "beagle", "golden retriever", "hotdog"]))
    [2]
    """
    words = _words(text)
    if not words or len(words) > _MOST_WORDS:
        return frozenset()
    return _meant(words, tuple(classes))


@lru_cache(1024)
def _meant(words: tuple[str, ...], classes: tuple[str, ...]) -> frozenset[int]:
    known, wanted = _known(classes), set(words)
    return known.groups.get(words) or frozenset(
        number
        for number, names in enumerate(known.words)
        if any(wanted.issubset(name) for name in names)
    )


class _Known:
    """Classes as they are asked for: by words, and by the names of groups."""

    def __init__(self, classes: Sequence[str]) -> None:
        numbers = _imagenet_numbers(classes)
        self.words: list[list[tuple[str, ...]]] = [
            [_words(part) for part in name.split(",")] for name in classes
        ]
        groups: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for number, found in enumerate(numbers):
            for one in found:
                if _WNID.match(classes[number]):
                    self.words[number].append(_words(CLASSES[one]))
                for name in _groups_of()[one]:
                    groups[name].add(number)
        self.groups: Mapping[tuple[str, ...], frozenset[int]] = {
            name: frozenset(found) for name, found in groups.items()
        }


@lru_cache(64)
def _known(classes: tuple[str, ...]) -> _Known:
    return _Known(classes)


def _imagenet_numbers(classes: Sequence[str]) -> list[set[int]]:
    """Which of ImageNet's classes each of these is: none, or several that share a name."""
    if tuple(classes) == CLASSES:
        return [{number} for number in range(len(CLASSES))]
    by_name: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, name in enumerate(CLASSES):
        by_name[_words(name)].add(number)
    found = []
    for name in classes:
        wnid = _WNID.match(name)
        if wnid and wnid[0] in WNIDS:
            found.append({WNIDS.index(wnid[0])})
        else:
            found.append(by_name.get(_words(name.partition(",")[0]), set()))
    return found


@cache
def _groups_of() -> Mapping[int, set[tuple[str, ...]]]:
    """The names of the groups that each of ImageNet's classes is in."""
    found: dict[int, set[tuple[str, ...]]] = defaultdict(set)
    for names, numbers in GROUPS:
        for number in numbers:
            found[number].update(_words(name) for name in names)
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(_singular(word) for word in re.findall(r"[^\W_]+", text.casefold()))


def _singular(word: str) -> str:
    """A word without the ending of a plural, so that "dogs", "buses" and "foxes" find "dog", "bus"
    and "fox". It is only compared, never shown."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("sses", "shes", "ches", "xes", "buses"):
        if word.endswith(ending):
            return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word
