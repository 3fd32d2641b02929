"""Inception v3 as Google trained it in TF-slim on ImageNet (Szegedy et al. 2015).

Node ids are slim's scopes with `.` for `/`: `Conv2d_4a_3x3`, `Mixed_5d`,
`Mixed_5d.Branch_1.Conv2d_0b_5x5`. A convolution's node is its value behind batch norm and ReLU.
Without the auxiliary head. Slim's names are kept where they are irregular (5c) or wrong (6a).
"""

from micrograph.cards.function import Function
from micrograph.cards.model_card import Kin, ModelCard, Probe, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import _slim
from micrograph.cards.zoo._imagenet import CLASSES

SCOPE = "InceptionV3"

_LAST = {
    "global_pool": ("InceptionV3_Logits_AvgPool_1a_8x8_AvgPool_0",),
    "logits": (
        "InceptionV3_Logits_Conv2d_1c_1x1_BiasAdd_0",
        "InceptionV3_Logits_SpatialSqueeze_0",
        "InceptionV3_Predictions_Softmax_0",
    ),
}


def aliases(node: str) -> tuple[str, ...]:
    """Slim's operations and short forms: `InceptionV3_InceptionV3_Mixed_5d_concat_0`, `5d`."""
    return _LAST.get(node) or _slim.aliases(SCOPE, node)


FROM_SLIM = Function("micrograph.networks.inceptionv3_slim:from_slim")
FROM_TIMM = Function("micrograph.networks.inceptionv3_slim:from_timm")

CARD = ModelCard(
    id="inceptionv3_slim",
    title="InceptionV3 (slim)",
    summary="Inception v3 with batch norm and factorized kernels, as Google trained it in TF-slim.",
    build=Function("micrograph.networks.inceptionv3_slim:build"),
    # Slim evaluates on the central 87.5 %, resized to 299: a short side of 342.
    preprocessing=Preprocessing(size=299, resize=342, scale=2.0, mean=(1.0, 1.0, 1.0)),
    parameters=23_819_401,
    labels=("background", *CLASSES),
    paper="Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2015",
    paper_url="https://arxiv.org/abs/1512.00567",
    licence="Apache-2.0",
    lineage="TF-slim's inception_v3 of 2016-08-28, without the auxiliary head, batch norms "
    "multiplied into the convolutions. Neither Google's graph of 2015-12-05 (1008 classes) nor "
    "torchvision's",
    sources=(
        WeightsSource(
            title="TF-slim's checkpoint",
            url="https://storage.googleapis.com/download.tensorflow.org/models/"
            "inception_v3_2016_08_28.tar.gz",
            member="inception_v3.ckpt",
            licence="Apache-2.0",
        ),
        WeightsSource(
            title="timm's inception_v3.tf_in1k",
            url="https://huggingface.co/timm/inception_v3.tf_in1k/resolve/main/model.safetensors",
            note="without class 0: the background logit stays at zero",
            licence="Apache-2.0",
        ),
    ),
    aliases=aliases,
    conversions=(
        *_slim.of_slim(FROM_SLIM, f"{SCOPE}/Conv2d_1a_3x3/weights"),
        *_slim.of_timm(FROM_TIMM, "Mixed_5b.branch1x1.conv.weight"),
    ),
    probes=(
        Probe(
            node="Mixed_5d",
            unit=79,
            title="curves",
            stimuli="curves",
            source="Cammarata et al., Curve Detectors, Distill 2020",
        ),
    ),
    accuracy="78.0 % top-1, 93.9 % top-5 (one crop, ILSVRC 2012 validation), says TF-slim",
    names=(
        "inception v 3",
        "inception 3",
    ),
    family=Kin("Inception v3", "Szegedy et al. 2015"),
    microscope=6,
)
