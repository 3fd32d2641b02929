"""What people call models."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

LITERATURE = "inceptionv1"
"""The model that papers mean by `4c:447` alone."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "alexnet": ("alex net", "alexnet imagenet"),
    "alexnet_caffe_places365": (
        "alexnet places",
        "alexnet places 365",
        "alexnet caffe places",
        "caffenet places",
        "caffenet places 365",
        "places 365 alexnet",
        "places alexnet",
    ),
    "inceptionv1": (
        "inception v 1",
        "inception 1",
        "inception 5h",
        "inception v 1 imagenet",
        "inception v 1 googlenet",
        "googlenet inception v 1",
    ),
    "inceptionv1_caffe": (
        "inception v 1 caffe",
        "bvlc googlenet",
        "googlenet caffe",
        "googlenet bvlc",
        "caffe googlenet",
        "bvlc inception v 1",
    ),
    "inceptionv1_caffe_places365": (
        "inception v 1 places",
        "inception v 1 places 365",
        "inception v 1 caffe places",
        "googlenet places",
        "googlenet places 365",
        "places 365 inception v 1",
        "places 365 googlenet",
        "places inception v 1",
        "places googlenet",
    ),
    "vgg19_caffe": ("vgg 19", "vgg 19 imagenet"),
    "inceptionv3_slim": ("inception v 3", "inception 3"),
    "inceptionv4_slim": ("inception v 4", "inception 4"),
    "resnetv2_50_slim": ("resnet v 2 50", "resnet 50 v 2", "resnet v 2 50 layers"),
    "contrastive_rn50": ("clip rn 50", "clip resnet 50", "rn 50", "rn 50 clip", "resnet 50 clip"),
    "contrastive_v2": (
        "clip rn 101",
        "clip resnet 101",
        "rn 101",
        "rn 101 clip",
        "resnet 101 clip",
    ),
    "contrastive_4x": (
        "clip rn 50x4",
        "clip resnet 50x4",
        "clip resnet 50 x4",
        "clip 4x",
        "clip resnet 50 4x",
        "rn 50x4",
        "rn 50x4 clip",
        "resnet 50x4",
        "contrastive rn 50x4",
    ),
    "contrastive_16x": (
        "clip rn 50x16",
        "clip resnet 50x16",
        "clip resnet 50 x16",
        "clip 16x",
        "clip resnet 50 16x",
        "rn 50x16",
        "rn 50x16 clip",
        "resnet 50x16",
        "contrastive rn 50x16",
    ),
    "squeezenet1_1": ("squeezenet 1 1", "squeezenet v 1 1"),
}
"""Words that stand for a model, besides its id and title. `GoogLeNet` alone is left out: it means
Google's network, BVLC's, or torchvision's, whose units have nothing to do with each other."""

SIBLINGS: Mapping[str, str] = {
    "contrastive_v1": "contrastive_rn50",
    "lm_v1": "contrastive_rn50",
}
"""Where to look instead of a model that was never released."""

Phrases = tuple[tuple[str, str], ...]
"""Names, longest first, each with the model that it stands for."""


@lru_cache(maxsize=16)
def phrases(models: tuple[tuple[str, str], ...]) -> Phrases:
    """The names of models, given as id and title. A title that two models share names neither."""
    found: dict[str, str] = {}
    titles: dict[str, set[str]] = {}
    for id, title in models:
        titles.setdefault(_key(title), set()).add(id)
        for name in (id, *NAMES.get(id, ())):
            found[_key(name)] = id
    for name, ids in titles.items():
        if len(ids) == 1 and name not in _VAGUE:
            found.setdefault(name, *ids)
    found.pop("", None)
    return tuple(sorted(found.items(), key=lambda item: (-len(item[0]), item[0])))


_VAGUE = ("googlenet", "inception", "clip", "resnet", "vgg", "network")


def named(text: str, known: Phrases) -> str | None:
    """The model whose name `text` is, or None."""
    match = _pattern(tuple(name for name, _ in known)).fullmatch(text[:200].strip())
    return known[int(str(match.lastgroup)[1:])][1] if match else None


def mentions(text: str, known: Phrases) -> list[tuple[str, int, int]]:
    """Models that `text` names, each with the place of the name, in order and without overlap."""
    by_number = _pattern(tuple(name for name, _ in known))
    return [
        (known[int(str(m.lastgroup)[1:])][1], m.start(), m.end()) for m in by_number.finditer(text)
    ]


@lru_cache(maxsize=16)
def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    """Names as whole words, with up to three marks between their words, in any case."""
    parts = (
        f"(?P<n{number}>{r'[^A-Za-z0-9]{0,3}'.join(map(re.escape, name.split()))})"
        for number, name in enumerate(names)
    )
    before, behind = r"(?<![A-Za-z0-9_])(?<![A-Za-z0-9][-.:/])", r"(?![A-Za-z0-9_]|[-.][A-Za-z0-9])"
    return re.compile(rf"{before}(?:{'|'.join(parts) or 'a^'}){behind}", re.I)


def _key(name: str) -> str:
    """Words and numbers apart: between them marks may stand or not, so that `VGG-19` and `vgg19`
    are one name. Sizes such as `50x4` stay whole."""
    return " ".join(re.findall(r"\d+x\d+|\d+[a-z]+|[a-z]+|\d+", name[:200].lower()))
