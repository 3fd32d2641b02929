"""A network under the microscope: its nodes, and running it up to any of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from micrograph.address import Address, find_node
from micrograph.cards import adapters
from micrograph.cards.inputs import chosen_input
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.text import TextTower
from micrograph.errors import BadInput, MicrographError
from micrograph.models.dictionaries.attached import Attached, Source, attach, spellings
from micrograph.models.graph.naming import default_id, name_nodes
from micrograph.models.graph.slips import Slip
from micrograph.models.graph.watching import Watched, watch
from micrograph.models.node import Node
from micrograph.models.running.capture import capture
from micrograph.models.running.relu import ReLUOff
from micrograph.weights.tensors import module_digest

_REFUSALS = (RuntimeError, ValueError, TypeError, AssertionError, IndexError)
"""How networks say that they do not take what they were given."""


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


class Model:
    """A module in eval mode whose parameters need no gradients, with everything known about it."""

    def __init__(self, card: ModelCard, module: nn.Module, digest: str) -> None:
        card.preprocessing.check()
        self.card = card
        self.module = module.eval().requires_grad_(False)
        self.digest = digest
        self._attached: dict[str, Attached] = {}
        self._sizes: dict[tuple[int, int], bool] = {}

    @classmethod
    def of(
        cls,
        module: nn.Module,
        *,
        id: str,
        preprocessing: Preprocessing | str | None = None,
        labels: Sequence[str] = (),
        text: Callable[[nn.Module], TextTower] | None = None,
    ) -> "Model":
        """Put any torch module that takes pictures under the microscope.

        Parameters:
            module: takes one tensor [batch, 3, y, x], or [batch, 1, y, x] if the preprocessing says
                that pictures are grey ("L"). It is switched to eval mode, and its parameters stop
                needing gradients.
            id: the first part of its addresses.
            preprocessing: what it takes; also in words (see `micrograph.cards.inputs`), such as
                "224,imagenet". It may be left out for a network whose library is known and says it,
                as timm does.
            labels: a name per logit.
            text: makes the text tower of a module that gives vectors of pictures (see
                `ModelCard.text`).

        Returns a `Model` whose digest is that of the module's state dict.

        Raises BadInput for an id that no address can have, and if nobody says what the module
        takes.

        >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
        >>> model = Model.of(net, id="mynet", preprocessing="32,-1..1")
        >>> [(node.id, node.units, node.shape) for node in model.nodes.values()]
        [('0', 8, (30, 30)), ('1', 8, (30, 30))]
        """
        Address(id)
        known = None if isinstance(preprocessing, Preprocessing) else adapters.input_of(module)
        card = ModelCard(
            id=id,
            title=id,
            summary="",
            build=lambda: module,
            preprocessing=chosen_input(preprocessing, known, id),
            labels=tuple(labels),
            parameters=sum(p.numel() for p in module.parameters()),
            node_id=default_id,
            text=text,
        )
        return cls(card, module, module_digest(module))

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
        tensors = (*self.module.parameters(), *self.module.buffers())
        return next((t for t in tensors if t.is_floating_point()), torch.zeros(()))

    @cached_property
    def text(self) -> TextTower | None:
        """Its text tower, if it is one of a contrastive pair."""
        return self.card.text(self.module) if self.card.text else None

    @cached_property
    def _named(self) -> tuple[dict[str, Node], dict[str, str]]:
        return name_nodes(self._watched, self.card.node_id, self.card.aliases)

    @property
    def slips(self) -> Sequence[Slip]:
        """What Micrograph itself could not follow of a pass through the network, and why: what
        came of it has no node, or one whose field is unknown. Empty where all is well."""
        return self._watched.slips

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
        with torch.inference_mode(False):  # in which operations cannot be watched
            pixels = self._first_tensor.new_full((pictures, 3, size, size), 0.5)
            return watch(self.module, self.preprocessing.apply(pixels))

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

    def attach(self, node: str, source: Source, name: str = "sae") -> Node:
        """Make the latents of a dictionary over a node the units of a node of its own.

        Parameters:
            node: id or alias of the node whose values [batch, unit, y, x] the dictionary reads.
            source: a safetensors file (see docs/dictionaries.md), a Dictionary, or a matrix of
                directions [direction, unit].
            name: the new node is called `<node>.<name>`.

        Returns the new node, the last one in `nodes`; its units are the latents. Attaching the same
        again changes nothing.

        Raises NotFound for an unknown node, BadInput for a dictionary that does not fit it,
        Conflict where the id stands for something else.

        >>> from micrograph import load
        >>> model = load("toytown")
        >>> node = model.attach("mixed4a", torch.eye(152)[:5], name="axes")
        >>> node.id, node.units, node.shape == model.nodes["mixed4a"].shape
        ('mixed4a.axes', 5, True)
        """
        found = attach(
            source,
            self.node(node),
            name,
            index=len(self.nodes),
            taken=self.aliases,
            known=self._attached,
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
        nodes: Sequence[str],
        *,
        pre_relu: bool = False,
        preprocess: bool = True,
    ) -> dict[str, Tensor]:
        """The activations of nodes on pictures. The pass stops behind the last of them.

        Parameters:
            images: RGB [batch, 3, y, x] in 0..1, floating point, of any size that the network
                takes. Gradients flow to them.
            nodes: ids or aliases.
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
        if images.ndim != 4 or images.shape[1] != channels or not images.is_floating_point():
            form = "RGB [batch, 3, y, x]" if channels == 3 else f"[batch, {channels}, y, x]"
            raise BadInput(
                f"images of shape {list(images.shape)} in {images.dtype} given, "
                f"expected floating-point {form}"
            )
        wanted = {name: self.node(name) for name in nodes}
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

    def takes(self, size: int) -> bool:
        """Whether the whole network runs on pictures of `size` x `size` pixels.

        Transformers with fixed positions and matrices behind a flattened map take one size only.
        """
        return self._runs_on(size, size)

    def _runs_on(self, rows: int, columns: int) -> bool:
        if (rows, columns) not in self._sizes:
            images = self._first_tensor.new_full((1, 3, rows, columns), 0.5)
            try:
                with torch.no_grad():
                    self.module(self.preprocessing.apply(images))
            except _REFUSALS:
                self._sizes[rows, columns] = False
            else:
                self._sizes[rows, columns] = True
        return self._sizes[rows, columns]

    def _value(self, node: Node, found: dict[str, Tensor], *, before: bool = False) -> Tensor:
        """The values of `node`, given those of the nodes that the network computes."""
        one = self._attached.get(node.id)
        if one is None:
            return found[node.id]
        return one.dictionary.values(found[one.base.id], before=before)

    def _capture(
        self, x: Tensor, nodes: Sequence[Node], relus: ReLUOff | None = None
    ) -> dict[str, Tensor]:
        """Run on preprocessed `x` until all of `nodes` were reached; their values by id."""
        try:
            found, missing = capture(self.module, x, nodes, relus)
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
