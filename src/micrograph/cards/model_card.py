"""Facts about a model before its weights are there: plain data, no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from micrograph.cards.preprocessing import Preprocessing

if TYPE_CHECKING:
    from torch import Tensor, nn

    from micrograph.cards.text import TextTower


@dataclass(frozen=True)
class WeightsSource:
    """One place where a weights file can be had.

    `sha256` (64 hex digits) and `size` (bytes) are of the file at `url`; "" and 0 where nobody
    knows them. `member` is the weights file's name inside it, if it is an archive. A source without
    `url` cannot be fetched.
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
    from others of its form. `convert` takes a `weights.conversion.Given`, of it what it needs, and
    gives tensors by the names of our state dict. `ignore` are patterns (fnmatch) of tensors that
    are of no use here; any other that `convert` leaves is an error.
    """

    form: str
    convert: "Callable[[Any], dict[str, Tensor]]"
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
class Kin:
    """What a family tree says of a model (see `cards.families`): under which title, and in what it
    is unlike the network that it stands under."""

    title: str
    differs: str


@dataclass(frozen=True)
class ModelCard:
    """A model as the registry knows it: plain data, and functions that are imported when called.

    `id` is the first part of the model's addresses; `title` and `summary` are for people. Where a
    field takes a function, a `Function` names one without importing it, so that a file with a card
    needs no torch.

    >>> from micrograph.cards.function import Function
    >>> card = ModelCard(
    ...     id="my_net",
    ...     title="My net",
    ...     summary="",
    ...     build=Function("my_package.nets:build"),
    ...     preprocessing=Preprocessing(size=224, resize=256),
    ... )
    >>> card.preprocessing.channels
    3
    """

    id: str
    title: str
    summary: str
    build: "Callable[[], nn.Module]"
    """Makes the network with random weights, float32; it takes pictures [batch, channel, y, x]."""
    preprocessing: Preprocessing
    digest: str = ""
    """SHA-256 of the right tensors, 64 hex digits (see `weights.formats.digest_of`); "" accepts any
    weights."""
    parameters: int = 0
    """How many numbers the network learned; 0 where that is not known."""
    labels: tuple[str, ...] = ()
    """A name per logit, in their order; none where the output are no classes."""
    paper: str = ""
    """Authors, title, year."""
    paper_url: str = ""
    licence: str = ""
    """Of the weights."""
    lineage: str = ""
    """Who trained it on what, and by which way the weights come here."""
    sources: tuple[WeightsSource, ...] = ()
    """Where its weights can be had, in the order in which they are tried."""
    bundled: str = ""
    """Where in the package its weights lie, for a model that ships with them."""
    file_names: tuple[str, ...] = ()
    """Names besides `id` under which a weights file (or the folder around it) may lie."""
    node_id: Callable[[str], str | None] = lambda path: path
    """Turns a module path ("mixed4a.3x3") into a node id, or None to hide that module."""
    tensor_name: Callable[[str], str] = lambda parameter: parameter
    """Turns a name of the network's state dict into the name of that tensor in the weights file."""
    aliases: Callable[[str], tuple[str, ...]] = lambda node: ()
    """Turns a node id into further spellings of it ("4c", "mixed4c")."""
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
    """Units that the literature describes."""
    dictionaries: tuple[tuple[str, str, str], ...] = ()
    """Dictionaries that ship with it: node, name and file in the package. Each is attached when its
    node `<node>.<name>` is asked for."""
    accuracy: str = ""
    """What is known of its accuracy, with the pictures it was measured on or who says so."""
    names: tuple[str, ...] = ()
    """What people call it besides id and title, in small letters, words and numbers apart:
    "inception v 1". In a text any marks may stand between them."""
    family: Kin | None = None
    """What its family tree says of it, for one of several networks of one name."""
    microscope: int = 0
    """Its place in the list of OpenAI Microscope's models, from 1; 0 if it was not among them."""
    instead: str = ""
    """The id of its nearest relative, for a model that was never released."""
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
