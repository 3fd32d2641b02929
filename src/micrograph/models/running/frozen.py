"""A pass as an affine function of what it reads: everything that is not linear is held as it is.

What is held, on the picture at hand: of an activation its factor f(x) / x (for a ReLU its gate; of
one that is not 0 at 0 the factor of the difference, the rest is a constant); of max pools which
position won; of norms the divisor; of attention its pattern; of a product one factor, where that is
a gate, or else each factor for half of it. So no value changes, and values are sums of what was
read, times gradients, plus constants.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_ELEMENTWISE = frozenset(
    """relu relu6 gelu silu mish elu selu celu leaky_relu prelu rrelu hardswish hardtanh tanh
    tanhshrink softshrink hardshrink softsign abs sqrt square sin cos exp erf arctan atan threshold
    clamp clip clamp_min clamp_max sigmoid hardsigmoid logsigmoid softplus expit""".split()  # noqa: SIM905
)
_GATES = frozenset({"sigmoid", "hardsigmoid", "expit"})
_FROZEN = frozenset({"softmax", "rsqrt", "reciprocal", "__rtruediv__", "__rdiv__"})
_PRODUCTS = frozenset(
    ["mul", "multiply", "__mul__", "__rmul__", "__imul__", "matmul", "__matmul__", "bmm", "mm"]
)
_QUOTIENTS = frozenset(
    ["div", "divide", "true_divide", "__truediv__", "__itruediv__", "__div__", "__idiv__"]
)
_IN_PLACE: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("mul_", "multiply_", "__imul__"), torch.mul),
    **dict.fromkeys(("div_", "divide_", "true_divide_", "__itruediv__", "__idiv__"), torch.div),
}
_RULED = frozenset(
    [
        "amax",
        "glu",
        "log_softmax",
        "local_response_norm",
        "normalize",
        "layer_norm",
        "rms_norm",
        "group_norm",
        "batch_norm",
        "instance_norm",
        "scaled_dot_product_attention",
        "multi_head_attention_forward",
    ]
)
"""Those with a method of their own below."""
_POOLS: dict[str, Callable[..., Any]] = {
    "max_pool2d": F.max_pool2d_with_indices,
    "adaptive_max_pool2d": F.adaptive_max_pool2d_with_indices,
}
_SMALL = 1e-4


class OtherCalls(Exception):
    """A pass with what another held makes other calls than that one did."""


class Frozen(TorchFunctionMode):
    """A context in which passes are affine. With `held`, what an earlier one kept, the pass is that
    one's affine function of whatever is read now; enter one context for each pass."""

    def __init__(self, held: Sequence[Tensor] | None = None) -> None:
        super().__init__()
        self.held: list[Tensor] = []
        """What was held so far, in the order of calls."""
        self._before = None if held is None else list(held)
        self._gates: dict[int, Tensor] = {}
        self._paused = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """A context inside this one in which calls are left as they are."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def hold(self, value: Tensor) -> Tensor:
        """`value` as a constant; in a pass with what another held, that one's."""
        if self._before is not None:
            if len(self.held) >= len(self._before):
                raise OtherCalls
            kept = self._before[len(self.held)]
            if kept.shape != value.shape:
                raise OtherCalls
        else:
            kept = value.detach().clone()
        self.held.append(kept)
        return kept

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if self._paused:
            return func(*args, **kwargs)
        full = getattr(func, "__name__", "")
        name = full if full.startswith("__") else full.rstrip("_")
        if "input" in kwargs and not args:
            args = (kwargs.pop("input"),)
        if not args or not isinstance(args[0], Tensor) or full in ("__get__", "__set__"):
            return self._of_no_tensor(name, func, args, kwargs)
        x: Tensor = args[0]
        if name == "where" and len(args) == 3:  # the condition comes first, or second in a method
            at = 0 if x.dtype == torch.bool else 1
            return func(*args[:at], self.hold(args[at]), *args[at + 1 :], **kwargs)
        if not x.is_floating_point():
            return func(*args, **kwargs)
        if name in _ELEMENTWISE:
            return self._elementwise(name, func, x, args[1:], kwargs)
        if name in _FROZEN:
            return self.hold(func(x.detach(), *args[1:], **kwargs))
        if name == "pow" and len(args) == 2 and isinstance(args[1], int | float):
            if args[1] < 0:
                return self.hold(func(x.detach(), *args[1:], **kwargs))
            if args[1] > 0:
                return self._elementwise(name, func, x, args[1:], kwargs)
        if name in _QUOTIENTS and len(args) == 2 and _active(args[1]):
            made = _IN_PLACE.get(full, func)(x, self.hold(args[1]), **kwargs)
            return x.copy_(made) if full in _IN_PLACE else made
        if name in _PRODUCTS and len(args) == 2 and _active(*args):
            made = self._product(_IN_PLACE.get(full, func), *args, **kwargs)
            return x.copy_(made) if full in _IN_PLACE else made
        if name in _POOLS and not kwargs.get("return_indices"):
            return self._max_pool(_POOLS[name], x, args[1:], kwargs)
        if name not in _RULED:
            return func(*args, **kwargs)
        return getattr(self, f"_{name}")(func, *args, **kwargs)

    def _of_no_tensor(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if name in ("scaled_dot_product_attention", "multi_head_attention_forward"):
            return self._attention(func, *args, **kwargs)
        if name == "einsum" and len(args) == 3 and _active(*args[1:]):
            a, b = args[1], args[2]
            first = func(args[0], a, self.hold(b), **kwargs)
            return (first + func(args[0], self.hold(a), b, **kwargs)) / 2
        return func(*args, **kwargs)

    def _elementwise(
        self,
        name: str,
        func: Callable[..., Any],
        x: Tensor,
        rest: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Tensor:
        """x times its held factor, plus what the function gives at 0."""
        copy = x.detach().clone()
        value = func(copy, *rest, **kwargs)
        in_place = value.data_ptr() == copy.data_ptr() and value.numel() > 0
        if name == "relu":
            made = x * self.hold((value > 0).to(x.dtype))
        else:
            start = func(torch.zeros_like(x), *rest, **kwargs)
            there = torch.where(x.detach().abs() < _SMALL, _SMALL, x.detach())
            factor = (func(there.clone(), *rest, **kwargs) - start) / there
            made = x * self.hold(factor) + start
        if in_place:
            return x.copy_(made)
        if name in _GATES:
            self._gates[id(made)] = made
        return made

    def _product(self, func: Callable[..., Tensor], a: Tensor, b: Tensor, **kwargs: Any) -> Tensor:
        if id(b) in self._gates and id(a) not in self._gates:
            return func(a, self.hold(b), **kwargs)
        if id(a) in self._gates and id(b) not in self._gates:
            return func(self.hold(a), b, **kwargs)
        return (func(a, self.hold(b), **kwargs) + func(self.hold(a), b, **kwargs)) / 2

    def _max_pool(
        self, pool: Callable[..., Any], x: Tensor, rest: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        kwargs.pop("return_indices", None)
        value, places = pool(x.detach(), *rest, **kwargs)
        kept = self.hold(places)
        return x.flatten(-2).gather(-1, kept.flatten(-2)).view(value.shape)

    def _amax(
        self, func: Callable[..., Any], x: Tensor, dim: Any = (), keepdim: bool = False
    ) -> Tensor:
        axes = tuple(range(x.ndim)) if dim == () else dim
        won = (x.detach() == x.detach().amax(axes, keepdim=True)).to(x.dtype)
        return (x * self.hold(won / won.sum(axes, keepdim=True))).sum(axes, keepdim=keepdim)

    def _glu(self, func: Callable[..., Any], x: Tensor, dim: int = -1) -> Tensor:
        values, gates = x.chunk(2, dim)
        return values * self.hold(gates.detach().sigmoid())

    def _log_softmax(
        self, func: Callable[..., Any], x: Tensor, *args: Any, **kwargs: Any
    ) -> Tensor:
        return x - self.hold(x.detach() - func(x.detach(), *args, **kwargs))

    def _local_response_norm(
        self, func: Callable[..., Any], x: Tensor, *args: Any, **kwargs: Any
    ) -> Tensor:
        value = func(x.detach(), *args, **kwargs)
        return x * self.hold(torch.where(x.detach() == 0, 0.0, value / x.detach()))

    def _normalize(
        self,
        func: Callable[..., Any],
        x: Tensor,
        p: float = 2.0,
        dim: Any = 1,
        eps: float = 1e-12,
        out: Tensor | None = None,
    ) -> Tensor:
        return x / self.hold(x.detach().norm(p, dim, keepdim=True).clamp_min(eps))

    def _layer_norm(
        self,
        func: Callable[..., Any],
        x: Tensor,
        normalized_shape: Sequence[int],
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        eps: float = 1e-5,
        *others: Any,
    ) -> Tensor:
        axes = tuple(range(-len(normalized_shape), 0))
        return _scaled(self._normed(x, axes, eps), weight, bias)

    def _rms_norm(
        self,
        func: Callable[..., Any],
        x: Tensor,
        normalized_shape: Sequence[int],
        weight: Tensor | None = None,
        eps: float | None = None,
    ) -> Tensor:
        axes = tuple(range(-len(normalized_shape), 0))
        small = torch.finfo(x.dtype).eps if eps is None else eps
        length = (x.detach().square().mean(axes, keepdim=True) + small).rsqrt()
        return _scaled(x * self.hold(length), weight, None)

    def _group_norm(
        self,
        func: Callable[..., Any],
        x: Tensor,
        num_groups: int,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        eps: float = 1e-5,
        *others: Any,
    ) -> Tensor:
        groups = x.reshape(len(x), num_groups, -1)
        form = (-1, *[1] * (x.ndim - 2))
        return _scaled(
            self._normed(groups, (-1,), eps).view(x.shape),
            None if weight is None else weight.view(form),
            None if bias is None else bias.view(form),
        )

    def _batch_norm(
        self,
        func: Callable[..., Any],
        x: Tensor,
        running_mean: Tensor | None = None,
        running_var: Tensor | None = None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        if not training and running_mean is not None:
            found: Tensor = func(
                x, running_mean, running_var, weight, bias, training, momentum, eps
            )
            return found
        return self._by_unit(x, (0, *range(2, x.ndim)), weight, bias, eps)

    def _instance_norm(
        self,
        func: Callable[..., Any],
        x: Tensor,
        running_mean: Tensor | None = None,
        running_var: Tensor | None = None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        use_input_stats: bool = True,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        if not use_input_stats:
            found: Tensor = func(
                x, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
            )
            return found
        return self._by_unit(x, tuple(range(2, x.ndim)), weight, bias, eps)

    def _by_unit(
        self,
        x: Tensor,
        axes: tuple[int, ...],
        weight: Tensor | None,
        bias: Tensor | None,
        eps: float,
    ) -> Tensor:
        form = (-1, *[1] * (x.ndim - 2))
        return _scaled(
            self._normed(x, axes, eps),
            None if weight is None else weight.view(form),
            None if bias is None else bias.view(form),
        )

    def _normed(self, x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
        """Less its mean, which is linear, times what the standard deviation makes of it now."""
        factor = (x.detach().var(axes, correction=0, keepdim=True) + eps).rsqrt()
        return (x - x.mean(axes, keepdim=True)) * self.hold(factor)

    def _attention(
        self,
        func: Callable[..., Any],
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *a: Any,
        **kw: Any,
    ) -> Any:
        return func(self.hold(query), self.hold(key), value, *a, **kw)

    _scaled_dot_product_attention = _multi_head_attention_forward = _attention


def _active(*factors: Any) -> bool:
    """Whether all of them depend on what is read."""
    return all(
        isinstance(one, Tensor) and one.requires_grad and one.is_floating_point() for one in factors
    )


def _scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    if weight is not None:
        x = x * weight
    return x if bias is None else x + bias
