"""What is known about a model before its weights are there: plain data, no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from micrograph.cards.preprocessing import Preprocessing

if TYPE_CHECKING:
    from torch import Tensor, nn

    from micrograph.cards.text import TextTower
    from micrograph.weights.conversion import Given


@dataclass(frozen=True)
class WeightsSource:
    """One place where a weights file can be had.

    `sha256` is of the file at `url`, where it is known, and `size` its bytes, where known. `member`
    is the weights file's name inside it, if it is an archive. A source without `url` cannot be
    fetched.
    """

    title: str
    url: str = ""
    sha256: str = ""
    note: str = ""
    size: int = 0
    member: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Conversion:
    """How the tensors of an original file become those of our network.

    `form` is what the reader says of the file: "caffemodel", "tf-graph", "tf-checkpoint", "npy",
    "npz", "torch", "clip" or "safetensors". `sign` is the name of a tensor that tells such a file
    from others of its form. `convert` takes what it needs and gives tensors by the names of our
    state dict. `ignore` are patterns (fnmatch) of tensors that are of no use here; any other that
    `convert` leaves is an error.
    """

    form: str
    convert: "Callable[[Given], dict[str, Tensor]]"
    sign: str = ""
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probe:
    """A unit whose meaning the literature tells: a port that has it is a right one.

    `classes` are words: of the pictures that drive the unit most, most are of a class whose name
    has one of them. `stimuli` is a family of drawings that the unit answers to more than to others.
    """

    node: str
    unit: int
    title: str
    classes: tuple[str, ...] = ()
    stimuli: str = ""
    source: str = ""


@dataclass(frozen=True)
class ModelCard:
    """A model as the registry knows it.

    `build` returns the network with random weights, in eval mode. `tensor_name` turns a name of its
    state dict into the name of that tensor in the weights file. `digest` is the digest of the right
    tensors (see `weights.formats`); empty accepts any. `node_id` turns a module path into a node
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
    text: "Callable[[nn.Module], TextTower | None] | None" = None
    """Makes the text tower of the network, for one of a contrastive pair; then what the network
    gives is the picture's vector before normalization. None where the weights have no such part;
    raises Unavailable where something else is missing."""
    optional: tuple[str, ...] = ()
    """Parts of the network (its direct children) that a weights file may lack as a whole, such as
    the text tower; then the part is None."""
    extras: tuple[WeightsSource, ...] = ()
    """Further files that a part of it needs, kept as they are in the folder of weights under the
    last name in their URL."""
    conversions: tuple[Conversion, ...] = ()
    """The original formats of its weights, besides files that carry our own names."""
    probes: tuple[Probe, ...] = ()
    dictionaries: tuple[tuple[str, str, str], ...] = ()
    """Dictionaries that ship with it: node, name and file in the package. Each is attached when its
    node `<node>.<name>` is asked for."""
    accuracy: str = ""
    """What is known of its accuracy, with the pictures it was measured on or who says so."""
    spec: str = ""
    """What a command calls it, for a model that is in no registry: `timm:resnet18`."""
    pretrained: "Callable[[], nn.Module] | None" = None
    """Makes the network with weights that come with it: a library's, or those that the user's own
    function loads. Raises Unavailable where they cannot be had."""
    weights: str = ""
    """Which weights are meant where none are named: a file, or `random`; "" for its own."""
    unreleased: str = ""
    """Why there is nothing to run: the weights were never published. Then `build` is never called
    and the model has no nodes; what is known of it is this card."""
