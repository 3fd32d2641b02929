"""Originals that a card's conversions take: chosen by form and sign, every tensor accounted for."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from micrograph.cards import registry
from micrograph.cards.model_card import Conversion, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import Unavailable
from micrograph.models import ModelCard, load
from micrograph.weights.conversion import Given, kernel, matrix, matrix_after_map
from micrograph.weights.formats import WeightsError, read_safetensors
from micrograph.weights.importing import import_weights


def build():
    conv, linear = nn.Conv2d(3, 4, (2, 1)), nn.Linear(4 * 2 * 3, 5)
    return nn.Sequential(conv, linear)


def from_tensorflow(given):
    return {
        "0.weight": kernel(given.take("net/conv/weights")),
        "0.bias": given.take("net/conv/biases"),
        "1.weight": matrix_after_map(given.take("net/fc/weights"), 4, 2, 3),
        "1.bias": given.take("net/fc/biases", [5]),
    }


def from_caffe(given):
    names = {"0.weight": "conv/0", "0.bias": "conv/1", "1.weight": "fc/0", "1.bias": "fc/1"}
    return {ours: given.take(theirs) for ours, theirs in names.items()}


CARD = ModelCard(
    id="tiny",
    title="Tiny",
    summary="",
    build=build,
    preprocessing=Preprocessing(size=8, resize=8),
    tensor_name=lambda name: f"our_{name}",
    conversions=(
        Conversion("npz", from_caffe, "conv/0"),
        Conversion("npz", from_tensorflow, "net/conv/weights", ("*/moving_*", "global_step")),
        Conversion("torch", from_caffe),
    ),
)


@pytest.fixture
def card(no_weights, monkeypatch):
    monkeypatch.setitem(registry._cards, "tiny", CARD)
    return no_weights / "tiny.safetensors"


def tensorflow():
    random = np.random.default_rng(0)
    return {
        "net/conv/weights": random.standard_normal((2, 1, 3, 4)).astype(np.float32),
        "net/conv/biases": random.standard_normal(4),  # doubles become what the network has
        "net/fc/weights": random.standard_normal((24, 5)).astype(np.float32),
        "net/fc/biases": random.standard_normal((1, 1, 5)).astype(np.float32),
        "net/conv/moving_mean": np.zeros(4),
        "global_step": np.array(3),
    }


def put(tmp_path, arrays):
    np.savez(tmp_path / "x.npz", **arrays)
    return tmp_path / "x.npz"


def test_every_value_comes_to_its_place(card, tmp_path):
    arrays = tensorflow()
    kept = import_weights("tiny", put(tmp_path, arrays))
    assert (kept.path, kept.form, kept.converted) == (card, "npz", True)
    assert kept.digest == load("tiny").digest
    assert sorted(read_safetensors(card)) == sorted(f"our_{n}" for n in build().state_dict())
    conv, fc = load("tiny").module
    for y, x, i, o in np.ndindex(2, 1, 3, 4):
        assert conv.weight[o, i, y, x].item() == arrays["net/conv/weights"][y, x, i, o]
    rows = arrays["net/fc/weights"].reshape(2, 3, 4, 5)
    for y, x, unit, o in np.ndindex(2, 3, 4, 5):
        assert fc.weight.reshape(5, 4, 2, 3)[o, unit, y, x].item() == rows[y, x, unit, o]
    assert conv.bias.dtype == torch.float32
    assert np.allclose(conv.bias.detach(), arrays["net/conv/biases"])
    assert fc.bias.tolist() == arrays["net/fc/biases"].ravel().tolist()


def test_a_plain_matrix():
    assert matrix(torch.arange(6).reshape(2, 3)).tolist() == [[0, 3], [1, 4], [2, 5]]


def test_the_sign_chooses_among_conversions_of_one_form(card, tmp_path):
    state = build().state_dict()
    theirs = dict(zip(["conv/0", "conv/1", "fc/0", "fc/1"], state.values(), strict=True))
    import_weights("tiny", put(tmp_path, {n: t.numpy() for n, t in theirs.items()}))
    assert torch.equal(load("tiny").module[1].weight, state["1.weight"])
    torch.save(theirs, tmp_path / "x.pt")
    assert import_weights("tiny", tmp_path / "x.pt").form == "torch"


def test_our_own_names_come_before_conversions(card, tmp_path):
    state = build().state_dict()
    for prefix in ("", "our_"):
        kept = import_weights(
            "tiny", put(tmp_path, {prefix + n: t.numpy() for n, t in state.items()})
        )
        assert not kept.converted


def refused(file, *messages):
    with pytest.raises(WeightsError) as caught:
        import_weights("tiny", file)
    for message in messages:
        assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_left_over_unsaid(card, tmp_path):
    arrays = tensorflow() | {f"net/aux{n}/weights": np.zeros(1) for n in range(5)}
    refused(put(tmp_path, arrays), "net/aux0/weights, net/aux1/weights, net/aux2/weights, ... (5)")
    assert not card.exists()


def test_what_a_conversion_misses_is_named(card, tmp_path):
    arrays = tensorflow()
    del arrays["net/fc/weights"]
    refused(put(tmp_path, arrays), "lacks the tensor 'net/fc/weights'")
    refused(put(tmp_path, tensorflow() | {"net/fc/biases": np.zeros(4)}), "shape [4], expected [5]")
    wide = {"net/conv/weights": np.zeros((2, 1, 3, 5), np.float32), "net/conv/biases": np.zeros(5)}
    refused(put(tmp_path, tensorflow() | wide), "our_0.weight has shape [5, 3, 2, 1]")
    assert not card.exists()


def test_files_that_no_conversion_takes(card, tmp_path, monkeypatch):
    refused(
        put(tmp_path, {"other": np.zeros(1)}),
        "of the form npz and holds 'other'",
        "expected npz with 'conv/0' or npz with 'net/conv/weights'",
    )
    only_torch = replace(CARD, conversions=CARD.conversions[2:])
    monkeypatch.setitem(registry._cards, "tiny", only_torch)
    refused(put(tmp_path, tensorflow()), "'net/conv/weights'", "expected torch, or a file with")


def test_the_member_is_known_by_the_name_of_the_download(card, tmp_path, monkeypatch):
    import zipfile

    source = WeightsSource("An archive", "https://a.org/b/net.zip", member="right.npz")
    monkeypatch.setitem(registry._cards, "tiny", replace(CARD, sources=(source,)))
    path = put(tmp_path, tensorflow())
    for name in ("net.zip", "other.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.write(path, "right.npz")
            archive.write(path, "wrong.npz")
    assert import_weights("tiny", tmp_path / "net.zip").converted
    refused(tmp_path / "other.zip", "it has 2 such among 'right.npz', 'wrong.npz'")
    assert import_weights("tiny", tmp_path / "other.zip", "wrong.npz").converted


def test_weights_that_were_never_released_cannot_be_imported(card, tmp_path, monkeypatch):
    monkeypatch.setitem(registry._cards, "tiny", replace(CARD, unreleased="they were kept"))
    with pytest.raises(Unavailable, match="they were kept"):
        import_weights("tiny", put(tmp_path, tensorflow()))


def test_given_counts_what_was_taken(tmp_path):
    given = Given({"a": torch.zeros(2), "b": torch.zeros(1)}, tmp_path / "f")
    assert "a" in given
    given.take("a", [1, 2])
    assert given.left == ["b"]
    given.take("a")  # taken twice is no error: tied tensors
    with pytest.raises(WeightsError, match="lacks the tensor 'c'"):
        given.take("c")
