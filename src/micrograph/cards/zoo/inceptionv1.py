"""Google's InceptionV1 (inception5h), the network of Lucid, Microscope and the Circuits articles.

The widths are the graph's: 4a has 204 units in its 3x3 branch and 5a 48 in its 5x5 bottleneck,
where the paper and Caffe's GoogLeNet have 208 and 32. Padding is TensorFlow's SAME: at even sizes
strided windows reach one more place at the end than at the beginning. The normalization is
TensorFlow's with radius 5, alpha 1e-4, beta 0.5 and bias 2, as captum's port has it.

Node ids are the graph's: `conv2d2`, `mixed4a`, `mixed4a_3x3_bottleneck`, `nn0`. A convolution's
node is its value behind the ReLU; `mixed4a_pre_relu` is understood as the same place. The nodes
`softmax0`, `softmax1` and `softmax2` hold the scores before the softmax. The two auxiliary heads on
4a and 4d are there if the weights file has them.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from micrograph.cards.model_card import Conversion, ModelCard, Probe, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import _caffe, _inception
from micrograph.cards.zoo._imagenet import CLASSES, devkit_order

if TYPE_CHECKING:
    from torch import Tensor, nn

    from micrograph.weights.conversion import Given

#        1x1, 3x3 bottleneck, 3x3, 5x5 bottleneck, 5x5, pool_reduce
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 204, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 48, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOL_AFTER = {"3b": "maxpool4", "4e": "maxpool10"}
HEADS = {"head0": ("mixed4a", 508), "head1": ("mixed4d", 528)}
LABELS = ("dummy", *(CLASSES[n] for n in devkit_order()), *["dummy"] * 7)
"""In the order of `imagenet_comp_graph_label_strings.txt`, which comes with the graph: that of
ILSVRC's own kit, from 1 on. The last seven outputs have no name there."""


def build() -> "nn.Module":
    """The network with random weights; RGB in -117..138 to scores [batch, 1008]."""
    from torch import nn

    from micrograph.networks import layers
    from micrograph.networks.inceptionv1_heads import Head, WithHeads

    def norm(units: int) -> nn.Module:
        # TensorFlow's alpha times the size of the window, by which ours is divided again.
        return layers.LocalResponseNorm(units, size=11, alpha=11e-4, k=2.0, beta=0.5)

    trunk: dict[str, nn.Module] = {
        "conv2d0": layers.SameConvReLU(3, 64, 7, stride=2),
        "maxpool0": layers.SamePool(),
        "localresponsenorm0": norm(64),
        "conv2d1": layers.ConvReLU(64, 64, 1),
        "conv2d2": layers.ConvReLU(64, 192, 3),
        "localresponsenorm1": norm(192),
        "maxpool1": layers.SamePool(),
    }
    units = 192
    for name, widths in INCEPTION.items():
        block = layers.Inception(units, widths)
        trunk[f"mixed{name}"] = block
        units = block.outputs
        if name in POOL_AFTER:
            trunk[POOL_AFTER[name]] = layers.SamePool()
    heads = {name: (on, Head(inputs, len(LABELS))) for name, (on, inputs) in HEADS.items()}
    top = {"avgpool0": layers.GlobalAverage(), "softmax2": nn.Linear(units, len(LABELS))}
    return WithHeads(trunk, heads, top).eval()


def node_id(path: str) -> str | None:
    """`mixed4a.3x3_reduce` is `mixed4a_3x3_bottleneck`, `head0.nn` is `nn0`."""
    head = re.fullmatch(r"head(\d)(?:\.(\w+))?", path)
    if head is None:
        path = path.replace("_reduce", "_bottleneck").replace("pool_proj", "pool_reduce")
        return path.replace(".", "_")
    number, part = head.groups()
    if part == "flatten":
        return None
    if part in ("pool", "bottleneck"):
        return f"head{number}_{part}"
    return f"{part or 'softmax'}{number}"


def tensor_name(parameter: str) -> str:
    """`mixed4a.3x3_reduce.weight` is stored as `mixed4a_3x3_bottleneck.weight`."""
    path, _, leaf = parameter.rpartition(".")
    return f"{node_id(path)}.{leaf}"


def aliases(node: str) -> tuple[str, ...]:
    """Short forms, the graph's operations and lucent's: `4a_5x5`, `mixed4a_5x5_0`,
    `mixed4a_pre_relu`, `mixed4a_5x5_pre_relu_conv`."""
    names = [f"{node}_0"]
    if re.match(r"conv2d|mixed|head\d_bottleneck|nn", node) and not node.endswith("_pool"):
        names += [f"{node}_pre_relu", f"{node}_pre_relu_0", f"{node}_pre_relu_conv"]
    if node.startswith("softmax"):
        names += [f"{node}_pre_activation", f"{node}_pre_activation_0"]
    if node == "softmax2":
        names += ["logits", "softmax2_pre_activation_matmul"]
    if node.startswith("mixed"):
        caffe = node.replace("_bottleneck", "_reduce").replace("pool_reduce", "pool_proj")
        spellings = (node.removeprefix("mixed"), caffe, caffe.removeprefix("mixed"))
        names += [s for s in spellings if s != node]
    return tuple(dict.fromkeys(names))


def weighted_layers() -> Iterator[tuple[str, _caffe.Layer]]:
    """The modules that have weights, and what the graph calls them."""
    shapes: dict[str, tuple[int, ...]] = {
        "conv2d0": (64, 3, 7, 7),
        "conv2d1": (64, 64, 1, 1),
        "conv2d2": (192, 64, 3, 3),
    }
    for block, branch, shape in _inception.convolutions(192, INCEPTION):
        shapes[f"mixed{block}.{branch}"] = shape
    shapes["softmax2"] = (len(LABELS), 1024)
    for path, shape in shapes.items():
        yield path, _caffe.Layer(node_id(path) or "", shape)


def head_layers() -> Iterator[tuple[str, _caffe.Layer]]:
    """The same of the two heads."""
    for head, (_, inputs) in HEADS.items():
        yield f"{head}.bottleneck", _caffe.Layer(f"{head}_bottleneck", (128, inputs, 1, 1))
        yield f"{head}.nn", _caffe.Layer(f"nn{head[-1]}", (1024, 128 * 16), 4)
        yield f"{head}.softmax", _caffe.Layer(f"softmax{head[-1]}", (len(LABELS), 1024))


def from_graph(given: "Given") -> "dict[str, Tensor]":
    """Out of Google's frozen graph, whose constants are called `conv2d0_w` and `conv2d0_b`."""
    found = {}
    for path, layer in (*weighted_layers(), *head_layers()):
        found[f"{path}.weight"], found[f"{path}.bias"] = _caffe.from_tensorflow(
            given, layer, "{}_w", "{}_b"
        )
    return found


_LAST = "softmax2_pre_activation_matmul"


def from_lucent(given: "Given") -> "dict[str, Tensor]":
    """Out of ProGamerGov's state dict, which lucent uses too; it lacks the heads."""
    found = {}
    for path, layer in weighted_layers():
        module = _LAST if path == "softmax2" else f"{layer.name}_pre_relu_conv"
        found[f"{path}.weight"], found[f"{path}.bias"] = _caffe.from_torch(given, layer, module)
    return found


_STEM = {"conv2d0": "conv1", "conv2d1": "conv2", "conv2d2": "conv3", "softmax2": "fc"}


def from_captum(given: "Given") -> "dict[str, Tensor]":
    """Out of captum's state dict; it lacks the heads."""
    found = {}
    for path, layer in weighted_layers():
        block, _, branch = path.removeprefix("mixed").partition(".")
        module = _inception.in_captum(block, branch) if branch else _STEM[path]
        found[f"{path}.weight"], found[f"{path}.bias"] = _caffe.from_torch(given, layer, module)
    return found


CARS = (
    "car",
    "cab",
    "convertible",
    "limousine",
    "minivan",
    "jeep",
    "racer",
    "beach wagon",
    "pickup",
    "Model T",
    "ambulance",
    "police van",
    "tow truck",
    "grille",
    "wheel",
)
CIRCUITS = "https://distill.pub/2020/circuits/zoom-in"
EARLY = "https://distill.pub/2020/circuits/early-vision"

CARD = ModelCard(
    id="inceptionv1",
    title="InceptionV1",
    summary="GoogLeNet as Google released it in 2015: the network of DeepDream, of Feature "
    "Visualization and of the Circuits articles, and the first of OpenAI Microscope.",
    build=build,
    preprocessing=Preprocessing(
        size=224, resize=256, scale=255.0, mean=(117.0, 117.0, 117.0), interpolation="bicubic"
    ),
    parameters=13_461_996,
    labels=LABELS,
    paper="Szegedy et al., Going Deeper with Convolutions, 2014",
    paper_url="https://arxiv.org/abs/1409.4842",
    licence="Apache-2.0",
    lineage="Google's inception5h of 2015, trained in TensorFlow or its predecessor. Of the five "
    "networks called InceptionV1 the one with 204 units in the 3x3 branch of 4a: not BVLC's "
    "GoogLeNet (inceptionv1_caffe), not its Places205 and Places365 siblings, not TF-slim's with "
    "batch norm, whose weights torchvision's googlenet has",
    sources=(
        WeightsSource(
            title="inception5h.zip: Google's frozen graph, with both auxiliary heads",
            url="https://storage.googleapis.com/download.tensorflow.org/models/inception5h.zip",
            sha256="d13569f6a98159de37e92e9c8ec4dae8f674fbf475f69fe6199b514f756d4364",
            member="tensorflow_inception_graph.pb",
            licence="Apache-2.0",
        ),
        WeightsSource(
            title="ProGamerGov's port",
            url="https://github.com/ProGamerGov/pytorch-old-tensorflow-models/raw/master/"
            "inception5h.pth",
            note="without the auxiliary heads",
            licence="Apache-2.0",
        ),
        WeightsSource(
            title="captum's port",
            url="https://pytorch.s3.amazonaws.com/models/captum/inception5h.pth",
            note="without the auxiliary heads",
            licence="Apache-2.0",
        ),
    ),
    node_id=node_id,
    tensor_name=tensor_name,
    aliases=aliases,
    optional=tuple(HEADS),
    conversions=(
        Conversion("tf-graph", from_graph, "mixed3a_1x1_w", ("*",)),
        Conversion("torch", from_lucent, "mixed3a_1x1_pre_relu_conv.weight"),
        Conversion("torch", from_captum, "mixed3a.conv_1x1.weight", ("aux1.*", "aux2.*")),
    ),
    probes=(
        Probe("mixed4c", 447, "cars", classes=CARS, source=CIRCUITS),
        Probe(
            "mixed4b",
            373,
            "wheels",
            classes=(*CARS, "bicycle", "motor scooter", "moped", "unicycle", "tricycle", "truck"),
            source=CIRCUITS,
        ),
        Probe(
            "mixed4b",
            237,
            "windows of cars",
            classes=(*CARS, "bus", "minibus", "van"),
            source=CIRCUITS,
        ),
        *(
            Probe("mixed3b", unit, "curves", stimuli="curves", source=CIRCUITS)
            for unit in (379, 385, 406, 342, 343)
        ),
        *(
            Probe("mixed3a", unit, "high against low frequency", stimuli="high_low", source=EARLY)
            for unit in (136, 110, 180, 153)
        ),
        *(
            Probe("mixed3a", unit, "grey against colour", stimuli="colour_contrast", source=EARLY)
            for unit in (197, 208, 210, 214)
        ),
    ),
)
