"""GoogLeNet in Caffe's layout, trained by CSAIL on the scenes of Places365 (Zhou et al. 2017).

The network and the node ids of `inceptionv1_caffe`, with 365 classes. Padding is that of its
training in Caffe: 3 pixels on every side of conv1. Lucid's graph, made by caffe-tensorflow, pads it
by 2 before and 3 behind, so that everything in it is shifted by one pixel.
"""

from micrograph.cards.function import Function
from micrograph.cards.model_card import Conversion, Kin, ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import inceptionv1_caffe
from micrograph.cards.zoo._places365 import CLASSES


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


CARD = ModelCard(
    id="inceptionv1_caffe_places365",
    title="InceptionV1 (Places365)",
    summary="GoogLeNet, trained on pictures of 365 kinds of places.",
    build=Function("micrograph.networks.inceptionv1_caffe_places365:build"),
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
            Function("micrograph.networks.inceptionv1_caffe_places365:from_caffemodel"),
            "conv1/7x7_s2/0",
            inceptionv1_caffe.AUXILIARY,
        ),
        Conversion(
            "torch",
            Function("micrograph.networks.inceptionv1_caffe_places365:from_captum"),
            "mixed3a.conv_1x1.weight",
            ("aux1.*", "aux2.*"),
        ),
        Conversion(
            "tf-graph",
            Function("micrograph.networks.inceptionv1_caffe_places365:from_graph"),
            "conv1_7x7_s2/weights",
            ("*",),
        ),
    ),
    accuracy="53.6 % top-1, 83.9 % top-5 (mean of 10 crops, Places365 validation), says the paper",
    names=(
        "inception v 1 places",
        "inception v 1 places 365",
        "inception v 1 caffe places",
        "googlenet places",
        "googlenet places 365",
        "places 365 inception v 1",
        "places 365 googlenet",
        "places inception v 1",
        "places googlenet",
    ),
    family=Kin(
        "BVLC GoogLeNet on Places365", "the same graph, trained by CSAIL on scenes; 365 classes"
    ),
    microscope=4,
)
