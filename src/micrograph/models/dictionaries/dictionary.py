"""A dictionary: latents that are computed from a node's values, at each position alike.

    latents = activation(encoder @ x + bias)
    x       ~ decoder.T @ latents + decoder_bias

Other conventions of files (a bias subtracted from the inputs, inputs on another scale) are folded
into these tensors when a file is read. Directions are the plain case: no bias and no activation.
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

ACTIVATIONS = {
    "none": "the projection itself, of either sign",
    "relu": "what is above 0",
    "topk": "the k largest at each position, as far as above 0",
    "jumprelu": "what is above the latent's own threshold",
}
NORMALIZATIONS = ("none", "layer_norm")
_EPSILON = 1e-5
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
    """`encoder` and `decoder` [latent, unit]; `bias` and `threshold` [latent]; `decoder_bias`
    [unit]. float32, on one device. With `normalize` "layer_norm" the values at a position are
    encoded less their mean and divided by their standard deviation.

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
    facts: tuple[tuple[str, Any], ...] = ()

    @property
    def latents(self) -> int:
        """How many latents there are."""
        return len(self.encoder)

    @property
    def units(self) -> int:
        """Of the node that it is made for."""
        return self.encoder.shape[1]

    def about(self) -> dict[str, Any]:
        """What is known of it, as plain JSON."""
        known: dict[str, Any] = {"activation": self.activation}
        if self.activation == "topk":
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
        )

    def values(self, activations: Tensor, *, before: bool = False) -> Tensor:
        """Latents [batch, latent, ...] of `activations` [batch, unit, ...] at every position.

        With `before` what goes into their activation. Gradients flow; where a latent is off they
        do not, except under `straight_through`.
        """
        return _at_each_place(activations, lambda rows: self._encoded(rows, before))

    def decode(self, latents: Tensor, like: Tensor | None = None) -> Tensor:
        """The values [batch, unit, ...] that `latents` [batch, latent, ...] stand for.

        A dictionary that normalizes its inputs needs to know whose length to give back: `like`
        are the values that were encoded.
        """
        found = self.change(latents, like)
        bias = self.decoder_bias.view(-1, *[1] * (latents.ndim - 2))
        if self.normalize == "none":
            return found + bias
        mean, deviation = _moments(self._normalized_by(like))
        return found + bias * deviation + mean

    def change(self, latents: Tensor, like: Tensor | None = None) -> Tensor:
        """By how much the values change with `latents`: `decode` without its biases."""
        found = _at_each_place(latents, lambda rows: F.linear(rows, self.decoder.T))
        return found if self.normalize == "none" else found * _moments(self._normalized_by(like))[1]

    def _normalized_by(self, like: Tensor | None) -> Tensor:
        if like is None:
            raise BadInput(
                "this dictionary normalizes its inputs; give the values that were encoded as `like`"
            )
        return like.float()

    def _encoded(self, rows: Tensor, before: bool) -> Tensor:
        """[..., unit] to [..., latent]."""
        if self.normalize == "layer_norm":
            mean, deviation = _moments(rows, -1)
            rows = (rows - mean) / deviation
        pre = F.linear(rows, self.encoder, self.bias)
        return pre if before else self._activated(pre)

    def _activated(self, pre: Tensor) -> Tensor:
        if self.activation == "none":
            return pre
        if self.activation == "relu":
            passes = pre > 0
        elif self.activation == "topk":
            passes = (pre > 0) & (pre >= pre.detach().topk(self.k).values[..., -1:])
        else:
            passes = pre > self.threshold
        latents = torch.where(passes, pre, 0.0)
        return pre + (latents - pre).detach() if _straight.get() else latents


def _moments(values: Tensor, dim: int = 1) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over the units, which stay as an axis of one."""
    mean = values.mean(dim, keepdim=True)
    deviation = values.std(dim, correction=0, keepdim=True)
    return mean, deviation + _EPSILON


def _at_each_place(values: Tensor, work: Callable[[Tensor], Tensor]) -> Tensor:
    """`work` on [..., channel] with the channels, in second place in `values`, in the last one."""
    return work(values.float().movedim(1, -1)).movedim(-1, 1)


def checked(dictionary: Dictionary) -> Dictionary:
    """The dictionary. Raises BadInput where its parts do not fit together or are not finite."""
    d = dictionary
    latents, units = d.encoder.shape
    shapes = {
        "encoder": (latents, units),
        "decoder": (latents, units),
        "bias": (latents,),
        "decoder_bias": (units,),
        "threshold": (latents,),
    }
    for name, shape in shapes.items():
        tensor: Tensor = getattr(d, name)
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
            f"normalization {d.normalize!r} is unknown; expected {' or '.join(NORMALIZATIONS)}"
        )
    if d.activation == "topk" and not 1 <= d.k <= latents:
        raise BadInput(f"k {d.k} is out of range; expected 1 to {latents}, the number of latents")
    if d.activation == "jumprelu" and d.threshold.min() < 0:
        # With a negative threshold a latent would be on at zero.
        raise BadInput(f"threshold {d.threshold.min():.3g} is negative; expected 0 or more")
    return d
