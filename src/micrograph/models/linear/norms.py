"""Norms: their means are linear, what they divide by is held or, in eval mode, constant."""

import math
from typing import Any

import torch
from torch import Tensor

from micrograph.models.linear.call import Call, Made

_HELD = "what it divides by is that on the reference"


def layer_norm(call: Call) -> Made:
    """`native_layer_norm`."""
    x, (shape, weight) = call.linear(call.args[0]), call.args[1:3]
    dims = tuple(range(x.ndim - len(shape), x.ndim))
    return _held(call, (x - x.mean(dims, keepdim=True)) * call.result[2], weight)


def group_norm(call: Call) -> Made:
    """`native_group_norm`."""
    x, weight = call.linear(call.args[0]), call.args[1]
    pictures, units, groups = x.shape[0], x.shape[1], call.args[6]
    split = x.reshape(pictures, groups, -1)
    centred = (split - split.mean(-1, keepdim=True)) * call.result[2].reshape(pictures, groups, 1)
    if weight is not None:
        weight = weight.reshape(1, units, *[1] * (x.ndim - 2))
    return _held(call, centred.reshape(x.shape), weight)


def batch_norm(call: Call) -> Made:
    """All spellings. With running statistics it is a factor for each unit, and exact."""
    value, x, weight = call.args[0], call.linear(call.args[0]), call.args[1]
    spread = call.named("running_var")
    training = "no_training" not in call.name and bool(
        call.named("training", call.named("use_input_stats", call.named("train", False)))
    )
    eps = float(call.named("eps", call.named("epsilon", 0.0)))
    sides = (1, -1, *[1] * (x.ndim - 2))
    if not training and isinstance(spread, Tensor):
        scale = (spread.float() + eps).rsqrt()
        if isinstance(weight, Tensor):
            scale = scale * weight
        if call.structure:
            scale = torch.ones_like(scale)
        return Made(_outputs(call, x * scale.view(sides).to(x.dtype)))
    dims = [0, *range(2, x.ndim)]
    spread = value.float().var(dims, correction=0, keepdim=True)
    centred = (x - x.mean(dims, keepdim=True)) * (spread + eps).rsqrt().to(x.dtype)
    return _held(call, centred, weight.view(sides) if isinstance(weight, Tensor) else None)


def rms_norm(call: Call) -> Made:
    """`_fused_rms_norm`."""
    value, x, (shape, weight) = call.args[0], call.linear(call.args[0]), call.args[1:3]
    eps = call.named("eps")
    eps = torch.finfo(value.dtype).eps if eps is None else eps
    dims = tuple(range(x.ndim - len(shape), x.ndim))
    factor = (value.float().pow(2).mean(dims, keepdim=True) + eps).rsqrt()
    return _held(call, x * factor.to(x.dtype), weight)


def _held(call: Call, linear: Tensor, weight: Any) -> Made:
    note = call.approximation(_HELD, held=True)
    if isinstance(weight, Tensor):
        linear = linear * call.weight(weight)
    return Made(_outputs(call, linear), call.passed | {note})


def _outputs(call: Call, linear: Tensor) -> Any:
    if not isinstance(call.result, tuple | list):
        return linear
    return (linear, *[None] * (len(call.result) - 1))


def attention(call: Call) -> Made:
    """Attention as one operation: its pattern is held, its values go through."""
    q, k, v = call.args[:3]
    note = call.approximation("its pattern is that on the reference", held=True)
    if not call.is_live(v):
        return Made(_outputs_held(call), frozenset({note}))
    passed = call.shadows[id(v)].all_passed
    if call.heads is not None:
        passed |= {call.heads.note(call.where, call.name)}
    elif call.shadow(q) or call.shadow(k):
        passed |= {note}
    scale = call.named("scale")
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = q @ k.transpose(-1, -2) * scale
    mask = call.named("attn_mask", call.named("attn_bias"))
    if isinstance(mask, Tensor):
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    if call.named("is_causal", False):
        above = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores.masked_fill(above, -math.inf)
    pattern = scores.softmax(-1)
    if call.heads is not None:
        pattern = call.heads.of_pattern(pattern, call.where)
    return Made(_outputs(call, pattern @ call.linear(v)), passed)


def _outputs_held(call: Call) -> Any:
    return (None,) * len(call.result) if isinstance(call.result, tuple) else None
