"""The table: what is done with each of torch's operations."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves

from micrograph.models.linear import activations, norms, products
from micrograph.models.linear.approximation import Approximation
from micrograph.models.linear.call import Call, Made, names

Rule = Callable[[Call], Made | None]

_VIEWS = names(
    "permute transpose t numpy_T expand slice select "
    "narrow unsqueeze squeeze alias clone contiguous _to_copy lift_fresh split "
    "split_with_sizes chunk unbind unsafe_split unsafe_chunk cat stack unfold diagonal "
    "movedim flip roll repeat channel_shuffle pixel_shuffle pixel_unshuffle"
)
"""They only move numbers: an activation before them is still the last thing that happened."""
_LINEAR = _VIEWS | names(
    "add sub rsub neg positive sum mean nansum cumsum real "
    "avg_pool1d avg_pool2d avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d "
    "adaptive_avg_pool1d constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d "
    "replication_pad1d replication_pad2d replication_pad3d im2col col2im "
    "upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_linear1d "
    "upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d _upsample_nearest_exact1d "
    "_upsample_nearest_exact2d _upsample_nearest_exact3d _upsample_bilinear2d_aa "
    "_upsample_bicubic2d_aa index_select gather index take tril triu masked_fill where "
    "select_scatter slice_scatter scatter scatter_add index_add index_copy trace diag_embed "
    "index_put lerp grid_sampler_2d masked_select"
)
_ELEMENTWISE = names(
    "add sub rsub neg clone _to_copy alias detach pow sqrt rsqrt exp log log2 log1p expm1 "
    "reciprocal sin cos square"
)
"""Each number of the result is made of the numbers in the same place."""
_HELD = names(
    "pow sqrt rsqrt exp exp2 log log2 log10 log1p expm1 reciprocal sin cos var var_mean std "
    "std_mean linalg_vector_norm norm frobenius_norm logsumexp prod cumprod square _softmax "
    "_log_softmax _safe_softmax softmax log_softmax sign sgn floor ceil round trunc eq ne lt le gt "
    "ge logical_not logical_and logical_or bitwise_not isnan isinf argmax argmin _masked_softmax "
    "_unique2 any all _cdist_forward _euclidean_dist std_dim var_dim linalg_norm"
)
WITHOUT_VALUES = names(
    "zeros_like ones_like empty_like full_like rand_like randn_like new_zeros new_ones new_empty "
    "new_full new_empty_strided sym_size sym_stride size stride zero fill bernoulli "
    "dropout _assert_async empty_strided is_same_size"
)
"""They give nothing that depends on the values that they are given."""


def made(call: Call) -> Made | None:
    """What the linearized network gives for a call; None where that is the same constant."""
    if call.name in WITHOUT_VALUES and not (call.name == "fill" and call.is_live(call.args[1])):
        return None
    rule = _RULES.get(call.name)
    if not any(s.linear is not None for s in call.all):
        return _all_held(call)
    if rule is not None:
        return rule(call)
    return _if_linear(call)


def _all_held(call: Call) -> Made:
    if call.heads is not None and call.name in products.SOFTMAX:
        return products.held(call)
    if any(s.stand_in is not None for s in call.all) and isinstance(call.result, Tensor):
        return Made(None, stand_in=call.on_linear())
    outputs: Any = None
    if isinstance(call.result, tuple | list):
        outputs = type(call.result)([None] * len(call.result))
    return Made(outputs, as_elementwise=call.name in _ELEMENTWISE | products.FACTORS.keys())


def _linear(call: Call) -> Made:
    """Linear in all arguments together; constants among them only shift the result."""
    if any(call.is_live(v) for v in tree_leaves(_chooser(call))):
        return products.held(call)
    found = Made(call.on_linear(), as_elementwise=call.name in _ELEMENTWISE)
    if any(call.is_held(v) for v in tree_leaves(_chooser(call))):
        note = call.approximation("it chooses as on the reference", held=True)
        found.passed = call.passed | {note}
        return found
    if call.name in _VIEWS:
        shadows = call.all
        found.passed = frozenset().union(*(s.passed for s in shadows))
        found.trailing = frozenset().union(*(s.trailing for s in shadows))
    if len(call.all) == 1:
        (only,) = call.all
        found.gate, found.top = only.gate, only.top
        if call.name in ("add", "sub"):
            found.top += _shift(call)
        elif call.name not in _VIEWS and not call.name.startswith(("upsample", "_upsample")):
            found.gate = 0
    return found


def _shift(call: Call) -> float:
    """What a sum adds to a gate, where it is one plain number."""
    others = [a for a in call.args[:2] if call.shadow(a) is None]
    other = others[0] if others else 0
    if isinstance(other, Tensor):
        return float(other) if other.numel() == 1 else 0.0
    return float(other) if isinstance(other, int | float) else 0.0


_CHOOSING = {
    "index": 1,
    "index_select": 2,
    "gather": 2,
    "where": 0,
    "masked_fill": 1,
    "lerp": 2,
    "grid_sampler_2d": 1,
    "index_put": 1,
    "scatter": 2,
    "scatter_add": 2,
    "index_add": 2,
    "index_copy": 2,
    "masked_select": 1,
    "take": 1,
}


def _chooser(call: Call) -> Any:
    """The argument that says which numbers go where, or how they are mixed, if there is one."""
    number = _CHOOSING.get(call.name)
    return None if number is None or number >= len(call.args) else call.args[number]


def _moved(call: Call, linear: Any) -> Made:
    """Numbers that were only moved; an activation before is still the last thing that happened."""
    (only,) = call.all
    return Made(linear, only.passed, only.trailing, only.gate, only.top)


def _reshaped(call: Call) -> Made:
    return _moved(call, call.linear(call.args[0]).reshape(call.result.shape))


def _copied(call: Call) -> Made | None:
    """What is copied takes the place of what was there."""
    came = call.shadow(call.args[1])
    if came is None:
        return None
    linear = call.linear(call.args[1]).expand(call.args[0].shape).to(call.args[0].dtype)
    return Made(linear, came.passed, came.trailing, came.gate, came.top)


def _detached(call: Call) -> Made:
    """What stops gradients stops no values."""
    found = _moved(call, call.linear(call.args[0]))
    found.as_elementwise = True
    return found


def _strided(call: Call) -> Made:
    """Any view of memory: which number of the operand lies at each place of the result?"""
    x = call.args[0]
    size = x.untyped_storage().nbytes() // x.element_size()
    there = torch.full((size,), -1, device=x.device)
    own = torch.arange(x.numel(), device=x.device).reshape(x.shape)
    there.as_strided(x.shape, x.stride(), x.storage_offset()).copy_(own)
    result = call.result
    numbers = there.as_strided(result.shape, result.stride(), result.storage_offset())
    if (numbers < 0).any():
        return _if_linear(call)
    return _moved(call, call.linear(x).reshape(-1)[numbers])


def _if_linear(call: Call) -> Made:
    """An operation that no rule knows: linear if that shows on this very call, else refused."""
    try:
        linear = call.on_linear() if all(_adds_up(call, n) for n in (1e-3, 1.0, 1e3)) else None
    except Exception:  # whatever an unknown operation raises on other numbers
        linear = None
    graded = [t for t in tree_leaves(linear) if isinstance(t, Tensor) and t.requires_grad]
    if linear is not None and graded:
        return Made(linear)
    note = Approximation(
        call.where, call.name, "it is not linear, and nothing linear near it is known", refused=True
    )
    outputs: Any = None
    if isinstance(call.result, tuple | list):
        outputs = type(call.result)([None] * len(call.result))
    return Made(outputs, frozenset({note}))


@torch.no_grad()
def _adds_up(call: Call, scale: float) -> bool:
    """Whether f(a + 2b) - f(0) = f(a) - f(0) + 2 (f(b) - f(0)) for random a and b."""
    draw = torch.Generator().manual_seed(0)
    flat, form = tree_flatten((call.args, dict(call.kwargs)))
    live = [number for number, value in enumerate(flat) if call.is_live(value)]
    a, b = (
        [torch.randn(flat[n].shape, generator=draw).to(flat[n]) * scale for n in live]
        for _ in range(2)
    )

    def given(values: list[Tensor]) -> list[Tensor]:
        filled = list(flat)
        for number, value in zip(live, values, strict=True):
            filled[number] = value
        args, kwargs = torch.utils._pytree.tree_unflatten(filled, form)
        return [t.double() for t in _floats(call.function(*args, **kwargs))]

    nothing = given([torch.zeros_like(v) for v in a])
    one, two = given(a), given(b)
    both = given([x + 2 * y for x, y in zip(a, b, strict=True)])
    return bool(nothing) and all(
        bool(((w - z) - (x - z) - 2 * (y - z)).abs().max() <= 1e-4 * (w - z).abs().max() + 1e-30)
        for z, x, y, w in zip(nothing, one, two, both, strict=True)
    )


def _floats(result: Any) -> Iterator[Tensor]:
    for t in tree_leaves(result):
        if isinstance(t, Tensor) and t.is_floating_point():
            yield t


_RULES: dict[str, Rule] = {
    **dict.fromkeys(_LINEAR, _linear),
    **dict.fromkeys(_HELD, products.held),
    **dict.fromkeys(products.FACTORS, products.product),
    **dict.fromkeys(activations.ACTIVATIONS, activations.activation),
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "_reshape_alias"), _reshaped),
    "copy": _copied,
    "detach": _detached,
    "as_strided": _strided,
    "div": products.quotient,
    "true_divide": products.quotient,
    "maximum": activations.maximum,
    "minimum": activations.maximum,
    "abs": activations.absolute,
    **dict.fromkeys(("amax", "amin", "max", "min"), activations.largest),
    **dict.fromkeys(("sort", "topk"), activations.chosen),
    **dict.fromkeys(
        (
            "max_pool1d",
            "max_pool2d",
            "max_pool3d",
            "max_pool1d_with_indices",
            "max_pool2d_with_indices",
            "max_pool3d_with_indices",
            "adaptive_max_pool1d",
            "adaptive_max_pool2d",
            "adaptive_max_pool3d",
        ),
        activations.max_pool,
    ),
    "native_layer_norm": norms.layer_norm,
    "native_group_norm": norms.group_norm,
    **dict.fromkeys(
        (
            "native_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "cudnn_batch_norm",
            "miopen_batch_norm",
            "batch_norm",
            "_batch_norm_no_update",
            "_batch_norm_with_update",
        ),
        norms.batch_norm,
    ),
    "_fused_rms_norm": norms.rms_norm,
    **dict.fromkeys(
        (
            "_scaled_dot_product_flash_attention_for_cpu",
            "_scaled_dot_product_flash_attention",
            "_scaled_dot_product_efficient_attention",
            "_scaled_dot_product_cudnn_attention",
            "_scaled_dot_product_attention_math",
            "scaled_dot_product_attention",
        ),
        norms.attention,
    ),
}
