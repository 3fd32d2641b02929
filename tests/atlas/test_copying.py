"""Atlases checked, mended, joined and divided."""

import sqlite3
import weakref
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samples import MODEL, NODES, picture, visualization

from micrograph.atlas import (
    Atlas,
    AtlasWriter,
    DatasetRecord,
    DictionaryRecord,
    Merged,
    SampleRecord,
    Visualization,
    copy,
    copying,
    verify,
)
from micrograph.atlas.whole import results, samples
from micrograph.errors import BadInput, Conflict, DamagedAtlas, NotFound

TOWN = DatasetRecord("town", "cd" * 32, "Town", 10, 32, "CC0", ("car", "bus"))
OTHER = DatasetRecord("other", "ce" * 32, "Other", 10, 32)


def swept(node: str) -> Visualization:
    return Visualization(
        node,
        None,
        {"technique": "dataset_examples", "view": "town", "seed": 0},
        0.0,
        None,
        {"dataset": TOWN.digest},
        arrays={"profile": np.arange(160, dtype=np.uint8).reshape(16, 10)},
        made_with={"torch": "2"},
        created="2026-01-02T03:04:05Z",
        seconds=1.5,
    )


def whole_atlas(path: Path) -> Path:
    made = replace(NODES[-1], id="conv0.sae", index=len(NODES), kind="dictionary")
    about = DictionaryRecord(made.id, "ab" * 32, {"title": "made"})
    with AtlasWriter.open(path, MODEL, [*NODES, made], dictionaries=[about]) as writer:
        writer.put([visualization("mixed1a", unit) for unit in range(5)])
        writer.put([visualization("mixed1b", unit) for unit in range(3)])
        writer.put([swept("mixed1a"), swept("mixed1b")])
        writer.put_samples(TOWN, [SampleRecord(n, f"{n}.png", 0, picture(n)) for n in range(3)])
        writer.put_samples(OTHER, [SampleRecord(0, "0.png", -1)])
    return path


def content(path: Path) -> dict[str, Any]:
    """Everything that an atlas gives, to be compared."""
    atlas = Atlas.open(path)
    with closing(sqlite3.connect(path)) as connection:
        found = list(results(connection, atlas, lambda done, of: None))
    return {
        "model": atlas.model,
        "nodes": atlas.nodes,
        "dictionaries": atlas.dictionaries,
        "datasets": {d.digest: (d, atlas.samples(d.digest, range(10))) for d in atlas.datasets()},
        "results": {
            (v.node, v.unit, v.technique, v.seed): (
                replace(v, arrays={}),
                {name: (a.dtype, a.tolist()) for name, a in v.arrays.items()},
            )
            for v in found
            if isinstance(v, Visualization)
        },
    }


def test_a_whole_atlas_has_no_losses(tmp_path: Path) -> None:
    path = whole_atlas(tmp_path / "a.atlas")
    seen: list[tuple[int, int]] = []
    account = verify(path, lambda done, of: seen.append((done, of)))
    assert (account.results, account.samples, account.losses) == (10, 4, [])
    assert seen[-1] == (10, 10)


def test_a_copy_is_the_same(tmp_path: Path) -> None:
    path = whole_atlas(tmp_path / "a.atlas")
    account = copy([path], tmp_path / "b.atlas")
    assert (account.results, account.samples) == (10, 4)
    assert content(tmp_path / "b.atlas") == content(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.atlas", "b.atlas"]


def test_parts_that_are_joined_are_the_whole(tmp_path: Path) -> None:
    path = whole_atlas(tmp_path / "a.atlas")
    copy([path], tmp_path / "1.atlas", nodes=["1a"])
    copy([path], tmp_path / "2.atlas", nodes=["mixed1b"], techniques=["feature_vis"])
    copy([path], tmp_path / "3.atlas", techniques=["dataset_examples"])
    one, two = Atlas.open(tmp_path / "1.atlas"), Atlas.open(tmp_path / "2.atlas")
    assert {(c.node, c.technique) for c in one.counts()} == {
        ("mixed1a", "feature_vis"),
        ("mixed1a", "dataset_examples"),
    }
    assert [d.name for d in one.datasets()] == ["town"]
    assert [(c.node, c.technique, c.units) for c in two.counts()] == [("mixed1b", "feature_vis", 3)]
    assert two.datasets() == []
    account = copy([tmp_path / f"{n}.atlas" for n in (1, 2, 3)], tmp_path / "b.atlas")
    assert account.results == 10
    expected = content(path)
    del expected["datasets"][OTHER.digest]
    assert content(tmp_path / "b.atlas") == expected


HURT = {
    "a picture": (
        "UPDATE picture SET data = CAST(data || x'00' AS BLOB) WHERE id = 2",
        ["mixed1a/1, feature_vis channel: the bytes of its picture changed since it was written"],
        9,
    ),
    "an array": (
        "UPDATE array SET data = CAST(x'07' || substr(data, 2) AS BLOB) WHERE rowid = 1",
        ["mixed1a, dataset_examples town: the bytes of an array changed since it was written"],
        9,
    ),
    "data": (
        "UPDATE visualization SET data = '[' WHERE id = 8",
        ["mixed1b/2, feature_vis channel"],
        9,
    ),
    "a picture that is gone": (
        "PRAGMA foreign_keys = OFF; DELETE FROM picture WHERE id = 3",
        ["mixed1a/2, feature_vis channel: its picture is gone"],
        9,
    ),
    "a recipe": (
        "UPDATE recipe SET json = replace(json, '32', '33') WHERE technique = 'feature_vis'",
        ["its recipe changed"] * 8,
        2,
    ),
    "a sample": (
        "UPDATE sample SET class = -7 WHERE number = 1",
        ["picture 1 of town"],
        10,
    ),
}


@pytest.mark.parametrize("kind", HURT)
def test_what_is_lost_is_named_and_the_rest_saved(tmp_path: Path, kind: str) -> None:
    sql, named, sound = HURT[kind]
    path = whole_atlas(tmp_path / "a.atlas")
    before = content(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(sql)
    account = verify(path)
    assert account.results == sound
    assert len(account.losses) == len(named)
    for loss, words in zip(account.losses, named, strict=True):
        assert words in str(loss)
    with pytest.raises(DamagedAtlas, match="repair"):
        copy([path], tmp_path / "b.atlas")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.atlas"]
    mended = copy([path], tmp_path / "b.atlas", strict=False)
    assert mended.results == sound
    assert mended.losses == account.losses
    assert verify(tmp_path / "b.atlas").losses == []
    after = content(tmp_path / "b.atlas")["results"]
    assert len(after) == sound
    assert all(before["results"][key] == value for key, value in after.items())


UNHURT: dict[str, dict[str, list[str]]] = {
    "a picture": {"nodes": ["mixed1b"]},
    "an array": {"techniques": ["feature_vis"]},
    "data": {"nodes": ["mixed1a"]},
    "a picture that is gone": {"nodes": ["mixed1b"], "techniques": ["feature_vis"]},
    "a recipe": {"techniques": ["dataset_examples"]},
    "a sample": {"techniques": ["feature_vis"]},
}
"""Parts that the damage of `HURT` does not concern."""

CONCERNED: dict[str, dict[str, list[str]]] = {
    "a picture": {"nodes": ["mixed1a"], "techniques": ["feature_vis"]},
    "an array": {"nodes": ["mixed1a"]},
    "data": {"nodes": ["mixed1b"]},
    "a picture that is gone": {"techniques": ["feature_vis"]},
    "a recipe": {"nodes": ["mixed1b"]},
    "a sample": {"nodes": ["mixed1b"]},
}


@pytest.mark.parametrize("kind", HURT)
def test_a_part_minds_the_damage_in_it_alone(tmp_path: Path, kind: str) -> None:
    sql, named, _ = HURT[kind]
    path, part = whole_atlas(tmp_path / "a.atlas"), tmp_path / "part.atlas"
    copy([path], tmp_path / "before.atlas", **UNHURT[kind])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(sql)
    account = copy([path], part, **UNHURT[kind])
    assert content(part) == content(tmp_path / "before.atlas")
    assert not account.losses
    assert len(account.passed_over) == len(named)
    assert all(words in str(one) for one, words in zip(account.passed_over, named, strict=True))
    part.unlink()
    with pytest.raises(DamagedAtlas, match="repair"):
        copy([path], part, **CONCERNED[kind])
    assert not part.exists()


def test_a_row_whose_node_cannot_be_told_may_be_meant(tmp_path: Path) -> None:
    path = whole_atlas(tmp_path / "a.atlas")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE visualization SET node = 999 WHERE id = 1")
    for node in ("mixed1a", "mixed1b"):
        with pytest.raises(DamagedAtlas, match="not in the graph"):
            copy([path], tmp_path / "b.atlas", nodes=[node])


def test_a_search_that_cannot_be_read_is_named_and_made_anew(tmp_path: Path) -> None:
    path = whole_atlas(tmp_path / "a.atlas")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE search_config")
    account = verify(path)
    assert [loss.what for loss in account.losses] == ["the search"]
    assert copy([path], tmp_path / "b.atlas").losses == []
    assert verify(tmp_path / "b.atlas").losses == []
    assert Atlas.open(tmp_path / "b.atlas").search("mixed1a")


def test_a_lost_page_costs_what_lay_on_it(tmp_path: Path) -> None:
    path = tmp_path / "a.atlas"
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        for seed in range(20):
            writer.put([visualization("mixed1a", unit, seed=seed) for unit in range(8)])
    before = content(path)["results"]
    data = bytearray(path.read_bytes())
    lost = 32768 * next(
        page for page in range(len(data) // 32768 - 2, 0, -1) if data[page * 32768] == 0x0D
    )
    data[lost : lost + 32768] = bytes(32768)
    path.write_bytes(data)
    account = copy([path], tmp_path / "b.atlas", strict=False)
    assert account.losses
    assert verify(path).losses
    assert verify(tmp_path / "b.atlas").losses == []
    assert len(before) > len(content(tmp_path / "b.atlas")["results"]) > 0


def test_of_a_lost_page_the_index_tells_which_nodes_lost_results(tmp_path: Path) -> None:
    path, new = tmp_path / "a.atlas", tmp_path / "b.atlas"
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        for node in ("mixed1a", "mixed1b"):
            for seed in range(30):
                writer.put([visualization(node, unit, seed=seed) for unit in range(8)])
    whole = path.read_bytes()
    told = 0
    for page in range(1, len(whole) // 32768):
        if whole[page * 32768] != 0x0D:  # no leaf of a table
            continue
        path.write_bytes(whole[: page * 32768] + bytes(32768) + whole[(page + 1) * 32768 :])
        try:
            losses = verify(path).losses
        except BadInput:  # what every reader needs is gone
            continue
        lost = {one.node for one in losses if one.technique == "feature_vis"}
        if lost and None not in {one.node for one in losses if one.what != "the file"}:
            for node in {"mixed1a", "mixed1b"} - lost:
                told += 1
                assert copy([path], new, nodes=[node]).results == 240
                new.unlink()
            for node in lost:
                with pytest.raises(DamagedAtlas):
                    copy([path], new, nodes=[str(node)])
    assert told


def test_what_cannot_be_one_atlas(tmp_path: Path) -> None:
    path = whole_atlas(tmp_path / "a.atlas")
    other = replace(MODEL, digest="ee" * 32)
    AtlasWriter.open(tmp_path / "other.atlas", other, NODES).close()
    with pytest.raises(Conflict, match="one model and its weights"):
        copy([path, tmp_path / "other.atlas"], tmp_path / "b.atlas")
    with pytest.raises(Conflict, match="there already"):
        copy([path], tmp_path / "other.atlas")
    with pytest.raises(NotFound):
        copy([path], tmp_path / "b.atlas", nodes=["nowhere"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.atlas", "other.atlas"]


def test_the_first_of_several_wins(tmp_path: Path) -> None:
    paths = []
    for n in range(2):
        paths.append(tmp_path / f"{n}.atlas")
        with AtlasWriter.open(paths[-1], MODEL, NODES) as writer:
            writer.put([replace(visualization("mixed1a", 0), score=float(n))])
            writer.put([visualization("mixed1a", n + 1)])
    copy(paths, tmp_path / "b.atlas")
    joined, read = Atlas.open(tmp_path / "b.atlas"), Merged([Atlas.open(p) for p in paths])
    for unit in range(3):
        assert joined.visualizations("1a", unit) == read.visualizations("1a", unit)


def test_sample_pictures_do_not_pile_up_in_memory(tmp_path, monkeypatch):
    whole = whole_atlas(tmp_path / "whole.atlas")
    given: list[weakref.ref[SampleRecord]] = []
    most = 0

    def watched(connection):
        nonlocal most
        for dataset, sample in samples(connection):
            most = max(most, sum(ref() is not None for ref in given))
            if sample is not None:
                given.append(weakref.ref(sample))
            yield dataset, sample

    monkeypatch.setattr(copying, "samples", watched)
    assert verify(whole).samples == len(given) == 4
    assert most == 1
