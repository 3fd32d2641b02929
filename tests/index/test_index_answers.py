"""What an index answers is what the atlases say themselves."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from profile_samples import DIGEST, NUMBERS, floats, quantized, row, write
from samples import MODEL, NODES, sample_atlas

from micrograph.atlas import (
    Atlas,
    Library,
    Merged,
    Snapshot,
    bundled_catalogue,
    bundled_gallery,
)
from micrograph.index import Index
from micrograph.lenses.pages import unit_tiles
from micrograph.lenses.similar import neighbours, profiles
from micrograph.lenses.similar.neighbours import by_profile
from micrograph.parts.urls import Urls
from micrograph.web.known import Known
from micrograph.web.matches import matches, shared_dataset
from micrograph.web.pages import model_cards
from micrograph.web.pages.other import search_page
from micrograph.web.pages.start import start_page

MAKERS = {
    profiles.KEPT_AS: profiles.pack,
    unit_tiles.KEPT_AS: unit_tiles.pack,
    model_cards.KEPT_AS: model_cards.pack_facts,
}
WORDS = (
    "car",
    "c",
    "ca bus",
    "wild cat",
    "CAT",
    "conv0",
    "mixed",
    "1a",
    "inception 4c",
    "dog",
    "a",
    "terrier",
    "tiny",
    "net",
    "zebra crossing",
    "logits fc",
    "",
    "!!",
    "Ünïted",
)


@contextmanager
def pair(folders: list[Path], place: Path) -> Iterator[tuple[Snapshot, Snapshot]]:
    """The same folders with an index that is up to date, and without one."""
    index = Index([place], MAKERS)
    indexed = Library(folders, bundled_catalogue(), index).snapshot()
    assert index.wait_until_current(60)
    yield indexed, Library(folders, bundled_catalogue()).snapshot()
    index.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Snapshot, Snapshot]]:
    """The sample atlas in two files and twice more under other names, and models with profiles."""
    folder = tmp_path_factory.mktemp("indexed")
    sample_atlas(folder / "own", [], nodes=NODES[:2])
    for name in ("tinynet", "second", "third"):
        sample_atlas(folder / "all", model=dataclasses.replace(MODEL, id=name, title=f"T {name}"))
    for seed, name in enumerate(("a", "b", "c")):
        rows = [row(name, "conv0", quantized(floats(8, 40 + seed), NUMBERS))]
        rows.append(row(name, "mixed1a", quantized(floats(16, 50 + seed), NUMBERS)))
        write(folder / "all", name, rows)
    with pair([folder / "own", folder / "all"], folder / "index.sqlite") as made:
        yield made


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Snapshot, Snapshot]]:
    """The atlases that ship with the package."""
    with pair([bundled_gallery()], tmp_path_factory.mktemp("gallery") / "index.sqlite") as made:
        yield made


@pytest.mark.parametrize("limit", [1, 3, 20])
@pytest.mark.parametrize("text", WORDS)
def test_searches(text: str, limit: int, both, gallery) -> None:
    for indexed, plain in (both, gallery):
        assert indexed.search(text, limit) == plain.search(text, limit)
        assert search_page(indexed, text, Urls()) == search_page(plain, text, Urls())


def test_searches_find_as_before_there_was_an_index(both) -> None:
    """Every model asked for everything, sorted: what a search was."""
    order = ("model", "node", "label")
    indexed, plain = both
    for text in WORDS:
        hits = [hit for reading in plain.readings.values() for hit in reading.search(text, 5)]
        expected = sorted(hits, key=lambda hit: order.index(hit.kind))[:5]
        assert indexed.search(text, 5) == expected


def test_files_with_nothing_or_one_hit_are_not_asked(both, monkeypatch) -> None:
    indexed, plain = both
    expected = plain.search("wild cat"), plain.search("zzz")
    assert len(expected[0]) > 2
    asked: list[str] = []
    search = Atlas.search
    monkeypatch.setattr(
        Atlas, "search", lambda self, *a: asked.append(self.model.id) or search(self, *a)
    )
    assert (indexed.search("wild cat"), indexed.search("zzz")) == expected
    assert {*asked} == {"tinynet"}, "of two files: it says itself in what order"


def test_lists_of_models(both, gallery, monkeypatch) -> None:
    for indexed, plain in (both, gallery):
        expected = dataclasses.asdict(start_page(plain, Urls(), "models", lambda id: Known()))
        got = dataclasses.asdict(start_page(indexed, Urls(), "models", lambda id: Known()))
        assert got == expected
        single = next(r for r in indexed.atlases() if len(r.parts) == 1)
        with monkeypatch.context() as patched:
            patched.setattr(Merged, "counts", None)
            facts = model_cards._kept_facts(single)
        assert facts == model_cards.card_facts(single)


def _profiled(reading: Merged) -> list[str]:
    return list({n: None for nodes in profiles.profiles_of(reading).values() for n in nodes})


def test_similar_units(both, gallery, monkeypatch) -> None:
    for indexed, plain in (both, gallery):
        found = []
        for snapshot in (plain, indexed):
            monkeypatch.setattr(profiles, "_CACHE", profiles._Cache())
            if snapshot is indexed:  # nothing is read from the atlases
                monkeypatch.setattr(profiles, "read_profiles", None)
            others = snapshot.atlases()
            found.append(
                [
                    by_profile(reading, node, unit, others, 7)
                    for reading in others
                    for node in _profiled(reading)[:4]
                    for unit in range(min(3, reading.nodes[node].units))
                ]
            )
            monkeypatch.undo()
        assert found[0] == found[1]
        assert any(found[0])


def test_pairs_of_units_of_two_models(both, monkeypatch) -> None:
    found = []
    for snapshot in both:
        monkeypatch.setattr(profiles, "_CACHE", profiles._Cache())
        a, b = snapshot.model("a"), snapshot.model("b")
        assert shared_dataset(a, b) == DIGEST
        found.append(matches(a, "mixed1a", b, "conv0", DIGEST, 8))
    assert found[0] == found[1] != []


def test_packed_profiles_are_the_same(tmp_path: Path) -> None:
    some = np.random.default_rng(1).permutation(150)
    rows = [
        row("a", "conv0", quantized(floats(8, 1), NUMBERS)),
        row("a", "mixed1a", quantized(floats(16, 2), NUMBERS)),
        row("a", "wide", quantized(floats(40, 3)[:, some], NUMBERS[some])),
        row("a", "logits", quantized(floats(5, 4), NUMBERS), "ef" * 32),
    ]
    write(tmp_path, "a", [r for r in rows if r.arrays["profile"].shape[0] <= 16])
    part = Atlas.open(tmp_path / "a.atlas")
    packed = profiles.pack(part)
    read, unpacked = profiles.read_profiles(part), profiles.unpack(packed)
    assert [(d, list(nodes)) for d, nodes in read.items()] == [
        (d, list(nodes)) for d, nodes in unpacked.items()
    ]
    for digest, nodes in read.items():
        for node, there in nodes.items():
            np.testing.assert_array_equal(there.values, unpacked[digest][node].values)
            np.testing.assert_array_equal(there.numbers, unpacked[digest][node].numbers)
    for broken in (packed[:-1], packed + b"x", b"", b"{}\n", b"[1]\n", b"\0" * 99):
        with pytest.raises((ValueError, KeyError, TypeError)):
            profiles.unpack(broken)


def test_the_first_pass_leaves_out_nothing(tmp_path: Path, monkeypatch) -> None:
    """Against a second look at every node of every model."""
    draw = np.random.default_rng(3)
    for seed in range(8):
        rows = []
        for node, units in (("conv0", 8), ("mixed1a_1x1", 6), ("mixed1a", 16)):
            values = floats(units, 100 * seed + units)
            values[draw.integers(units)] = 0.5  # always the same
            some = np.sort(draw.permutation(len(NUMBERS))[: 160 if seed == 5 else None])
            rows.append(row(f"m{seed}", node, quantized(values[:, some], NUMBERS[some])))
        write(tmp_path, f"m{seed}", rows)
    readings = Library([tmp_path]).atlases()

    def found(count: int) -> list:
        return [
            by_profile(reading, node, unit, readings, count)
            for reading in readings
            for node in ("conv0", "mixed1a_1x1", "mixed1a")
            for unit in (0, 3, 5)
        ]

    quick = [found(count) for count in (1, 12, 1000)]
    assert {len(groups) for groups in quick[1]} >= {2}
    monkeypatch.setattr(neighbours, "_candidates", lambda elsewhere, *_: elsewhere)
    assert quick == [found(count) for count in (1, 12, 1000)]
