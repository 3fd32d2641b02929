"""CaffeNet, trained by CSAIL on the scenes of Places365 (Zhou et al. 2017).

AlexNet with the pool before the norm, in Caffe's layout: `alexnet.py` has its table and its two
halves. In Lucid's graph, made by caffe-tensorflow, `conv2/Conv2D` and `conv2/Conv2D_1` are the
halves before the bias, `conv2/concat` both of them, and `conv2/conv2` is the end behind the ReLU.
"""

from micrograph.cards.function import Function
from micrograph.cards.model_card import Conversion, Kin, ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import alexnet
from micrograph.cards.zoo._places365 import CLASSES


def aliases(node: str) -> tuple[str, ...]:
    """Operations of Lucid's graph: `conv2_Conv2D_0`, `conv5_concat_0`, `fc6_fc6_0`, `prob_0`."""
    layer, _, part = node.partition("_")
    if node == "logits":
        return ("prob_0", "fc8_fc8_0", "fc8", "prob")
    if layer not in ("fc6", "fc7", *alexnet.CONVS):
        return (f"{node}_0",)
    halves = {"a": "Conv2D", "b": "Conv2D_1"}
    if part == "linear" and alexnet.CONVS[layer][3] == 2:
        return (f"{layer}_concat_0",)
    operation = halves.get(part, "Conv2D" if part == "linear" else layer)
    return (f"{layer}_{operation}_0",)


CARD = ModelCard(
    id="alexnet_caffe_places365",
    title="AlexNet (Places365)",
    summary="CaffeNet, a sibling of AlexNet, trained on pictures of 365 kinds of places.",
    build=Function("micrograph.networks.alexnet_caffe_places365:build"),
    preprocessing=Preprocessing(
        size=227,
        resize=256,
        scale=255.0,
        mean=(104.051, 112.514, 116.676),  # of the mean picture that CSAIL trained with
        channel_order="BGR",
        interpolation="bicubic",
    ),
    parameters=58_363_629,
    labels=CLASSES,
    paper="Zhou et al., Places: A 10 million Image Database for Scene Recognition, 2017",
    paper_url="https://doi.org/10.1109/TPAMI.2017.2723009",
    licence="CC BY",
    lineage="CaffeNet (AlexNet with the pool before the norm), trained by CSAIL on "
    "Places365-Standard. Lucid fed it with ImageNet's mean instead of that of its training; the "
    "alexnet_places365.pth.tar beside it is torchvision's AlexNet",
    sources=(
        WeightsSource(
            title="CSAIL's alexnet_places365, in Caffe's format",
            url="http://places2.csail.mit.edu/models_places365/alexnet_places365.caffemodel",
            licence="CC BY",
        ),
        WeightsSource(
            title="Lucid's frozen graph",
            url="gs://modelzoo/vision/caffe_models/AlexNet_places365.pb",
        ),
    ),
    node_id=alexnet.node_id,
    aliases=aliases,
    conversions=(
        Conversion(
            "caffemodel",
            Function("micrograph.networks.alexnet_caffe_places365:from_caffemodel"),
            "conv1/0",
        ),
        Conversion(
            "tf-graph",
            Function("micrograph.networks.alexnet_caffe_places365:from_graph"),
            "conv1/weights",
            ("*",),
        ),
    ),
    accuracy="53.2 % top-1, 82.9 % top-5 (mean of 10 crops, Places365 validation), says the paper",
    names=(
        "alexnet places",
        "alexnet places 365",
        "alexnet caffe places",
        "caffenet places",
        "caffenet places 365",
        "places 365 alexnet",
        "places alexnet",
    ),
    family=Kin(
        "CaffeNet on Places365", "pool before norm; trained by CSAIL on scenes; 365 classes"
    ),
    microscope=2,
)
