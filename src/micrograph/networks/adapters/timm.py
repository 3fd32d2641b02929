"""Models of timm (Wightman et al.): `timm:resnet18`, `timm:vit_tiny_patch16_224.augreg_in21k`.

What the pictures must be like is what timm's configuration of the weights says.
"""

import math
import re
import warnings
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from micrograph.cards.inputs import chosen_input
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.spec import ModelSpec, as_id
from micrograph.cards.zoo._imagenet import CLASSES
from micrograph.errors import BadInput, not_found
from micrograph.networks.adapters.libraries import library, not_loaded

if TYPE_CHECKING:
    from torch import nn


_CROP = 0.875
"""Share of a picture that is left over where a configuration of timm does not say it."""


def card(spec: ModelSpec, given: str | Preprocessing | None) -> ModelCard:
    """The card of a timm model. Warns where its name is deprecated, as timm does. Raises NotFound
    with near names, Unavailable without timm."""
    timm = library("timm")
    if not timm.is_model(spec.name):
        raise not_found("timm model", spec.name, timm.list_models())
    present = _present_name(timm, spec.name)
    config = _config(timm, present)
    name = f"{config.architecture}.{config.tag}" if config.tag else present

    def build(pretrained: bool = False) -> "nn.Module":
        net: nn.Module = timm.create_model(name, pretrained=pretrained, **spec.options)
        return net

    def trained() -> "nn.Module":
        try:
            return build(pretrained=True)
        except Exception as error:  # no network, no room, no such file: whatever it is
            raise not_loaded(spec.text, error) from None

    return ModelCard(
        id=as_id(f"timm-{name}"),
        title=name,
        summary=f"{config.architecture} as timm builds it.",
        build=build,
        pretrained=trained if config.has_weights else None,
        preprocessing=chosen_input(given, preprocessing_of(config), spec.text),
        labels=() if spec.options else labels_of(config),
        licence=str(config.license or ""),
        paper=str(config.paper_name or ""),
        paper_url=_arxiv(config.paper_ids),
        lineage=f"timm {timm.__version__}, {config.architecture}",
    )


def _present_name(timm: Any, name: str) -> str:
    """What timm calls a model today. Raises NotFound for one that it no longer has."""
    old, _, tag = name.partition(".")
    deprecated = timm.models.get_deprecated_models()
    if old not in deprecated:
        return name
    if deprecated[old] is None:
        raise not_found("timm model", old, timm.list_models())
    present = str(deprecated[old])
    if tag:  # weights were named: those, of the network's present name
        present = f"{present.partition('.')[0]}.{tag}"
    warnings.warn(
        f"timm maps the deprecated model name {name} to its current name {present}", stacklevel=3
    )
    return present


def _config(timm: Any, name: str) -> Any:
    try:
        return timm.get_pretrained_cfg(name)
    except RuntimeError:
        arch, _, tag = name.partition(".")
        tags = [n.partition(".")[2] for n in timm.list_models(f"{arch}.*", pretrained=True)]
        raise not_found(f"weights of timm's {arch}", tag, filter(None, tags)) from None


def preprocessing_of(config: Any) -> Preprocessing | None:
    """What a timm configuration says of the pictures; None if it says nothing."""
    if config is None or not config.mean:
        return None
    channels, height, width = config.input_size
    if channels not in (1, 3) or height != width:
        raise BadInput(f"it takes input {list(config.input_size)}; expected square RGB or grey")
    fit = config.crop_mode if config.crop_mode in ("squash", "border") else "crop"
    method = config.interpolation or "bicubic"
    if method not in ("nearest", "bilinear", "bicubic", "lanczos", "random"):
        raise BadInput(f"it resizes pictures by {method!r}; expected nearest, bilinear or bicubic")
    return Preprocessing(
        size=height,
        resize=math.floor(height / (config.crop_pct or _CROP)),
        mean=tuple(config.mean),
        std=tuple(config.std),
        channel_order="RGB" if channels == 3 else "L",
        interpolation="bilinear" if method == "random" else method,
        fit=fit,
        fill=tuple(round(255 * mean) for mean in config.mean) if fit == "border" else (),
        rounding="even",
    )


def of_module(module: Any) -> Preprocessing | None:
    """What a network that timm made takes; None for any other."""
    config = getattr(module, "pretrained_cfg", None)
    if not isinstance(config, Mapping) or not isinstance(config.get("mean"), (list, tuple)):
        return None
    usual = {"crop_pct": 1.0, "crop_mode": "center", "interpolation": "bicubic"}
    return preprocessing_of(SimpleNamespace(**(usual | dict(config))))


def labels_of(config: Any) -> tuple[str, ...]:
    """ImageNet's classes, if the name of the weights says that they were trained on these last."""
    fits = re.search(r"(\A|_)in1k(_|\Z|\d)", (config.tag or "").rpartition("_ft_")[2])
    return CLASSES if fits and config.num_classes == len(CLASSES) else ()


def _arxiv(ids: Any) -> str:
    first = ids[0] if isinstance(ids, (list, tuple)) and ids else ids
    found = re.fullmatch(r"arXiv:([\d.]+)", str(first or ""))
    return f"https://arxiv.org/abs/{found[1]}" if found else ""
