"""A disk that is full while something is written: one line, nothing half, and what was there stays.

The system's limit on the size of files gives the errors of a full disk, for this process alone.
"""

import os
import resource
from collections.abc import Callable
from pathlib import Path

import kill_works as works
import numpy as np
import published_samples
import pytest
import torch
from picture_server import serving
from samples import MODEL, NODES, visualization
from sweeping import pictures, small_model, swept
from unprivileged import in_child

from micrograph.atlas import AtlasWriter, compact, copy
from micrograph.cards.remembered import OwnModel, remember
from micrograph.files import fresh_file, write_atomically
from micrograph.runner import catalogue
from micrograph.runner.batch_topk import DictionarySettings
from micrograph.runner.train_dictionary import train
from micrograph.sweep import part
from micrograph.weights.formats import RawTensor, write_safetensors
from micrograph.weights.importing import import_weights

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def plain(folder: Path) -> None:
    write_atomically(folder / "there", [bytes(2000)] * 3)


def by_another_library(folder: Path) -> None:
    with fresh_file(folder / "there") as fresh:
        np.save(fresh, np.zeros(10_000))


def tensors(folder: Path) -> None:
    many = {"t": RawTensor("F32", (10_000,), bytes(40_000))}
    write_safetensors(folder / "there", many, {})


def a_part(folder: Path) -> None:
    root = folder.parent / "pictures"
    _, tally = swept(small_model(), root)
    part.write(tally, folder / "there")


def remembered(folder: Path) -> None:
    remember(OwnModel("there", "x.py:" + "x" * 9000))


def imported(folder: Path) -> None:
    works.at_home(folder)
    import_weights("toytown", folder.parent / "toytown.pt")


def compacted(folder: Path) -> None:
    compact(folder.parent / "source.atlas", folder / "new.atlas")


def copied(folder: Path) -> None:
    copy([folder.parent / "source.atlas"], folder / "new.atlas", nodes=["mixed1a"])


def repaired(folder: Path) -> None:
    copy([folder.parent / "source.atlas"], folder / "new.atlas", strict=False)


def rendered(folder: Path) -> None:
    works.render_all(folder)


def fetched(folder: Path) -> None:
    works.fetch(folder)


def taken(folder: Path) -> None:
    works.take(folder)


def trained(folder: Path) -> None:
    settings = DictionarySettings(latents=8, steps=2, batch=8)
    train(small_model(), "plain", str(folder.parent / "pictures"), folder / "there", settings)


def outlined(folder: Path) -> None:
    catalogue.write(folder, ["squeezenet1_1"])


WRITERS = [
    plain,
    by_another_library,
    tensors,
    a_part,
    remembered,
    imported,
    compacted,
    copied,
    repaired,
    rendered,
    fetched,
    taken,
    trained,
    outlined,
]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_one_line_and_what_was_there_stays(
    tmp_path: Path, write: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "there").write_bytes(b"before")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    monkeypatch.setenv("no_proxy", "*")
    pictures(tmp_path / "pictures", 12)
    works.original(folder)
    published_samples.fill(tmp_path / "taken")
    with AtlasWriter.open(tmp_path / "source.atlas", MODEL, NODES) as writer:
        writer.put(visualization("mixed1a", unit) for unit in range(4))

    def full() -> str:
        torch.set_num_threads(1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
        write(folder)
        return "no error"

    with serving() as server:
        monkeypatch.setenv("PICTURES_AT", server.address)
        answer = in_child(full)
    assert answer.startswith("Unavailable: "), answer
    assert "\n" not in answer
    assert "cannot write" in answer or "could not be fetched" in answer
    assert (folder / "there").read_bytes() == b"before"
    left = [path for path in folder.rglob("*") if path.is_file() and path.name != "there"]
    # What can be gone on from may stay, where nothing takes it for the whole.
    resumable = (".part", ".part.json", "about.json", "lock", "values.npy", ".lock")
    assert all(path.name.endswith(resumable) for path in left), left
    assert not list(folder.rglob("*.micrograph-new"))
