"""What pages cost: ours, those of an older state of ours, and Datasette's of the same rows.

    python benchmarks/pages.py [--today CHECKOUT] [--datasette PYTHON] [--atlases 100] [--write]

Each site is a process of its own that is asked over kept-alive connections, one and sixteen; the
sites take turns. `--today` is a checkout of an older state of ours, `--datasette` the python of an
environment that has Datasette. Ours show the bundled gallery, Datasette its largest atlas: a page
of Datasette's is one row, ours of a unit holds dozens.

*Made anew*: a page that nobody asked for before, another unit or another query each time. *Asked
again*: one page all the time. CPU is what the process took for a page with all its threads, so that
neighbours on the machine do not count; times by the clock are medians (p50) and 99th percentiles
(p99) as the client sees them. `--write` puts the tables into docs/benchmarks.md.
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
from sites import Site, datasette, ours

from micrograph.atlas import Library, bundled_gallery

MODEL, WIDE, FULL = "inceptionv1_caffe", "inception_5b", "inception_4c"
"""The model, its node of 1,024 units, and the node whose units have most results."""
MANY = 16
RATIO = 10
"""How many times less a unit's page shall cost than with the older state."""
DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
START, END = "<!-- benchmarks/pages.py -->\n", "<!-- end of pages -->\n"


@dataclass(frozen=True)
class Kind:
    """Pages of one kind: their addresses at our site, those of the same rows at Datasette's, and
    how many ms of CPU time one shall take at most when it is made anew."""

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
        text = gallery_tables(Path(temporary), args.today, args.datasette, args.requests)
        if args.atlases:
            text += "\n" + library_table(Path(temporary), args.atlases, args.requests)
    print(text)
    if args.write:
        here = f"Python {platform.python_version()}, {machine()}:\n\n"
        before, _, rest = DOCS.read_text("utf-8").partition(START)
        after = rest.partition(END)[2]
        DOCS.write_text(f"{before}{START}{here}{text}{END}{after}", "utf-8")


def gallery_tables(temporary: Path, today: Path | None, python: Path | None, requests: int) -> str:
    """The tables about the gallery, over one connection and over sixteen."""
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
        unit = kinds[0].paths[-1]
        known = Ask(unit, etag_of(sites["ours"], unit))
        same = {n: load(sites["ours"], [known] * requests, n) for n in (1, MANY)}
        memory = sites["ours"].megabytes()
    kinds.append(Kind("not modified (304)", (), most=1))
    found[kinds[-1].name] = {"ours": Both({}, same)}
    return (
        f"{_cost_table(kinds, found)}\n{_many_table(kinds, found)}\nMemory then: {memory:.0f} MB.\n"
    )


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


def library_table(temporary: Path, atlases: int, requests: int) -> str:
    """Start and pages with many atlases."""
    for number in range(atlases):
        make(temporary / "many", number, 40)
    with ours(temporary / "many") as site:  # has its index from then on
        site.wait_until_idle()
    with ours(temporary / "many") as site:
        started = (1000 * site.started, 1000 * site.started_cpu)
        rows = [("start of the site", 1000, *started, None)]
        for name, most, paths in (
            ("`/`", 20, [f"/?n={n}" for n in range(3000)]),
            ("model", 15, [f"/models/net{n % atlases:03}?n={n}" for n in range(3000)]),
        ):
            took = measured(site, [Ask(path) for path in paths], requests)
            rows.append((name, most, took.anew[1].p50, took.anew[1].cpu, took.again[1].cpu))
    head = (f"with {atlases} atlases of 40 nodes", "goal: CPU, ms", *_ANEW[1::-1], *_AGAIN, "goal")
    body = [
        (
            name,
            f"{most}",
            f"{clock:.1f}",
            f"{cpu:.1f}",
            "" if again is None else f"{again:.1f}",
            _MET[cpu <= most],
        )
        for name, most, clock, cpu, again in rows
    ]
    return _table(head, body)


_ANEW = ("made anew: CPU, ms", "p50, ms", "p99, ms")
_AGAIN = ("asked again: CPU, ms",)
_OLD = ("older state: CPU, ms", "p50, ms", "times the CPU")
_OTHER = ("Datasette: CPU, ms", "p50, ms")
_MET = ("**missed**", "met")


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *body))


def _cost_table(kinds: Sequence[Kind], found: Mapping[str, Mapping[str, Both]]) -> str:
    head = ("over one connection", "goal: CPU, ms", *_ANEW, *_AGAIN, *_OLD, *_OTHER, "goal")
    return _table(head, [_cost_row(kind, found[kind.name]) for kind in kinds])


def _cost_row(kind: Kind, found: Mapping[str, Both]) -> list[str]:
    mine, old, other = (found.get(name) for name in ("ours", "today", "datasette"))
    assert mine is not None
    anew, again = mine.anew.get(1), mine.again[1]
    cpu = (anew or again).cpu
    ratio = old.anew[1].cpu / cpu if old else None
    fine = cpu <= (kind.most or cpu)
    fine = fine and not (kind.ratio and ratio is not None and ratio < RATIO)
    return [
        kind.name,
        "" if kind.most is None else f"{kind.most:g}" + f", {RATIO}x" * kind.ratio,
        *((f"{anew.cpu:.1f}", f"{anew.p50:.1f}", f"{anew.p99:.1f}") if anew else ("", "", "")),
        f"{again.cpu:.1f}",
        *((f"{old.anew[1].cpu:.0f}", f"{old.anew[1].p50:.0f}") if old else ("", "")),
        f"{ratio:.1f}x" if ratio else "",
        *((f"{other.anew[1].cpu:.1f}", f"{other.anew[1].p50:.1f}") if other else ("", "")),
        "" if kind.most is None else _MET[fine],
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
