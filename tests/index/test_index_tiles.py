"""The pictures that stand for units: an index gives those that the files themselves give."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
from web_samples import MODEL, NODES, picture

from micrograph.atlas import Atlas, AtlasWriter, Library, Reading, Visualization
from micrograph.atlas import read as atlas_read
from micrograph.index import Index
from micrograph.lenses.pages import unit_tiles
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Thumb
from micrograph.parts.urls import Urls

URLS = Urls("v")


def shot(
    node: str,
    unit: int,
    key: int,
    seed: int = 0,
    size: int = 32,
    view: str = "channel",
    **more: int,
) -> Visualization:
    """A result with a picture; `size` 0 is one without."""
    recipe = {"technique": "feature_vis", "view": view, "seed": seed, **more}
    return Visualization(node, unit, recipe, key / 7, picture(key, size) if size else None)


ONE = [
    shot("conv0", 0, 1),
    shot("conv0", 1, 2, seed=0, size=32),
    shot("conv0", 1, 3, seed=0, size=96, steps=9),  # the larger of one seed
    shot("conv0", 2, 4, seed=0, size=32),
    shot("conv0", 2, 5, seed=1, size=96),  # the lowest seed before the larger picture
    shot("conv0", 3, 6, seed=1),
    shot("conv0", 4, 7, seed=0),
    shot("conv0", 4, 8, seed=-1),
    shot("conv0", 5, 9, seed=0, size=0),
    shot("conv0", 5, 10, seed=0, steps=9),
    shot("conv0", 6, 11, view="neuron", whole=0),
    *(shot("mixed1a", unit, 20 + unit) for unit in range(16)),
]
TWO = [
    shot("conv0", 0, 51, steps=9),
    shot("conv0", 3, 52, seed=0),
    shot("conv0", 7, 53),
    shot("mixed1a", 3, 54, size=96, steps=9),
    shot("wide", 1000, 55),
    shot("wide", 100, 56),
]


def write(folder: Path, rows: Sequence[Visualization], id: str = MODEL.id) -> None:
    model = dataclasses.replace(MODEL, id=id)
    with AtlasWriter.open(folder / f"{id}.atlas", model, NODES) as writer:
        writer.put(rows)


def shown(atlas: Reading) -> dict[tuple[str, int], Thumb | None]:
    """Every unit as it stands on the page of another node, where it is asked for by itself."""
    scene = Scene(atlas, atlas.nodes["logits"], None, URLS, [])
    return {
        (node.id, unit): scene.thumb(node.id, unit)
        for node in NODES
        for unit in range(min(node.units, 20))
        if node.id != "logits"
    } | {("wide", 1000): scene.thumb("wide", 1000), ("wide", 100): scene.thumb("wide", 100)}


@pytest.mark.parametrize("folders", [(ONE,), (TWO,), (ONE, TWO), (TWO, ONE)])
def test_units_have_the_pictures_that_the_files_say(
    tmp_path: Path, folders: tuple[list[Visualization], ...]
) -> None:
    places = [tmp_path / str(number) for number in range(len(folders))]
    for place, rows in zip(places, folders, strict=True):
        write(place, rows)
    index = Index([tmp_path / "index.sqlite"], {unit_tiles.KEPT_AS: unit_tiles.pack})
    indexed = Library(places, index=index).snapshot().model(MODEL.id)
    assert index.wait_until_current(60)
    found = shown(indexed)
    assert found == shown(Library(places).snapshot().model(MODEL.id))
    assert sum(thumb is not None and thumb.image is not None for thumb in found.values()) >= 4
    index.close()


def test_units_of_other_models_are_shown_without_opening_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second", "third"):
        write(tmp_path, ONE, name)
    index = Index([tmp_path / "index.sqlite"], {unit_tiles.KEPT_AS: unit_tiles.pack})
    atlas, *others = Library([tmp_path], index=index).snapshot().atlases()
    assert index.wait_until_current(60)
    scene = Scene(atlas, atlas.nodes["logits"], 0, URLS, [], others=others)

    def opened(path: Path) -> None:
        raise AssertionError(f"{path} was opened")

    monkeypatch.setattr(atlas_read, "reading", opened)
    pictures = {
        (model, unit): scene.thumb("mixed1a", unit, model)
        for model in ("first", "second", "third")
        for unit in (3, 11)
    }
    assert {key: thumb and thumb.address for key, thumb in pictures.items()} == {
        (model, unit): f"{model}/mixed1a/{unit}" for model, unit in pictures
    }
    index.close()


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\nconv0/3\tno tile\n",
        b"\nconv0/3\t\n",
        b"\nconv0/3\tab\timage/avif\t64\t64\t#808080\t1.5\n",
        b"\nconv0/3\tab\timage/avif\tx\t64\t#808080\t1.5\t0\n",
        b"\nconv0/33\tab\timage/avif\t64\t64\t#808080\t1.5\t0\n",
        b"\nconv0/3\t\xff\timage/avif\t64\t64\t#808080\t1.5\t0\n",
    ],
)
def test_what_was_not_packed_is_not_found(packed: bytes) -> None:
    assert unit_tiles.PackedTiles(packed).find("conv0", 3) == []


def test_what_was_packed_is_found_and_no_neighbour_of_it(tmp_path: Path) -> None:
    write(tmp_path, ONE)
    atlas = Atlas.open(tmp_path / f"{MODEL.id}.atlas")
    packed = unit_tiles.pack(atlas)
    tiles = {tile.unit: tile for tile in atlas.tiles("mixed1a", "feature_vis", "channel")}
    seeds = [unit_tiles.PackedTiles(packed).find("conv0", unit)[0].seed for unit in range(6)]
    assert seeds == [0, 0, 0, 1, -1, 0]
    assert unit_tiles.PackedTiles(packed).find("conv0", 1)[0].width == 96
    found = unit_tiles.PackedTiles(packed)
    assert {unit: found.find("mixed1a", unit)[0] for unit in range(16)} == tiles
    for node, unit in (("mixed1a", 16), ("ixed1a", 1), ("conv0", 7), ("conv0", 6), ("wide", 1)):
        assert unit_tiles.PackedTiles(packed).find(node, unit) == []


def test_a_node_without_pictures_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    packed, looks = unit_tiles.PackedTiles(b"\n"), []
    scan = unit_tiles.PackedTiles._places_of

    def noted(self: unit_tiles.PackedTiles, node: str) -> object:
        looks.append(node)
        return scan(self, node)

    monkeypatch.setattr(unit_tiles.PackedTiles, "_places_of", noted)
    assert [packed.find("conv0", unit) for unit in range(3)] == [[], [], []]
    assert looks == ["conv0"]
