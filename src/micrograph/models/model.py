"""A network under the microscope: its nodes, and running it up to any of them."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from micrograph.address import Address, find_node
from micrograph.cards import adapters
from micrograph.cards.inputs import chosen_input
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.text import TextTower
from micrograph.errors import BadInput, MicrographError, short
from micrograph.graph import Coverage
from micrograph.heap import give_back
from micrograph.models.dictionaries.attached import Attached, Place, Source, attach, spellings
from micrograph.models.graph.naming import default_id, name_nodes
from micrograph.models.graph.slips import Slip
from micrograph.models.graph.values import Watched
from micrograph.models.graph.watching import watch
from micrograph.models.node import Node
from micrograph.models.running.capture import OnReached, capture, keep_all
from micrograph.models.running.passes import Passes, mended, to_be_watched
from micrograph.models.running.probing import probe
from micrograph.models.running.reducing import (
    LATENTS,
    Reduce,
    joined,
    many_units,
    pictures_together,
)
from micrograph.models.running.relu import ReLUOff
from micrograph.models.running.state import same_draws
from micrograph.weights.tensors import module_digest
from micrograph.weights.usable import as_float32, usable

_REFUSALS = (Exception,)
"""How networks say that they do not take what they were given: in any way."""
_USUAL = (RuntimeError, ValueError, TypeError, AssertionError)
"""What they mostly raise, whose messages need no name of the kind of error."""


def _first_line(error: Exception) -> str:
    kind = "" if type(error) in _USUAL and str(error) else f"{type(error).__name__}: "
    return f"{kind}{error}".strip(": ").splitlines()[0][:200]


def _labels(given: Iterable[object] | Mapping[int, object]) -> tuple[str, ...]:
    """Names of classes in the order of logits."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise BadInput(f"labels {short(given)} given; expected a list of names, one for each logit")
    if isinstance(given, Mapping):
        if sorted(given) != list(range(len(given))):
            raise BadInput(f"labels of {short(list(given))} given; expected the numbers from 0 on")
        given = [given[number] for number in range(len(given))]
    return tuple(str(label) for label in given)


def _names(nodes: object) -> list[str]:
    """One name or several. Raises BadInput for anything else."""
    given = [nodes] if isinstance(nodes, str) else nodes
    names = list(given) if isinstance(given, Iterable) else []
    if not isinstance(given, Iterable) or not all(isinstance(name, str) for name in names):
        raise BadInput(f"nodes {short(nodes)} given; expected an id, or a list of ids")
    return names


class Model:
    """A module in eval mode whose parameters need no gradients, with everything known about it."""

    def __init__(self, card: ModelCard, module: nn.Module, digest: str) -> None:
        card.preprocessing.check()
        self.card = card
        self.module = module.eval().requires_grad_(False)
        self.digest = digest
        self._attached: dict[str, Attached] = {}
        self._sizes: dict[tuple[int, int, str], bool] = {}
        self.points: list[int] = []
        """For how many pictures values stand in now (see `replaced`), innermost last."""
        self.picture: int | None = None
        """The number of the picture that goes through alone, in a pass for several."""

    @classmethod
    def of(
        cls,
        module: nn.Module,
        *,
        id: str,
        preprocessing: Preprocessing | str | None = None,
        labels: Iterable[object] | Mapping[int, object] = (),
        text: Callable[[nn.Module], TextTower] | None = None,
    ) -> "Model":
        """Put any torch module that takes pictures under the microscope.

        Parameters:
            module: takes one tensor [batch, 3, y, x], or [batch, 1, y, x] if the preprocessing says
                that pictures are grey ("L"). It is switched to eval mode, and its parameters stop
                needing gradients. Of one in another precision a copy in float32 is taken.
            id: the first part of its addresses.
            preprocessing: what it takes; also in words (see `micrograph.cards.inputs`), such as
                "224,imagenet". It may be left out for a network whose library is known and says it,
                as timm does.
            labels: a name per logit, in order or by number.
            text: makes the text tower of a module that gives vectors of pictures (see
                `ModelCard.text`).

        Returns a `Model` whose digest is that of the module's state dict, as it was given.

        Raises BadInput for an id that no address can have, if nobody says what the module takes,
        and for a module that is quantized, compiled, without values, or none at all.

        >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
        >>> model = Model.of(net, id="mynet", preprocessing="32,-1..1")
        >>> [(node.id, node.units, node.shape) for node in model.nodes.values()]
        [('0', 8, (30, 30)), ('1', 8, (30, 30))]
        """
        Address(id)
        module = usable(module, id)
        known = None if isinstance(preprocessing, Preprocessing) else adapters.input_of(module)
        card = ModelCard(
            id=id,
            title=id,
            summary="",
            build=lambda: module,
            preprocessing=chosen_input(preprocessing, known, id),
            labels=_labels(labels),
            parameters=sum(p.numel() for p in module.parameters()),
            node_id=default_id,
            text=text,
        )
        return cls(card, as_float32(module, id), module_digest(module))

    @property
    def id(self) -> str:
        """The first part of its addresses."""
        return self.card.id

    @property
    def preprocessing(self) -> Preprocessing:
        """From RGB in 0..1 to what the network was trained on."""
        return self.card.preprocessing

    @property
    def labels(self) -> tuple[str, ...]:
        """A name per logit; empty if there are none."""
        return self.card.labels

    @property
    def device(self) -> torch.device:
        """Where its tensors lie."""
        return self._first_tensor.device

    @property
    def _first_tensor(self) -> Tensor:
        tensors = chain(self.module.parameters(), self.module.buffers())
        return next((t for t in tensors if t.is_floating_point()), torch.zeros(()))

    @cached_property
    def text(self) -> TextTower | None:
        """Its text tower, if it is one of a contrastive pair."""
        return self.card.text(self.module) if self.card.text else None

    @cached_property
    def _named(self) -> tuple[dict[str, Node], dict[str, str]]:
        nodes, known = name_nodes(self._watched, self.card.node_id, self.card.aliases)
        return self._with_constants(nodes), known

    def _with_constants(self, nodes: dict[str, Node]) -> dict[str, Node]:
        """The nodes, with those told constant that seemed to be and give one value for two pictures
        of noise."""
        perhaps = [node for node in nodes.values() if node.constant]
        if not perhaps:
            return nodes
        size, draw = self.preprocessing.size, torch.Generator().manual_seed(0)
        found = []
        for _ in range(2):
            pixels = torch.rand(1, 3, size, size, generator=draw).to(self._first_tensor)
            images = self.preprocessing.apply(pixels)
            with to_be_watched(self.module, self.device), torch.no_grad():
                found.append(capture(self.module, images, perhaps, whole=True)[0])
        one, other = found
        same = {id for id in one.keys() & other.keys() if torch.equal(one[id], other[id])}
        return nodes | {node.id: replace(node, constant=node.id in same) for node in perhaps}

    @property
    def slips(self) -> Sequence[Slip]:
        """What Micrograph itself could not follow of a pass through the network, and why: what
        came of it has no node, or one whose field is unknown. Empty where all is well."""
        return self._watched.slips

    @property
    def coverage(self) -> Coverage:
        """How many of its modules have a node, and why others have none."""
        return self._watched.coverage

    @cached_property
    def _watched(self) -> Watched:
        size = self.preprocessing.size
        try:
            try:
                return self._watch(2)  # the axis of pictures is the one that counts to two
            except _REFUSALS:
                return self._watch(1)
        except _REFUSALS as error:
            raise BadInput(
                f"{self.id} cannot run on pictures {[1, self.preprocessing.channels, size, size]}: "
                f"{_first_line(error)}; "
                "expected a network that takes one tensor of this form. Say its size and channels "
                "in the preprocessing, or wrap it in a module that takes RGB [batch, 3, y, x]"
            ) from error

    def _watch(self, pictures: int) -> Watched:
        size = self.preprocessing.size
        with to_be_watched(self.module, self.device):
            pixels = self._first_tensor.new_full((pictures, 3, size, size), 0.5)
            return watch(self.module, self.preprocessing.apply(pixels))

    @cached_property
    def passes(self) -> Passes:
        """What its passes are like, which says how they are made; found when it runs first."""
        size, nodes = self.preprocessing.size, list(self._named[0].values())
        generator = torch.Generator().manual_seed(0)
        with torch.inference_mode(False), same_draws(self.device):  # in that mode are no gradients
            pixels = torch.rand(2, 3, size, size, generator=generator)
            # The second has another mean, and the largest and smallest values of the batch.
            pixels = torch.stack([0.35 + 0.3 * pixels[0], pixels[1] ** 3])
            images = self.preprocessing.apply(pixels.to(self._first_tensor))
            found = probe(self.module, images, nodes)
        if found.unsteady:
            warnings.warn(f"{self.id}: {found.remarks()[-1]}", stacklevel=2)
        return found

    @property
    def nodes(self) -> dict[str, Node]:
        """Its nodes by id, in the order in which a forward pass reaches them; then those that were
        attached."""
        if not self._attached:
            return self._named[0]
        return self._named[0] | {id: one.node for id, one in self._attached.items()}

    @property
    def aliases(self) -> dict[str, str]:
        """Every accepted spelling, node ids included, with the node id that it stands for."""
        if not self._attached:
            return self._named[1]
        return spellings(self._attached.values()) | self._named[1]

    def attach(
        self,
        node: str | None,
        source: Source,
        name: str = "sae",
        *,
        writes: str | None = None,
        **options: Any,
    ) -> Node:
        """Make the latents of a dictionary over a node the units of a node of its own.

        Parameters:
            node: id or alias of the node whose values [batch, unit, y, x] the dictionary reads;
                None for the one that its file names.
            source: a file or folder of a library (see docs/dictionaries.md), a Dictionary, or a
                matrix of directions [direction, unit].
            name: the new node is called `<node>.<name>`.
            writes: the node that a transcoder writes, where its file does not name it.
            options: what the file does not say (docs/dictionaries.md lists them), as in `k=32`.

        Returns the new node, the last one in `nodes`; its units are the latents. Attaching the same
        again changes nothing.

        Raises NotFound for an unknown node, BadInput for a dictionary that does not fit it or says
        what is not understood, Conflict where the id stands for something else.

        >>> from micrograph import load
        >>> model = load("toytown")
        >>> node = model.attach("mixed4a", torch.eye(152)[:5], name="axes")
        >>> node.id, node.units, node.shape == model.nodes["mixed4a"].shape
        ('mixed4a.axes', 5, True)
        """
        found = attach(
            source,
            None if node is None else self.node(node).id,
            name,
            Place(self.nodes, self.aliases, self._attached, self.id),
            writes=None if writes is None else self.node(writes).id,
            options=options,
        )
        moved = replace(found, dictionary=found.dictionary.to(self.device))
        self._attached[found.node.id] = moved
        return found.node

    def attach_bundled(self, name: str) -> None:
        """Attach the dictionary that makes the node `name`, if one of that name ships with us."""
        base, _, short = name.rpartition(".")
        for node, own, path in self.card.dictionaries:
            wanted = own == short and self._named[1].get(base) == node
            if wanted and f"{node}.{own}" not in self._attached:
                self.attach(node, Path(__file__).parents[1] / path, own)

    def attached(self, node: str) -> Attached | None:
        """The dictionary that makes the values of `node`; None for a node of the network."""
        if not self._attached and not self.card.dictionaries:
            return None
        return self._attached.get(self.node(node).id)

    def _network_node(self, node: Node) -> Node:
        """The node of the network that must be reached for the values of `node`."""
        return self._attached[node.id].base if node.id in self._attached else node

    def node(self, name: str) -> Node:
        """The node of that id or alias. Raises NotFound with the nearest names."""
        if self.card.dictionaries and "." in name:
            self.attach_bundled(name)
        return self.nodes[find_node(name, self.aliases, self.id)]

    def run(
        self,
        images: Tensor,
        nodes: str | Iterable[str],
        *,
        pre_relu: bool = False,
        preprocess: bool = True,
    ) -> dict[str, Tensor]:
        """The activations of nodes on pictures. The pass stops behind the last of them.

        Each picture counts for itself: see `passes` for networks that do not see it so.

        Parameters:
            images: RGB [batch, 3, y, x] in 0..1, floating point, of any size that the network
                takes. Gradients flow to them, also those of a single picture through norms, which
                torch itself gets wrong on a CPU (see `running.norms`).
            nodes: ids or aliases; also a single one.
            pre_relu: a node whose values come out of a ReLU (also of several, side by side) gives
                the values before it, and one of a dictionary its latents before their activation.
            preprocess: whether to bring pixels to the network's range first. If not, `images` are
                what the network takes, [batch, channel, y, x].

        Returns values [batch, unit, y, x], or [batch, unit] of flat nodes, under the names that
        they were asked by. Nothing is left behind in the module.

        Raises NotFound for unknown nodes, BadInput for images of another form.

        >>> from micrograph import load
        >>> model = load("toytown")
        >>> found = model.run(torch.rand(2, 3, 96, 96), ["mixed4a", "logits"])
        >>> {name: list(values.shape) for name, values in found.items()}
        {'mixed4a': [2, 152, 12, 12], 'logits': [2, 30]}
        """
        channels = 3 if preprocess else self.preprocessing.channels
        if not isinstance(images, Tensor):
            raise BadInput(
                f"images of type {type(images).__name__} given, expected a tensor "
                f"[batch, {channels}, y, x]"
            )
        if images.ndim != 4 or images.shape[1] != channels or not images.is_floating_point():
            form = "RGB [batch, 3, y, x]" if channels == 3 else f"[batch, {channels}, y, x]"
            raise BadInput(
                f"images of shape {list(images.shape)} in {images.dtype} given, "
                f"expected floating-point {form}"
            )
        wanted = {name: self.node(name) for name in _names(nodes)}
        images = images.to(self._first_tensor)  # of any precision, from any device
        x = self.preprocessing.apply(images) if preprocess else images
        if not pre_relu:
            found = self._capture(x, [self._network_node(node) for node in wanted.values()])
            return {name: self._value(node, found) for name, node in wanted.items()}
        # One pass each: a ReLU that is off for one node would change the nodes behind it.
        return {
            name: self._value(
                node, self._capture(x, [self._network_node(node)], ReLUOff(node.relus)), before=True
            )
            for name, node in wanted.items()
        }

    def reduced(
        self, images: Tensor, nodes: Iterable[str], reduce: Reduce
    ) -> dict[str, tuple[Tensor, ...]]:
        """What `reduce(node, values)` makes of the values of each node, as `run` gives them, at the
        moment when the pass reaches it: so the values of many nodes never lie in memory together.

        What it gives are tensors with the axis of pictures in front; it may be called for a few of
        the pictures at a time, and their tensors are put together. Of inputs as `run`.
        """
        wanted = {name: self.node(name) for name in nodes}
        readers: dict[str, list[str]] = {}
        for name, node in wanted.items():
            readers.setdefault(self._network_node(node).id, []).append(name)
        parts: dict[str, list[tuple[Tensor, ...]]] = {name: [] for name in wanted}
        pictures = self.points[-1] if self.points else len(images)

        def take(found: dict[str, Tensor]) -> None:
            with torch._C.DisableTorchFunction():  # our own ReLUs and sums are not the network's
                for id in list(found):
                    values = found.pop(id)[:pictures]
                    for name in readers[id]:
                        for some in self._few_at_a_time(wanted[name], values):
                            made = self._value(wanted[name], {id: some})
                            parts[name].append(reduce(name, made))
            if dear:
                give_back()  # else the holes between what stays add up to another gigabyte

        dear = many_units(wanted.values())
        x = self.preprocessing.apply(images.to(self._first_tensor))
        self._capture(x, [self._network_node(node) for node in wanted.values()], on_reached=take)
        return {name: joined(found) for name, found in parts.items()}

    def _few_at_a_time(self, node: Node, values: Tensor) -> Sequence[Tensor]:
        """`values` of what is reached for `node`, in so few pictures that latents of a dictionary,
        of which there may be a hundred for each unit, do not fill the memory."""
        if node.id not in self._attached:
            return [values]
        most = max(1, LATENTS // max(1, node.units * values[0, 0].numel()))
        return torch.split(values, most)

    def together(self, most: int) -> int:
        """How many pictures at a time fit into memory when nodes are `reduced`, up to `most`."""
        return pictures_together(self._named[0].values(), most)

    def takes(self, size: int, node: str = "") -> bool:
        """Whether the whole network runs on pictures of `size` x `size` pixels; with `node`,
        whether it does up to there.

        Transformers with fixed positions and matrices behind a flattened map take one size only.
        """
        return self._runs_on(size, size, self._network_node(self.node(node)).id if node else "")

    def _runs_on(self, rows: int, columns: int, node: str = "") -> bool:
        key = rows, columns, node
        if key not in self._sizes:
            pictures = 2 if self.passes.paired else 1
            images = self._first_tensor.new_full((pictures, 3, rows, columns), 0.5)
            nodes = [self.nodes[node]] if node else []
            try:
                with torch.no_grad(), mended(self.module, self.passes, self.device):
                    x = self.preprocessing.apply(images)
                    _, missing = capture(self.module, x, nodes, whole=not node)
            except (*_REFUSALS, BadInput):
                self._sizes[key] = False
            else:
                self._sizes[key] = not missing
        return self._sizes[key]

    def _value(self, node: Node, found: dict[str, Tensor], *, before: bool = False) -> Tensor:
        """The values of `node`, given those of the nodes that the network computes."""
        one = self._attached.get(node.id)
        if one is None:
            return found[node.id]
        return one.dictionary.values(found[one.base.id], before=before)

    def _capture(
        self,
        x: Tensor,
        nodes: Sequence[Node],
        relus: ReLUOff | None = None,
        on_reached: OnReached = keep_all,
    ) -> dict[str, Tensor]:
        """Run on preprocessed `x` until all of `nodes` were reached; their values by id, as far as
        `on_reached` leaves them there."""
        pictures = self.points[-1] if self.points else len(x)
        if len(x) not in (1, pictures):
            raise BadInput(
                f"{len(x)} pictures given where values stand in for those of {pictures}; "
                "expected as many, or one"
            )
        if len(x) < pictures:
            # As many pictures as values: a network may remember how many went in.
            x = x.repeat(pictures, 1, 1, 1)
        if pictures == 1 and self.passes.paired:
            found = self._capture_together(x.repeat(2, 1, 1, 1), nodes, relus, on_reached)
            return {id: value[:1] for id, value in found.items()}
        if pictures == 1 or not self.passes.alone:
            return self._capture_together(x, nodes, relus, on_reached)
        parts = []
        try:
            for self.picture in range(pictures):
                one = x[self.picture : self.picture + 1]
                parts.append(self._capture_together(one, nodes, relus, on_reached))
        finally:
            self.picture = None
        return {id: torch.cat([part[id] for part in parts]) for id in parts[0]}

    def _capture_together(
        self, x: Tensor, nodes: Sequence[Node], relus: ReLUOff | None, on_reached: OnReached
    ) -> dict[str, Tensor]:
        """As `_capture`, in one pass."""
        try:
            with mended(self.module, self.passes, self.device):
                found, missing = capture(
                    self.module, x, nodes, relus, whole=self.passes.whole, on_reached=on_reached
                )
        except _REFUSALS as error:
            rows, columns = x.shape[2:]
            if self._runs_on(rows, columns) or not self.takes(self.preprocessing.size):
                raise  # it is not the size, but perhaps too little memory for so many
            raise BadInput(
                f"{self.id} cannot run on pictures of {columns}x{rows} px ({_first_line(error)}); "
                f"its own size is {self.preprocessing.size} px"
            ) from error
        if missing:
            raise MicrographError(
                f"{self.id} did not reach {', '.join(missing)} on images of {list(x.shape)}; "
                "its graph seems to depend on the input"
            )
        return found
