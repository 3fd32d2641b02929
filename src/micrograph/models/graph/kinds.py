"""A plain word for what a node is."""

import re
from collections.abc import Collection, Sequence

from torch import nn

from micrograph.graph import NodeKind
from micrograph.models.graph.attended import is_attention_output
from micrograph.models.graph.values import Value

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
_NORMS = dict(_KINDS)[NodeKind.NORM]
_MAP_WORDS = {
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


def kinds_of(values: Sequence[Value], inside: Collection[int]) -> list[str]:
    """A plain word for each: what the module says of itself (`kind`), what it is, or what made the
    value.

    Of attention are its queries, keys and values (those with the numbers `inside`) and what it
    gives, wherever that happens and whatever the modules around it are called.
    """
    return [
        _kind(value, number in inside, [values[n] for n in value.origin.numbers])
        for number, value in enumerate(values)
    ]


def _kind(value: Value, inside_attention: bool, sources: Sequence[Value]) -> str:
    producers = [m for m in value.producers if not m.place.join]
    modules = [m.module for m in producers if not m.among_others]
    if value.is_output and not value.shape:
        said = getattr(modules[-1], "kind", None) if modules else None  # the network itself
        return said if isinstance(said, str) else NodeKind.LOGITS.value
    for module in modules:
        if isinstance(said := getattr(module, "kind", None), str):
            return said
    if not (modules or value.producers[0].place.join):
        modules = [m.module for m in producers]
    attends = inside_attention or _attended(value, modules, sources)
    if attends and value.shape and not _is_any(modules, _NORMS):
        return NodeKind.ATTENTION.value
    return _seen(value, modules).value


def _attended(value: Value, modules: Sequence[nn.Module], sources: Sequence[Value]) -> bool:
    """Whether a value is what attention gave, or that times a matrix."""
    if is_attention_output(value):
        return True
    matrix = _is_any(modules, (nn.Linear, nn.modules.conv._ConvNd))
    return matrix and bool(sources) and all(is_attention_output(source) for source in sources)


def _is_any(modules: Sequence[nn.Module], classes: tuple[type[nn.Module], ...]) -> bool:
    return any(isinstance(module, classes) for module in modules)


def _seen(value: Value, modules: Sequence[nn.Module]) -> NodeKind:
    """The kind of a value whose modules have no kind of their own."""
    words = [type(module).__name__.lower() for module in modules]
    if value.shape:
        if "squeezeexcit" in " ".join(value.producers[0].within).lower():
            return NodeKind.SCALE
        for word, kind in _MAP_WORDS.items():
            if any(word in name for name in words):
                return kind
    for kind, classes in _KINDS:
        if _is_any(modules, classes):
            return kind
    # Half of the units of `glu` are multiplied with the other half, bent.
    operation = NodeKind.of({"glu": "mul"}.get(value.origin.operation, value.origin.operation))
    is_sum = operation is NodeKind.ADD and value.origin.inputs > 1
    for name in words:
        for word, kind in _CLASS_WORDS.items():
            if re.search(word, name) and not (is_sum and kind.is_rearrangement):
                return kind
    return operation if operation.is_join else NodeKind.OTHER
