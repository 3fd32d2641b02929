"""What a page costs with many atlases in the folder, against the same page with one.

    python benchmarks/library.py [--atlases 100] [--nodes 40] [--write]

Makes the atlases in a temporary folder: models of one shape (`--nodes` nodes of 8 units), every
unit with a picture and with its profile on one dataset. Then asks for pages in this process,
of a site with one of the atlases and of one with all, turn by turn, once their indices are there,
under another address each time, so that it is made anew, and under the same again. Times are
medians of `--runs`, of CPU time, so that neighbours on the machine do not count.
`--write` puts the table into docs/benchmarks.md.
"""

import argparse
import platform
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient

from micrograph.atlas import (
    AtlasWriter,
    Library,
    ModelRecord,
    NodeRecord,
    Picture,
    Visualization,
    bundled_catalogue,
    encode,
    library,
)
from micrograph.web import create_app
from micrograph.web.indexing import index_of

UNITS = 8
PICTURES = 128
DATASET = "cd" * 32
LABELS = tuple(f"{a} {b}" for a in ("red", "tall", "old", "wild") for b in ("cat", "car", "tree"))
PAGES = (
    ("start", "/"),
    ("models", "/models"),
    ("model", "/models/net000"),
    ("node", "/models/net000/conv20"),
    ("unit", "/models/net000/conv20/3"),
    ("search, a word", "/search?q=wild+cat"),
    ("search, no hit", "/search?q=zebra"),
    ("search, an address", "/search?q=net000/conv20/3"),
)
DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
START, END = "<!-- benchmarks/library.py -->\n", "<!-- end -->\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atlases", type=int, default=100)
    parser.add_argument("--nodes", type=int, default=40)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        one, all_ = Path(temporary, "one"), Path(temporary, "all")
        started = time.perf_counter()
        make(one, 0, args.nodes)
        for k in range(args.atlases):
            make(all_, k, args.nodes)
        print(f"made in {time.perf_counter() - started:.0f} s", flush=True)
        for path in (one, all_):
            started = time.perf_counter()
            index = index_of([path])
            index.follow(Library([path]).snapshot())
            index.wait_until_current()
            size = sum(f.stat().st_size for f in path.glob("index.sqlite")) / 1e6
            print(f"{path.name}: index of {size:.1f} MB in {time.perf_counter() - started:.1f} s")
            index.close()
        found = ask(one, all_, args.runs)
    one_and_all = f"1 atlas, ms | {args.atlases} atlases, ms | ratio"
    table = [
        f"| page | {one_and_all} | asked again: {one_and_all} | looks at the folders |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {name} | {a:.1f} | {b:.1f} | {b / a:.2f} | {c:.1f} | {d:.1f} | {d / c:.2f} | {n} |"
            for name, a, b, c, d, n in found
        ),
    ]
    text = "\n".join(table) + "\n"
    print(text)
    if args.write:
        write(f"Python {platform.python_version()}, {machine()}:\n\n{text}")


def make(folder: Path, number: int, nodes: int) -> None:
    """One atlas: a chain of nodes, a picture of every unit, profiles of every node."""
    draw = np.random.default_rng(number)
    name = f"net{number:03}"
    model = ModelRecord(name, f"Net {number}", f"{number:064x}", "A chain.", 1000, LABELS)
    chain = [
        NodeRecord(
            f"conv{k:02}",
            k,
            "conv",
            UNITS,
            (8, 8),
            3 + 2 * k,
            1,
            0,
            "exact",
            (f"conv{k - 1:02}",) if k else (),
            (f"c{k}",),
        )
        for k in range(nodes)
    ]
    pictures = [
        encode(draw.integers(0, 256, (32, 32, 3), dtype=np.uint8), "png") for _ in range(UNITS)
    ]
    with AtlasWriter.open(folder / f"{name}.atlas", model, chain) as writer:
        writer.put(
            result(name, node.id, unit, pictures[unit]) for node in chain for unit in range(UNITS)
        )
        writer.put(swept(name, node.id, draw) for node in chain)


def result(model: str, node: str, unit: int, picture: Picture) -> Visualization:
    recipe = {"technique": "feature_vis", "view": "channel", "model": model, "seed": 0}
    return Visualization(node, unit, recipe, 1.0, picture)


def swept(model: str, node: str, draw: np.random.Generator) -> Visualization:
    recipe = {"technique": "dataset_examples", "view": "town", "model": model, "seed": 0}
    arrays = {
        "profile": draw.integers(0, 256, (UNITS, PICTURES), dtype=np.uint8),
        "numbers": np.arange(PICTURES, dtype=np.int32),
    }
    return Visualization(
        node,
        None,
        recipe,
        0.0,
        None,
        {"dataset": DATASET},
        arrays=arrays,
    )


def ask(one: Path, all_: Path, runs: int) -> list[tuple[str, float, float, float, float, int]]:
    """Per page: its name, the medians of both sites for a page that is made anew and for one that
    was asked for before, and how often the second looked at its folder for one page."""
    looks, scan = [0], library.scan

    def counted(places: object) -> object:
        looks[0] += 1
        return scan(places)

    library.scan = counted
    found = []
    try:
        with client(one) as few, client(all_) as many:
            for name, path in PAGES:
                times: list[tuple[list[float], list[float]]] = [([], []), ([], [])]
                for run in range(-2, runs):
                    anew = f"{path}{'&' if '?' in path else '?'}n={run}"
                    for asked, both in zip((anew, path), times, strict=True):
                        for site, taken in zip((few, many), both, strict=True):
                            looks[0] = 0
                            started = time.process_time()
                            answer = site.get(asked, follow_redirects=False)
                            if run >= 0:
                                taken.append(1000 * (time.process_time() - started))
                            assert answer.status_code in (200, 303), (path, answer.status_code)
                found.append((name, *(statistics.median(t) for b in times for t in b), looks[0]))
    finally:
        library.scan = scan
    return found


def client(folder: Path) -> TestClient:
    shelf = Library([folder], bundled_catalogue(), index_of([folder]))
    return TestClient(create_app(shelf))


def machine() -> str:
    """The processor, as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")


def write(text: str) -> None:
    """Between its marks in the docs."""
    page = DOCS.read_text("utf-8")
    before, _, rest = page.partition(START)
    after = rest.partition(END)[2]
    DOCS.write_text(f"{before}{START}{text}{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
