"""Datasets of Hugging Face; needs its library."""

import importlib.util
import sys

import numpy as np
import pytest

from micrograph.datasets import open_dataset
from micrograph.errors import BadInput, Unavailable


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(Unavailable, match=r"pip install 'micrograph\[hf\]'"):
        open_dataset("hf:cifar10")


@pytest.fixture
def library(monkeypatch):
    found = importlib.util.find_spec("datasets")
    if found is None or found.origin is None:  # this folder is called so too
        pytest.skip("no library `datasets`; pip install 'micrograph[hf]'")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    return datasets


def rows(library, count: int, seed: int = 0):
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 8, 9, 3), dtype=np.uint8)
    from PIL import Image

    features = library.Features(
        {
            "id": library.Value("int32"),
            "img": library.Image(),
            "kind": library.ClassLabel(names=["ant", "bee"]),
        }
    )
    data = {
        "id": list(range(count)),
        "img": [Image.fromarray(p) for p in pixels],
        "kind": [n % 2 for n in range(count)],
    }
    return library.Dataset.from_dict(data, features=features), pixels


def test_a_saved_dataset(library, tmp_path):
    table, pixels = rows(library, 5)
    table.save_to_disk(str(tmp_path / "bugs"))
    data = open_dataset(f"hf:{tmp_path / 'bugs'}")
    assert (len(data), data.classes) == (5, ("ant", "bee"))
    assert [e.cls for e in data.entries] == [0, 1, 0, 1, 0]
    assert np.array_equal(data.picture(3), pixels[3])
    again, _ = rows(library, 5)
    again.save_to_disk(str(tmp_path / "again"))
    other, _ = rows(library, 5, seed=1)
    other.save_to_disk(str(tmp_path / "other"))
    assert open_dataset(f"hf:{tmp_path / 'again'}").digest == data.digest
    assert open_dataset(f"hf:{tmp_path / 'other'}").digest != data.digest


def test_splits(library, tmp_path):
    parts = {"train": rows(library, 4)[0], "test": rows(library, 2)[0]}
    library.DatasetDict(parts).save_to_disk(str(tmp_path))
    assert len(open_dataset(f"hf:{tmp_path}:test")) == 2
    for spec in (f"hf:{tmp_path}", f"hf:{tmp_path}:val"):
        with pytest.raises(BadInput, match="train, test"):
            open_dataset(spec)


def test_a_table_without_pictures(library, tmp_path):
    library.Dataset.from_dict({"text": ["a"]}).save_to_disk(str(tmp_path))
    with pytest.raises(BadInput, match="no column of pictures"):
        open_dataset(f"hf:{tmp_path}")


def test_what_is_not_there(library, tmp_path):
    with pytest.raises(Unavailable, match="cannot get the dataset"):
        open_dataset(f"hf:{tmp_path / 'absent'}")
