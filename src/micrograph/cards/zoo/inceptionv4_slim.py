"""Inception v4 as Google trained it in TF-slim on ImageNet (Szegedy et al. 2016).

Node ids are slim's scopes with `.` for `/`: `Conv2d_2b_3x3`, `Mixed_6c`,
`Mixed_6c.Branch_2.Conv2d_0e_1x7`. A convolution's node is its value behind batch norm and ReLU.
Without the auxiliary head.
"""

from micrograph.cards.function import Function
from micrograph.cards.model_card import Kin, ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import _slim
from micrograph.cards.zoo._imagenet import CLASSES

SCOPE = "InceptionV4"

_LAST = {
    "global_pool": ("InceptionV4_Logits_AvgPool_1a_AvgPool_0",),
    "logits": ("InceptionV4_Logits_Logits_BiasAdd_0", "InceptionV4_Logits_Predictions_0"),
}


def aliases(node: str) -> tuple[str, ...]:
    """Slim's operations and short forms: `InceptionV4_InceptionV4_Mixed_6c_concat_0`, `6c`."""
    return _LAST.get(node) or _slim.aliases(SCOPE, node)


FROM_SLIM = Function("micrograph.networks.inceptionv4_slim:from_slim")
FROM_TIMM = Function("micrograph.networks.inceptionv4_slim:from_timm")

CARD = ModelCard(
    id="inceptionv4_slim",
    title="InceptionV4 (slim)",
    summary="Inception v4, deeper and more regular than v3, as Google trained it in TF-slim.",
    build=Function("micrograph.networks.inceptionv4_slim:build"),
    # Slim evaluates on the central 87.5 %, resized to 299: a short side of 342.
    preprocessing=Preprocessing(size=299, resize=342, scale=2.0, mean=(1.0, 1.0, 1.0)),
    parameters=42_649_769,
    labels=("background", *CLASSES),
    paper="Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections "
    "on Learning, 2016",
    paper_url="https://arxiv.org/abs/1602.07261",
    licence="Apache-2.0",
    lineage="TF-slim's inception_v4 of 2016-09-09, without the auxiliary head, batch norms "
    "multiplied into the convolutions",
    sources=(
        WeightsSource(
            title="TF-slim's checkpoint",
            url="https://storage.googleapis.com/download.tensorflow.org/models/"
            "inception_v4_2016_09_09.tar.gz",
            member="inception_v4.ckpt",
            licence="Apache-2.0",
        ),
        WeightsSource(
            title="timm's inception_v4.tf_in1k",
            url="https://huggingface.co/timm/inception_v4.tf_in1k/resolve/main/model.safetensors",
            note="without class 0: the background logit stays at zero",
            licence="Apache-2.0",
        ),
    ),
    aliases=aliases,
    conversions=(
        *_slim.of_slim(FROM_SLIM, f"{SCOPE}/Conv2d_1a_3x3/weights"),
        *_slim.of_timm(FROM_TIMM, "features.6.branch0.conv.weight"),
    ),
    accuracy="80.2 % top-1, 95.2 % top-5 (one crop, ILSVRC 2012 validation), says TF-slim",
    names=(
        "inception v 4",
        "inception 4",
    ),
    family=Kin("Inception v4", "Szegedy et al. 2016"),
    microscope=7,
)
