"""Models of torchvision: `torchvision:resnet18`, `torchvision:resnet50/IMAGENET1K_V1`.

What the pictures must be like is what the transforms that come with the weights do.
"""

from typing import TYPE_CHECKING, Any

from micrograph.cards.inputs import chosen_input
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.spec import ModelSpec, as_id
from micrograph.errors import not_found
from micrograph.networks.adapters.libraries import library, not_loaded

if TYPE_CHECKING:
    from torch import nn

_SAME_INPUT = {"inception_v3", "googlenet"}
"""Their weights expect -1..1 and were converted from TensorFlow: the network itself makes it of
what the others take, but only if it is told to."""


def card(spec: ModelSpec, given: str | Preprocessing | None) -> ModelCard:
    """The card of a torchvision model. Raises NotFound with near names, Unavailable without it."""
    torchvision = library("torchvision")
    models = torchvision.models
    name, _, chosen = spec.name.partition("/")
    if name not in models.list_models():
        raise not_found("torchvision model", name, models.list_models())
    weights = _weights(models, name, chosen)
    options = dict(spec.options)
    if name in _SAME_INPUT:
        options = {"transform_input": True, "init_weights": True} | options

    def build() -> "nn.Module":
        net: nn.Module = models.get_model(name, weights=None, **_unpretrained(name), **options)
        return net

    def trained() -> "nn.Module":
        try:
            net: nn.Module = models.get_model(name, weights=weights, **spec.options)
        except Exception as error:  # no network, no room, no such file: whatever it is
            raise not_loaded(spec.text, error) from None
        return net

    tag = weights.name if weights is not None else ""
    meta = weights.meta if weights is not None else {}
    return ModelCard(
        id=as_id("-".join(filter(None, ("torchvision", name, tag)))),
        title=f"{name} {tag}".strip(),
        summary=f"{name} as torchvision builds it.",
        build=build,
        pretrained=trained if weights is not None else None,
        preprocessing=chosen_input(given, preprocessing_of(weights), spec.text),
        labels=() if spec.options else tuple(meta.get("categories", ())),
        lineage=f"torchvision {torchvision.__version__}, {name}",
    )


def _unpretrained(name: str) -> dict[str, Any]:
    """The segmentation and detection networks fetch a backbone unless told otherwise."""
    has_backbone = any(
        part in name for part in ("rcnn", "fcos", "retinanet", "ssd", "fcn", "deeplab", "lraspp")
    )
    return {"weights_backbone": None} if has_backbone else {}


def _weights(models: Any, name: str, chosen: str) -> Any:
    known = models.get_model_weights(name)
    if chosen in ("", "DEFAULT"):
        return next((w for w in known if w == getattr(known, "DEFAULT", None)), None)
    if chosen not in known.__members__:
        raise not_found(f"weights of torchvision's {name}", chosen, known.__members__)
    return known[chosen]


def preprocessing_of(weights: Any) -> Preprocessing | None:
    """What the transforms of the weights do; None if they do not say it."""
    if weights is None:
        return None
    preset = weights.transforms()
    mean, std = getattr(preset, "mean", None), getattr(preset, "std", None)
    resize = getattr(preset, "resize_size", None)
    if not (mean and std and resize):
        return None
    size = (getattr(preset, "crop_size", None) or resize)[0]
    return Preprocessing(
        size=size,
        resize=max(resize[0], size),
        mean=tuple(mean),
        std=tuple(std),
        interpolation=preset.interpolation.value,
        rounding="even",
    )
