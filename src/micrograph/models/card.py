"""What is known about a model before its weights are there: plain data, no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from micrograph.models.preprocessing import Preprocessing

if TYPE_CHECKING:
    from torch import nn

    from micrograph.models.text import TextTower


@dataclass(frozen=True)
class WeightsSource:
    """One place where a weights file can be had. `sha256` is of that file, where it is known."""

    title: str
    url: str = ""
    sha256: str = ""
    note: str = ""


@dataclass(frozen=True)
class ModelCard:
    """A model as the registry knows it.

    `build` returns the network with random weights, in eval mode. `tensor_name` turns a name of its
    state dict into the name of that tensor in the weights file. `digest` is the digest of the right
    tensors (see `formats.digest_of`); empty accepts any. `node_id` turns a module path into a node
    id, or None to hide that module. `aliases` turns a node id into further spellings of it ("4c",
    "mixed4c").
    """

    id: str
    title: str
    summary: str
    build: "Callable[[], nn.Module]"
    preprocessing: Preprocessing
    digest: str = ""
    parameters: int = 0
    labels: tuple[str, ...] = ()
    paper: str = ""
    paper_url: str = ""
    licence: str = ""
    lineage: str = ""
    sources: tuple[WeightsSource, ...] = ()
    bundled: str = ""
    """Where in the package its weights lie, for a model that ships with them."""
    file_names: tuple[str, ...] = ()
    """Names besides `id` under which a weights file (or the folder around it) may lie."""
    node_id: Callable[[str], str | None] = lambda path: path
    tensor_name: Callable[[str], str] = lambda parameter: parameter
    aliases: Callable[[str], tuple[str, ...]] = lambda node: ()
    text: "Callable[[nn.Module], TextTower] | None" = None
    """Makes the text tower of the network, for one of a contrastive pair; then what the network
    gives is the picture's vector before normalization."""
