"""The networks of TF-slim against what TensorFlow computed with the same checkpoint.

`make_reference.py` wrote the numbers; the checkpoint is made of names (`checkpoint.py`). Each
operation of slim is compared at the node that has its name, in the middle and at the corners of the
map, where padding shows.
"""

import re
from fnmatch import fnmatch
from pathlib import Path

import checkpoint
import numpy as np
import pytest
import torch

from micrograph.cards import card
from micrograph.models.model import Model
from micrograph.weights.building import build
from micrograph.weights.conversion import Given

HERE = Path(__file__).parent
SLIM = ("inceptionv3_slim", "inceptionv4_slim", "resnetv2_50_slim")


@pytest.fixture(scope="module")
def stored():
    with np.load(HERE / "slim_reference.npz") as arrays:
        return dict(arrays)


def given(stored, name: str) -> Given:
    """The checkpoint that TensorFlow ran with."""
    tensors = {}
    for line in stored[f"{name}/variables"]:
        variable, _, shape = str(line).partition(" ")
        size = tuple(int(n) for n in re.findall(r"\d+", shape))
        tensors[variable] = torch.from_numpy(checkpoint.value(variable, size))
    return Given(tensors, Path("model.ckpt"))


@pytest.fixture(scope="module", params=SLIM)
def converted(request, stored):
    """A model with the checkpoint's weights, and what the conversion left of the checkpoint."""
    known = card(request.param)
    conversion = next(c for c in known.conversions if c.form == "tf-checkpoint")
    file = given(stored, known.id)
    assert conversion.sign in file
    tensors = conversion.convert(file)
    module = build(known)
    module.load_state_dict(tensors, strict=True)
    left = [n for n in file.left if not any(fnmatch(n, p) for p in conversion.ignore)]
    return Model(known, module, ""), left


def operations(model: Model) -> dict[str, str]:
    """TensorFlow's names in addresses, and the node that has each as an alias."""
    return {a: n.id for n in model.nodes.values() for a in n.aliases if re.search(r"_0\Z", a)}


def test_nothing_of_the_checkpoint_is_left_but_the_auxiliary_head(converted):
    _, left = converted
    assert left == []


def test_every_operation_stands_for_one_node_and_every_node_for_one(converted, stored):
    model, _ = converted
    known = operations(model)
    theirs = {str(o) for o in stored[f"{model.id}/operations"]}
    without = set(model.nodes) - {known[o] for o in theirs & set(known)}
    assert without == set()
    assert theirs - set(known) == set()
    # What is ours alone is computed from logits, and has their units.
    assert {known[o] for o in set(known) - theirs} <= {"logits"}


def test_values_of_every_operation(converted, stored):
    model, _ = converted
    names = operations(model)
    # Padding with a stride depends on whether a size is odd; that is in the residual network only.
    for key in (k for k in (model.id, f"{model.id}/odd") if f"{k}/size" in stored):
        picture = checkpoint.picture(int(stored[f"{key}/size"])).transpose(0, 3, 1, 2)
        images = torch.from_numpy(np.ascontiguousarray(picture))
        with torch.no_grad():
            found = model.run(images, list(model.nodes), preprocess=False)
        for operation, theirs in zip(
            stored[f"{key}/operations"], stored[f"{key}/values"], strict=True
        ):
            value = found[names[str(operation)]].movedim(1, -1).numpy()
            ours = checkpoint.sample(value)
            assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(value).max(), (key, operation)
