"""Similar units by profile: against numpy.corrcoef on the profiles before they were quantized."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from profile_samples import DIGEST, NUMBERS, PICTURES, A, B, floats, quantized, row, write

from micrograph.atlas import AtlasWriter, Library, ModelRecord, NodeRecord
from micrograph.lenses.similar import neighbours, profiles
from micrograph.lenses.similar.neighbours import Neighbour, by_profile, by_weights


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Model `a` with profiles of nearly all nodes, `b` on the same dataset in another order and
    with fewer pictures, `c` on another dataset."""
    folder = tmp_path_factory.mktemp("profiles")
    write(folder, "a", [row("a", node, quantized(values, NUMBERS)) for node, values in A.items()])
    some = np.random.default_rng(5).permutation(PICTURES)[:150]
    write(
        folder,
        "b",
        [row("b", node, quantized(values[:, some], NUMBERS[some])) for node, values in B.items()],
    )
    write(
        folder,
        "c",
        [
            row("c", "conv0", quantized(floats(8, 9), NUMBERS), "ef" * 32),
        ],
    )
    return Library([folder])


def all_models(library: Library) -> list:
    return [library.model(m.id) for m in library.models()]


def test_equals_corrcoef_over_all_nodes_of_the_model(library: Library) -> None:
    (found,) = by_profile(library.model("a"), "mixed1a", 4, count=10_000)
    assert (found.kind, found.dataset, found.pictures) == ("profile", DIGEST, PICTURES)
    assert found.method == "correlation of the largest activations on 200 pictures"
    got = {(n.node, n.unit): n.value for n in found.units}
    shown = {n: v for n, v in A.items() if n not in ("mixed1a_1x1", "mixed1a_3x3")}
    expected = {
        (node, unit): np.corrcoef(A["mixed1a"][4], profile)[0, 1]
        for node, values in shown.items()
        for unit, profile in enumerate(values)
        if (node, unit) not in (("mixed1a", 4), ("conv0", 3))
    }
    assert got.keys() == expected.keys()
    assert max(abs(got[key] - expected[key]) for key in expected) < 0.01
    values = [n.value for n in found.units]
    assert values == sorted(values, reverse=True)
    best = sorted(expected, key=lambda key: -expected[key])[:5]
    assert {(n.node, n.unit) for n in found.units[:6]} >= set(best[:3])


def test_a_unit_of_a_branch_is_not_similar_to_itself(library: Library) -> None:
    (found,) = by_profile(library.model("a"), "mixed1a_3x3", 2)
    assert Neighbour("a", "mixed1a", 8, 1.0) not in found.units
    assert all(n.value < 0.999 for n in found.units)


def test_other_models_are_compared_on_the_pictures_in_common(library: Library) -> None:
    found = by_profile(library.model("a"), "conv0", 1, all_models(library), count=24)
    assert [c.kind for c in found] == ["profile", "models"]
    across = found[1]
    assert across.pictures == 150
    assert {n.model for n in across.units} == {"b"}, "c looked at another dataset"
    some = np.random.default_rng(5).permutation(PICTURES)[:150]
    for n in across.units:
        expected = np.corrcoef(A["conv0"][1, some], B[n.node][n.unit, some])[0, 1]
        assert n.value == pytest.approx(expected, abs=0.01)


def test_a_dead_unit_and_a_node_without_profile_have_no_neighbours(library: Library) -> None:
    assert by_profile(library.model("a"), "conv0", 3, all_models(library)) == []
    assert by_profile(library.model("a"), "empty", 0) == []
    assert by_profile(library.model("b"), "wide", 0, all_models(library)) == []


def test_few_pictures_say_nothing(tmp_path: Path) -> None:
    few = quantized(floats(8, 1, neighbours.FEWEST - 1), np.arange(neighbours.FEWEST - 1))
    write(tmp_path, "a", [row("a", "conv0", few)])
    assert by_profile(Library([tmp_path]).model("a"), "conv0", 0) == []


def test_unsound_arrays_are_left_out(tmp_path: Path) -> None:
    good = quantized(floats(8, 1), NUMBERS)
    write(
        tmp_path,
        "a",
        [
            row("a", "conv0", good | {"profile": good["profile"][:4]}),
            row("a", "pool0", good | {"profile": good["profile"].astype(np.int16)}),
            row("a", "logits", {"numbers": NUMBERS.astype(np.int32)}),
        ],
    )
    atlas = Library([tmp_path]).model("a")
    assert [by_profile(atlas, node, 0) for node in ("conv0", "pool0", "logits")] == [[], [], []]


def test_a_file_that_grows_is_read_again(tmp_path: Path) -> None:
    library = Library([tmp_path])
    write(tmp_path, "a", [row("a", "conv0", quantized(A["conv0"], NUMBERS))])
    (before,) = by_profile(library.model("a"), "conv0", 0, count=99)
    write(tmp_path, "a", [row("a", "wide", quantized(A["wide"], NUMBERS))])
    (after,) = by_profile(library.model("a"), "conv0", 0, count=99)
    assert {n.node for n in before.units} == {"conv0"}
    assert "wide" in {n.node for n in after.units}


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for model in ("a", "b", "c"):
        write(tmp_path, model, [row(model, "conv0", quantized(A["conv0"], NUMBERS))])
    cache = profiles._Cache(most=2 * 8 * PICTURES)
    monkeypatch.setattr(profiles, "_CACHE", cache)
    library = Library([tmp_path])
    by_profile(library.model("a"), "conv0", 0, all_models(library))
    assert len(cache._kept) == 2
    assert cache._size == sum(profiles._bytes(kept[1]) for kept in cache._kept.values())
    assert cache._size <= cache.most


def test_many_threads_agree(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "_CACHE", profiles._Cache())
    atlas, found = library.model("a"), []
    threads = [
        threading.Thread(target=lambda: found.append(by_profile(atlas, "mixed1a", 4)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(f == found[0] for f in found)


def test_seven_thousand_units_take_milliseconds(tmp_path: Path) -> None:
    nodes = [
        NodeRecord(f"n{k}", k, "conv", 1000, (8, 8), 3, 1, 0, "exact", (), ()) for k in range(7)
    ]
    record = ModelRecord(id="big", title="big", digest="ab" * 32)
    draw = np.random.default_rng(0)
    with AtlasWriter.open(tmp_path / "big.atlas", record, nodes) as writer:
        for n in nodes:
            profile = draw.integers(0, 256, (1000, 1024), dtype=np.uint8)
            arrays = {"profile": profile, "numbers": np.arange(1024, dtype=np.int32)}
            writer.put([row("big", n.id, arrays)])
    atlas = Library([tmp_path]).model("big")
    by_profile(atlas, "n3", 5)
    took = []
    for unit in range(9):
        started = time.perf_counter()
        by_profile(atlas, "n3", unit)
        took.append(time.perf_counter() - started)
    print(f"7,000 units x 1,024 pictures: {1000 * min(took):.1f} ms")
    assert min(took) < 0.1, "generous: the machine may be busy"


def test_units_of_like_weights_come_from_what_was_stored(tmp_path: Path) -> None:
    near = np.full((8, 3), -1, np.int32)
    near[2] = [5, 99, -1]  # 99: no unit of this node, a damaged file
    cosine = np.zeros((8, 3), np.float16)
    cosine[2] = [0.5, 0.25, 0]
    arrays = {"near": near, "cosine": cosine}
    write(tmp_path, "a", [row("a", "conv0", arrays, technique="similar", variant="weights")])
    atlas = Library([tmp_path]).model("a")
    (found,) = by_weights(atlas, "conv0", 2)
    assert (found.kind, found.units) == ("weights", [Neighbour("a", "conv0", 5, 0.5)])
    assert by_weights(atlas, "conv0", 3) == by_weights(atlas, "wide", 0) == []
