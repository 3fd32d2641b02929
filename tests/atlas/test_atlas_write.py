"""Writing an atlas: once each, all or nothing, one writer, the right weights."""

import dataclasses
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import MODEL, NODES, recipe, sample_atlas, visualization

from micrograph import files
from micrograph.atlas import Atlas, AtlasWriter, Picture
from micrograph.errors import BadInput, Conflict, NotFound, Unavailable


def units(path: Path, node: str = "mixed1a") -> list[int]:
    return [t.unit for t in Atlas.open(path).tiles(node, "feature_vis", "channel")]


def test_a_repeat_is_a_no_op(tmp_path: Path) -> None:
    put = [visualization("mixed1a", u) for u in range(4)]
    path = tmp_path / "tinynet.atlas"
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        assert writer.put(put) == 4
        assert writer.put(put) == 0
        changed = dataclasses.replace(put[0], score=-1.0)
        assert writer.put([changed, visualization("mixed1a", 9)]) == 1
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        assert writer.put(put) == 0
    (kept,) = Atlas.open(path).visualizations("mixed1a", 0)
    assert kept.score == put[0].score
    assert units(path) == [0, 1, 2, 3, 9]


@settings(max_examples=25, deadline=None)
@given(
    there=st.sets(st.integers(0, 15)),
    wanted=st.lists(st.integers(0, 15), unique=True),
    other=st.sets(st.integers(0, 15)),
)
def test_missing_is_what_the_recipe_has_not_made(
    there: set[int], wanted: list[int], other: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("missing") / "tinynet.atlas"
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        writer.put(visualization("mixed1a", u) for u in there)
        writer.put(visualization("mixed1a", u, seed=1) for u in other)
        writer.put(visualization("mixed1b", u) for u in range(12))
        assert writer.missing("mixed1a", wanted, recipe()) == [u for u in wanted if u not in there]


def test_what_is_missing_of_a_node_as_a_whole(tmp_path: Path) -> None:
    with AtlasWriter.open(tmp_path / "tinynet.atlas", MODEL, NODES) as writer:
        writer.put([visualization("mixed1a", 0), visualization("mixed1b", None)])
        assert writer.missing("mixed1a", [None, 0, 1], recipe()) == [None, 1]
        assert writer.missing("mixed1b", [None], recipe()) == []


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"node": "mixed9z"}, NotFound, "mixed1a"),
        ({"unit": 16}, BadInput, "0-15"),
        ({"unit": -1}, BadInput, "0-15"),
        ({"score": math.nan}, BadInput, "finite"),
        ({"data": {"x": math.inf}}, BadInput, "JSON"),
        ({"data": {"x": object()}}, BadInput, "JSON"),
        ({"recipe": recipe() | {"view": "neuron"}}, BadInput, "one recipe"),
        ({"recipe": recipe() | {"view": None}}, BadInput, "view 'None' of a recipe"),
        ({"recipe": recipe() | {"seed": True}}, BadInput, "seed 'True' of a recipe"),
        ({"recipe": {"seed": 0, "view": "x"}}, BadInput, "technique 'None' of a recipe"),
        ({"picture": Picture("0" * 32, "image/png", 1, 1, "#000000")}, BadInput, "bytes"),
    ],
)
def test_one_bad_visualization_and_nothing_is_stored(
    tmp_path: Path, change: dict[str, object], error: type[Exception], says: str
) -> None:
    good = [visualization("mixed1a", u) for u in range(3)]
    bad = dataclasses.replace(visualization("mixed1a", 7), **change)  # type: ignore[arg-type]
    path = tmp_path / "tinynet.atlas"
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        with pytest.raises(error, match=says):
            writer.put([*good, bad])
        assert writer.missing("mixed1a", range(3), recipe()) == [0, 1, 2]
        assert writer.put(good) == 3
    assert units(path) == [0, 1, 2]


def test_a_second_writer_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "tinynet.atlas"
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        with pytest.raises(Conflict, match="another process"):
            AtlasWriter.open(path, MODEL, NODES)
        writer.put([visualization("mixed1a", 5)])
    assert units(path) == [5]
    AtlasWriter.open(path, MODEL, NODES).close()


def test_the_lock_vanishes_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "tinynet.atlas"
    code = (
        "import sys, time; from pathlib import Path; from samples import *\n"
        f"w = AtlasWriter.open(Path({str(path)!r}), MODEL, NODES)\n"
        "w.put([visualization('mixed1a', 3)]); print('ready', flush=True); time.sleep(60)"
    )
    source = Path(__file__).parents[2] / "src"
    env = {
        **os.environ,
        "PYTHONPATH": f"{source}{os.pathsep}{Path(__file__).parents[1] / 'helpers'}",
    }
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=env) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        with pytest.raises(Conflict):
            AtlasWriter.open(path, MODEL, NODES)
        other.send_signal(signal.SIGKILL)
    assert units(path) == [3], "what was stored is read, though its writer was killed"
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        writer.put([visualization("mixed1a", 4)])
    assert units(path) == [3, 4]
    assert [f.name for f in tmp_path.iterdir()] == ["tinynet.atlas"]


@pytest.mark.parametrize("change", [{"digest": "cd" * 32}, {"id": "othernet"}])
def test_other_weights_are_refused(tmp_path: Path, change: dict[str, str]) -> None:
    path = sample_atlas(tmp_path)
    before = path.read_bytes()
    other = dataclasses.replace(MODEL, **change)
    with pytest.raises(Conflict, match=r"abababab.*--atlas"):
        AtlasWriter.open(path, other, NODES)
    assert path.read_bytes() == before
    assert [f.name for f in tmp_path.iterdir()] == ["tinynet.atlas"]


def test_a_new_description_of_the_same_weights_is_taken_over(tmp_path: Path) -> None:
    path = sample_atlas(tmp_path)
    model = dataclasses.replace(MODEL, title="Minute Net", labels=("sun",))
    nodes = [dataclasses.replace(NODES[0], aliases=("stem",)), *NODES[1:3]]
    AtlasWriter.open(path, model, nodes).close()
    atlas = Atlas.open(path)
    assert atlas.model == model
    assert atlas.aliases["stem"] == "conv0"
    assert "logits" in atlas.nodes, "its pictures stay, so it stays"
    assert [hit.text for hit in atlas.search("minute")] == ["Minute Net"]
    assert atlas.search("tinynet")[0].kind == "model"
    assert atlas.search("car") == []
    assert len(units(path)) == 16


def test_opening_without_news_does_not_write(tmp_path: Path) -> None:
    model = dataclasses.replace(MODEL, preprocessing={"mean": (0.5, 0.5), "size": 32})
    path = sample_atlas(tmp_path, model=model)
    with AtlasWriter.open(path, model, NODES):
        assert path.with_name("tinynet.atlas-wal").stat().st_size == 0


def test_a_reader_that_stays_delays_the_fold_but_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from micrograph.atlas import file
    from micrograph.atlas.format import reading

    monkeypatch.setattr(file, "_PATIENCE", 0.2)
    path = sample_atlas(tmp_path, [])
    writer = AtlasWriter.open(path, MODEL, NODES)
    writer.put([visualization("mixed1a", 1)])
    with reading(path) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM picture").fetchone()
        began = time.monotonic()
        writer.close()
        assert time.monotonic() - began < 3
    assert units(path) == [1]
    AtlasWriter.open(path, MODEL, NODES).close()
    assert [f.name for f in tmp_path.iterdir()] == ["tinynet.atlas"]


def test_closing_twice_is_fine_and_leftovers_of_a_killed_start_do_no_harm(tmp_path: Path) -> None:
    for name in ("tinynet.atlas", "another.atlas"):
        (tmp_path / f".{name}{files.UNFINISHED}").mkdir()
        (tmp_path / f".{name}{files.UNFINISHED}" / name).write_bytes(b"half a file")
        (tmp_path / f".{name}{files.UNFINISHED}" / "lock").touch()
    (tmp_path / "tinynet.atlas.lock").touch()
    writer = AtlasWriter.open(tmp_path / "tinynet.atlas", MODEL, NODES)
    writer.close()
    writer.close()
    assert [f.name for f in tmp_path.iterdir()] == ["tinynet.atlas"]


def test_the_folder_is_made_or_the_error_names_it(tmp_path: Path) -> None:
    AtlasWriter.open(tmp_path / "a" / "b" / "tinynet.atlas", MODEL, NODES).close()
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="--atlas"):
        AtlasWriter.open(tmp_path / "file" / "tinynet.atlas", MODEL, NODES)
