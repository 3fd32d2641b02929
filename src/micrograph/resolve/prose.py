"""Places written without a link: `InceptionV1 4c:447`, `unit 447 of 4c in InceptionV1`.

A text is read in words. A word is a unit (`4c:447`), a node (`mixed4c_0`), a number, a word that
may stand beside an address ("unit", "of"), or anything else. Only what can be read in one way is
read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_UNIT_WORDS = frozenset(
    (
        "unit",
        "neuron",
        "channel",
        "feature",
        "units",
        "neurons",
        "channels",
        "#",
        "no",
        "number",
        "index",
    )
)
_BESIDE = _UNIT_WORDS | frozenset(
    (
        "a",
        "an",
        "the",
        "of",
        "in",
        "at",
        "on",
        "to",
        "for",
        "from",
        "see",
        "model",
        "network",
        "net",
        "layer",
        "block",
        "node",
        "page",
        "op",
        "tensor",
        "address",
        "link",
        "features",
        "imagenet",
        "openai",
        "microscope",
        "micrograph",
    )
)
_MARKS = "\"'`*“”‘’«»()[]{}<>.,;!?…|–—-→›/:#="
_NUMBER = re.compile(r"[0-9]{1,9}\Z")
_ORDINAL = re.compile(r"([0-9]{1,9})(?:st|nd|rd|th)\Z")
_GLUED = re.compile(r"(?:unit|neuron|channel|feature)[_#:=-]?([0-9]{1,9})\Z", re.I)
_WITH_UNIT = re.compile(r"(.+?)[:/#\[,]#?([0-9]{1,9})\Z", re.S)
_FOREIGN = frozenset(
    (
        "torchvision",
        "timm",
        "keras",
        "slim",
        "robust",
        "adversarial",
        "adversarially",
        "caffe",
        "bvlc",
        "places",
        "places205",
        "places365",
        "vit",
        "quantized",
        "pruned",
    )
)
"""Words that make another model of the one beside them."""
_MODEL_LIKE = re.compile(r"net|incept|vgg|clip|\bvit|dino|swin|resn|conv|bert|rn\d|v\d|\d", re.I)


@dataclass
class ProseMatch:
    """What the words of a text mean in one model. `units` are (node, unit), each once."""

    units: dict[tuple[str, int], None] = field(default_factory=dict)
    nodes: dict[str, None] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    called: list[int] = field(default_factory=list)
    """Numbers of `numbers` that the text calls a unit."""
    others: list[str] = field(default_factory=list)

    def place(self, model_named: bool) -> tuple[str, int | None] | None:
        """The one node, or unit of a node, that the text means, or None."""
        if not self._trusted(model_named):
            return None
        if len(self.units) == 1:
            ((node, unit),) = self.units
            if {*self.nodes} <= {node} and (not self.numbers or self.others):
                return node, unit
            return None
        if self.units or len(self.nodes) != 1:
            return None
        (node,) = self.nodes
        if len(self.numbers) == 1 and (self.called or not self.others):
            return node, self.numbers[0]
        return (node, None) if not self.numbers and not self.others else None

    @property
    def is_empty(self) -> bool:
        """Whether nothing but words that say nothing is there."""
        return not (self.units or self.nodes or self.numbers or self.others)

    def _trusted(self, model_named: bool) -> bool:
        """Without a model named, any other word may be the name of one that is not known; with one,
        a word that looks like a name may make another model of it."""
        if not model_named:
            return not self.others
        return not any(map(is_foreign, self.others))


def is_foreign(word: str) -> bool:
    """Whether a word beside the name of a model may make another model of it."""
    return word.lower() in _FOREIGN or _MODEL_LIKE.search(word) is not None


def read(text: str, find_node: Callable[[str], str | None]) -> ProseMatch:
    """Read the words of `text` for a model; `find_node` gives the node that a spelling means."""
    reading = ProseMatch()
    words = [word for piece in text.split() for word in _words(piece)][:400]
    numeric = sum(_NUMBER.match(word) is not None for word in words)
    before = ""
    for word in words:
        found = _unit(word, find_node, numeric)
        if found is not None:
            node, unit = found
            if unit is None:
                reading.nodes[node] = None
            else:
                reading.units[node, unit] = None
        elif number := _NUMBER.match(word) or _GLUED.match(word) or _ORDINAL.match(word):
            value = int(number[number.lastindex or 0])
            reading.numbers.append(value)
            if before in _UNIT_WORDS or word.startswith("#") or number.lastindex:
                reading.called.append(value)
        elif word.lower() not in _BESIDE:
            reading.others.append(word)
        before = word.lower()
    return reading


def _words(piece: str) -> list[str]:
    """A piece between spaces without the marks around it, and `#447` as `#` and `447`."""
    bare = piece.strip(_MARKS)
    bare = re.sub(r"['’]s\Z", "", bare)
    if not bare:
        return []
    return ["#", bare] if piece.lstrip("([{").startswith("#") else [bare]


def _unit(
    word: str, find_node: Callable[[str], str | None], numeric: int
) -> tuple[str, int | None] | None:
    """A node, or a unit of one. `name:0` is unit 0, unless it can only be a tensor of TensorFlow's:
    with slashes in its name, or with the unit named elsewhere."""
    if len(word) > 200 or _NUMBER.match(word):
        return None
    split = _WITH_UNIT.match(word)
    tensor = (
        split is not None
        and split[2] == "0"
        and word.endswith(":0")
        and ("/" in split[1] or numeric > 0)
    )
    if split and not tensor and (node := find_node(split[1])):
        return node, int(split[2])
    whole = find_node(word)
    return None if whole is None else (whole, None)
