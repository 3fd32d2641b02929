"""The image towers of open_clip's contrastive models: `open_clip:RN50/openai`.

What the pictures must be like is what open_clip's configuration of the weights says.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from micrograph.cards.inputs import CLIP, chosen_input
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.spec import ModelSpec, as_id
from micrograph.errors import BadInput, not_found
from micrograph.networks.adapters.libraries import library, not_loaded

if TYPE_CHECKING:
    from torch import nn


_FITS = {"shortest": "crop", "longest": "border", "squash": "squash"}
"""What open_clip calls `Preprocessing.fit`."""


def card(spec: ModelSpec, given: str | Preprocessing | None) -> ModelCard:
    """The card of an open_clip model: what it gives is the picture's vector.

    Raises NotFound with near names, Unavailable without open_clip.
    """
    open_clip = library("open_clip")
    name, _, tag = spec.name.partition("/")
    if name not in open_clip.list_models():
        raise not_found("open_clip model", name, open_clip.list_models())
    tags = open_clip.list_pretrained_tags_by_model(name)
    if tag and tag not in tags:
        raise not_found(f"weights of open_clip's {name}", tag, tags)
    config = open_clip.get_pretrained_cfg(name, tag) if tag else {}
    vision = open_clip.get_model_config(name)["vision_cfg"]

    def make(pretrained: str | None) -> "nn.Module":
        with _quiet():
            return image_tower(
                open_clip.create_model(
                    name,
                    pretrained=pretrained,
                    pretrained_text=False,
                    force_quick_gelu=bool(config.get("quick_gelu")),
                    **spec.options,
                )
            )

    def trained() -> "nn.Module":
        try:
            return make(tag)
        except Exception as error:  # no network, no room, no such file: whatever it is
            raise not_loaded(spec.text, error) from None

    return ModelCard(
        id=as_id("-".join(filter(None, ("open_clip", name, tag)))),
        title=f"{name} {tag}".strip(),
        summary=f"The image tower of {name} as open_clip builds it.",
        build=lambda: make(None),
        pretrained=trained if tag else None,
        preprocessing=chosen_input(given, preprocessing_of(config, vision), spec.text),
        lineage=f"open_clip {open_clip.__version__}, {name}",
        node_id=lambda path: path.removeprefix("visual."),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without its warning, on the root of all logs, that weights are random."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def image_tower(clip: Any) -> "nn.Module":
    """A network from pictures to vectors, with the image tower under the name it has in files."""
    from torch import nn

    class ImageTower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visual = clip.visual

        def forward(self, images: Any) -> Any:
            found = self.visual(images)
            return found[0] if isinstance(found, tuple) else found

    return ImageTower()


def preprocessing_of(config: Any, vision: Any) -> Preprocessing:
    """What open_clip's configurations of weights and network say; CLIP's where they are silent."""
    size = vision.get("image_size", 224)
    if isinstance(size, (list, tuple)):
        if len(set(size)) != 1:
            raise BadInput(f"it takes pictures of {list(size)} px; expected square ones")
        size = size[0]
    return Preprocessing(
        size=size,
        resize=size,
        mean=tuple(config.get("mean") or CLIP[0]),
        std=tuple(config.get("std") or CLIP[1]),
        interpolation="bilinear" if config.get("interpolation") == "bilinear" else "bicubic",
        fit=_FITS[config.get("resize_mode") or "shortest"],
        fill=(config.get("fill_color") or 0,) * 3 if config.get("fill_color") else (),
        rounding="even",
    )
