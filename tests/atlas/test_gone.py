"""An atlas that is deleted, replaced or overwritten while a writer has it: the writer says so, and
puts nothing into what lies there then."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from samples import MODEL, NODES, visualization
from torch import nn

from micrograph.atlas import AtlasWriter
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import Conflict
from micrograph.events import Event, Stored
from micrograph.models.model import Model
from micrograph.runner import render


def delete(path: Path, other: Path) -> None:
    path.unlink()


def delete_all(path: Path, other: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def delete_folder(path: Path, other: Path) -> None:
    shutil.rmtree(path.parent)


def rename(path: Path, other: Path) -> None:
    path.rename(other.with_name("away.atlas"))


def replace(path: Path, other: Path) -> None:
    shutil.copyfile(other, other.with_name("copy.atlas"))
    other.with_name("copy.atlas").replace(path)


def overwrite(path: Path, other: Path) -> None:
    shutil.copyfile(other, path)


def empty(path: Path, other: Path) -> None:
    os.truncate(path, 0)


HOW = {
    delete: "was deleted while",
    delete_all: "was deleted while",
    delete_folder: "was deleted while",
    rename: "was deleted while",
    replace: "was replaced by another file while",
    overwrite: "was overwritten by another program while",
    empty: "was overwritten by another program while",
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("late", [False, True])
def test_a_writer_notices(tmp_path: Path, how: Callable[[Path, Path], None], late: bool) -> None:
    """At the next batch, and at the end where there is none."""
    other, path = tmp_path / "other.atlas", tmp_path / "in" / "tinynet.atlas"
    with AtlasWriter.open(other, MODEL, NODES) as writer:
        writer.put(visualization("mixed1a", unit) for unit in range(4))
    writer = AtlasWriter.open(path, MODEL, NODES)
    writer.put([visualization("mixed1a", 0)])
    how(path, other)
    there = path.read_bytes() if path.exists() else None
    if not late:
        with pytest.raises(Conflict, match=HOW[how]):
            writer.put([visualization("mixed1a", 1)])
    with pytest.raises(Conflict, match=HOW[how]) as told:
        writer.close()
    assert "\n" not in str(told.value)
    assert (path.read_bytes() if path.exists() else None) == there
    left = [f.name for f in path.parent.iterdir()] if path.parent.exists() else []
    assert left == (["tinynet.atlas"] if there is not None else [])


def test_a_render_ends_with_that(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    model = Model.of(module, id="small", preprocessing=Preprocessing(size=24, resize=24))

    def on_event(event: Event) -> None:
        if isinstance(event, Stored):
            (tmp_path / "small.atlas").unlink(missing_ok=True)

    small = {"nodes": ["0"], "batch": 2, "size": 24, "steps": 2}
    with pytest.raises(Conflict, match=r"small\.atlas was deleted while results were being stored"):
        render(model, tmp_path, on_event=on_event, **small)
    assert list(tmp_path.iterdir()) == []
    assert render(model, tmp_path, **small).rendered == 8
