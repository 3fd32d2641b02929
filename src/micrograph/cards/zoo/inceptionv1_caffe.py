"""GoogLeNet as trained by BVLC in Caffe on ImageNet (Szegedy et al. 2014), without auxiliary heads.

Node ids are Caffe's names with `_` for `/`. A convolution's node is its value after the ReLU, which
Caffe computes in place. Padding, ceil-mode pooling and the order of norm and pool are Caffe's.
"""

import re

from micrograph.cards.function import Function
from micrograph.cards.model_card import Conversion, Kin, ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo._imagenet import CLASSES


def node_id(path: str) -> str:
    """`inception_4c.3x3_reduce` is `inception_4c_3x3_reduce`."""
    return path.replace(".", "_")


def tensor_name(parameter: str) -> str:
    """`inception_4c.3x3_reduce.weight` is stored as `inception_4c_3x3_reduce.weight`."""
    path, _, leaf = parameter.rpartition(".")
    return f"{node_id(path)}.{leaf}"


_FIRST = {
    "conv1_7x7_s2": ("conv2d0", "conv1"),
    "conv2_3x3_reduce": ("conv2d1", "conv2_reduce"),
    "conv2_3x3": ("conv2d2", "conv2"),
    "loss3_classifier": ("logits", "softmax2"),
}


def aliases(node: str) -> tuple[str, ...]:
    """Short forms and Lucid's names: `4c_3x3_reduce`, `mixed4c_3x3_bottleneck`, `conv2d2`."""
    match = re.fullmatch(r"inception_(\d[a-e])(_\w+)?", node)
    if match is None:
        return _FIRST.get(node, ())
    block, branch = match[1], match[2] or ""
    lucid = branch.replace("_reduce", "_bottleneck").replace("_pool_proj", "_pool_reduce")
    names = [block + branch, f"mixed{block}{lucid}", f"mixed{block}{branch}", block + lucid]
    if not branch:
        names.append(f"{node}_output")
    return tuple(dict.fromkeys(names))


AUXILIARY = ("loss1/*", "loss2/*")
"""Layers of the two heads that only training needs."""

CARD = ModelCard(
    id="inceptionv1_caffe",
    title="InceptionV1 (Caffe)",
    summary="GoogLeNet, the winner of ImageNet 2014, as trained by BVLC in Caffe. "
    "Its units differ from those of Google's own InceptionV1, which OpenAI Microscope showed.",
    build=Function("micrograph.networks.inceptionv1_caffe:build"),
    preprocessing=Preprocessing(
        size=224,
        resize=256,
        scale=255.0,
        mean=(104.00699, 116.66877, 122.67891),
        channel_order="BGR",
        interpolation="bicubic",
    ),
    digest="52872c72f7860412a3c63b255eef88dc4d6517e8cb499e624d44754f1528fa97",
    parameters=6_998_552,
    labels=CLASSES,
    paper="Szegedy et al., Going Deeper with Convolutions, 2014",
    paper_url="https://arxiv.org/abs/1409.4842",
    licence="BVLC model zoo: unrestricted use",
    lineage="BVLC GoogLeNet (Caffe), without auxiliary heads, converted to OIHW fp32",
    sources=(
        WeightsSource(
            title="GoogleNet_MATLAB, the BVLC parameters as arrays",
            url="https://github.com/mtmd/GoogleNet_MATLAB",
            note="116 arrays in Params/; the repository states no licence",
        ),
        WeightsSource(
            title="BVLC GoogLeNet, the original in Caffe's format",
            url="http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel",
            licence="BVLC model zoo: unrestricted use",
        ),
    ),
    file_names=("googlenet_bvlc",),
    node_id=node_id,
    tensor_name=tensor_name,
    aliases=aliases,
    conversions=(
        Conversion(
            "caffemodel",
            Function("micrograph.networks.inceptionv1_caffe:from_caffemodel"),
            "conv1/7x7_s2/0",
            AUXILIARY,
        ),
    ),
    names=(
        "inception v 1 caffe",
        "bvlc googlenet",
        "googlenet caffe",
        "googlenet bvlc",
        "caffe googlenet",
        "bvlc inception v 1",
    ),
    family=Kin("BVLC GoogLeNet", "Caffe; the paper's widths; 1000 classes; input BGR"),
)
