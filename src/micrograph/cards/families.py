"""Which of several networks of one name: family trees, with what differs. Plain data.

A name such as "InceptionV1" stands for networks with other widths, other training and other units;
a channel number of one says nothing about another. A tree holds our models by their ids; what is
said of them is on their cards (`ModelCard.family`). What is said here of networks that are not ours
comes from tensorflow/lucid's model zoo, BVLC's and CSAIL's model pages, and the papers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from micrograph.cards.model_card import ModelCard
from micrograph.cards.registry import cards


@dataclass(frozen=True)
class Relative:
    """A network of a family. `id` is our model's id, "" for one that we do not have; `differs`
    says in what it is unlike the one it stands under."""

    title: str
    differs: str
    id: str = ""
    children: tuple["Relative", ...] = ()


@dataclass(frozen=True)
class FamilyTree:
    """Networks that are taken for each other. `question` is the one the tree answers."""

    question: str
    root: Relative


def ours(id: str, *children: Relative) -> Relative:
    """A model of ours in a tree; its text comes from its card."""
    return Relative("", "", id, children)


def other(title: str, differs: str, *children: Relative) -> Relative:
    """A network that is not ours."""
    return Relative(title, differs, "", children)


_INCEPTIONV1 = other(
    "GoogLeNet, the paper",
    "Szegedy et al. 2014; its own weights were never published",
    ours(
        "inceptionv1",
        other(
            "inception5h, adversarially fine-tuned",
            "in Lucid's zoo; the same graph, other weights",
        ),
    ),
    ours(
        "inceptionv1_caffe",
        ours("inceptionv1_caffe_places365"),
        other("BVLC GoogLeNet on Places205", "in Lucid's zoo; 205 classes"),
    ),
    other(
        "InceptionV1 of TF-slim",
        "batch normalization in place of local response norm; nodes Mixed_3b to Mixed_5c; 1001 "
        "classes",
        other(
            "torchvision's googlenet",
            "slim's weights; its channel numbers are not those of inceptionv1",
        ),
    ),
)

_ALEXNET = other(
    "AlexNet, the paper",
    "Krizhevsky et al. 2012; two towers that meet in conv3",
    ours("alexnet"),
    ours("alexnet_caffe_places365"),
    other(
        "torchvision's alexnet",
        'another network ("one weird trick", 2014): 64, 192, 384, 256, 256 units, no groups, no '
        "norms",
    ),
)

_VGG19 = ours(
    "vgg19_caffe",
    other("Keras' VGG19", "the same weights, converted"),
    other("torchvision's vgg19", "trained anew: the same graph, other units"),
)

_SLIM = other(
    "TF-slim's model zoo",
    "trained by Google; 1001 classes, the first is background",
    ours(
        "inceptionv3_slim",
        other(
            "timm's inception_v3.tf_in1k",
            "the same weights without the background class; averages count the padding, so that "
            "values at the borders differ",
        ),
        other("torchvision's inception_v3", "altered input, other borders"),
    ),
    ours("inceptionv4_slim"),
    ours(
        "resnetv2_50_slim",
        other("torchvision's resnet50", "version 1: ReLU behind the sum"),
        other("timm's resnetv2_50", "another training, strides come first"),
    ),
)

_CLIP = other(
    "Contrastive image and text towers of OpenAI",
    "Radford et al. 2021; image towers that are residual networks",
    ours("contrastive_v1"),
    ours("contrastive_rn50"),
    ours("contrastive_v2"),
    ours("contrastive_4x"),
    ours("contrastive_16x"),
    ours("lm_v1"),
)

_TREES = (
    FamilyTree("Which of the InceptionV1s?", _INCEPTIONV1),
    FamilyTree("Which AlexNet?", _ALEXNET),
    FamilyTree("Which VGG-19?", _VGG19),
    FamilyTree("Which of the later Inceptions and residual networks?", _SLIM),
    FamilyTree("Which CLIP?", _CLIP),
    FamilyTree("Which toytown?", ours("toytown", ours("toytown_clip"), ours("toytown_vit"))),
)


def families() -> tuple[FamilyTree, ...]:
    """All trees, with what the cards say of our models."""
    known = cards()
    return tuple(FamilyTree(tree.question, _with_cards(tree.root, known)) for tree in _TREES)


def family_of(model: str) -> FamilyTree | None:
    """The tree in which the model of this id stands, if any."""
    if not model:
        return None
    return next(
        (tree for tree in families() if any(r.id == model for r in members(tree.root))), None
    )


def members(root: Relative) -> Iterator[Relative]:
    """`root` and all below it, parents before children."""
    yield root
    for child in root.children:
        yield from members(child)


def microscope_models() -> tuple[str, ...]:
    """The ids of the models that OpenAI Microscope showed, in its order."""
    shown = (card for card in cards().values() if card.microscope)
    return tuple(card.id for card in sorted(shown, key=lambda card: card.microscope))


def _with_cards(one: Relative, known: Mapping[str, ModelCard]) -> Relative:
    """`one` with the title and the difference of its card, if it is ours, and so all below it."""
    children = tuple(map(partial(_with_cards, known=known), one.children))
    kin = known[one.id].family if one.id else None
    if kin is None:
        return Relative(one.title, one.differs, one.id, children)
    return Relative(kin.title, kin.differs, one.id, children)
