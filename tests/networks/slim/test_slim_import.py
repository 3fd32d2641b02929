"""From files that TensorFlow wrote (`make_small.py`) to a model that computes the same."""

from dataclasses import replace
from pathlib import Path

import checkpoint
import numpy as np
import pytest
import torch

from micrograph.cards import registry
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import inceptionv3_slim
from micrograph.models import load
from micrograph.networks.slim import files, layers, table
from micrograph.weights import store
from micrograph.weights.formats import WeightsError
from micrograph.weights.importing import import_weights

WRITTEN = Path(__file__).parent / "written_by_slim"

SMALL: table.Network = (
    "Conv2d_1a_3x3 4 /2 VALID",
    (
        "Mixed_5b",
        (
            ("MaxPool_1a_3x3 /2 VALID",),
            (
                "Conv2d_0a_1x1 2",
                ("Conv2d_0b_1x3 2", "Conv2d_0b_3x1 3"),
                "Conv2d_1a_1x1 5 3x3 /2 VALID",
            ),
        ),
    ),
)


def convert(given):
    return files.from_slim(given, "InceptionV3", table.convolutions(SMALL), "Logits/Conv2d_1c_1x1")


@pytest.fixture
def small(monkeypatch, tmp_path) -> ModelCard:
    """A card of the small network, with the conversions of the large one."""
    conversions = inceptionv3_slim.CARD.conversions[:2]
    card = ModelCard(
        id="small_slim",
        title="",
        summary="",
        build=lambda: layers.inception(SMALL, 6),
        preprocessing=Preprocessing(size=19, resize=19, scale=2.0, mean=(1.0, 1.0, 1.0)),
        conversions=tuple(replace(c, convert=convert) for c in conversions),
    )
    registry.cards()
    monkeypatch.setitem(registry._cards, card.id, card)
    monkeypatch.setattr(store, "data_folder", lambda: tmp_path)
    monkeypatch.delenv("MICROGRAPH_WEIGHTS", raising=False)
    return card


@pytest.mark.parametrize("name", ["small.ckpt.index", "small.pb"])
def test_files_of_tensorflow_give_its_logits(small, name):
    import_weights(small.id, WRITTEN / name)
    images = torch.from_numpy(checkpoint.picture(19).transpose(0, 3, 1, 2).copy())
    found = load(small.id).run(images, ["logits"], preprocess=False)["logits"]
    theirs = np.load(WRITTEN / "logits.npy")
    assert np.abs(theirs).max() > 0.1
    assert np.abs(found.numpy() - theirs).max() <= 1e-5 * np.abs(theirs).max()


def test_both_forms_give_the_same_weights(small):
    files = []
    for name in ("small.ckpt.index", "small.pb"):
        kept = import_weights(small.id, WRITTEN / name)
        files.append(kept.path.read_bytes())
    assert files[0] == files[1]


def test_a_file_of_another_model_leaves_nothing(small, tmp_path):
    with pytest.raises(WeightsError, match="lacks the tensor 'InceptionV3/Conv2d_2a_3x3/weights'"):
        import_weights("inceptionv3_slim", WRITTEN / "small.pb")
    with pytest.raises(WeightsError, match="is not for inceptionv4_slim"):
        import_weights("inceptionv4_slim", WRITTEN / "small.ckpt.index")
    assert not list(tmp_path.iterdir())
