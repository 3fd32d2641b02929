"""A dictionary: latents that are computed from a node's values, at each position alike.

    latents = gain * activation(encoder @ x + bias)
    x       ~ decoder.T @ latents + decoder_bias

Other conventions of files (a bias subtracted from the inputs, inputs on another scale, gates) are
folded into these tensors when a file is read. A transcoder reads one node and writes another: there
`decoder` has the units of that one, and `skip` is what goes past the latents. Directions are the
plain case: no bias and no activation.
ReLU and L1: Bricken et al., "Towards Monosemanticity" (2023). TopK: Gao et al., "Scaling and
evaluating sparse autoencoders" (2024). JumpReLU: Rajamanoharan et al., "Jumping Ahead" (2024).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.dictionaries.activations import ACTIVATIONS, WITH_K, activated, pursued
from micrograph.models.dictionaries.normalizing import NORMALIZATIONS, normalized, scale_back

_straight: ContextVar[bool] = ContextVar("straight", default=False)


@contextmanager
def straight_through() -> Iterator[None]:
    """A context in which gradients pass latents that are off as if they were on.

    For pictures by optimization: a latent is on at few positions, and at none of a picture that
    begins as noise. With this, gradients reach all positions. Measured on
    toytown: 13 of 16 latents reach a higher mean, and none stays off.
    """
    token = _straight.set(True)
    try:
        yield
    finally:
        _straight.reset(token)


@dataclass(frozen=True, eq=False)
class Dictionary:
    """`encoder` and `decoder` [latent, unit]; `bias`, `threshold` and `gain` [latent];
    `decoder_bias` [unit]; `skip` [unit written, unit read]. float32, on one device. With another
    `normalize` than "none" the values at a position are encoded on a scale of their own; `restores`
    says whether decoding undoes that.

    `kind` is "directions" or "dictionary", `digest` (64 hex digits) stands for every number and
    setting, `facts` is what is known of it besides: plain JSON for people.
    """

    kind: str
    digest: str
    encoder: Tensor
    decoder: Tensor
    bias: Tensor
    decoder_bias: Tensor
    threshold: Tensor
    activation: str = "relu"
    k: int = 0
    normalize: str = "none"
    gain: Tensor | None = None
    skip: Tensor | None = None
    transcodes: bool = False
    restores: bool = True
    pursuit: tuple[bool, float, bool] = (True, 0.0, False)
    """Of matching pursuit: as `activations.pursued` takes it."""
    facts: tuple[tuple[str, Any], ...] = ()

    @property
    def latents(self) -> int:
        """How many latents there are."""
        return len(self.encoder)

    @property
    def units(self) -> int:
        """Of the node that it is made for."""
        return self.encoder.shape[1]

    @property
    def written_units(self) -> int:
        """Of the node that its decoder writes: another than it reads for a transcoder."""
        return self.decoder.shape[1]

    def about(self) -> dict[str, Any]:
        """What is known of it, as plain JSON."""
        known: dict[str, Any] = {"activation": self.activation}
        if self.activation in WITH_K:
            known["k"] = self.k
        return known | dict(self.facts)

    def to(self, device: torch.device) -> "Dictionary":
        """The same on `device`."""
        return replace(
            self,
            encoder=self.encoder.to(device),
            decoder=self.decoder.to(device),
            bias=self.bias.to(device),
            decoder_bias=self.decoder_bias.to(device),
            threshold=self.threshold.to(device),
            gain=None if self.gain is None else self.gain.to(device),
            skip=None if self.skip is None else self.skip.to(device),
        )

    def values(self, activations: Tensor, *, before: bool = False) -> Tensor:
        """Latents [batch, latent, ...] of `activations` [batch, unit, ...] at every position.

        With `before` what goes into their activation. Gradients flow; where a latent is off they
        do not, except under `straight_through`.
        """
        return _at_each_place(activations, lambda rows: self._encoded(rows, before))

    def decode(self, latents: Tensor, like: Tensor | None = None) -> Tensor:
        """The values [batch, unit, ...] that `latents` [batch, latent, ...] stand for.

        One that normalizes its inputs needs to know whose length to give back, and one that passes
        some of them by needs these: `like` are the values that were encoded.
        """
        found = _at_each_place(latents, lambda rows: F.linear(rows, self.decoder.T))
        found = found + self.decoder_bias.view(-1, *[1] * (latents.ndim - 2))
        if self.skip is not None:
            skip = self.skip
            found = found + _at_each_place(self._read(like), lambda rows: F.linear(rows, skip))
        if not self._scales_back:
            return found
        mean, factor = scale_back(self._read(like), self.normalize)
        return found * factor + mean

    def change(self, latents: Tensor, like: Tensor | None = None) -> Tensor:
        """By how much the values change with `latents`: `decode` without its biases."""
        found = _at_each_place(latents, lambda rows: F.linear(rows, self.decoder.T))
        if not self._scales_back:
            return found
        return found * scale_back(self._read(like), self.normalize)[1]

    @property
    def _scales_back(self) -> bool:
        return self.restores and self.normalize != "none"

    def _read(self, like: Tensor | None) -> Tensor:
        if like is None:
            raise BadInput(
                "this dictionary normalizes its inputs or passes some of them by; give the values "
                "that were encoded as `like`"
            )
        return like.float()

    def _encoded(self, rows: Tensor, before: bool) -> Tensor:
        """[..., unit] to [..., latent]."""
        rows = normalized(rows, self.normalize)
        latents = pre = F.linear(rows, self.encoder, self.bias)
        if not before:
            if self.activation == "pursuit":
                latents = self._pursued(rows)
            else:
                latents = activated(pre, self.activation, self.k, self.threshold)
            if _straight.get():
                latents = pre + (latents - pre).detach()
        return latents if self.gain is None else latents * self.gain

    def _pursued(self, rows: Tensor) -> Tensor:
        """Atoms are the encoder's rows; what is subtracted first is the decoder's bias."""
        rectify, enough, again = self.pursuit
        return pursued(
            rows - self.decoder_bias,
            self.encoder,
            self.k,
            rectify=rectify,
            enough=enough,
            again=again,
        )


def _at_each_place(values: Tensor, work: Callable[[Tensor], Tensor]) -> Tensor:
    """`work` on [..., channel] with the channels, in second place in `values`, in the last one."""
    return work(values.float().movedim(1, -1)).movedim(-1, 1)


def checked(dictionary: Dictionary) -> Dictionary:
    """The dictionary. Raises BadInput where its parts do not fit together or are not finite."""
    d = dictionary
    latents, units = d.encoder.shape
    shapes = {
        "encoder": (latents, units),
        "decoder": (latents, d.decoder.shape[-1] if d.transcodes else units),
        "bias": (latents,),
        "decoder_bias": (d.decoder.shape[-1] if d.transcodes else units,),
        "threshold": (latents,),
        "gain": (latents,),
        "skip": (d.decoder.shape[-1], units),
    }
    for name, shape in shapes.items():
        tensor: Tensor | None = getattr(d, name)
        if tensor is None:
            continue
        if tuple(tensor.shape) != shape:
            raise BadInput(
                f"{name} has shape {list(tensor.shape)}, expected {list(shape)} for {latents} "
                f"latents of {units} units"
            )
        if not tensor.isfinite().all():
            bad = int((~tensor.isfinite()).sum())
            raise BadInput(f"{bad} of the numbers in {name} are not finite; get a sound file")
    if not latents or not units:
        raise BadInput(f"a dictionary of {latents} latents over {units} units has nothing to show")
    if d.activation not in ACTIVATIONS:
        raise BadInput(f"activation {d.activation!r} is unknown; expected {', '.join(ACTIVATIONS)}")
    if d.normalize not in NORMALIZATIONS:
        raise BadInput(
            f"normalization {d.normalize!r} is unknown; expected one of {', '.join(NORMALIZATIONS)}"
        )
    if d.activation in WITH_K and not 1 <= d.k <= latents:
        raise BadInput(f"k {d.k} is out of range; expected 1 to {latents}, the number of latents")
    if d.activation == "jumprelu" and d.threshold.min() < 0:
        # With a negative threshold a latent would be on at zero.
        raise BadInput(f"threshold {d.threshold.min():.3g} is negative; expected 0 or more")
    if d.activation == "groupmax" and latents % d.k:
        raise BadInput(
            f"{latents} latents do not make {d.k} groups of equal size; get a sound file"
        )
    return d
