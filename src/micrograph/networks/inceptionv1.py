"""Google's InceptionV1 as a module, and its weights out of original files."""

from collections.abc import Iterator

from torch import Tensor, nn

from micrograph.cards.zoo.inceptionv1 import LABELS, node_id
from micrograph.networks import caffe, inception, layers
from micrograph.networks.inceptionv1_heads import Head, WithHeads
from micrograph.weights.conversion import Given

#        1x1, 3x3 bottleneck, 3x3, 5x5 bottleneck, 5x5, pool_reduce
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 204, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 48, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}

POOL_AFTER = {"3b": "maxpool4", "4e": "maxpool10"}

HEADS = {"head0": ("mixed4a", 508), "head1": ("mixed4d", 528)}


def build() -> nn.Module:
    """The network with random weights; RGB in -117..138 to scores [batch, 1008]."""

    def norm(units: int) -> nn.Module:
        # TensorFlow's alpha times the size of the window, by which ours is divided again.
        return layers.LocalResponseNorm(units, size=11, alpha=11e-4, k=2.0, beta=0.5)

    trunk: dict[str, nn.Module] = {
        "conv2d0": layers.SameConvReLU(3, 64, 7, stride=2),
        "maxpool0": layers.SamePool(),
        "localresponsenorm0": norm(64),
        "conv2d1": layers.ConvReLU(64, 64, 1),
        "conv2d2": layers.ConvReLU(64, 192, 3),
        "localresponsenorm1": norm(192),
        "maxpool1": layers.SamePool(),
    }
    units = 192
    for name, widths in INCEPTION.items():
        block = layers.Inception(units, widths)
        trunk[f"mixed{name}"] = block
        units = block.outputs
        if name in POOL_AFTER:
            trunk[POOL_AFTER[name]] = layers.SamePool()
    heads = {name: (on, Head(inputs, len(LABELS))) for name, (on, inputs) in HEADS.items()}
    top = {"avgpool0": layers.GlobalAverage(), "softmax2": nn.Linear(units, len(LABELS))}
    return WithHeads(trunk, heads, top).eval()


def weighted_layers() -> Iterator[tuple[str, caffe.CaffeLayer]]:
    """The modules that have weights, and what the graph calls them."""
    shapes: dict[str, tuple[int, ...]] = {
        "conv2d0": (64, 3, 7, 7),
        "conv2d1": (64, 64, 1, 1),
        "conv2d2": (192, 64, 3, 3),
    }
    for block, branch, shape in inception.convolutions(192, INCEPTION):
        shapes[f"mixed{block}.{branch}"] = shape
    shapes["softmax2"] = (len(LABELS), 1024)
    for path, shape in shapes.items():
        yield path, caffe.CaffeLayer(node_id(path) or "", shape)


def head_layers() -> Iterator[tuple[str, caffe.CaffeLayer]]:
    """The same of the two heads."""
    for head, (_, inputs) in HEADS.items():
        yield f"{head}.bottleneck", caffe.CaffeLayer(f"{head}_bottleneck", (128, inputs, 1, 1))
        yield f"{head}.nn", caffe.CaffeLayer(f"nn{head[-1]}", (1024, 128 * 16), 4)
        yield f"{head}.softmax", caffe.CaffeLayer(f"softmax{head[-1]}", (len(LABELS), 1024))


def from_graph(given: Given) -> dict[str, Tensor]:
    """Out of Google's frozen graph, whose constants are called `conv2d0_w` and `conv2d0_b`."""
    found = {}
    for path, layer in (*weighted_layers(), *head_layers()):
        found[f"{path}.weight"], found[f"{path}.bias"] = caffe.from_tensorflow(
            given, layer, "{}_w", "{}_b"
        )
    return found


_LAST = "softmax2_pre_activation_matmul"


def from_lucent(given: Given) -> dict[str, Tensor]:
    """Out of ProGamerGov's state dict, which lucent uses too; it lacks the heads."""
    found = {}
    for path, layer in weighted_layers():
        module = _LAST if path == "softmax2" else f"{layer.name}_pre_relu_conv"
        found[f"{path}.weight"], found[f"{path}.bias"] = caffe.from_torch(given, layer, module)
    return found


_STEM = {"conv2d0": "conv1", "conv2d1": "conv2", "conv2d2": "conv3", "softmax2": "fc"}


def from_captum(given: Given) -> dict[str, Tensor]:
    """Out of captum's state dict; it lacks the heads."""
    found = {}
    for path, layer in weighted_layers():
        block, _, branch = path.removeprefix("mixed").partition(".")
        module = inception.in_captum(block, branch) if branch else _STEM[path]
        found[f"{path}.weight"], found[f"{path}.bias"] = caffe.from_torch(given, layer, module)
    return found
