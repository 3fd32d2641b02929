"""Where tests find real weights: MICROGRAPH_WEIGHTS, or ../shared beside the checkout."""

import os
from pathlib import Path

import pytest

from micrograph.models import card
from micrograph.models.weights import store

CHECKOUT = Path(__file__).parents[2]


def weights_folder() -> Path:
    chosen = os.environ.get("MICROGRAPH_WEIGHTS")
    return Path(chosen) if chosen else CHECKOUT.parent / "shared" / "weights"


@pytest.fixture
def real_weights(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with real weights for models; tests skip where it lacks those they ask for."""
    monkeypatch.setenv("MICROGRAPH_WEIGHTS", str(weights_folder()))
    for model in ("inceptionv1_caffe", "squeezenet1_1"):
        if store.status(card(model)).path is None:
            pytest.skip(f"no weights of {model}; let MICROGRAPH_WEIGHTS name the folder with them")
    return weights_folder()


@pytest.fixture
def reference(real_weights: Path):
    """Stored inputs and outputs of the original programs, by file name; skips without them."""
    import numpy as np

    def read(name: str) -> dict[str, np.ndarray]:
        path = real_weights / name
        if not path.is_file():
            pytest.skip(f"no {name} in the folder that MICROGRAPH_WEIGHTS names")
        with np.load(path) as arrays:
            return dict(arrays)

    return read


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user without any weights; gives the folder in which imported ones would be kept."""
    monkeypatch.delenv("MICROGRAPH_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(store, "data_folder", lambda: tmp_path / "data" / "weights")
    monkeypatch.setattr(store, "CHECKOUT_FOLDER", tmp_path / "absent")
    return tmp_path / "data" / "weights"
