"""Named settings of feature visualization, from quick to thorough."""

from dataclasses import dataclass, replace

import torch

from micrograph.errors import not_found
from micrograph.models.model import Model
from micrograph.optimize import Settings


@dataclass(frozen=True)
class Preset:
    """`size` is the largest size; None means the model's input size, which is never exceeded."""

    settings: Settings
    size: int | None = None


PRESETS = {
    "draft": Preset(Settings(steps=40), size=112),
    "standard": Preset(Settings()),
    # As OpenAI Microscope: plain Adam, for long.
    "microscope": Preset(Settings(steps=4096, rate=0.05, momentum=0.9, settle=0.0)),
}


def settings(
    preset: str,
    model: Model,
    *,
    steps: int | None = None,
    size: int | None = None,
) -> Settings:
    """The settings of `preset` for a model, with `steps` and `size` (pixels) replaced if given and
    the precision that is fast on its device. A model that takes pictures of its own size only gets
    these."""
    if preset not in PRESETS:
        raise not_found("preset", preset, PRESETS)
    chosen, own = PRESETS[preset], model.preprocessing.size
    usual = min(chosen.size or own, own)
    if size is None and usual != own and not model.takes(usual):
        usual = own
    return replace(
        chosen.settings,
        precision=fast_precision(model.device),
        size=size if size is not None else usual,
        steps=steps if steps is not None else chosen.settings.steps,
    )


def fast_precision(device: torch.device) -> str:
    """ "bf16" where the hardware computes in it, else "fp32"."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type == "cpu" and torch.cpu._is_avx512_bf16_supported():
        return "bf16"
    return "fp32"
