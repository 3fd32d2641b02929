"""Reading an atlas: what was put comes out, the grid's choice equals a slow twin's."""

import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import MODEL, NODES, picture, sample_atlas, visualization

from micrograph.atlas import Atlas, AtlasWriter, Hit, Tile, Visualization
from micrograph.errors import NotFound


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return Atlas.open(sample_atlas(tmp_path_factory.mktemp("read")))


def test_model_and_nodes_come_back_as_they_were(atlas: Atlas) -> None:
    assert atlas.model == MODEL
    assert list(atlas.nodes.values()) == list(NODES)
    assert atlas.aliases["1a"] == atlas.aliases["inception_1a"] == "mixed1a"
    assert atlas.aliases["conv0"] == "conv0"


def test_what_is_worth_a_picture_comes_back(tmp_path: Path) -> None:
    worth = (True, False, None, None)
    nodes = tuple(replace(node, worth=w) for node, w in zip(NODES, worth, strict=True))
    path = sample_atlas(tmp_path, [], nodes=nodes)
    assert tuple(node.worth for node in Atlas.open(path).nodes.values()) == worth
    AtlasWriter.open(path, MODEL, NODES[:1]).close()
    assert Atlas.open(path).nodes["conv0"].worth is None, "the last writer's word holds"


def test_a_node_id_wins_over_an_alias(tmp_path: Path) -> None:
    from samples import node

    nodes = (node("a", 0, 2), node("b", 1, 2, ("a",), aliases=("a",)))
    assert Atlas.open(sample_atlas(tmp_path, [], nodes=nodes)).aliases == {"a": "a", "b": "b"}


def test_visualizations_come_back_whole_but_for_the_bytes(tmp_path: Path) -> None:
    put = visualization("mixed1a", 3, data={"history": [1.5, 2.5]}, steps=64)
    atlas = Atlas.open(sample_atlas(tmp_path, [put]))
    (got,) = atlas.visualizations("1a", 3)
    bare = {"digest": put.picture.digest, "data": b""}
    assert got.picture.data == b""
    assert atlas.picture(got.picture.digest) == put.picture
    assert {**vars(got), "picture": {**vars(got.picture), **bare}} == {
        **vars(put),
        "picture": {**vars(put.picture), **bare},
    }


def test_what_a_technique_made_of_a_whole_node(tmp_path: Path) -> None:
    atlas = Atlas.open(sample_atlas(tmp_path, [visualization("conv0", None, "deep")]))
    (got,) = atlas.visualizations("conv0", None)
    assert got.unit is None
    assert atlas.visualizations("conv0", 0) == []
    assert atlas.tiles("conv0", "feature_vis", "deep") == []


def test_visualizations_are_ordered_and_can_be_narrowed(atlas: Atlas) -> None:
    found = atlas.visualizations("conv0", 0)
    order = [(v.variant, v.seed, v.picture.width) for v in found]
    assert order == [
        ("channel", 0, 64),
        ("channel", 0, 32),
        ("channel", 1, 64),
        ("channel-negative", 0, 64),
        ("channel-negative", 1, 64),
    ]
    assert atlas.visualizations("conv0", 0, "feature_vis") == found
    assert atlas.visualizations("conv0", 0, "deepdream") == []


def test_unknown_places(atlas: Atlas) -> None:
    with pytest.raises(NotFound, match="mixed1a") as error:
        atlas.tiles("mixed1c", "feature_vis", "channel")
    assert "mixed1a" in error.value.nearest
    assert atlas.visualizations("conv0", 99) == []
    assert atlas.picture("0" * 32) is None
    assert atlas.picture("no digest") is None


def test_counts(atlas: Atlas) -> None:
    counted = {(c.node, c.variant): c.units for c in atlas.counts()}
    assert counted == {
        **{(n.id, "channel"): n.units for n in NODES},
        **{(n.id, "channel-negative"): 1 for n in NODES},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tiny", [("model", None, None, "TinyNet")]),
        ("1a", [("node", "mixed1a", None, "mixed1a")]),
        ("INCEPTION", [("node", "mixed1a", None, "mixed1a")]),
        ("cat wild", [("label", "logits", 2, "wild cat")]),
        ("conv", [("node", "conv0", None, "conv0")]),
        ("zebra", []),
        ('"*() NEAR AND', []),
        ("", []),
        ("_ - \x00", []),
    ],
)
def test_search(atlas: Atlas, text: str, expected: list[tuple[object, ...]]) -> None:
    assert atlas.search(text) == [Hit(k, MODEL.id, n, u, t) for k, n, u, t in expected]


def test_search_stops_at_the_limit(atlas: Atlas) -> None:
    assert len(atlas.search("c", 10)) == 3
    assert len(atlas.search("c", 2)) == 2


_ONE = st.builds(
    visualization,
    node=st.sampled_from(["conv0", "mixed1a"]),
    unit=st.integers(0, 2),
    variant=st.sampled_from(["channel", "neuron"]),
    seed=st.integers(0, 2),
    size=st.sampled_from([16, 24, 32]),
    created=st.sampled_from(["2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z"]),
    steps=st.integers(0, 1),
)


def slow_tiles(
    put: list[Visualization], node: str, variant: str, seed: int | None, min_width: int | None
) -> list[Tile]:
    """What `tiles` promises, the slow way."""
    stored: dict[object, Visualization] = {}
    for v in put:
        stored.setdefault((v.node, v.unit, str(v.recipe)), v)
    best: dict[int, tuple[tuple[object, ...], Visualization]] = {}
    for age, v in enumerate(stored.values()):
        if v.node != node or v.variant != variant or seed not in (None, v.seed):
            continue
        wide = min_width is not None and v.picture.width >= min_width
        rank = (wide, -v.picture.width if wide else v.picture.width, -v.seed, v.created, age)
        assert v.unit is not None
        if v.unit not in best or rank > best[v.unit][0]:
            best[v.unit] = (rank, v)
    return [
        Tile(unit, p.digest, p.mime, p.width, p.height, p.color, v.score, v.seed)
        for unit, (_, v) in sorted(best.items())
        for p in [v.picture]
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    put=st.lists(_ONE, max_size=25),
    seed=st.none() | st.integers(0, 2),
    min_width=st.none() | st.sampled_from([1, 20, 32, 1000]),
)
def test_tiles_equal_the_slow_twin(
    put: list[Visualization],
    seed: int | None,
    min_width: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    atlas = Atlas.open(sample_atlas(tmp_path_factory.mktemp("tiles"), put))
    for node in ("conv0", "mixed1a"):
        for variant in ("channel", "neuron"):
            expected = slow_tiles(put, node, variant, seed, min_width)
            assert atlas.tiles(node, "feature_vis", variant, seed, min_width) == expected


def test_readers_in_many_threads_see_a_writer_at_work(tmp_path: Path) -> None:
    """Every batch shows up whole or not at all; when the writer is done one plain file is left."""
    failures: list[BaseException] = []
    done = threading.Event()
    atlas = Atlas.open(sample_atlas(tmp_path, []))

    def watch() -> None:
        try:
            last = 0
            while not done.is_set():
                tiles = atlas.tiles("mixed1a", "feature_vis", "channel")
                assert len(tiles) % 4 == 0
                assert len(tiles) >= last
                last = len(tiles)
                for tile in tiles[-4:]:
                    found = atlas.picture(tile.digest)
                    assert found is not None
                    assert found.data
                time.sleep(0.03)  # the writer needs a moment in which nobody reads
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=watch) for _ in range(4)]
    for thread in threads:
        thread.start()
    with AtlasWriter.open(atlas.path, MODEL, NODES) as writer:
        for start in range(0, 16, 4):
            writer.put(visualization("mixed1a", u) for u in range(start, start + 4))
    # Closed while the readers were busy: nothing but the file is left.
    names = [f.name for f in tmp_path.iterdir()]
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert names == ["tinynet.atlas"]
    assert len(atlas.tiles("mixed1a", "feature_vis", "channel")) == 16


def test_no_writing_through_a_reader(atlas: Atlas) -> None:
    from micrograph.atlas.format import reading
    from micrograph.errors import Unavailable

    with pytest.raises(Unavailable), reading(atlas.path) as connection:
        connection.execute("DELETE FROM picture")
    with sqlite3.connect(atlas.path) as connection:
        assert connection.execute("SELECT count(*) FROM picture").fetchone()[0] > 30
    connection.close()


def test_pictures_shared_by_recipes_are_stored_once(tmp_path: Path) -> None:
    one = visualization("conv0", 0)
    same = Visualization(**{**vars(visualization("conv0", 0, seed=1)), "picture": picture(1)})
    other = Visualization(**{**vars(visualization("conv0", 1, seed=1)), "picture": picture(1)})
    path = sample_atlas(tmp_path, [one, same, other])
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM picture").fetchone() == (2,)
    assert connection.execute("SELECT count(*) FROM recipe").fetchone() == (2,)
    connection.close()
