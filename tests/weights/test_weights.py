"""Where weights are looked for, and that wrong ones are not taken."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from micrograph.cards import cards
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import Unavailable
from micrograph.models import ModelCard
from micrograph.weights import store
from micrograph.weights.fetchable import command_for
from micrograph.weights.formats import RawTensor, WeightsError, digest_of, write_safetensors

TENSORS = {"w": RawTensor("F32", (1,), b"\0\0\x80\x3f")}
CARD = ModelCard(
    id="tiny",
    title="Tiny",
    summary="",
    build=lambda: pytest.fail("weights are read without building"),
    preprocessing=Preprocessing(size=8, resize=8),
    digest=digest_of(TENSORS),
    file_names=("tiny_by_another_name",),
)


def put(path: Path, tensors=TENSORS) -> Path:
    write_safetensors(path, tensors, {})
    return path


def test_order_of_the_search(no_weights, tmp_path, monkeypatch):
    chosen, checkout = tmp_path / "chosen", tmp_path / "checkout"
    monkeypatch.setenv("MICROGRAPH_WEIGHTS", str(chosen))
    monkeypatch.setattr(store, "CHECKOUT_FOLDER", checkout)
    in_order = [
        chosen / "tiny.safetensors",
        chosen / "tiny" / "any.safetensors",
        chosen / "tiny_by_another_name.safetensors",
        chosen / "tiny_by_another_name" / "other.safetensors",
        no_weights / "tiny.safetensors",
        checkout / "tiny.safetensors",
    ]
    for path in in_order:
        assert not store.is_there(CARD)
        put(path)
        assert store.is_there(CARD)
        path.unlink()
    for path in in_order[::-1]:
        put(path)
        assert store.find(CARD).samefile(path)
        assert store.is_there(CARD)


def test_bundled_weights_come_before_those_of_a_checkout_only(no_weights, tmp_path, monkeypatch):
    card = replace(CARD, bundled="weights/__init__.py")  # any file of the package will do
    bundled = Path(store.__file__).with_name("__init__.py")
    monkeypatch.setattr(store, "CHECKOUT_FOLDER", tmp_path)
    put(tmp_path / "tiny.safetensors")
    assert store.find(card).samefile(bundled)
    assert store.is_there(card)
    own = put(no_weights / "tiny.safetensors")
    assert store.find(card).samefile(own)


def test_missing_weights_say_what_to_put_where(no_weights):
    with pytest.raises(Unavailable) as caught:
        store.find(CARD)
    for part in (
        "micrograph weights import tiny 'its file'",
        str(no_weights),
        "MICROGRAPH_WEIGHTS",
    ):
        assert part in str(caught.value)
    status = store.status(CARD)
    assert (status.path, status.wanted_at) == (None, no_weights / "tiny.safetensors")


def test_right_weights_are_read(no_weights):
    put(no_weights / "tiny.safetensors")
    read = store.read(CARD)
    assert read.digest == CARD.digest
    assert read.tensors["w"].shape == (1,)


def test_wrong_weights_show_both_digests(tmp_path):
    path = put(tmp_path / "x.safetensors", {"w": RawTensor("F32", (1,), b"\0\0\0\0")})
    with pytest.raises(WeightsError) as caught:
        store.read(CARD, path)
    assert CARD.digest in str(caught.value)
    assert digest_of({"w": RawTensor("F32", (1,), b"\0\0\0\0")}) in str(caught.value)
    # A card that leaves the digest open takes any weights and says which they are.
    assert store.read(replace(CARD, digest=""), path).digest != CARD.digest


def test_user_folder_is_the_platforms(monkeypatch, tmp_path):
    if os.name != "posix":
        pytest.skip("XDG_DATA_HOME is of Unix")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store.data_folder() == tmp_path / "micrograph" / "weights"


def test_missing_weights_name_only_commands_that_can_work(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "candidates", lambda card: [tmp_path / "none.safetensors"])
    for name in ("inceptionv1", "inceptionv1_caffe"):  # fetched; by plain http only, so not fetched
        with pytest.raises(Unavailable) as found:
            store.find(cards()[name])
        is_offered = f"weights fetch {name}" in str(found.value)
        assert is_offered == command_for(cards()[name]).startswith("micrograph weights fetch")
        assert is_offered == (name == "inceptionv1")
