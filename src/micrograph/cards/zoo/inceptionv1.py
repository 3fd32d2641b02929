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

from micrograph.cards.function import Function
from micrograph.cards.model_card import Conversion, Kin, ModelCard, Probe, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo._imagenet import CLASSES, devkit_order

LABELS = ("dummy", *(CLASSES[n] for n in devkit_order()), *["dummy"] * 7)
"""In the order of `imagenet_comp_graph_label_strings.txt`, which comes with the graph: that of
ILSVRC's own kit, from 1 on. The last seven outputs have no name there."""


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
    build=Function("micrograph.networks.inceptionv1:build"),
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
    optional=("head0", "head1"),
    conversions=(
        Conversion(
            "tf-graph",
            Function("micrograph.networks.inceptionv1:from_graph"),
            "mixed3a_1x1_w",
            ("*",),
        ),
        Conversion(
            "torch",
            Function("micrograph.networks.inceptionv1:from_lucent"),
            "mixed3a_1x1_pre_relu_conv.weight",
        ),
        Conversion(
            "torch",
            Function("micrograph.networks.inceptionv1:from_captum"),
            "mixed3a.conv_1x1.weight",
            ("aux1.*", "aux2.*"),
        ),
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
    names=(
        "inception v 1",
        "inception 1",
        "inception 5h",
        "inception v 1 imagenet",
        "inception v 1 googlenet",
        "googlenet inception v 1",
    ),
    family=Kin(
        "Google's inception5h",
        "TensorFlow; 4a has 204 units in its 3x3 branch and 5a 48 in its 5x5 reduce, "
        "where the paper has 208 and 32; other normalization; 1008 outputs in an order of"
        " its own. The one that OpenAI Microscope and the Circuits articles call "
        "InceptionV1",
    ),
    microscope=3,
)
