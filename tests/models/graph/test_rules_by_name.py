"""Every rule finds the same however a call of its operation is written: all overloads, by torch's
own schemas, with arguments by position, by name, and defaults left out or given."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from micrograph.models.graph import aten
from micrograph.models.graph.watcher import Watcher

MAP = torch.rand(2, 4, 6, 6)
SCALES = torch.rand(4)
POOL = {"kernel_size": [2, 3], "stride": [2, 1], "padding": [1, 0], "dilation": [1, 2]}
NORM = {
    "weight": SCALES,
    "bias": SCALES,
    "running_mean": torch.zeros(4),
    "running_var": torch.ones(4),
    "training": True,
    "momentum": 0.1,
    "eps": 1e-5,
}
RESIZE = {"output_size": [9, 12], "align_corners": False, "scale_factors": None}


def rows(x: Tensor) -> Tensor:
    return x.view(8, 36)


def heads(x: Tensor) -> Tensor:
    """[batch, head, position, unit]."""
    return x.view(2, 2, 2, 36).transpose(2, 3)


def flat(x: Tensor) -> Tensor:
    return x.view(2, 4, 36)


ATTENTION = {"query": heads, "key": heads, "value": heads, "attn_bias": None}
ROWS_3_AND_LAST = {"indices": [None, None, torch.tensor([3, -1])]}
REDUCED = {"dim": [2], "keepdim": True, "correction": 0}
EXTREME = {"dim": 1, "other": MAP}
ALONG = {"dim": 1}
PUT = {"dim": 2, "index": torch.tensor([1, 0]), "source": MAP[:, :, :2]}
SCATTER = {"dim": 2, "index": torch.zeros(2, 4, 6, 6, dtype=torch.long), "src": MAP}

GIVEN: dict[str, dict[str, Any]] = {
    "_adaptive_avg_pool2d": {"output_size": [2, 3]},
    "adaptive_max_pool2d": {"output_size": [2, 3]},
    "_fused_rms_norm": {"normalized_shape": [6], "weight": None, "eps": 1e-5},
    "_native_batch_norm_legit": NORM,
    "_native_batch_norm_legit_no_training": NORM,
    "native_batch_norm": NORM,
    "_batch_norm_with_update": NORM,
    "_batch_norm_no_update": NORM,
    "_prelu_kernel": {"weight": SCALES[:, None, None]},
    "_reshape_alias": {"size": [2, 4, 36], "stride": [144, 36, 1]},
    "_scaled_dot_product_flash_attention_for_cpu": ATTENTION,
    "_softmax": {"dim": 2, "half_to_float": False},
    "_log_softmax": {"dim": 2, "half_to_float": False},
    "_safe_softmax": {"dim": 2},
    "addmm": {"self": torch.rand(8, 5), "mat1": rows, "mat2": torch.rand(36, 5)},
    "baddbmm": {
        "self": torch.rand(2, 4, 5),
        "batch1": flat,
        "batch2": torch.rand(2, 36, 5),
    },
    "bmm": {"self": flat, "mat2": torch.rand(2, 36, 5)},
    "mm": {"self": rows, "mat2": torch.rand(36, 5)},
    "avg_pool2d": POOL,
    "max_pool2d_with_indices": POOL,
    "cat": {"tensors": [MAP, MAP], "dim": 1},
    "stack": {"tensors": [MAP, MAP], "dim": 1},
    "constant_pad_nd": {"pad": [1, 2, 0, 3], "value": 0},
    "reflection_pad1d": {"self": lambda x: x[:, 0], "padding": [1, 2]},
    "reflection_pad2d": {"padding": [1, 2, 0, 3]},
    "replication_pad1d": {"self": lambda x: x[:, 0], "padding": [1, 2]},
    "replication_pad2d": {"padding": [1, 2, 0, 3]},
    "convolution": {
        "weight": torch.rand(5, 4, 3, 3),
        "bias": None,
        "stride": [2, 1],
        "padding": [1, 1],
        "dilation": [1, 2],
        "transposed": False,
        "output_padding": [0, 0],
        "groups": 1,
    },
    "copy": {"src": MAP},
    "cumprod": {"dim": 2},
    "as_strided": {
        "self": lambda x: x.mean((2, 3), True),
        "size": [2, 4, 1, 1],
        "stride": [4, 1, 4, 4],
    },
    "cumsum": {"dim": 2},
    "logcumsumexp": {"dim": 2},
    "expand": {"self": lambda x: x[:, :1], "size": [2, 7, 6, 6]},
    "fill": {"value": {"Scalar": 1, "Tensor": torch.tensor(1.0)}},
    "flip": {"dims": [1, 2]},
    "gather": {"dim": 2, "index": torch.zeros(2, 4, 3, 6, dtype=torch.long)},
    "glu": {"dim": 1},
    "im2col": {"kernel_size": [3, 2], "dilation": [1, 1], "padding": [0, 1], "stride": [3, 1]},
    "grid_sampler_2d": {
        "grid": torch.rand(2, 5, 5, 2),
        "interpolation_mode": 0,
        "padding_mode": 0,
        "align_corners": False,
    },
    "index": ROWS_3_AND_LAST,
    "_unsafe_index": ROWS_3_AND_LAST,
    "index_select": {"dim": 2, "index": torch.tensor([3, 1])},
    "index_put": {"indices": [None, None, torch.tensor([1])], "values": torch.rand(2, 4, 1, 6)},
    "_index_put_impl": {
        "indices": [None, None, torch.tensor([1])],
        "values": torch.rand(2, 4, 1, 6),
    },
    "index_copy": PUT,
    "index_add": PUT,
    "index_fill": {**PUT, "value": {"int_Scalar": 1, "int_Tensor": torch.tensor(1.0)}},
    "scatter": {**SCATTER, "value": 1.0, "reduce": "add"},
    "scatter_add": SCATTER,
    "scatter_reduce": {**SCATTER, "reduce": "sum"},
    "masked_scatter": {"mask": MAP > 0.5, "source": MAP},
    "masked_fill": {"mask": MAP[0] > 2, "value": {"Scalar": 0.0, "Tensor": torch.tensor(0.0)}},
    "kthvalue": {"k": 1, "dim": 1},
    "linear": {"input": lambda x: x.permute(0, 2, 3, 1), "weight": torch.rand(5, 4)},
    "logsumexp": {"dim": [1]},
    "max_unpool2d": {
        "indices": torch.arange(36).expand(2, 4, 36).reshape(2, 4, 6, 6),
        "output_size": [12, 12],
    },
    "mode": {"dim": 1},
    "channel_shuffle": {"groups": 2},
    "native_channel_shuffle": {"groups": 2},
    "native_dropout": {"p": 0.0, "train": False},
    "native_group_norm": {
        "weight": SCALES,
        "bias": SCALES,
        "N": 2,
        "C": 4,
        "HxW": 36,
        "group": 2,
        "eps": 1e-5,
    },
    "native_layer_norm": {"normalized_shape": [6], "weight": None, "bias": None, "eps": 1e-5},
    "norm": {"p": 2, "dim": [1], "keepdim": True, "dtype": torch.float32},
    "permute": {"dims": [0, 2, 3, 1]},
    "pixel_shuffle": {"upscale_factor": 2},
    "pixel_unshuffle": {"downscale_factor": 2},
    "reshape": {"shape": [2, 4, 36]},
    "roll": {"shifts": [1], "dims": [2]},
    "select": {"dim": 2, "index": -1},
    "slice": {"dim": 2, "start": 1, "end": 5, "step": 2},
    "split": {"split_size": {"Tensor": 2, "sizes": [1, 3]}, "split_sizes": [1, 3], "dim": 1},
    "split_with_sizes": {"split_sizes": [1, 3], "dim": 1},
    "squeeze": {"self": lambda x: x[:, :1], "dim": {"dim": 1, "dims": [1]}},
    "t": {"self": lambda x: x[0, 0]},
    "transpose": {"dim0": 1, "dim1": -1},
    "unbind": {"dim": 2},
    "unsqueeze": {"dim": -1},
    "view": {"size": [2, 4, 36], "dtype": torch.int32},
    "_unsafe_view": {"size": [2, 4, 36]},
    **dict.fromkeys(("upsample_nearest2d", "_upsample_nearest_exact2d"), RESIZE),
    **dict.fromkeys(("upsample_bilinear2d", "_upsample_bilinear2d_aa"), RESIZE),
    **dict.fromkeys(("upsample_bicubic2d", "_upsample_bicubic2d_aa"), RESIZE),
    **dict.fromkeys(
        ("mean", "sum", "amax", "amin", "var", "std", "var_mean", "std_mean", "nansum"),
        REDUCED,
    ),
    "linalg_vector_norm": {"ord": 3, "dim": [1]},
    **dict.fromkeys(("max", "min"), EXTREME),
    **dict.fromkeys(("median", "nanmedian"), ALONG),
    "prod": ALONG,
    "aminmax": ALONG,
}
"""What is given to each operation beside the map, if it has an argument of that name: a value, or
what is made of the map; where an argument differs between overloads, by overload."""

ELSEWHERE = {
    "cudnn_batch_norm",
    "miopen_batch_norm",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable",
}
"""Operations of other devices: they cannot be called here."""
REFUSED = {(name, "dtype") for name in ("addmm", "bmm", "baddbmm", "mm")}
"""Overloads that CPUs refuse."""


def overloads() -> list[tuple[str, str]]:
    return list(_overloads())


def _overloads() -> Iterator[tuple[str, str]]:
    for name in sorted(set(aten._RULES) - ELSEWHERE):
        for overload in getattr(torch.ops.aten, name).overloads():
            schema = getattr(getattr(torch.ops.aten, name), overload)._schema
            arguments = schema.arguments
            written = any(
                a.alias_info and a.alias_info.is_write and a.kwarg_only for a in arguments
            )
            tensors = any("Tensor" in str(a.type) for a in arguments)
            scripts = any("str" in str(a.type) and a.name == "dim" for a in arguments)
            scripts = scripts or overload.endswith(("Dict_Tensor", "hacked_twin", "list_Tensor"))
            if tensors and not written and not scripts and (name, overload) not in REFUSED:
                yield name, overload


def found(operation: Any, given: dict[str, Any], spelling: str) -> list[Any]:
    """Axes, field and token of all that a call gives, which is written in that way."""
    watcher = Watcher({})
    watcher.start(MAP)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    by_position = spelling != "names"
    for argument in operation._schema.arguments:
        if argument.name not in given:
            assert argument.has_default_value(), f"{operation}: no value for {argument.name}"
            if spelling == "short":
                by_position = False
                continue
            value = argument.default_value
        else:
            value = given[argument.name]
        if callable(value):
            with torch.no_grad(), watcher:
                value = value(MAP)
        if by_position and not argument.kwarg_only:
            args.append(value)
        else:
            kwargs[argument.name] = value
    with torch.no_grad(), watcher:
        results = operation(*args, **kwargs)
    assert not watcher.slips, watcher.slips
    leaves = [results] if isinstance(results, Tensor) else list(results)
    origins = [watcher._origin(t) for t in leaves if isinstance(t, Tensor)]
    assert any(origin is not None for origin in origins), "it comes from the picture"
    for tensor, origin in zip(leaves, origins, strict=True):
        if origin is not None:
            sizes = [[a.size for a in one] for one in origin.trace.axes]
            assert [torch.Size(s).numel() for s in sizes] == list(tensor.shape)
    return [
        None if o is None else (o.trace.axes, o.trace.field.as_square(), o.trace.token)
        for o in origins
    ]


@pytest.mark.parametrize(("name", "overload"), overloads())
def test_all_spellings_of_a_call_are_one(name: str, overload: str) -> None:
    operation = getattr(getattr(torch.ops.aten, name), overload)
    known = {"self": MAP, "input": MAP, **GIVEN.get(name, {})}
    given = {
        argument.name: value[overload] if isinstance(value, dict) else value
        for argument in operation._schema.arguments
        if (value := known.get(argument.name, known)) is not known
    }
    short, long, named = (found(operation, given, how) for how in ("short", "long", "names"))
    assert short == long == named


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_operations_of_other_devices_are_refused_here(name: str) -> None:
    operation = getattr(torch.ops.aten, name)
    with pytest.raises((NotImplementedError, RuntimeError, TypeError)):
        operation(*[MAP] * 3, None, None, None, False, 0.1, 1e-5)
    assert name in aten._RULES


def test_what_is_overwritten_is_known_by_its_name() -> None:
    watcher = Watcher({})
    watcher.start(MAP)
    with torch.no_grad(), watcher:
        into = MAP * 2
        other = torch.ones_like(MAP)
        torch.ops.aten.copy_.default(src=other, self=into)
        assert watcher._origin(into) is None
        torch.ops.aten.copy_.default(src=MAP, self=other)
        assert watcher._origin(other) is not None
        torch.ops.aten.zero_.default(self=other)
        assert watcher._origin(other) is None
    assert not watcher.slips


@pytest.mark.parametrize(
    ("length", "size"),
    [
        (lambda x: nn.functional.normalize(x, dim=1), 3),
        (lambda x: x / x.norm(p=2, dim=1, keepdim=True), 3),
        (lambda x: x / x.norm(p=3.0, dim=1, keepdim=True), 3),
        (lambda x: x / torch.linalg.vector_norm(x, 3, 1, True), 3),
        (lambda x: x / torch.linalg.vector_norm(x, ord=2, dim=(1,), keepdim=True), 3),
        (lambda x: x / torch.linalg.norm(x, dim=1, keepdim=True), 3),
        (lambda x: x * x.norm(p=2, dim=(2, 3), keepdim=True), None),
        (lambda x: x * x.norm(), None),
        (lambda x: x - x.var(1, True), 3),
        (lambda x: x - x.var(1, keepdim=True, unbiased=False), 3),
        (lambda x: x - x.max(1, keepdim=True).values, 3),
        (lambda x: x - x.std(True), None),
    ],
)
def test_lengths_and_the_like_are_over_the_axes_that_they_name(length: Any, size: Any) -> None:
    from nets import conv, under_microscope

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = conv(), nn.Conv2d(4, 5, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(length(self.first(x)))

    model = under_microscope(Net())
    assert not model.slips
    field = model.node("last").receptive_field
    assert (field.size, field.status) == ((size, "exact") if size else (0, "whole input"))
