"""A plain word for what a node is."""

import re
from collections.abc import Sequence

from torch import nn

from micrograph.graph import NodeKind
from micrograph.models.graph.watching import Value

_KINDS: tuple[tuple[NodeKind, tuple[type[nn.Module], ...]], ...] = (
    (NodeKind.CONV, (nn.modules.conv._ConvNd,)),
    (NodeKind.LINEAR, (nn.Linear,)),
    (NodeKind.FLATTEN, (nn.Flatten,)),
    (
        NodeKind.POOL,
        (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.LPPool2d),
    ),
    (
        NodeKind.NORM,
        (
            nn.modules.batchnorm._BatchNorm,
            nn.GroupNorm,
            nn.LayerNorm,
            nn.LocalResponseNorm,
            nn.InstanceNorm2d,
        ),
    ),
    (
        NodeKind.ACTIVATION,
        (nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.LeakyReLU, nn.Hardswish, nn.Sigmoid),
    ),
)
_MAP_WORDS = {
    "attention": NodeKind.ATTENTION,
    "attn": NodeKind.ATTENTION,
    "mlp": NodeKind.MLP,
    "layerscale": NodeKind.SCALE,
    "squeezeexcit": NodeKind.SCALE,
}
_CLASS_WORDS = {
    "inception": NodeKind.INCEPTION,
    "mixed": NodeKind.INCEPTION,
    "fire": NodeKind.FIRE,
    "(elu|silu|glu|swish|mish|sigmoid|tanh|activation)": NodeKind.ACTIVATION,
    "pool": NodeKind.POOL,
    "norm": NodeKind.NORM,
    "flatten": NodeKind.FLATTEN,
    "(block|bottleneck|layer)": NodeKind.BLOCK,
}
"""What the names of other people's classes say, in this order."""


def kind_of(value: Value) -> str:
    """A plain word: what the module says of itself (`kind`), what it is, or what made the value.

    Whatever happens inside a module of attention is "attention".
    """
    producers = [m for m in value.producers if not m.place.join]
    modules = [m.module for m in producers]
    if value.is_output and not value.shape:
        said = getattr(modules[-1], "kind", None)  # the network itself
        return said if isinstance(said, str) else NodeKind.LOGITS.value
    for module in modules:
        if isinstance(said := getattr(module, "kind", None), str):
            return said
    return _seen(value, modules).value


def _seen(value: Value, modules: Sequence[nn.Module]) -> NodeKind:
    """The kind of a value whose modules have no kind of their own."""
    words = [type(module).__name__.lower() for module in modules]
    if value.shape:
        around = " ".join(value.producers[0].within).lower()
        if "attention" in around or "attn" in around:
            return NodeKind.ATTENTION
        if "squeezeexcit" in around:
            return NodeKind.SCALE
        for word, kind in _MAP_WORDS.items():
            if any(word in name for name in words):
                return kind
    for kind, classes in _KINDS:
        if any(isinstance(m, classes) for m in modules):
            return kind
    for name in words:
        for word, kind in _CLASS_WORDS.items():
            if re.search(word, name):
                return kind
    operation = NodeKind.of(value.origin.operation)
    return operation if operation.is_join else NodeKind.OTHER
