#!/usr/bin/env bash
# torch 2.13.0, CPU: the gradient through BatchNorm2d in eval mode is wrong, silently, for a batch of
# one contiguous picture whose gradient arrives transposed, as it does in networks that turn maps into
# tokens: norm(x).flatten(2).transpose(1, 2). The same picture in a batch of two, or in channels_last,
# gets the right one. Vision transformers with a convolutional stem (LeViT, EfficientFormer) have it.
#
# Exits with 0 while this is so, and with 1 as soon as it is not.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)

norm = nn.BatchNorm2d(4).eval()
with torch.no_grad():
    norm.weight.uniform_(0.5, 2)
    norm.running_var.uniform_(0.5, 2)
pictures = torch.rand(2, 4, 8, 8)
upstream = torch.randn(64, 4)  # the gradient that arrives at the tokens, [position, unit]

# In eval mode the layer is y = x * weight / sqrt(var + eps) + constant, unit by unit.
slope = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
exact = upstream.T.reshape(4, 8, 8) * slope[:, None, None]


def error(batch, as_tokens=True):
    """Distance of the first picture's gradient from the exact one, relative to that."""
    batch = batch.requires_grad_(True)
    maps = norm(batch).flatten(2)
    if as_tokens:
        total = (maps.transpose(1, 2)[0] * upstream).sum()
    else:
        total = (maps[0] * upstream.T.contiguous()).sum()
    (found,) = torch.autograd.grad(total, batch)
    return float((found[0] - exact).norm() / exact.norm())


wrong = error(pictures[:1].clone())
right = {
    "two pictures": error(pictures.clone()),
    "one picture, channels_last": error(
        pictures[:1].clone(memory_format=torch.contiguous_format).to(memory_format=torch.channels_last)
    ),
    "one picture, gradient not transposed": error(pictures[:1].clone(), as_tokens=False),
}
print(f"torch {torch.__version__}: relative error of the gradient through BatchNorm2d.eval()")
print(f"  one picture, gradient transposed: {wrong:.2f}")
for name, value in right.items():
    print(f"  {name}: {value:.1g}")
still = wrong > 0.1 and all(value < 1e-5 for value in right.values())
print("as found" if still else "CHANGED: the finding no longer holds")
sys.exit(not still)
PYTHON
