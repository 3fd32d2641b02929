"""What a file says of a dictionary: tensors in one layout, and how they are used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from micrograph.models.dictionaries.hooks import Hooks


@dataclass(frozen=True)
class Description:
    """One dictionary as its file gives it, in the layout and the words that all formats share.

        inputs  = scale * (normalized(x) - mean) - subtracted
        latents = gain * activation(encoder @ inputs + bias)
        x       ~ (decoder.T @ latents + decoder_bias) / scale_back + mean, on the scale of x again

    `encoder` [latent, unit], `decoder` [latent, unit that is written]. `subtract` takes the
    decoder's bias from the inputs, `input_bias` another tensor. A gated dictionary has
    `gate`: the logarithm of its magnitudes' factor and the biases of gate and magnitude.
    `decoder_norms` says that latents are weighed by the length of their decoder rows: "none",
    "latents" (they come out on that scale), or "choice" (only for the choice of those that speak).
    """

    format: str
    architecture: str
    encoder: Tensor
    decoder: Tensor
    bias: Tensor | None = None
    decoder_bias: Tensor | None = None
    input_bias: Tensor | None = None
    threshold: Tensor | None = None
    gate: tuple[Tensor, Tensor, Tensor] | None = None
    mean: Tensor | None = None
    decoder_gain: Tensor | None = None
    """Factors on the latents on their way back alone."""
    skip: Tensor | None = None
    activation: str = "relu"
    k: int = 0
    subtract: bool = False
    normalize: str = "none"
    scale: float = 1.0
    scale_back: float | None = None
    """The factor that decoding divides by; by default that of the inputs."""
    decoder_norms: str = "none"
    pursuit: tuple[bool, float, bool] = (True, 0.0, False)
    kind: str = "dictionary"
    transcodes: bool = False
    restores: bool = True
    outside: bool = False
    """Whether numbers decide that are neither in its tensors nor in `settings`: then the digest is
    of the folded tensors, too."""
    hooks: Hooks = field(default_factory=Hooks)
    figures: Mapping[str, Any] = field(default_factory=dict)
    """What it says of itself for people: l0, explained, title, ..."""
    notes: tuple[str, ...] = ()
    """What a reader has to know before anything is rendered."""

    @property
    def units(self) -> int:
        """Of the node that it reads."""
        return self.encoder.shape[1]

    def settings(self) -> dict[str, Any]:
        """How its tensors are used, as plain JSON: part of its digest.

        The first five have always been there; others only where they are not the usual ones, so
        that digests stay.
        """
        usual = {
            "activation": self.activation,
            "k": self.k,
            "normalize": self.normalize,
            "scale": self.scale,
            "subtract": self.subtract,
        }
        others: dict[str, Any] = {
            "scale_back": self.scale_back,
            "decoder_norms": None if self.decoder_norms == "none" else self.decoder_norms,
            "gated": True if self.gate is not None else None,
            "transcodes": True if self.transcodes else None,
            "mean": None if self.mean is None else [round(v, 9) for v in self.mean.tolist()],
            "pursuit": list(self.pursuit) if self.activation == "pursuit" else None,
            "decoder_gain": True if self.decoder_gain is not None else None,
        }
        return usual | {name: value for name, value in others.items() if value is not None}
