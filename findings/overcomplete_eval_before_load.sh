#!/usr/bin/env bash
# overcomplete 0.3.0: a dictionary that is put into eval mode before its weights are loaded goes on
# decoding with the random atoms that it was made with, silently: eval() keeps a copy of the atoms, and
# load_state_dict() does not renew it. Code that builds a model, calls eval(), and loads a checkpoint,
# as is usual with torch, gets reconstructions that have nothing to do with the file. A tied encoder
# reads the same copy, so its latents are random, too.
#
# Exits with 0 while this is so, and with 1 as soon as it is not.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
"$folder/venv/bin/pip" install --quiet --no-deps overcomplete==0.3.0 einops==0.8.2

"$folder/venv/bin/python" - <<'PYTHON'
import importlib.util
import sys
import types
from importlib.metadata import version
from pathlib import Path

import torch

# Its packages import networks, plots and data sets, none of which a dictionary needs.
for name, inner in (("overcomplete", ""), ("overcomplete.sae", "sae")):
    package = types.ModuleType(name)
    spec = importlib.util.find_spec("overcomplete") if not inner else None
    root = Path(spec.origin).parent if spec else root
    package.__path__ = [str(root / inner)]
    sys.modules[name] = package
from overcomplete.sae.dictionary import DictionaryLayer
from overcomplete.sae.modules import TieableEncoder

torch.manual_seed(0)
trained = DictionaryLayer(8, 20)
state = trained.state_dict()
codes, inputs = torch.rand(50, 20), torch.randn(50, 8)
atoms = state["_weights"] / state["_weights"].norm(dim=1, keepdim=True)


def errors(order):
    """Of reconstructions and of a tied encoder's latents, relative to those of the file's atoms."""
    layer = DictionaryLayer(8, 20)
    tied = TieableEncoder(8, 20, tied_to=layer)
    for step in order:
        layer.eval() if step == "eval" else layer.load_state_dict(state)
    with torch.no_grad():
        pairs = ((layer(codes), codes @ atoms), (tied(inputs)[1], (inputs @ atoms.T).relu()))
    return [float((found - exact).norm() / exact.norm()) for found, exact in pairs]


print(f"overcomplete {version('overcomplete')}, torch {torch.__version__}: relative error of the")
wrong, right = errors(("eval", "load")), errors(("load", "eval"))
for name, found in (("eval(), then load_state_dict()", wrong), ("the other way", right)):
    print(f"  {name}: reconstruction {found[0]:.2g}, latents of a tied encoder {found[1]:.2g}")
still = min(wrong) > 0.5 and max(right) < 1e-5
print("as found" if still else "CHANGED: the finding no longer holds")
sys.exit(not still)
PYTHON
