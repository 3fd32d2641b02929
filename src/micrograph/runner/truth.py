"""Which answers of a model would be right for each picture of a dataset, from its name or class.

A picture of ImageNet has its WordNet id at the start of its name or of a folder's on the way to it
(`n01440764_18.JPEG`, `n01440764/x.jpg`). Other classes are known by their name, as the model calls
them, or by their number among the model's labels.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

from micrograph.cards.zoo._imagenet import CLASSES, WNIDS
from micrograph.datasets import Dataset

Answers = frozenset[int]
_WNID = re.compile(r"n\d{8}(?=[_.\W]|$)")


def right_answers(dataset: Dataset, labels: Sequence[str]) -> list[Answers]:
    """For each picture the numbers of the labels that are right: several where the model has a name
    twice and its order is not that of the WordNet ids; none where the class is unknown."""
    known = _Labels(labels)
    by_class = [known.of_class(name) for name in dataset.classes]
    return [
        known.of_path(entry.name) or (by_class[entry.cls] if entry.cls >= 0 else Answers())
        for entry in dataset.entries
    ]


class _Labels:
    def __init__(self, labels: Sequence[str]) -> None:
        self.count = len(labels)
        self.by_name: dict[str, set[int]] = defaultdict(set)
        for number, label in enumerate(labels):
            self.by_name[_normalized(label)].add(number)
        starts = (n for n in range(self.count - 999) if tuple(labels[n : n + 1000]) == CLASSES)
        self.start = next(starts, None)
        """Where the thousand classes stand in the order of their ids, if they do."""

    def of_path(self, path: str) -> Answers:
        for part in path.split("/"):
            found = _WNID.match(part)
            if found and found[0] in WNIDS:
                return self.of_wnid(found[0])
        return Answers()

    def of_class(self, name: str) -> Answers:
        found = self.of_path(name) or Answers(self.by_name.get(_normalized(name), ()))
        if not found and name.isascii() and name.isdecimal() and int(name) < self.count:
            return Answers({int(name)})
        return found

    def of_wnid(self, wnid: str) -> Answers:
        number = WNIDS.index(wnid)
        if self.start is not None:
            return Answers({self.start + number})
        return Answers(self.by_name.get(_normalized(CLASSES[number]), ()))


def _normalized(name: str) -> str:
    """A name as it is compared: in lower case, the first of several spellings."""
    return re.sub(r"[\W_]+", " ", name.partition(",")[0]).strip().casefold()
