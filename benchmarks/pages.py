"""What pages cost: ours, those of an older state of ours, and Datasette's of the same rows.

    python benchmarks/pages.py [--today CHECKOUT] [--datasette PYTHON] [--atlases 100] [--write]

Each site is a process of its own that is asked over kept-alive connections, one and sixteen; the
sites take turns. `--today` is a checkout of an older state of ours, `--datasette` the python of an
environment that has Datasette. Ours show the bundled gallery, Datasette its largest atlas: a page
of Datasette's is one row, ours of a unit holds dozens.

*Made anew*: a page that nobody asked for before, another unit or another query each time. *Asked
again*: one page all the time. CPU is what the process took for a page with all its threads, so that
neighbours on the machine do not count; times by the clock are medians (p50) and 99th percentiles
(p99) as the client sees them.

Goals are medians by the clock of the machine that they were set on, where the older state took 61
ms for a unit's page. What it takes in this run says how much slower this machine is: beside each
goal stands the goal for here. `--write` puts the tables into docs/benchmarks.md.
"""

import argparse
import platform
import random
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from library import machine, make
from load import Ask, Load, etag_of, load
from sites import Site, bare, datasette, ours

from micrograph.atlas import Library, bundled_gallery

MODEL, WIDE, FULL = "inceptionv1_caffe", "inception_5b", "inception_4c"
"""The model, its node of 1,024 units, and the node whose units have most results."""
MANY = 16
RATIO = 10
"""How many times less a unit's page shall cost than with the older state."""
OLDER_UNIT = 61.0
"""Milliseconds by the clock of the older state's unit page, on the machine of the goals."""
ALIKE = 1.2
"""How many times as much a model's page may take with many atlases as with one."""
DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
START, END = "<!-- benchmarks/pages.py -->\n", "<!-- end of pages -->\n"


@dataclass(frozen=True)
class Kind:
    """Pages of one kind: their addresses at our site, those of the same rows at Datasette's, and
    how many ms by the clock one shall take at most when it is made anew."""

    name: str
    paths: Sequence[str]
    rows: str = ""
    most: float | None = None
    ratio: bool = False


@dataclass(frozen=True)
class Both:
    """What a site took for pages made anew (None where that is not asked) and for one page again,
    by number of connections."""

    anew: Mapping[int, Load]
    again: Mapping[int, Load]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--today", type=Path, help="a checkout of an older state of ours")
    parser.add_argument("--datasette", type=Path, help="a python that has Datasette")
    parser.add_argument("--atlases", type=int, default=100, help="0: no table of many atlases")
    parser.add_argument("--requests", type=int, default=200, help="of each kind")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        text, slower = gallery_tables(Path(temporary), args.today, args.datasette, args.requests)
        if args.atlases:
            text += "\n" + library_table(Path(temporary), args.atlases, args.requests, slower)
    print(text)
    if args.write:
        here = f"Python {platform.python_version()}, {machine()}:\n\n"
        before, _, rest = DOCS.read_text("utf-8").partition(START)
        after = rest.partition(END)[2]
        DOCS.write_text(f"{before}{START}{here}{text}{END}{after}", "utf-8")


def gallery_tables(
    temporary: Path, today: Path | None, python: Path | None, requests: int
) -> tuple[str, float | None]:
    """The tables about the gallery, over one connection and over sixteen; and how many times slower
    this machine is than that of the goals."""
    found: dict[str, dict[str, Both]] = {}
    kinds, counts = kinds_of_gallery(), (requests, 2 * requests)
    with ExitStack() as running:
        sites = {"ours": running.enter_context(ours(_copy(temporary / "ours")))}
        if today:
            sites["today"] = running.enter_context(ours(_copy(temporary / "today"), today))
        if python:
            file = bundled_gallery() / f"{MODEL}.atlas"
            sites["datasette"] = running.enter_context(datasette(file, python))
        for kind in kinds:
            found[kind.name] = {
                name: measured(site, asks, *((requests // 2,) if name == "today" else counts))
                for name, site in sites.items()
                if (asks := _asks(kind, name))
            }
            print(f"{kind.name} done", flush=True)
        last = kinds[0].paths[-1]
        known = Ask(last, etag_of(sites["ours"], last))
        alone = running.enter_context(bare())
        for kind, site in (
            (Kind("not modified (304)", (), most=1), sites["ours"]),
            (Kind("the server alone (304)", ()), alone),
        ):
            load(site, [known], 1)
            same = {n: load(site, [known] * 2 * requests, n) for n in (1, MANY)}
            kinds.append(kind)
            found[kind.name] = {"ours": Both({}, same)}
        memory = sites["ours"].megabytes()
    unit = found[kinds[0].name].get("today")
    slower = unit.anew[1].p50 / OLDER_UNIT if unit else None
    said = f"Memory then: {memory:.0f} MB."
    if slower is not None:
        said += (
            f" The older state took {unit.anew[1].p50:.0f} ms by the clock for a unit's page, "
            f"{slower:.1f} times the {OLDER_UNIT:.0f} ms of the machine of the goals."
        )
    return f"{_cost_table(kinds, found, slower)}\n{_many_table(kinds, found)}\n{said}\n", slower


def kinds_of_gallery() -> list[Kind]:
    """What is asked for, in an order that is always the same and no reader's."""
    draw = random.Random(0)
    model = Library([bundled_gallery()]).model(MODEL)
    units = [
        (node.id, tile)
        for node in model.nodes.values()
        for tile in model.tiles(node.id, "feature_vis", "channel", min_width=112)
    ]
    draw.shuffle(units)
    home = f"/models/{MODEL}"
    places = [f"{home}/{node}/{tile.unit}" for node, tile in units]
    full = [place for place in places if place.startswith(f"{home}/{FULL}/")]
    return [
        Kind("unit", places, "visualization/{}", 5, ratio=True),
        Kind("unit, JSON", [f"{p}.json" for p in places], "visualization/{}.json", 3, ratio=True),
        Kind(f"unit of {FULL}", [f"{p}?full" for p in full], most=5, ratio=True),
        Kind("node of 1,024 units", [f"{home}/{WIDE}?n={n}" for n in range(2000)], most=15),
        Kind("model", [f"{home}?n={n}" for n in range(2000)], most=15),
        Kind("start", [f"/?n={n}" for n in range(2000)], most=20),
        Kind(
            "picture",
            [f"/images/{MODEL}/{tile.digest}.avif" for _, tile in units],
            "picture/{}.blob?_blob_column=data",
        ),
    ]


def _asks(kind: Kind, site: str) -> list[Ask]:
    if site != "datasette":
        return [Ask(path) for path in kind.paths]
    rows = random.Random(0).sample(range(1, 5600), 2000)
    return [Ask(f"/{MODEL}/{kind.rows.format(row)}") for row in rows] if kind.rows else []


WARM = 4
"""Pages that are asked for before any is measured."""


def measured(site: Site, asks: Sequence[Ask], requests: int, over_many: int = 0) -> Both:
    """What a site takes for so many pages that nobody asked for, and for one of them again."""
    left = iter(asks)
    anew, again = {}, {}
    for connections, count in ((1, requests), (MANY, over_many)):
        if not count:
            continue
        fresh = [ask for ask, _ in zip(left, range(count + WARM), strict=False)]
        load(site, fresh[:WARM], 1)
        anew[connections] = load(site, fresh[WARM:], connections)
        load(site, asks[:1], 1)
        again[connections] = load(site, [asks[0]] * count, connections)
    return Both(anew, again)


def library_table(temporary: Path, atlases: int, requests: int, slower: float | None) -> str:
    """Start and pages with many atlases, beside one."""
    for number in range(atlases):
        make(temporary / "many", number, 40)
    make(temporary / "one", 0, 40)
    with ours(temporary / "many") as site:  # has its index from then on
        site.wait_until_idle()
    with ours(temporary / "many") as many, ours(temporary / "one") as one:
        rows = [("start of the site", 1000.0, 1000 * many.started, 1000 * many.started_cpu, "", "")]
        for name, most, paths in (
            ("`/`", 20.0, [f"/?n={n}" for n in range(3000)]),
            ("model", 15.0, [f"/models/net000?n={n}" for n in range(3000)]),
            ("first page of a model", None, [f"/models/net{n:03}" for n in range(1, atlases)]),
        ):
            count = min(requests, len(paths) - WARM) if most is None else requests
            took = measured(many, [Ask(path) for path in paths], count)
            alone = measured(one, [Ask(path) for path in paths], count) if most else None
            beside = f"{alone.anew[1].p50:.1f}" if alone else ""
            ratio = took.anew[1].p50 / alone.anew[1].p50 if alone else None
            fine = (
                "" if name != "model" or ratio is None else f"{ratio:.2f}x, {_MET[ratio <= ALIKE]}"
            )
            rows.append((name, most, took.anew[1].p50, took.anew[1].cpu, beside, fine))
    head = (
        f"with {atlases} atlases of 40 nodes",
        *_GOALS,
        "p50, ms",
        "CPU, ms",
        "with one: p50, ms",
    )
    body = [
        (name, *_goals(most, clock, slower), f"{clock:.1f}", f"{cpu:.1f}", beside, fine)
        for name, most, clock, cpu, beside, fine in rows
    ]
    return _table((*head, f"to one (goal: {ALIKE}x)"), body)


_GOALS = ("goal, ms", "met", "goal for here, ms", "met here")


def _goals(most: float | None, took: float, slower: float | None) -> list[str]:
    """A goal, whether it is met, the same for a machine that is so many times slower, and whether
    that is met."""
    if most is None:
        return [""] * len(_GOALS)
    here = ["", ""] if slower is None else [f"{most * slower:.3g}", _MET[took <= most * slower]]
    return [f"{most:g}", _MET[took <= most], *here]


_ANEW = ("made anew: p50, ms", "p99, ms", "CPU, ms")
_AGAIN = ("asked again: p50, ms", "CPU, ms")
_OLD = ("older state: p50, ms", "CPU, ms", "times as long", "goal")
_OTHER = ("Datasette: p50, ms", "CPU, ms")
_MET = ("**missed**", "met")


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *body))


def _cost_table(
    kinds: Sequence[Kind], found: Mapping[str, Mapping[str, Both]], slower: float | None
) -> str:
    head = ("over one connection", *_GOALS, *_ANEW, *_AGAIN, *_OLD, *_OTHER)
    return _table(head, [_cost_row(kind, found[kind.name], slower) for kind in kinds])


def _cost_row(kind: Kind, found: Mapping[str, Both], slower: float | None) -> list[str]:
    mine, old, other = (found.get(name) for name in ("ours", "today", "datasette"))
    assert mine is not None
    anew, again = mine.anew.get(1), mine.again[1]
    took = (anew or again).p50
    ratio = old.anew[1].p50 / took if old else None
    wanted = "" if not kind.ratio or ratio is None else f"{RATIO}x: {_MET[ratio >= RATIO]}"
    return [
        kind.name,
        *_goals(kind.most, took, slower),
        *((f"{anew.p50:.1f}", f"{anew.p99:.1f}", f"{anew.cpu:.1f}") if anew else ("", "", "")),
        f"{again.p50:.1f}",
        f"{again.cpu:.1f}",
        *((f"{old.anew[1].p50:.0f}", f"{old.anew[1].cpu:.0f}") if old else ("", "")),
        f"{ratio:.1f}x" if ratio else "",
        wanted,
        *((f"{other.anew[1].p50:.1f}", f"{other.anew[1].cpu:.1f}") if other else ("", "")),
    ]


def _many_table(kinds: Sequence[Kind], found: Mapping[str, Mapping[str, Both]]) -> str:
    over = (f"over {MANY} connections", "", "answers a second over 1", f"over {MANY}")
    head = (*over, "p50, ms", "p99, ms", "p99/p50", "goal")
    body = []
    for kind in kinds:
        for name, both in found[kind.name].items():
            for way, loads in (("made anew", both.anew), ("asked again", both.again)):
                if loads and name != "today":
                    body.append(_many_row(kind.name, name, way, loads[1], loads[MANY]))
    return _table(head, body)


def _many_row(kind: str, site: str, way: str, one: Load, many: Load) -> list[str]:
    fine = many.rate >= one.rate and many.p99 <= 10 * many.p50
    return [
        kind,
        way if site == "ours" else f"Datasette, {way}",
        f"{one.rate:.0f}",
        f"{many.rate:.0f}",
        f"{many.p50:.1f}",
        f"{many.p99:.1f}",
        f"{many.p99 / many.p50:.1f}",
        _MET[fine] if site == "ours" else "",
    ]


def _copy(folder: Path) -> Path:
    """The gallery where a site may write an index beside it."""
    return Path(shutil.copytree(bundled_gallery(), folder))


if __name__ == "__main__":
    main()
