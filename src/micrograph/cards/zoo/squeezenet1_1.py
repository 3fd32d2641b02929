"""SqueezeNet 1.1 with the weights of the ONNX model zoo (Iandola et al. 2016; trained in MXNet).

Fires are numbered from 2 as in the paper; within them the paper's names hold. The first and the
last convolution keep their names in the weights file, conv0 and conv25; the file's names of the
others (conv1 is fire2_squeeze1x1, ...) are understood too. Pools cut off (floor mode).
"""

from collections.abc import Iterator

from micrograph.cards.function import Function
from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo._imagenet import CLASSES

#         squeeze, each of the two expands
FIRES = {
    2: (16, 64),
    3: (16, 64),
    4: (32, 128),
    5: (32, 128),
    6: (48, 192),
    7: (48, 192),
    8: (64, 256),
    9: (64, 256),
}


def _file_names() -> Iterator[tuple[str, str]]:
    """(module path, name in the weights file) of every convolution."""
    yield "conv0", "conv0"
    number = 1
    for fire in FIRES:
        for part in ("squeeze1x1", "expand1x1", "expand3x3"):
            yield f"fire{fire}.{part}", f"conv{number}"
            number += 1
    yield "conv25", "conv25"


_FILE_NAME = dict(_file_names())

_FILE_NAME_OF_NODE = {path.replace(".", "_"): name for path, name in _FILE_NAME.items()}


def node_id(path: str) -> str:
    """`fire2.squeeze1x1` is `fire2_squeeze1x1`."""
    return path.replace(".", "_")


def tensor_name(parameter: str) -> str:
    """`fire2.squeeze1x1.weight` is stored as `conv1.weight`."""
    path, _, leaf = parameter.rpartition(".")
    return f"{_FILE_NAME[path]}.{leaf}"


def aliases(node: str) -> tuple[str, ...]:
    """The name in the weights file."""
    return (_FILE_NAME_OF_NODE[node],) if node in _FILE_NAME_OF_NODE else ()


CARD = ModelCard(
    id="squeezenet1_1",
    title="SqueezeNet 1.1",
    summary="A network of 1.2 million parameters with the accuracy of AlexNet. "
    "Its last convolution already holds one map per class.",
    build=Function("micrograph.networks.squeezenet1_1:build"),
    preprocessing=Preprocessing(
        size=224,
        resize=256,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        interpolation="bicubic",
    ),
    digest="8d4c82dbfd08940c351b6c8c5277338963cd4fc2c3a5f3bdc7ffbdc36b664c1a",
    parameters=1_235_496,
    labels=CLASSES,
    paper="Iandola et al., SqueezeNet: AlexNet-level accuracy with 50x fewer parameters, 2016",
    paper_url="https://arxiv.org/abs/1602.07360",
    licence="Apache-2.0",
    lineage="MXNet Gluon / ONNX model zoo squeezenet1.1, trained by the Gluon team",
    sources=(
        WeightsSource(
            title="webmachinelearning/test-data, models/squeezenet1.1_nchw",
            url="https://github.com/webmachinelearning/test-data",
            note="52 arrays; prefix squeezenet0_ dropped",
        ),
    ),
    node_id=node_id,
    tensor_name=tensor_name,
    aliases=aliases,
    names=(
        "squeezenet 1 1",
        "squeezenet v 1 1",
    ),
)
