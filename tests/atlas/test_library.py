"""Several files read as one site: precedence, merging, problems, live changes."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import MODEL, NODES, sample_atlas, visualization

from micrograph.atlas import AtlasWriter, Library, Visualization, bundled_gallery
from micrograph.errors import NotFound


def test_models_come_in_order_of_precedence(tmp_path: Path) -> None:
    other = dataclasses.replace(MODEL, id="other", title="Other", labels=("cart",))
    mine, gallery = tmp_path / "mine", tmp_path / "gallery"
    sample_atlas(gallery, model=other)
    sample_atlas(gallery)
    sample_atlas(mine, [])
    library = Library([mine, gallery])
    assert [model.id for model in library.models()] == ["tinynet", "other"]
    assert library.model("other").model == other
    assert library.problems == ()
    assert [(h.model, h.text) for h in library.search("car")] == [
        ("tinynet", "car"),
        ("other", "cart"),
    ]
    assert [h.kind for h in library.search("o")] == ["model"]
    with pytest.raises(NotFound, match="tinynet"):
        library.model("tinynets")


def test_a_single_file_can_be_shown(tmp_path: Path) -> None:
    assert [m.id for m in Library([sample_atlas(tmp_path)]).models()] == ["tinynet"]


def test_folders_that_are_not_there_yet_are_no_problem(tmp_path: Path) -> None:
    library = Library([tmp_path / "later"])
    assert library.models() == []
    assert library.problems == ()
    sample_atlas(tmp_path / "later")
    assert [m.id for m in library.models()] == ["tinynet"]


_ONE = st.builds(
    visualization,
    node=st.just("conv0"),
    unit=st.integers(0, 2),
    seed=st.integers(0, 1),
    size=st.sampled_from([16, 32]),
    created=st.sampled_from(["2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z"]),
)


@settings(max_examples=30, deadline=None)
@given(
    first=st.lists(_ONE, max_size=6),
    second=st.lists(_ONE, max_size=6),
    min_width=st.sampled_from([None, 16, 20, 64]),
)
def test_merged_files_of_one_model(
    first: list[Visualization],
    second: list[Visualization],
    min_width: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    # The same recipe at the same unit scored otherwise in the second file, to tell them apart.
    second = [dataclasses.replace(v, score=-1.0 - v.score) for v in second]
    sample_atlas(folder / "a", first)
    sample_atlas(folder / "b", second)
    merged = Library([folder / "a", folder / "b"]).model("tinynet")

    stored: dict[tuple[int, str], Visualization] = {}
    for v in (*first, *second):
        assert v.unit is not None
        stored.setdefault((v.unit, str(v.recipe)), v)
    for unit in range(3):
        expected = [v for (u, _), v in stored.items() if u == unit]
        got = merged.visualizations("conv0", unit)
        assert sorted(v.score for v in got) == sorted(v.score for v in expected)
        keys = [(v.variant, v.seed, -v.picture.width) for v in got]
        assert keys == sorted(keys)

    tiles = merged.tiles("conv0", "feature_vis", "channel", min_width=min_width)
    assert [t.unit for t in tiles] == sorted({unit for unit, _ in stored})
    for tile in tiles:

        def rank(width: int, seed: int, score: float) -> tuple[object, ...]:
            wide = min_width is not None and width >= min_width
            return (wide, -width if wide else width, -seed, score >= 0)

        candidates = [v for (u, _), v in stored.items() if u == tile.unit]
        best = max(rank(v.picture.width, v.seed, v.score) for v in candidates)
        assert rank(tile.width, tile.seed, tile.score) == best
        assert merged.picture(tile.digest) is not None
    (*_, count) = merged.counts() or [None]
    assert (count.units if count else 0) == len(tiles)


def test_nodes_of_all_files_in_graph_order(tmp_path: Path) -> None:
    sample_atlas(tmp_path / "a", [], nodes=(NODES[2],))
    sample_atlas(tmp_path / "b")
    merged = Library([tmp_path / "a", tmp_path / "b"]).model("tinynet")
    assert list(merged.nodes) == ["conv0", "mixed1a", "mixed1b", "logits"]
    assert len(merged.tiles("1a", "feature_vis", "channel")) == 16
    assert [h.node for h in merged.search("mixed1b")] == ["mixed1b"]


def test_other_weights_under_the_same_name_are_not_mixed(tmp_path: Path) -> None:
    sample_atlas(tmp_path / "a", [])
    other = sample_atlas(tmp_path / "b", model=dataclasses.replace(MODEL, digest="cd" * 32))
    library = Library([tmp_path / "a", tmp_path / "b"])
    assert library.model("tinynet").counts() == []
    (problem,) = library.problems
    assert problem.path == other
    assert "cdcdcdcd" in problem.message
    assert "\n" not in problem.message


def test_broken_files_are_listed_and_the_rest_is_shown(tmp_path: Path) -> None:
    good = sample_atlas(tmp_path)
    (tmp_path / "foreign.atlas").write_bytes(b"not a database, just some bytes" * 100)
    (tmp_path / "empty.atlas").touch()
    (tmp_path / "folder.atlas").mkdir()
    (tmp_path / "notes.txt").write_text("not looked at")
    shutil.copy(good, tmp_path / "cut.atlas")
    os.truncate(tmp_path / "cut.atlas", 100_000)
    library = Library([tmp_path])
    assert [m.id for m in library.models()] == ["tinynet"]
    told = {problem.path.name: problem.message for problem in library.problems}
    assert set(told) == {"foreign.atlas", "empty.atlas", "folder.atlas", "cut.atlas"}
    assert "not an atlas" in told["foreign.atlas"]
    assert "not an atlas" in told["empty.atlas"]
    assert "cut short" in told["cut.atlas"]
    (tmp_path / "foreign.atlas").unlink()
    shutil.copy(good, tmp_path / "cut.atlas")
    assert {p.path.name for p in library.problems} == {"empty.atlas", "folder.atlas"}


def test_pages_follow_a_render(tmp_path: Path) -> None:
    library = Library([tmp_path])
    with AtlasWriter.open(tmp_path / "tinynet.atlas", MODEL, NODES) as writer:
        shown = library.model("tinynet")
        assert shown.counts() == []
        writer.put([visualization("conv0", 1)])
        assert [t.unit for t in shown.tiles("conv0", "feature_vis", "channel")] == [1]
        writer.put([visualization("conv0", 2)])
        assert [
            t.unit for t in library.model("tinynet").tiles("conv0", "feature_vis", "channel")
        ] == [1, 2]
    renamed = dataclasses.replace(MODEL, title="Renamed")
    AtlasWriter.open(tmp_path / "tinynet.atlas", renamed, NODES).close()
    assert library.models()[0].title == "Renamed"
    (tmp_path / "tinynet.atlas").unlink()
    assert library.models() == []


def test_unchanged_files_are_not_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_atlas(tmp_path)
    library = Library([tmp_path])
    before = library.model("tinynet")
    monkeypatch.setattr("micrograph.atlas.library.Atlas.open", None)
    assert library.model("tinynet") is before


def test_the_gallery_lies_inside_the_package() -> None:
    assert bundled_gallery().parts[-2:] == ("micrograph", "gallery")


def test_places_that_cannot_be_looked_into_show_nothing(tmp_path):
    library = Library([tmp_path / ("x" * 300)])  # a name longer than the system takes
    assert (library.models(), library.problems) == ([], ())


def test_a_snapshot_stays_as_it_is(tmp_path: Path) -> None:
    path = sample_atlas(tmp_path)
    library = Library([tmp_path])
    before = library.snapshot()
    assert library.snapshot() is before
    other = dataclasses.replace(MODEL, id="other", title="Other")
    os.replace(sample_atlas(tmp_path / "new", model=other, nodes=NODES[:2]), path)
    (tmp_path / "broken.atlas").touch()
    assert [m.id for m in before.models()] == ["tinynet"]
    assert list(before.model("tinynet").nodes) == [n.id for n in NODES]
    assert before.problems == ()
    after = library.snapshot()
    assert [m.id for m in after.models()] == ["other"]
    assert list(after.model("other").nodes) == ["conv0", "mixed1a"]
    assert [p.path.name for p in after.problems] == ["broken.atlas"]


def test_a_snapshot_is_new_when_only_the_log_beside_a_file_grew(tmp_path: Path) -> None:
    library = Library([tmp_path])
    with AtlasWriter.open(tmp_path / "tinynet.atlas", MODEL, NODES) as writer:
        writer.put([visualization("conv0", 1)])
        before, inside = library.snapshot(), (tmp_path / "tinynet.atlas").stat().st_mtime_ns
        writer.put([visualization("conv0", 2)])
        assert (tmp_path / "tinynet.atlas").stat().st_mtime_ns == inside
        assert library.snapshot() is not before
