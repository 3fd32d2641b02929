"""From the tensors of slim's checkpoints, and of timm's copies of them, to ours.

Batch norm is an affine map when a network runs, so one behind a convolution is multiplied into it:
computed in double precision, rounded once.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from micrograph.networks.slim import resnet
from micrograph.weights.conversion import Given, kernel, matrix
from micrograph.weights.formats import WeightsError

INCEPTION_EPSILON = 1e-3

SLIM_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
TORCH_NORM = ("weight", "bias", "running_mean", "running_var")


def from_slim(
    given: Given, scope: str, convolutions: Sequence[str], logits: str
) -> dict[str, Tensor]:
    """An Inception network out of a checkpoint or frozen graph of slim.

    `scope` is `InceptionV3`; `convolutions` are paths of our network, and `logits` is slim's name
    of the last layer. Raises WeightsError for tensors that are missing or of another shape.
    """
    tensors: dict[str, Tensor] = {}
    for ours in convolutions:
        name = f"{scope}/{ours.replace('.', '/')}"
        weight = _kernel(given, f"{name}/weights")
        norm = _norm(given, f"{name}/BatchNorm/", SLIM_NORM[1:], len(weight))
        tensors |= _folded(ours, weight, [torch.ones(len(weight)), *norm], INCEPTION_EPSILON)
    return tensors | _linear(given, f"{scope}/{logits}")


def from_timm(given: Given, theirs: Mapping[str, str], logits: str) -> dict[str, Tensor]:
    """An Inception network out of timm's `tf_in1k` file; `theirs` turns our paths into its names.

    The file has no class 0 ("background"). Its logit gets weights and bias of zero: a unit that
    never answers. Raises WeightsError for batch norms with a gain, because slim trained without:
    such a file is another training (`tv_in1k`, `gluon_in1k`), whose units are others.
    """
    tensors: dict[str, Tensor] = {}
    for ours, name in theirs.items():
        weight = _take(given, f"{name}.conv.weight", 4)
        norm = _norm(given, f"{name}.bn.", TORCH_NORM, len(weight))
        if not bool((norm[0] == 1).all()):
            raise WeightsError(
                f"{given.file}: {name}.bn has a gain, which slim's network has not; "
                "it is another training of this architecture, expected timm's tf_in1k"
            )
        tensors |= _folded(ours, weight, norm, INCEPTION_EPSILON)
    for leaf, rank in (("weight", 2), ("bias", 1)):
        classes = _take(given, f"{logits}.{leaf}", rank).float()
        tensors[f"logits.{leaf}"] = torch.cat((torch.zeros_like(classes[:1]), classes))
    return tensors


def resnet_from_slim(
    given: Given, scope: str, blocks: Mapping[str, tuple[int, int]]
) -> dict[str, Tensor]:
    """A ResNet v2 out of a checkpoint or frozen graph of slim; `blocks` as `ResNet` takes them.

    Raises WeightsError for tensors that are missing or of another shape.
    """
    tensors = _plain(given, f"{scope}/conv1", "conv1")
    units = 64
    for block, (width, count) in blocks.items():
        for number in range(1, count + 1):
            name = f"{scope}/{block}/unit_{number}/bottleneck_v2"
            ours = f"{block}.unit{number}"
            tensors |= _norm_alone(given, f"{name}/preact", f"{ours}.preact", units)
            if units != 4 * width:
                tensors |= _plain(given, f"{name}/shortcut", f"{ours}.shortcut")
            for conv in ("conv1", "conv2"):
                weight = _kernel(given, f"{name}/{conv}/weights")
                norm = _norm(given, f"{name}/{conv}/BatchNorm/", SLIM_NORM, len(weight))
                tensors |= _folded(f"{ours}.{conv}", weight, norm, resnet.EPSILON)
            tensors |= _plain(given, f"{name}/conv3", f"{ours}.conv3")
            units = 4 * width
    tensors |= _norm_alone(given, f"{scope}/postnorm", "postnorm", units)
    return tensors | _linear(given, f"{scope}/logits")


def _take(given: Given, name: str, rank: int) -> Tensor:
    """The tensor of that name if it has that many axes. Raises WeightsError."""
    stored = given.take(name)
    if stored.ndim != rank:
        raise WeightsError(
            f"{given.file}: {name} has shape {list(stored.shape)}, expected {rank} axes"
        )
    return stored


def _kernel(given: Given, name: str) -> Tensor:
    """[y, x, input, output] as [output, input, y, x]."""
    return kernel(_take(given, name, 4))


def _norm(given: Given, prefix: str, leaves: Sequence[str], units: int) -> list[Tensor]:
    return [given.take(prefix + leaf, (units,)) for leaf in leaves]


def _folded(ours: str, weight: Tensor, norm: Sequence[Tensor], epsilon: float) -> dict[str, Tensor]:
    """A convolution and the norm `gamma * (x - mean) / sqrt(variance + epsilon) + beta` in one."""
    gamma, beta, mean, variance = (t.double() for t in norm)
    gain = gamma / (variance + epsilon).sqrt()  # unlike rsqrt, the same bits on every machine
    return {
        f"{ours}.weight": (weight.double() * gain[:, None, None, None]).float(),
        f"{ours}.bias": (beta - mean * gain).float(),
    }


def _plain(given: Given, name: str, ours: str) -> dict[str, Tensor]:
    """A convolution with bias and without norm."""
    weight = _kernel(given, f"{name}/weights").float()
    bias = given.take(f"{name}/biases", (len(weight),)).float()
    return {f"{ours}.weight": weight, f"{ours}.bias": bias}


def _norm_alone(given: Given, name: str, ours: str, units: int) -> dict[str, Tensor]:
    """A norm with a ReLU and no convolution before it."""
    norm = _norm(given, f"{name}/", SLIM_NORM, units)
    return {f"{ours}.{leaf}": t.float() for leaf, t in zip(TORCH_NORM, norm, strict=True)}


def _linear(given: Given, name: str) -> dict[str, Tensor]:
    """The last layer, stored as a matrix [input, class] or as a 1x1 kernel."""
    weights = given.take(f"{name}/weights").float()
    if weights.ndim < 2:
        raise WeightsError(
            f"{given.file}: {name}/weights has shape {list(weights.shape)}, expected [input, class]"
        )
    biases = given.take(f"{name}/biases", weights.shape[-1:]).float()
    return {"logits.weight": matrix(weights.flatten(0, -2)), "logits.bias": biases}
