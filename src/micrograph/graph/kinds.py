"""The kinds of nodes, and what is true of each.

This is the only place that says it: whoever needs to know something of a node's kind asks a
property here.
"""

from enum import Flag, StrEnum, auto
from functools import lru_cache


class _Trait(Flag):
    NONE = 0
    WEIGHTS = auto()
    REARRANGES = auto()
    SCALES = auto()
    RECTIFIES = auto()
    ACTIVATES = auto()
    KEEPS_WEIGHTS = auto()
    JOINS = auto()
    ADDS = auto()
    MULTIPLIES = auto()
    ATTACHED = auto()
    SMALL = auto()


_WEIGHTS, _JOINS, _ADDS = _Trait.WEIGHTS, _Trait.JOINS, _Trait.ADDS
_UNCHANGED = _Trait.REARRANGES | _Trait.KEEPS_WEIGHTS | _Trait.SMALL


class NodeKind(StrEnum):
    """A plain word for what a node is. The values stand in atlases and never change."""

    CONV = "conv", _WEIGHTS
    LINEAR = "linear", _WEIGHTS
    ATTENTION = "attention"
    MLP = "mlp"
    INCEPTION = "inception"
    FIRE = "fire"
    BLOCK = "block", _ADDS
    ADD = "add", _ADDS | _JOINS
    CAT = "cat", _JOINS
    MUL = "mul", _JOINS | _Trait.MULTIPLIES
    ACTIVATION = "activation", _ADDS | _Trait.ACTIVATES | _Trait.KEEPS_WEIGHTS
    RELU = "relu", _ADDS | _Trait.ACTIVATES | _Trait.KEEPS_WEIGHTS | _Trait.SMALL
    """As others call an activation that stands alone."""
    RECTIFIED = "rectified", _Trait.RECTIFIES
    """The sum that ends a residual block, behind its ReLU."""
    INPUT = "input", _Trait.REARRANGES
    POOL = "pool", _UNCHANGED
    NORM = "norm", _UNCHANGED
    FLATTEN = "flatten", _UNCHANGED
    DROPOUT = "dropout", _UNCHANGED | _Trait.SCALES
    IDENTITY = "identity", _UNCHANGED | _Trait.SCALES
    PAD = "pad", _Trait.REARRANGES | _Trait.SMALL
    SOFTMAX = "softmax", _Trait.REARRANGES | _Trait.SMALL
    SCALE = "scale", _Trait.SCALES | _Trait.SMALL
    TOKEN = "token", _Trait.SMALL
    EMBEDDING = "embedding"
    LOGITS = "logits"
    DICTIONARY = "dictionary", _Trait.ATTACHED
    DIRECTIONS = "directions", _Trait.ATTACHED
    OTHER = "other"

    _traits: _Trait

    def __new__(cls, text: str, traits: _Trait = _Trait.NONE) -> "NodeKind":
        """A member that is its text, and of which `traits` are true."""
        member = str.__new__(cls, text)
        member._value_ = text
        member._traits = traits
        return member

    @classmethod
    def of(cls, text: str) -> "NodeKind":
        """The kind that `text` means; OTHER for what is not known.

        Atlases come from anywhere, so case does not matter, and "maxpool" and "batch_norm" are
        understood. The text itself is what pages show.
        """
        return _read(text.lower())

    @property
    def has_weights(self) -> bool:
        """Each of its units is a weighted sum of what is before it."""
        return _WEIGHTS in self._traits

    @property
    def passes_on(self) -> bool:
        """Its units are those of the node before, in other places or on another scale."""
        return self.is_rearrangement or self is NodeKind.SCALE or _Trait.RECTIFIES in self._traits

    @property
    def is_rearrangement(self) -> bool:
        """Passes on by fixed rules alone: pooled, flattened, normalized or as they were."""
        return _Trait.REARRANGES in self._traits

    @property
    def has_own_units(self) -> bool:
        """Its units are made here, so that pictures of them can say something new."""
        return not self.passes_on

    @property
    def is_scaling(self) -> bool:
        """At most multiplies each unit by a number: its readers read the node before it."""
        return _Trait.SCALES in self._traits

    @property
    def keeps_weights(self) -> bool:
        """A weight that reads one of its units is a weight of one unit of the node before, but for
        the factor of a norm, which can be known."""
        return _Trait.KEEPS_WEIGHTS in self._traits

    @property
    def is_activation(self) -> bool:
        """Finishes the units of the node before: a ReLU or the like."""
        return _Trait.ACTIVATES in self._traits

    @property
    def is_attention(self) -> bool:
        """Made inside a module of attention."""
        return self is NodeKind.ATTENTION

    @property
    def is_join(self) -> bool:
        """Called after the operation that makes it from several nodes."""
        return _JOINS in self._traits

    @property
    def may_add(self) -> bool:
        """Of several nodes before it that are as wide as itself it is the sum."""
        return _ADDS in self._traits

    @property
    def may_multiply(self) -> bool:
        """Of several nodes before it that are as wide as itself it is the product."""
        return _Trait.MULTIPLIES in self._traits

    @property
    def is_attached(self) -> bool:
        """None of the network's own: a dictionary or directions, over the one node it reads."""
        return _Trait.ATTACHED in self._traits

    @property
    def is_token(self) -> bool:
        """One position of the node whose name its own begins with, such as the class token."""
        return self is NodeKind.TOKEN

    @property
    def is_drawn_small(self) -> bool:
        """A drawing gives it a small box, without pictures."""
        return _Trait.SMALL in self._traits


_WORDS = {
    "lrn": NodeKind.NORM,
    **{kind.value: kind for kind in NodeKind if kind.is_drawn_small},
}
"""What the names that others give to such kinds contain."""


@lru_cache(maxsize=1024)
def _read(text: str) -> NodeKind:
    known = {kind.value: kind for kind in NodeKind}
    if text in known:
        return known[text]
    return next((kind for word, kind in _WORDS.items() if word in text), NodeKind.OTHER)
