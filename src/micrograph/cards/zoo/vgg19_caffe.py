"""VGG-19 as the Oxford group trained it (Simonyan & Zisserman 2014, configuration E).

Every convolution is 3x3; a convolution's node is its value behind the ReLU, which in Lucid's graph,
made by caffe-tensorflow, is `conv4_1/conv4_1`.
"""

from micrograph.cards.function import Function
from micrograph.cards.model_card import Conversion, Kin, ModelCard, Probe, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo._imagenet import CLASSES


def node_id(path: str) -> str | None:
    """All but the flattening."""
    return None if path == "flatten" else path


def aliases(node: str) -> tuple[str, ...]:
    """Operations of Lucid's graph: `conv4_1_conv4_1_0`, `fc6_fc6_0`, `prob_0`."""
    if node == "logits":
        return ("prob_0", "fc8_fc8_0", "fc8", "prob")
    return (f"{node}_0",) if node.startswith("pool") else (f"{node}_{node}_0", f"{node}_{node}")


CARD = ModelCard(
    id="vgg19_caffe",
    title="VGG-19",
    summary="Sixteen convolutions of 3x3 and three matrices: the plainest deep network, and the "
    "one that pictures were first dreamed and restyled with.",
    build=Function("micrograph.networks.vgg19_caffe:build"),
    preprocessing=Preprocessing(
        size=224,
        resize=256,
        scale=255.0,
        mean=(103.939, 116.779, 123.68),
        channel_order="BGR",
        interpolation="bicubic",
    ),
    parameters=143_667_240,
    labels=CLASSES,
    paper="Simonyan & Zisserman, Very Deep Convolutional Networks for Large-Scale Image "
    "Recognition, 2014",
    paper_url="https://arxiv.org/abs/1409.1556",
    licence="CC BY",
    lineage="VGG-19 of Oxford's Visual Geometry Group, trained in a version of Caffe; "
    "torchvision's vgg19 has the same layers but is a training of its own, with other units",
    sources=(
        WeightsSource(
            title="vgg19-d01eb7cb.pth, converted from Caffe by jcjohnson",
            url="https://web.eecs.umich.edu/~justincj/models/vgg19-d01eb7cb.pth",
            licence="CC BY",
        ),
        WeightsSource(
            title="Oxford's original, in Caffe's format",
            url="http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/"
            "VGG_ILSVRC_19_layers.caffemodel",
            licence="CC BY",
        ),
        WeightsSource(
            title="Lucid's frozen graph", url="gs://modelzoo/vision/caffe_models/VGG19.pb"
        ),
    ),
    node_id=node_id,
    aliases=aliases,
    conversions=(
        Conversion(
            "torch", Function("micrograph.networks.vgg19_caffe:from_torch"), "features.34.weight"
        ),
        Conversion(
            "caffemodel", Function("micrograph.networks.vgg19_caffe:from_caffe"), "conv5_4/0"
        ),
        Conversion(
            "tf-graph",
            Function("micrograph.networks.vgg19_caffe:from_tensorflow"),
            "conv5_4/weights",
            ("*",),
        ),
    ),
    probes=(
        Probe(
            "conv5_4",
            4,
            "furry animals",
            classes=(
                "dog",
                "terrier",
                "spaniel",
                "retriever",
                "hound",
                "setter",
                "collie",
                "poodle",
                "sheepdog",
                "shepherd",
                "schnauzer",
                "husky",
                "malamute",
                "Samoyed",
                "chow",
                "keeshond",
                "Pomeranian",
                "wolf",
                "fox",
                "coyote",
                "cat",
                "tabby",
                "lynx",
                "bear",
                "hare",
                "rabbit",
                "hamster",
                "guinea pig",
                "marmot",
                "squirrel",
                "monkey",
            ),
        ),
    ),
    accuracy="74.5 % top-1, 92.0 % top-5 (dense evaluation at 384 px, ILSVRC 2012 validation), "
    "says the paper",
    names=(
        "vgg 19",
        "vgg 19 imagenet",
    ),
    family=Kin("VGG-19 of Oxford", "Simonyan and Zisserman 2014; Caffe; input BGR in 0..255"),
    microscope=5,
)
