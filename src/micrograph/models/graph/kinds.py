"""A plain word for what a node is."""

import re

from torch import nn

from micrograph.models.graph.watching import Value

_KINDS: tuple[tuple[str, tuple[type[nn.Module], ...]], ...] = (
    ("conv", (nn.modules.conv._ConvNd,)),
    ("linear", (nn.Linear,)),
    ("flatten", (nn.Flatten,)),
    (
        "pool",
        (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.LPPool2d),
    ),
    (
        "norm",
        (
            nn.modules.batchnorm._BatchNorm,
            nn.GroupNorm,
            nn.LayerNorm,
            nn.LocalResponseNorm,
            nn.InstanceNorm2d,
        ),
    ),
    ("activation", (nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.LeakyReLU, nn.Hardswish, nn.Sigmoid)),
)
_MAP_WORDS = {
    "attention": "attention",
    "attn": "attention",
    "mlp": "mlp",
    "layerscale": "scale",
    "squeezeexcit": "scale",
}
_CLASS_WORDS = {
    "inception": "inception",
    "mixed": "inception",
    "fire": "fire",
    "(elu|silu|glu|swish|mish|sigmoid|tanh|activation)": "activation",
    "pool": "pool",
    "norm": "norm",
    "flatten": "flatten",
    "(block|bottleneck|layer)": "block",
}
"""What the names of other people's classes say, in this order."""


def kind_of(value: Value) -> str:
    """A plain word: what the module says of itself (`kind`), what it is, or what made the value.

    Whatever happens inside a module of attention is "attention".
    """
    makings = [m for m in value.makings if not m.place.join]
    modules = [m.module for m in makings]
    if value.is_output and not value.shape:
        said = getattr(modules[-1], "kind", None)  # the network itself
        return said if isinstance(said, str) else "logits"
    for module in modules:
        if isinstance(said := getattr(module, "kind", None), str):
            return said
    words = [type(module).__name__.lower() for module in modules]
    if value.shape:
        around = " ".join(value.makings[0].within).lower()
        if "attention" in around or "attn" in around:
            return "attention"
        if "squeezeexcit" in around:
            return "scale"
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
    return value.origin.made_by if value.origin.made_by in ("cat", "add") else "other"
