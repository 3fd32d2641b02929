"""What becomes of latents before their activation: which of them speak, and how strongly."""

import torch
from torch import Tensor

ACTIVATIONS = {
    "none": "the projection itself, of either sign",
    "relu": "what is above 0",
    "topk": "the k largest at each position, as far as above 0",
    "jumprelu": "what is above the latent's own threshold",
    "topk_signed": "the k largest at each position, of either sign",
    "abstopk": "the k furthest from 0 at each position, of either sign",
    "groupmax": "the largest of each of k groups of neighbours, as far as above 0",
    "tanh_relu": "the hyperbolic tangent of what is above 0",
    "pursuit": "matching pursuit: one latent after the other, each taken from what is left",
}
WITH_K = ("topk", "topk_signed", "abstopk", "groupmax")
"""Those whose `k` must lie between 1 and the number of latents."""


def activated(pre: Tensor, activation: str, k: int, threshold: Tensor) -> Tensor:
    """The latents [..., latent] of those before their activation.

    Ties among the k largest are broken as `torch.topk` breaks them, so that k speak, not more.
    """
    if activation == "none":
        return pre
    if activation == "tanh_relu":
        return pre.relu().tanh()
    return torch.where(_speaking(pre.detach(), activation, k, threshold), pre, 0.0)


def _speaking(pre: Tensor, activation: str, k: int, threshold: Tensor) -> Tensor:
    if activation in ("relu", "jumprelu"):
        return pre > threshold
    if activation == "topk":
        return _largest(pre, k) & (pre > threshold)
    if activation == "topk_signed":
        return _largest(pre, k)
    if activation == "abstopk":
        return _largest(pre.abs(), k)
    groups = pre.reshape(*pre.shape[:-1], k, -1)
    return _largest(groups, 1).flatten(-2) & (pre > threshold)


def _largest(values: Tensor, k: int) -> Tensor:
    """Whether each value is among the k largest in the last axis."""
    off = torch.zeros_like(values, dtype=torch.bool)
    return off.scatter(-1, values.topk(k, -1).indices, True)


def pursued(
    rows: Tensor, atoms: Tensor, steps: int, *, rectify: bool, enough: float, again: bool
) -> Tensor:
    """Latents [..., latent] of `rows` [..., unit] by matching pursuit over `atoms` [latent, unit].

    Each step adds the atom that fits best what is left, and takes it away; with `rectify` no step
    is negative. A row is done once what is left is shorter than `enough`, and unless `again`, once
    a step chose no new atom.
    """
    left = rows.reshape(-1, rows.shape[-1])
    found = left.new_zeros(len(left), len(atoms))
    support = torch.zeros_like(found, dtype=torch.bool)
    done = torch.zeros(len(left), dtype=torch.bool, device=left.device)
    for _ in range(steps):
        fits = left.detach() @ atoms.T
        best = (fits.relu() if rectify else fits).argmax(1, keepdim=True)
        chosen = atoms[best[:, 0]]
        step = (left * chosen).sum(1, keepdim=True)
        step = (step.relu() if rectify else step) * ~done[:, None]
        found = found.scatter_add(1, best, step)
        left = left - step * chosen
        before, support = support, found.detach() != 0
        if not again:
            done = done | (support == before).all(1)
        if enough > 0:
            done = done | (left.detach().norm(dim=1) < enough)
        if done.all():
            break
    return found.reshape(*rows.shape[:-1], len(atoms))
