"""Models that are known though nothing of them is rendered."""

import dataclasses
from pathlib import Path

import pytest
from samples import MODEL, NODES, sample_atlas

from micrograph.atlas import Atlas, Library, Outline, Reading
from micrograph.errors import NotFound

KNOWN = dataclasses.replace(MODEL, digest="")


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "tinynet.json").write_text(Outline(KNOWN, NODES).dump(), "utf-8")
    lost = dataclasses.replace(MODEL, id="lost", title="Lost", labels=())
    (folder / "lost.json").write_text(Outline(lost, (), "never published").dump(), "utf-8")
    return folder


def test_an_outline_reads_back() -> None:
    again = Outline.load(Outline(MODEL, NODES, "«never»").dump())
    assert again.model == MODEL
    assert tuple(again.nodes.values()) == NODES
    assert again.unreleased == "«never»"
    assert again.aliases["1a"] == "mixed1a"
    assert again.dump() == Outline(MODEL, NODES, "«never»").dump()


def test_what_is_worth_a_picture_is_kept_where_somebody_decided_it() -> None:
    decided = tuple(
        dataclasses.replace(node, worth=worth)
        for node, worth in zip(NODES, (True, False, None, None), strict=True)
    )
    text = Outline(MODEL, decided, "").dump()
    assert tuple(Outline.load(text).nodes.values()) == decided
    assert text.count('"worth"') == 2, "files of before stay what they were"


def test_known_models_come_last_and_are_read_like_atlases(tmp_path: Path, catalogue: Path) -> None:
    sample_atlas(tmp_path, model=dataclasses.replace(MODEL, id="zoo"))
    library = Library([tmp_path], catalogue)
    assert [m.id for m in library.models()] == ["zoo", "lost", "tinynet"]
    assert [a.model.id for a in library.atlases()] == ["zoo"]
    known: Reading = library.model("tinynet")
    assert known.counts() == known.tiles("1a", "feature_vis", "channel") == []
    assert known.visualizations("conv0", 1) == known.datasets() == []
    assert known.results("conv0", "x", "y") == known.arrays("conv0", 1, "x", "y") == {}
    assert known.samples("ab" * 32, [1]) == {}
    assert known.picture("0" * 32) is None
    assert library.outlines["lost"].unreleased == "never published"
    with pytest.raises(NotFound, match="tinynet"):
        library.model("tinynt")


def test_a_real_atlas_takes_the_place_of_the_outline(tmp_path: Path, catalogue: Path) -> None:
    """Also of other weights than the catalogue states; and it goes when the atlas goes."""
    library = Library([tmp_path], catalogue)
    assert library.model("tinynet").model == KNOWN
    path = sample_atlas(tmp_path)
    assert library.model("tinynet").model == MODEL
    assert library.model("tinynet").counts()
    assert [m.id for m in library.models()] == ["tinynet", "lost"]
    assert library.problems == ()
    path.unlink()
    assert library.model("tinynet").model == KNOWN


def test_an_old_atlas_learns_names_of_nodes(tmp_path: Path, catalogue: Path) -> None:
    old = tuple(dataclasses.replace(n, aliases=()) for n in NODES[:2])
    sample_atlas(tmp_path, nodes=old)
    atlas = Library([tmp_path], catalogue).model("tinynet")
    assert atlas.aliases["1a"] == "mixed1a"
    assert "1b" not in atlas.aliases, "a node that the atlas does not have"


@pytest.mark.parametrize("text", ["tiny", "conv", "mixed1a 1a", "wild", "car", "MIXED", "", "é ("])
def test_outlines_find_what_atlases_find(tmp_path: Path, text: str) -> None:
    atlas = Atlas.open(sample_atlas(tmp_path))
    found = Outline(MODEL, NODES).search(text)
    assert sorted(map(repr, found)) == sorted(map(repr, atlas.search(text)))
    assert len(Outline(MODEL, NODES).search("mixed", 1)) == 1


def test_the_catalogue_that_ships_is_small_and_sound() -> None:
    from micrograph.atlas import bundled_catalogue

    files = list(bundled_catalogue().glob("*.json"))
    assert sum(f.stat().st_size for f in files) <= 2_500_000
    library = Library([], bundled_catalogue())
    assert [m.id for m in library.models()] == sorted(f.stem for f in files)
    for model in library.models():
        outline = library.outlines[model.id]
        assert (not outline.nodes) == bool(outline.unreleased)
        assert all(parent in outline.nodes for n in outline.nodes.values() for parent in n.parents)
        assert all(node.units > 0 for node in outline.nodes.values())
