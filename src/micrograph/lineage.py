"""Which of several networks of one name: family trees, with what differs. Plain data.

A name such as "InceptionV1" stands for networks with other widths, other training and other units;
a channel number of one says nothing about another. What is said here of networks that are not ours
comes from tensorflow/lucid's model zoo, BVLC's and CSAIL's model pages, and the papers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MICROSCOPE = (
    "alexnet",
    "alexnet_caffe_places365",
    "inceptionv1",
    "inceptionv1_caffe_places365",
    "vgg19_caffe",
    "inceptionv3_slim",
    "inceptionv4_slim",
    "resnetv2_50_slim",
    "contrastive_v1",
    "contrastive_rn50",
    "contrastive_v2",
    "contrastive_4x",
    "contrastive_16x",
    "lm_v1",
)
"""The models that OpenAI Microscope showed."""


@dataclass(frozen=True)
class Relative:
    """A network of a family. `id` is our model's id, "" for one that we do not have; `differs`
    says in what it is unlike the one it stands under."""

    title: str
    differs: str
    id: str = ""
    children: tuple["Relative", ...] = ()


@dataclass(frozen=True)
class Family:
    """Networks that are taken for each other. `question` is the one the tree answers."""

    question: str
    root: Relative


FAMILIES: tuple[Family, ...] = (
    Family(
        "Which of the InceptionV1s?",
        Relative(
            "GoogLeNet, the paper",
            "Szegedy et al. 2014; its own weights were never published",
            children=(
                Relative(
                    "Google's inception5h",
                    "TensorFlow; 4a has 204 units in its 3x3 branch and 5a 48 in its 5x5 reduce, "
                    "where the paper has 208 and 32; other normalization; 1008 outputs in an order "
                    "of its own. The one that OpenAI Microscope and the Circuits articles call "
                    "InceptionV1",
                    "inceptionv1",
                    (
                        Relative(
                            "inception5h, adversarially fine-tuned",
                            "in Lucid's zoo; the same graph, other weights",
                        ),
                    ),
                ),
                Relative(
                    "BVLC GoogLeNet",
                    "Caffe; the paper's widths; 1000 classes; input BGR",
                    "inceptionv1_caffe",
                    (
                        Relative(
                            "BVLC GoogLeNet on Places365",
                            "the same graph, trained by CSAIL on scenes; 365 classes",
                            "inceptionv1_caffe_places365",
                        ),
                        Relative("BVLC GoogLeNet on Places205", "in Lucid's zoo; 205 classes"),
                    ),
                ),
                Relative(
                    "InceptionV1 of TF-slim",
                    "batch normalization in place of local response norm; nodes Mixed_3b to "
                    "Mixed_5c; 1001 classes",
                    children=(
                        Relative(
                            "torchvision's googlenet",
                            "slim's weights; its channel numbers are not those of inceptionv1",
                        ),
                    ),
                ),
            ),
        ),
    ),
    Family(
        "Which AlexNet?",
        Relative(
            "AlexNet, the paper",
            "Krizhevsky et al. 2012; two towers that meet in conv3",
            children=(
                Relative(
                    "AlexNet in Lucid's zoo and on Microscope",
                    "norm before pool; ImageNet",
                    "alexnet",
                ),
                Relative(
                    "CaffeNet on Places365",
                    "pool before norm; trained by CSAIL on scenes; 365 classes",
                    "alexnet_caffe_places365",
                ),
                Relative(
                    "torchvision's alexnet",
                    'another network ("one weird trick", 2014): 64, 192, 384, 256, 256 units, no '
                    "groups, no norms",
                ),
            ),
        ),
    ),
    Family(
        "Which VGG-19?",
        Relative(
            "VGG-19 of Oxford",
            "Simonyan and Zisserman 2014; Caffe; input BGR in 0..255",
            "vgg19_caffe",
            (
                Relative("Keras' VGG19", "the same weights, converted"),
                Relative("torchvision's vgg19", "trained anew: the same graph, other units"),
            ),
        ),
    ),
    Family(
        "Which of the later Inceptions and residual networks?",
        Relative(
            "TF-slim's model zoo",
            "trained by Google; 1001 classes, the first is background",
            children=(
                Relative(
                    "Inception v3",
                    "Szegedy et al. 2015",
                    "inceptionv3_slim",
                    (
                        Relative(
                            "timm's inception_v3.tf_in1k",
                            "the same weights without the "
                            "background class; averages count the padding, so that values at "
                            "the borders differ",
                        ),
                        Relative("torchvision's inception_v3", "altered input, other borders"),
                    ),
                ),
                Relative("Inception v4", "Szegedy et al. 2016", "inceptionv4_slim"),
                Relative(
                    "ResNet v2 50",
                    "He et al. 2016; norms and ReLUs first; strides in the last unit of a stage",
                    "resnetv2_50_slim",
                    (
                        Relative("torchvision's resnet50", "version 1: ReLU behind the sum"),
                        Relative("timm's resnetv2_50", "another training, strides come first"),
                    ),
                ),
            ),
        ),
    ),
    Family(
        "Which CLIP?",
        Relative(
            "Contrastive image and text towers of OpenAI",
            "Radford et al. 2021; image towers that are residual networks",
            children=(
                Relative('RN50 "A"', "never released", "contrastive_v1"),
                Relative('RN50 "B"', "taken to be the released RN50", "contrastive_rn50"),
                Relative("RN101", "23 blocks in its third stage", "contrastive_v2"),
                Relative(
                    "RN50x4",
                    'wider, deeper, 288 px: the network of "Multimodal Neurons"',
                    "contrastive_4x",
                ),
                Relative("RN50x16", "384 px", "contrastive_16x"),
                Relative(
                    "The same image tower, trained as a language model",
                    "never released",
                    "lm_v1",
                ),
            ),
        ),
    ),
    Family(
        "Which toytown?",
        Relative(
            "toytown",
            "an Inception-style network of 0.7 million parameters on procedural pictures",
            "toytown",
            (
                Relative(
                    "toytown_clip",
                    "the same trunk, trained on with a text tower",
                    "toytown_clip",
                ),
                Relative("toytown_vit", "a vision transformer on the same pictures", "toytown_vit"),
            ),
        ),
    ),
)


def family_of(model: str) -> Family | None:
    """The family that the model of this id belongs to, if any."""
    if not model:
        return None
    return next((f for f in FAMILIES if any(r.id == model for r in members(f.root))), None)


def members(root: Relative) -> Iterator[Relative]:
    """`root` and all below it, parents before children."""
    yield root
    for child in root.children:
        yield from members(child)
