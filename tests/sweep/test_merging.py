"""A sweep that was cut, and put together, is the sweep that was not: the same bits."""

import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeping import pictures, small_model, swept

from micrograph.errors import BadInput, Conflict
from micrograph.sweep import Spec, Tally, arrays, part, shard
from micrograph.sweep.arrays import StoredArrays
from micrograph.sweep.exact import ExactSum
from micrograph.sweep.histogram import BINS, UnitHistograms
from micrograph.sweep.top import NONE, Top

LARGE = ("class.sums", "profile.top", "profile.at", "profile.mean")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = pictures(tmp_path_factory.mktemp("p"), 200, equal=60)
    (root / "class1" / "0070.png").write_bytes(b"damaged")
    return root


@pytest.fixture(scope="module")
def whole(folder):
    return swept(small_model(), folder)[1]


@pytest.fixture(scope="module")
def single(folder, whole):
    """A part of each batch alone."""
    return [swept(small_model(), folder, indices=[n])[1] for n in range(whole.spec.batches)]


def copied(tally: Tally) -> Tally:
    twin = Tally(tally.spec, {name: array.copy() for name, array in tally.arrays.items()})
    twin.skipped = dict(tally.skipped)
    return twin


def equal(one: Tally, other: Tally) -> bool:
    same = {name: np.array_equal(array, other.arrays[name]) for name, array in one.arrays.items()}
    assert all(same.values()), [name for name, ok in same.items() if not ok]
    return one.spec == other.spec and one.skipped == other.skipped


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_cut_merged_in_any_order_and_grouping(single, whole, data):
    parts = [copied(tally) for tally in data.draw(st.permutations(single))]
    while len(parts) > 1:
        other = parts.pop(data.draw(st.integers(1, len(parts) - 1)))
        parts[data.draw(st.integers(0, len(parts) - 1))].merge(other)
    assert equal(parts[0], whole)
    assert list(whole.skipped) == [70]


def test_shards(folder, whole):
    for count in (1, 2, 3, 7, 11):
        parts = [
            swept(small_model(), folder, indices=shard(whole.spec, n + 1, count))[1]
            for n in range(count)
        ]
        for other in parts[1:]:
            parts[0].merge(other)
        assert equal(parts[0], whole)
    for number, of in [(0, 3), (4, 3), (1, 0)]:
        with pytest.raises(BadInput, match="shard"):
            shard(whole.spec, number, of)


def test_fewer_nodes_and_the_same_bits(folder, whole):
    """What a unit's row says does not depend on which other nodes were looked at."""
    span = whole.spec.spans()["plain"]
    alone = swept(small_model(), folder, nodes=["plain"])[1]
    for name in ("top.values", "top.numbers", "sum.part", "histogram.counts"):
        assert np.array_equal(alone.arrays[name], whole.arrays[name][span])


def test_parts_of_something_else_are_refused(folder, single, tmp_path):
    with pytest.raises(Conflict, match="both hold the pictures from number 0 on"):
        copied(single[0]).merge(single[0])
    other = pictures(tmp_path / "other", 200, equal=59)
    for tally, why in [
        (swept(small_model(), other, indices=[1])[1], "digest of the dataset"),
        (swept(small_model(), folder, nodes=["plain"], indices=[1])[1], "nodes"),
        (swept(small_model(), folder, indices=[1], k=4)[1], "largest"),
    ]:
        before = copied(single[0])
        with pytest.raises(BadInput, match=why):
            before.merge(tally)
        assert equal(before, single[0])
    model = small_model()
    model.digest = "f" * 64
    with pytest.raises(BadInput, match="digest of the weights"):
        copied(single[0]).merge(swept(model, folder, indices=[1])[1])


def test_as_files(tmp_path, single, whole):
    for number, tally in enumerate(single):
        part.write(tally, tmp_path / f"{number}", "toytown")
    first, source = part.read(tmp_path / "0")
    assert source == "toytown"
    for number in range(1, len(single)):
        first.merge(part.read(tmp_path / f"{number}")[0])
    assert equal(first, whole)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(map(str, range(len(single))))


def test_of_a_part_that_is_merged_little_is_in_memory(tmp_path, single, whole, monkeypatch):
    """The large arrays are never whole, and the others not all at once."""
    monkeypatch.setattr(arrays, "_TOGETHER", 100)
    files = [tmp_path / f"{number}" for number in range(len(single))]
    for tally, file in zip(single, files, strict=True):
        part.write(tally, file, "toytown")
    alive: list[weakref.ref[np.ndarray]] = []
    largest, blocks = 0, list[int]()
    read = StoredArrays._rows

    def watched(self: StoredArrays, name: str, start: int, stop: int) -> np.ndarray:
        nonlocal largest
        found = read(self, name, start, stop)
        if name in LARGE:
            blocks.append(stop - start)
        alive.append(weakref.ref(found))
        lying = [array for ref in alive if (array := ref()) is not None]
        largest = max(largest, sum(array.nbytes for array in lying))
        return found

    monkeypatch.setattr(StoredArrays, "_rows", watched)
    first = part.read(files[0])[0]
    units = first.spec.units
    small = sum(a.nbytes for name, a in first.arrays.items() if name not in LARGE)
    for file in files[1:]:
        alive.clear()
        largest = 0
        blocks.clear()
        first.merge(part.read(file, to_merge=True)[0])
        assert largest <= small
        assert max(blocks) <= max(1, 100 // units)
    assert equal(first, whole)


def test_files_that_are_no_parts(tmp_path, single):
    path = tmp_path / "x"
    part.write(single[0], path)
    good = path.read_bytes()
    for data in (
        b"",
        b"no part",
        good[: len(good) // 2],
        good[:100],
        good.replace(b"sweep part 1", b"sweep part 9"),
        good.replace(b'\\"pictures\\":200', b'\\"pictures\\":-20'),
        good.replace(b'\\"pictures\\": 200', b'\\"pictures\\": 900'),
        good.replace(b'\\"batch\\": 32', b'\\"batch\\":  0'),
        good.replace(b'"I64"', b'"F64"'),
    ):
        if data == good:
            continue
        path.write_bytes(data)
        with pytest.raises(BadInput, match="no sweep part"):
            part.read(path)
    for absent in (tmp_path / "absent", tmp_path):
        with pytest.raises(BadInput, match="no such file"):
            part.read(absent)


FLOATS = st.floats(-1e6, 1e6, width=32)


@given(st.lists(FLOATS, min_size=1, max_size=40), st.integers(1, 6), st.data())
@settings(max_examples=80, deadline=None)
def test_top_is_sorting(values, k, data):
    """Ties included: by value, then number, whatever order the pictures come in."""
    values = [np.float32(v) for v in values] + [np.float32(0)] * 5

    def empty() -> Top:
        shape = (1, k)
        return Top(
            np.full(shape, -np.inf, np.float32),
            np.full(shape, NONE, np.int32),
            np.zeros(shape, np.int32),
        )

    tops = [empty(), empty()]
    for number in data.draw(st.permutations(range(len(values)))):
        column = np.array([[values[number]]])
        at = np.array([[number + 3]], np.int32)
        tops[data.draw(st.integers(0, 1))].add(column, np.array([number]), at)
    tops[0].merge(tops[1])
    expected = sorted(range(len(values)), key=lambda n: (-values[n], n))[:k]
    assert tops[0].numbers[0].tolist() == expected + [NONE] * (k - len(expected))
    assert tops[0].positions[0, : len(expected)].tolist() == [n + 3 for n in expected]


@given(st.lists(st.floats(-3e5, 3e5, width=32), min_size=1, max_size=30), st.integers(0, 30))
@settings(max_examples=80, deadline=None)
def test_histograms_count_as_if_the_range_had_been_known(values, cut):
    def filled(part: list[float]) -> UnitHistograms:
        histogram = UnitHistograms(np.zeros((1, BINS), np.int64), np.full(1, -120, np.int32))
        for value in part:
            column = np.array([[value]], np.float32)
            histogram.reach(np.abs(column[0]))
            histogram.add(column, np.zeros(1, np.int32))
        return histogram

    found = filled(values[:cut])
    found.merge(filled(values[cut:]))
    low, high, counts = found.of(0)
    width = (high - low) / len(counts)
    exact = np.array(values, np.float32).astype(np.float64)
    assert sum(counts) == len(values)
    for n, count in enumerate(counts):
        inside = (exact >= low + n * width) & (exact < low + (n + 1) * width)
        assert count == inside.sum()


def test_histograms_of_units_that_are_widened_a_few_at_a_time(monkeypatch):
    values = (np.random.default_rng(0).normal(size=(50, 7)) * 10.0 ** np.arange(7)).astype(
        np.float32
    )

    def filled() -> UnitHistograms:
        histogram = UnitHistograms(np.zeros((7, BINS), np.int64), np.full(7, -120, np.int32))
        for rows in np.split(values, 5):
            histogram.reach(np.abs(rows).max(axis=0))
            for some in (slice(0, 3), slice(3, 7)):
                histogram.add(rows[:, some], np.arange(7, dtype=np.int32)[some])
        return histogram

    at_once = filled()
    monkeypatch.setattr("micrograph.sweep.histogram._TOGETHER", 2)
    in_blocks = filled()
    assert np.array_equal(in_blocks.counts, at_once.counts)
    assert np.array_equal(in_blocks.exponent, at_once.exponent)
    assert at_once.counts.sum(axis=1).tolist() == [50] * 7


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30), st.randoms())
@settings(max_examples=80, deadline=None)
def test_exact_sums_do_not_depend_on_order(values, random):
    def summed(order: list[float]) -> ExactSum:
        total = ExactSum(np.zeros(1, np.int64), np.zeros(1, np.int64))
        for value in order:
            total.add(np.array([value]))
        return total

    shuffled = values.copy()
    random.shuffle(shuffled)
    one, cut = summed(values), summed(shuffled[:7])
    cut.merge(summed(shuffled[7:]))
    assert (one.whole[0], one.part[0]) == (cut.whole[0], cut.part[0])
    assert one.total()[0] == pytest.approx(float(np.sum(np.array(values, np.longdouble))), abs=1e-6)


def test_numbers_of_pictures_in_the_profile():
    def spec(pictures: int) -> Spec:
        return Spec("m", "w", "d", pictures, 0, 16, 4, 2, (("n", 3, True),), "c")

    assert spec(5).profile_numbers().tolist() == [0, 1, 2, 3, 4]
    many = spec(1_281_167).profile_numbers()
    assert len(many) == 1024
    assert many[0] == 0
    assert {1251, 1252} >= set(np.diff(many).tolist())
