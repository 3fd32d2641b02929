#!/usr/bin/env bash
# torch 2.13.0: the gradient of torch.as_strided_scatter(base, part, ...) with respect to `base` is the
# wrong way round, silently: 1 where `part` overwrites the base, and 0 where the base is kept, which
# is just where the result depends on it. The values are right, and so is the gradient of `part`.
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

base = torch.arange(8.0, requires_grad=True)
part = torch.full((3,), 9.0, requires_grad=True)
result = torch.as_strided_scatter(base, part, (3,), (1,), 2)
got = torch.autograd.grad(result.sum(), base, retain_graph=True)[0]

right = torch.tensor([1.0, 1, 0, 0, 0, 1, 1, 1])  # what `result` keeps of `base`
measured = torch.stack(
    [
        torch.as_strided_scatter(base + step, part, (3,), (1,), 2).sum() - result.sum()
        for step in torch.eye(8)
    ]
)
print("torch", torch.__version__)
print("result                    ", result.tolist())
print("gradient of its sum, torch", got.tolist())
print("exact                     ", right.tolist())
print("by taking steps           ", measured.tolist())
assert torch.equal(measured, right)
wrong = torch.equal(got, 1 - right)
print("the gradient is inverted" if wrong else "the gradient is no longer inverted")
sys.exit(0 if wrong else 1)
PYTHON
