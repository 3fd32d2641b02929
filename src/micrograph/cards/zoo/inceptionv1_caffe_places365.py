"""GoogLeNet in Caffe's layout, trained by CSAIL on the scenes of Places365 (Zhou et al. 2017).

The network and the node ids of `inceptionv1_caffe`, with 365 classes. Padding is that of its
training in Caffe: 3 pixels on every side of conv1. Lucid's graph, made by caffe-tensorflow, pads it
by 2 before and 3 behind, so that everything in it is shifted by one pixel.
"""

from functools import partial
from typing import TYPE_CHECKING

from micrograph.cards.model_card import Conversion, ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import _caffe, _inception, inceptionv1_caffe
from micrograph.cards.zoo._places365 import CLASSES

if TYPE_CHECKING:
    from torch import Tensor, nn

    from micrograph.weights.conversion import Given


def build() -> "nn.Module":
    """The network with random weights; BGR in 0..255 minus the mean to logits [batch, 365]."""
    return inceptionv1_caffe.network(len(CLASSES))


def aliases(node: str) -> tuple[str, ...]:
    """Short forms as in inceptionv1_caffe, and operations of Lucid's graph:
    `inception_3a_output_0`, `conv2_3x3_conv2_3x3_0`, `inception_3a_5x5_inception_3a_5x5_0`."""
    if node == "loss3_classifier":
        operations: tuple[str, ...] = ("prob_0", f"{node}_{node}_0")
    elif node.startswith("inception_") and len(node) == len("inception_3a"):
        operations = (f"{node}_output_0",)
    elif node.startswith(("conv2_norm", "pool")) or node.endswith("_pool"):
        operations = (f"{node}_0",)
    else:
        operations = (f"{node}_{node}_0",)
    return (*inceptionv1_caffe.aliases(node), *operations)


_STEM = {
    "conv1_7x7_s2": "conv1",
    "conv2_3x3_reduce": "conv2",
    "conv2_3x3": "conv3",
    "loss3_classifier": "fc",
}


def from_captum(given: "Given") -> "dict[str, Tensor]":
    """Out of captum's state dict."""
    found = {}
    for path, layer in inceptionv1_caffe.weighted_layers(len(CLASSES)):
        block, _, branch = path.removeprefix("inception_").partition(".")
        module = _inception.in_captum(block, branch) if branch else _STEM[path]
        found[f"{path}.weight"], found[f"{path}.bias"] = _caffe.from_torch(given, layer, module)
    return found


CARD = ModelCard(
    id="inceptionv1_caffe_places365",
    title="InceptionV1 (Places365)",
    summary="GoogLeNet, trained on pictures of 365 kinds of places.",
    build=build,
    preprocessing=Preprocessing(
        size=224,
        resize=256,
        scale=255.0,
        mean=(104.0437, 112.6004, 116.7894),
        channel_order="BGR",
        interpolation="bicubic",
    ),
    parameters=6_347_677,
    labels=CLASSES,
    paper="Zhou et al., Places: A 10 million Image Database for Scene Recognition, 2017",
    paper_url="https://doi.org/10.1109/TPAMI.2017.2723009",
    licence="CC BY",
    lineage="BVLC's GoogLeNet architecture, trained by CSAIL on Places365-Standard, without its "
    "auxiliary heads. The mean is that of captum's port; Lucid fed it with ImageNet's and doubted "
    "it",
    sources=(
        WeightsSource(
            title="CSAIL's googlenet_places365, in Caffe's format",
            url="http://places2.csail.mit.edu/models_places365/googlenet_places365.caffemodel",
            licence="CC BY",
        ),
        WeightsSource(
            title="captum's port",
            url="https://pytorch-tutorial-assets.s3.amazonaws.com/captum/inceptionv1_places365.pth",
            licence="CC BY",
        ),
        WeightsSource(
            title="Lucid's frozen graph",
            url="gs://modelzoo/vision/caffe_models/InceptionV1_places365.pb",
        ),
    ),
    node_id=inceptionv1_caffe.node_id,
    tensor_name=inceptionv1_caffe.tensor_name,
    aliases=aliases,
    conversions=(
        Conversion(
            "caffemodel",
            partial(inceptionv1_caffe.convert, _caffe.from_caffe, len(CLASSES)),
            "conv1/7x7_s2/0",
            inceptionv1_caffe.AUXILIARY,
        ),
        Conversion("torch", from_captum, "mixed3a.conv_1x1.weight", ("aux1.*", "aux2.*")),
        Conversion(
            "tf-graph",
            partial(inceptionv1_caffe.convert, _caffe.from_tensorflow, len(CLASSES)),
            "conv1_7x7_s2/weights",
            ("*",),
        ),
    ),
    accuracy="53.6 % top-1, 83.9 % top-5 (mean of 10 crops, Places365 validation), says the paper",
)
