"""ResNet-50 v2 as Google trained it in TF-slim on ImageNet (He et al. 2016, pre-activation).

Node ids are slim's scopes: `conv1`, `block2.unit1.conv2`, `block2.unit1.add`, `postnorm`; units
count from 1. `preact`, `conv1` and `conv2` of a unit are values behind batch norm and ReLU;
`conv3`, `shortcut` and `add` have none behind them and may be negative.
"""

import re

from micrograph.cards.function import Function
from micrograph.cards.model_card import Kin, ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import _slim
from micrograph.cards.zoo._imagenet import CLASSES

SCOPE = "resnet_v2_50"


def node_id(path: str) -> str:
    """What the unit `block2.unit1` gives is the sum `block2.unit1.add`."""
    return f"{path}.add" if re.fullmatch(r"block\d\.unit\d", path) else path


_OPERATION = {
    "preact": ("preact_Relu",),
    "conv1": ("conv1_Relu",),
    "conv2": ("conv2_Relu",),
    "conv3": ("conv3_BiasAdd",),
    "add": ("add",),
}

_ENDS = {
    "conv1": ("conv1_BiasAdd",),
    "pool1": ("pool1_MaxPool",),
    "postnorm": ("postnorm_Relu",),
    "global_pool": ("pool5",),
    "logits": ("logits_BiasAdd", "SpatialSqueeze", "predictions_Softmax"),
}


def aliases(node: str) -> tuple[str, ...]:
    """Slim's operations: `resnet_v2_50_block2_unit_1_bottleneck_v2_add_0`."""
    match = re.fullmatch(r"(block\d)\.unit(\d)\.(\w+)", node)
    if match is None:
        names = [f"{SCOPE}_{end}" for end in _ENDS.get(node, ())]
    else:
        block, unit, part = match.groups()
        first = "BiasAdd" if unit == "1" else "MaxPool"  # a shortcut is projected or thinned out
        ends = _OPERATION.get(part, (f"{part}_{first}",))
        names = [f"{SCOPE}_{block}_unit_{unit}_bottleneck_v2_{end}" for end in ends]
    return tuple(spelling for name in names for spelling in (f"{name}_0", name))


CARD = ModelCard(
    id="resnetv2_50_slim",
    title="ResNet-50 v2 (slim)",
    summary="A residual network of 50 layers with activation before convolution, as Google trained "
    "it in TF-slim.",
    build=Function("micrograph.networks.resnetv2_50_slim:build"),
    preprocessing=Preprocessing(size=224, resize=256, scale=2.0, mean=(1.0, 1.0, 1.0)),
    parameters=25_562_857,
    labels=("background", *CLASSES),
    paper="He et al., Identity Mappings in Deep Residual Networks, 2016",
    paper_url="https://arxiv.org/abs/1603.05027",
    licence="Apache-2.0",
    lineage="TF-slim's resnet_v2_50 of 2017-04-14; strides stand in the last unit of a block, "
    "unlike in torchvision and timm. Batch norms behind convolutions are multiplied into them",
    sources=(
        WeightsSource(
            title="TF-slim's checkpoint",
            url="https://storage.googleapis.com/download.tensorflow.org/models/"
            "resnet_v2_50_2017_04_14.tar.gz",
            member="resnet_v2_50.ckpt",
            licence="Apache-2.0",
        ),
    ),
    node_id=node_id,
    aliases=aliases,
    conversions=_slim.of_slim(
        Function("micrograph.networks.resnetv2_50_slim:from_slim"),
        f"{SCOPE}/block1/unit_1/bottleneck_v2/conv1/weights",
    ),
    accuracy="75.6 % top-1, 92.8 % top-5 (one crop of 299, ILSVRC 2012 validation), says TF-slim",
    names=(
        "resnet v 2 50",
        "resnet 50 v 2",
        "resnet v 2 50 layers",
    ),
    family=Kin(
        "ResNet v2 50", "He et al. 2016; norms and ReLUs first; strides in the last unit of a stage"
    ),
    microscope=8,
)
