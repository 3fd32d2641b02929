"""What is checked of a network in the table of families, each against the network itself.

Values are held against plain hooks; edges and fields against gradients; maps against a square that
moves over the picture. None of it asks the rules by which the graph was found.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from micrograph import optimize as opt
from micrograph.models.model import Model
from micrograph.models.node import CallSite, Node
from micrograph.models.running.taps import Taps


@dataclass
class Found:
    """The row of one network; counts, and words about what is wrong."""

    name: str
    size: int = 0
    nodes: int = 0
    maps: int = 0
    modules: int = 0
    """Leaf modules that were called and computed something from the picture."""
    unseen: list[str] = field(default_factory=list)
    """Those of them without a node."""
    values: int = 0
    values_wrong: list[str] = field(default_factory=list)
    difference: float = 0.0
    edges: int = 0
    edges_false: list[str] = field(default_factory=list)
    """Edges along which no gradient flows."""
    edges_missing: list[str] = field(default_factory=list)
    """Nodes that a node depends on without being among its ancestors."""
    edges_unchecked: int = 0
    """Nodes whose gradients the network does not give."""
    fields: int = 0
    fields_wrong: list[str] = field(default_factory=list)
    follows: int = 0
    """Maps that change where the picture changed."""
    spread: int = 0
    """Maps that change everywhere, so that nothing is said."""
    maps_wrong: list[str] = field(default_factory=list)
    output: bool = False
    pictures: int = 0
    pictures_wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""

    @property
    def wrong(self) -> int:
        """How much of what is shown is wrong."""
        lists = (self.values_wrong, self.edges_false, self.edges_missing, self.fields_wrong)
        return sum(map(len, (*lists, self.maps_wrong, self.pictures_wrong))) + bool(self.error)


def check(found: Found, model: Model, seconds: float = 30.0) -> None:
    """Fill in the row of `model`. Gradients are taken for `seconds` and no longer."""
    nodes = list(model.nodes.values())
    found.size, found.nodes = model.preprocessing.size, len(nodes)
    found.maps = sum(bool(node.shape) for node in nodes)
    draw = torch.Generator().manual_seed(0)
    channels = model.preprocessing.channels
    images = torch.rand(2, channels, found.size, found.size, generator=draw)
    with torch.no_grad():
        plain = PlainPass(model.module, images)
        _values(found, model, nodes, images, plain)
        found.output = any(
            n.path in ("", *plain.outputs) or _same(model, n, images, plain.output)
            for n in reversed(nodes)
        )
        _maps(found, model, nodes, images)
    _modules(found, nodes, plain)
    end = time.monotonic() + seconds
    _edges(found, model.module, nodes, images, end)
    _fields(found, model, nodes, images, end)
    _pictures(found, model, nodes)


class PlainPass:
    """One pass with a plain hook on every module: what each call gave, and what no module made."""

    def __init__(self, module: nn.Module, images: Tensor) -> None:
        self.given: dict[CallSite, Tensor] = {}
        self.leaves: list[CallSite] = []
        """Calls of modules without parts that made something new of the pictures."""
        handles = [m.register_forward_hook(self._hook(p, m)) for p, m in module.named_modules()]
        self._counts: dict[str, int] = {}
        self._prints = Fingerprints()
        try:
            with torch.enable_grad(), self._prints:
                result = module(images.clone().requires_grad_())
        finally:
            for handle in handles:
                handle.remove()
        tensors = [t for t in tree_leaves(_plain(result)) if isinstance(t, Tensor)]
        self.output = tensors[0].detach()
        self.outputs = {place.path for place, t in self.given.items() if _equal(t, self.output)}

    def _hook(self, path: str, module: nn.Module) -> Callable[..., None]:
        def hook(_: nn.Module, inputs: Any, output: Any) -> None:
            place = CallSite(path, self._counts.get(path, 0))
            self._counts[path] = place.call + 1
            if not isinstance(output, Tensor) or not output.is_floating_point():
                return
            self.given[place] = output.detach().clone()
            new = all(output is not t and not _alias(output, t) for t in tree_leaves(inputs))
            if new and output.requires_grad and not any(True for _ in module.children()):
                self.leaves.append(place)

        return hook

    def made(self, value: Tensor) -> bool:
        """Whether some operation of the pass gave just these numbers."""
        return Fingerprints.of(value) in self._prints.seen


def _plain(result: Any) -> Any:
    return dict(result) if hasattr(result, "items") else result


def _alias(a: Tensor, b: Any) -> bool:
    return (
        isinstance(b, Tensor)
        and a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()
        and a.shape == b.shape
        and bool((a.detach() == b.detach()).all())
    )


def _equal(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(torch.allclose(a, b, rtol=1e-4, atol=1e-6))


class Fingerprints(TorchDispatchMode):
    """Remembers two sums of everything that any operation gives."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[Any, ...]] = set()

    @staticmethod
    def of(t: Tensor) -> tuple[Any, ...]:
        flat = t.detach().double()
        return (tuple(t.shape), f"{float(flat.sum()):.6g}", f"{float(flat.square().sum()):.6g}")

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        for t in tree_leaves(results):
            if isinstance(t, Tensor) and t.is_floating_point():
                self.seen.add(self.of(t))
        return results


@contextmanager
def at_nodes(
    module: nn.Module, nodes: list[Node], do: Callable[[Node, Tensor, Tensor], Tensor | None]
) -> Iterator[None]:
    """A context in which `do(node, given, value)` is called wherever a pass has a node's values:
    with what the network gave, and what other nodes of the place made of it."""
    places: dict[CallSite, list[Node]] = {}
    for node in nodes:
        places.setdefault(node.place, []).append(node)

    def reached(place: CallSite, value: Any) -> Tensor | None:
        given = value
        for node in places[place]:
            put = do(node, given, value)
            value = value if put is None else put
        return None if value is given else value

    with Taps(module, places, reached):
        yield


def by_hand(node: Node, raw: Tensor) -> Tensor:
    """`raw` as [batch, unit, y, x] or [batch, unit], picked value by value."""
    axes = node.layout.axes
    if node.layout.blocks is not None:
        raw = _counted(node, raw)
    order = [axes.index(a) for a in ("b", "u", *(a for a in axes if a not in "bu"))]
    moved = raw.permute(order)
    if "t" not in axes:
        if "y" in axes and order[2:] != sorted(order[2:]) and axes.index("y") > axes.index("x"):
            moved = moved.transpose(2, 3)
        return moved
    if node.layout.token is not None:
        return moved[:, :, node.layout.token]
    rows, columns = node.shape
    first = node.layout.prefix
    if not node.shape:
        return moved.flatten(1)
    return torch.stack(
        [moved[:, :, first + columns * y : first + columns * (y + 1)] for y in range(rows)], 2
    )


def _counted(node: Node, raw: Tensor) -> Tensor:
    """`raw`, whose axes are cut in pieces, with each value put where its digits say."""
    blocks, axes = node.layout.blocks, node.layout.axes
    assert blocks is not None
    places = dict.fromkeys(axes, torch.zeros(1, dtype=torch.long))
    for dim, (size, digits) in enumerate(zip(raw.shape, blocks.digits, strict=True)):
        left = torch.arange(size)
        for letter, count, step in reversed(digits):
            count = 2 if letter == "b" else count
            digit, left = left % count, left // count
            own = [1] * raw.ndim
            own[dim] = size
            places[letter] = places[letter] + (digit * step).view(own)
    for role, (sign, shift) in zip("yx", blocks.moved, strict=True):
        if role in places:
            places[role] = (sign * places[role] + shift) % blocks.size(role)
    sizes = [2 if letter == "b" else blocks.size(letter) for letter in axes]
    made = raw.new_full(sizes, float("nan"))
    where = torch.broadcast_tensors(*(places[letter] for letter in axes), raw)[:-1]
    made[tuple(where)] = raw
    return made


def _values(
    found: Found, model: Model, nodes: list[Node], images: Tensor, plain: PlainPass
) -> None:
    raw: dict[str, Tensor] = {}
    with at_nodes(model.module, nodes, lambda n, t, _: raw.__setitem__(n.id, t.detach().clone())):
        model.module(images)
    run = model.run(images, [node.id for node in nodes], preprocess=False)
    swapped = model.run(images.flip(0), [node.id for node in nodes], preprocess=False)
    for node in nodes:
        found.values += 1
        given, value = raw[node.id], run[node.id]
        hooked = plain.given.get(node.place)
        expected = by_hand(node, hooked if hooked is not None else given)
        away = _difference(value, expected)
        found.difference = max(found.difference, away)
        if not away < 1e-4:
            found.values_wrong.append(f"{node.id}: off by {away:.1g}")
        elif hooked is None and not plain.made(given):
            found.values_wrong.append(f"{node.id}: no operation gave it")
        elif _difference(swapped[node.id].flip(0), value) > 1e-3:
            found.values_wrong.append(f"{node.id}: its first axis is not that of the pictures")
        elif value.shape != (2, node.units, *node.shape):
            found.values_wrong.append(f"{node.id}: is of another shape")


def _difference(a: Tensor, b: Tensor) -> float:
    if a.shape != b.shape:
        return float("inf")
    return float((a - b).abs().max() / b.abs().max().clamp_min(1e-6)) if a.numel() else 0.0


def _same(model: Model, node: Node, images: Tensor, output: Tensor) -> bool:
    value = model.run(images, [node.id], preprocess=False)[node.id]
    return value.numel() == output.numel() and _equal(
        value.flatten().sort().values, output.flatten().sort().values
    )


def _modules(found: Found, nodes: list[Node], plain: PlainPass) -> None:
    seen = {spelling for node in nodes for spelling in (node.path, *node.aliases) if not node.join}
    seen |= {alias for node in nodes for alias in node.aliases}
    called = [f"{p.path}#{p.call}" if p.call else p.path for p in plain.leaves]
    found.modules = len(called)
    found.unseen = [path for path in called if path not in seen]


def _edges(found: Found, module: nn.Module, nodes: list[Node], images: Tensor, end: float) -> None:
    """Cut the network at every node: then gradients reach just the nodes that one reads."""
    ancestors: dict[str, set[str]] = {}
    for node in nodes:
        ancestors[node.id] = {*node.parents}.union(*(ancestors[p] for p in node.parents))
    before: dict[str, Tensor] = {}
    leaves: dict[str, Tensor] = {}

    shown_tokens: dict[CallSite, int] = {}
    for node in nodes:
        shown_tokens[node.place] = shown_tokens.get(node.place, 0) + (node.layout.token is not None)

    def cut(node: Node, raw: Tensor, value: Tensor) -> Tensor:
        layout = node.layout
        all_shown = shown_tokens[node.place] >= layout.prefix and value is raw
        shown = node.layout.shown(raw, node.shape)
        before[node.id] = shown.clone()
        leaves[node.id] = shown.detach().clone().requires_grad_()
        # Tokens that are no nodes keep their way to what is before them.
        rest = value.detach() if all_shown else value
        return layout.given(leaves[node.id].clone(), rest).clone()

    draw = torch.Generator().manual_seed(1)
    with torch.enable_grad(), at_nodes(module, nodes, cut):
        module(images.clone().requires_grad_())
    order = [node for node in nodes if node.id in before]
    for number, node in enumerate(order):
        earlier = [n for n in order[:number] if n.place != node.place]
        if not earlier or not before[node.id].requires_grad:
            false = set(node.parents)
        elif time.monotonic() > end:
            found.edges_unchecked += 1
            continue
        else:
            value = before[node.id]
            weights = torch.randn(value.shape, generator=draw)
            try:
                slopes = torch.autograd.grad(
                    value,
                    [leaves[n.id] for n in earlier],
                    weights,
                    retain_graph=True,
                    allow_unused=True,
                )
            except RuntimeError:  # the network writes over what the gradient needs
                found.edges_unchecked += 1
                continue
            reached = {
                n.id for n, s in zip(earlier, slopes, strict=True) if s is not None and s.any()
            }
            false = set(node.parents) - reached
            found.edges_missing += [
                f"{p} > {node.id}" for p in sorted(reached - ancestors[node.id])
            ]
        found.edges += len(node.parents)
        found.edges_false += [f"{p} > {node.id}" for p in sorted(false)]


def _fields(found: Found, model: Model, nodes: list[Node], images: Tensor, end: float) -> None:
    """The gradient of two positions of each map lies within the stated fields."""
    known = [n for n in nodes if n.shape and n.receptive_field.status in ("exact", "at most")]
    if not known:
        return
    x = images.clone().requires_grad_()
    with torch.enable_grad():
        values = model.run(x, [n.id for n in known], preprocess=False)
    draw = torch.Generator().manual_seed(2)
    for node in known:
        if time.monotonic() > end:
            return
        value = values[node.id]
        rows, columns = node.shape
        spots = [(rows // 2, (columns - 1) // 3), ((rows - 1) // 3, columns - 1)]
        weights = torch.zeros_like(value)
        for picture, spot in enumerate(spots):
            weights[(picture, slice(None), *spot)] = torch.randn(node.units, generator=draw)
        try:
            (slope,) = torch.autograd.grad(value, x, weights, retain_graph=True, allow_unused=True)
        except RuntimeError:
            continue
        found.fields += 1
        if slope is None:
            continue
        stated, size = node.receptive_field, found.size
        for picture, spot in enumerate(spots):
            outside = slope[picture].abs().sum(0)
            first = [max(stated.start + p * stated.stride, 0) for p in spot]
            last = [min(stated.start + p * stated.stride + stated.size, size) for p in spot]
            outside[first[0] : max(last[0], 0), first[1] : max(last[1], 0)] = 0
            if outside.any():
                found.fields_wrong.append(f"{node.id}: sees more than its field")
                break


def _maps(found: Found, model: Model, nodes: list[Node], images: Tensor) -> None:
    """A square moves over a picture: what changes of a map must move along.

    Where few units are awake that may fail by chance. So a map is wrong if it does so on dark and
    bright pictures alike, and if we put it together: what a network gives as a map is one.
    """
    left = [n.id for n in nodes if len(n.shape) == 2 and min(n.shape) > 1]
    for ground in (images[:1] * 0.2 + 0.4, images[1:] * 0.6, 1 - images[1:] * 0.3):
        pictures, truth = _moving_square(ground, found.size)
        values = model.run(pictures, left, preprocess=False)
        verdicts = {id: _follows(value, truth) for id, value in values.items()}
        found.follows += sum(verdict is True for verdict in verdicts.values())
        found.spread += sum(verdict is None for verdict in verdicts.values())
        left = [id for id, verdict in verdicts.items() if verdict is False]
    given = {n.id for n in nodes if n.layout.as_given}
    found.spread += sum(id in given for id in left)
    left = [id for id in left if id not in given]
    found.maps_wrong += [f"{id}: does not follow a square in the picture" for id in left]


def _moving_square(ground: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """A picture, and the same with a square at eight places; the places (y, x)."""
    side = max(size // 4, 1)
    steps = [0, (size - side) // 2, size - side]
    corners = [c for c in itertools.product(steps, steps) if c != (steps[1], steps[1])]
    pictures = ground.repeat(1 + len(corners), 1, 1, 1)
    for number, (y, x) in enumerate(corners):
        square = pictures[number + 1, :, y : y + side, x : x + side]
        square.copy_(torch.where(square.mean() < 0.6, 1.0, 0.0))
    return pictures, torch.tensor(corners, dtype=torch.float64)


def _follows(value: Tensor, truth: Tensor) -> bool | None:
    """Whether the places of change follow; None where change is everywhere."""
    change = (value[1:] - value[:1]).double().abs().sum(1)
    if not change.sum() > 0:
        return None
    weight = (change / change.flatten(1).amax(1)[:, None, None].clamp_min(1e-12)) ** 2
    total = weight.sum((1, 2)).clamp_min(1e-12)
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in change.shape[1:])
    centre = torch.stack(
        [(weight.sum(2) * rows).sum(1) / total, (weight.sum(1) * columns).sum(1) / total], 1
    )
    straight = min(_correlation(centre[:, d], truth[:, d]) for d in (0, 1))
    crossed = min(abs(_correlation(centre[:, d], truth[:, 1 - d])) for d in (0, 1))
    if straight > 0.5:
        return True
    flat = change.flatten(1).sort(1, descending=True).values
    share = float((flat[:, : max(flat.shape[1] // 4, 1)].sum(1) / flat.sum(1)).mean())
    # Only where change stays in one place, another one for each square, does it say where that is.
    reach = torch.tensor([n - 1 for n in change.shape[1:]]) * 0.25
    moves = bool((centre.amax(0) - centre.amin(0) > reach).all())
    elsewhere = straight < 0.2 and (share > 0.9 or (share > 0.6 and crossed > 0.8))
    return False if elsewhere and moves else None


def _correlation(a: Tensor, b: Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()).clamp_min(1e-12))


def _pictures(found: Found, model: Model, nodes: list[Node]) -> None:
    """Feature visualization of a unit: of a map in the middle, of a token, and of the last node."""
    maps = [n for n in nodes if n.shape]
    tokens = [n for n in nodes if n.layout.token is not None]
    wanted = [*maps[len(maps) // 2 :][:1], *tokens[-1:], *nodes[-1:]]
    for node in dict.fromkeys(wanted):
        found.pictures += 1
        try:
            settings = opt.Settings(size=found.size, steps=2)
            made = opt.optimize(model, opt.channel(node.id, 0), settings)
        except Exception as error:
            found.pictures_wrong.append(f"{node.id}: {type(error).__name__}: {error}"[:200])
        else:
            if not torch.isfinite(torch.as_tensor(made.history)).all():
                found.pictures_wrong.append(f"{node.id}: not finite")
