"""For every test: quiet threads, a Ctrl-C that works, and browser tests at the end.

Real weights are looked for where MICROGRAPH_WEIGHTS points, or in ../shared beside the checkout.
"""

import os
import signal
from pathlib import Path

import hypothesis
import pytest

from micrograph.cards import card
from micrograph.weights import store

CHECKOUT = Path(__file__).parents[1]

pytest_plugins = ["site_fixtures", "unprivileged"]

# Suites beside each other must not wait for threads in turns.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

if "PYTEST_XDIST_WORKER" in os.environ:  # one of several processes: one core each
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Times are no property of the code: a busy machine is no failure.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# A suite started in the background ignores Ctrl-C, and so would every process that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's driver keeps an event loop running in this thread; other tests start theirs."""
    items.sort(key=lambda item: "browser" in item.path.parts)


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
