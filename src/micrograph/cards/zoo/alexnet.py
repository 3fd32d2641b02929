"""AlexNet (Krizhevsky et al. 2012) with the weights of BVLC's Caffe model, as Lucid had it.

Lucid's frozen graph decides what differs between ports. It was made by the script in
github.com/huanzhang12/tensorflow-alexnet-model from guerzhoy's `bvlc_alexnet.npy`: conv1 is VALID
(55 x 55; guerzhoy's own script pads it to 57 x 57), and its normalization has TensorFlow's alpha
1e-5, which is 5e-5 where alpha is divided by the size. Caffe has 1e-4.

conv2, conv4 and conv5 work in two halves. The graph's `Conv2D_n` are convolutions before bias and
ReLU, each half one of its own: so they are nodes, `conv1_linear`, `conv2_a`, `conv2_b`. Its
`conv2_1` is the layer's end behind the ReLU, our `conv2`: TensorFlow numbers it because the
name `conv2` is taken by the scope of its variables.
"""

from micrograph.cards.function import Function
from micrograph.cards.model_card import Conversion, Kin, ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo._imagenet import CLASSES

#         inputs, units, kernel, groups
CONVS = {
    "conv1": (3, 96, 11, 1),
    "conv2": (96, 256, 5, 2),
    "conv3": (256, 384, 3, 1),
    "conv4": (384, 384, 3, 2),
    "conv5": (384, 256, 3, 2),
}


def node_id(path: str) -> str | None:
    """`conv2.linear` is `conv2_linear`, its halves are `conv2_a` and `conv2_b`."""
    if path == "flatten" or path.endswith(".shift"):
        return None
    return path.replace(".linear.", "_").replace(".", "_")


# The graph numbers its operations of one kind in the order in which they were made.
_OPERATIONS = {
    "conv1_linear": ("Conv2D",),
    "conv2_a": ("Conv2D_1",),
    "conv2_b": ("Conv2D_2",),
    "conv2_linear": ("concat",),
    "conv3_linear": ("Conv2D_3",),
    "conv4_a": ("Conv2D_4",),
    "conv4_b": ("Conv2D_5",),
    "conv4_linear": ("concat_1",),
    "conv5_a": ("Conv2D_6",),
    "conv5_b": ("Conv2D_7",),
    "conv5_linear": ("concat_2",),
    "fc6": ("Relu", "fc6_fc6"),
    "fc7": ("Relu_1", "fc7_fc7"),
    "logits": ("Softmax", "fc8", "fc8_fc8"),
}


def aliases(node: str) -> tuple[str, ...]:
    """Operations of Lucid's graph: `Conv2D_2_0`, `conv1_1_0`, `Relu_0`, `Softmax_0`."""
    operations = (f"{node}_1",) if node in CONVS else _OPERATIONS.get(node, (node,))
    return tuple(f"{operation}_0" for operation in operations)


PREPROCESSING = Preprocessing(
    size=227,
    resize=256,
    scale=255.0,
    mean=(103.939, 116.779, 123.68),
    channel_order="BGR",
    interpolation="bicubic",
)

CARD = ModelCard(
    id="alexnet",
    title="AlexNet",
    summary="The network that won ImageNet 2012, retrained by BVLC. Five convolutions, of which "
    "three work in two halves that see only half of the layer before.",
    build=Function("micrograph.networks.alexnet:build"),
    preprocessing=PREPROCESSING,
    parameters=60_965_224,
    labels=CLASSES,
    paper="Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, "
    "2012",
    paper_url="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-"
    "neural-networks",
    licence="BVLC model zoo: unrestricted use",
    lineage="BVLC AlexNet (Caffe, trained by Evan Shelhamer), by way of guerzhoy's "
    "bvlc_alexnet.npy and a frozen TensorFlow graph; torchvision's alexnet is another network (64, "
    "192, 384, 256, 256 units, no halves)",
    sources=(
        WeightsSource(
            title="bvlc_alexnet.npy, converted from Caffe by guerzhoy",
            url="https://www.cs.toronto.edu/~guerzhoy/tf_alexnet/bvlc_alexnet.npy",
            licence="BVLC model zoo: unrestricted use",
        ),
        WeightsSource(
            title="BVLC AlexNet, the original in Caffe's format",
            url="http://dl.caffe.berkeleyvision.org/bvlc_alexnet.caffemodel",
            note="SHA-1 9116a64c0fbe4459d18f4bb6b56d647b63920377, says BVLC",
            licence="BVLC model zoo: unrestricted use",
        ),
        WeightsSource(
            title="Lucid's frozen graph",
            url="gs://modelzoo/vision/other_models/AlexNet.pb",
        ),
    ),
    node_id=node_id,
    aliases=aliases,
    conversions=(
        Conversion("npy", Function("micrograph.networks.alexnet:from_npy"), "conv1/0"),
        Conversion(
            "caffemodel", Function("micrograph.networks.alexnet:from_caffemodel"), "conv1/0"
        ),
        Conversion(
            "tf-graph", Function("micrograph.networks.alexnet:from_graph"), "conv1/weights", ("*",)
        ),
    ),
    accuracy="57.1 % top-1, 80.2 % top-5 (centre crop, ILSVRC 2012 validation, with Caffe's "
    "normalization), says BVLC",
    names=(
        "alex net",
        "alexnet imagenet",
    ),
    family=Kin("AlexNet in Lucid's zoo and on Microscope", "norm before pool; ImageNet"),
    microscope=1,
)
