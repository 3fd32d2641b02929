"""Where the time of a unit's page goes, now and in an older state of ours.

    python benchmarks/page_profile.py [--today CHECKOUT] [--write]

Pages of units of the bundled gallery, each made anew, in a process of its own for each state. The
time that functions of Python take themselves is added up by what they belong to, by cProfile: it
makes calls dearer than they are, so the table shows shares; the last line is what a page takes
without it, in CPU time. `--write` puts the table into docs/benchmarks.md.
"""

import argparse
import asyncio
import cProfile
import json
import os
import platform
import pstats
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from library import machine

if TYPE_CHECKING:
    from micrograph.atlas import Library

HERE = Path(__file__).parent.parent
DOCS = HERE / "docs" / "benchmarks.md"
START, END = "<!-- benchmarks/page_profile.py -->\n", "<!-- end of profile -->\n"
PAGES = 60
ROOMS = (
    ("files: open, `stat`", ("posix.", "atlas/scan", "published/", "connect", "pathlib")),
    ("SQL", ("sqlite3", "atlas/format", "atlas/kept_connections")),
    ("rows to records, JSON", ("micrograph/atlas/", "json", "recipe.py", "lenses/result")),
    ("parts of lenses", ("micrograph/lenses/", "numpy", "parts/crops", "graph/", "/re/", "re.P")),
    (
        "templates, plots",
        (
            "jinja2",
            "markupsafe",
            "template",
            "parts/plots",
            "parts/markup",
            "parts/escaping",
            "html.py",
        ),
    ),
    ("pages", ("micrograph/web/", "micrograph/parts/", "urllib")),
    ("HTTP, digest, compression", ("starlette", "fastapi", "zlib", "sha", "asyncio", "anyio")),
)
"""What a function belongs to, by words of its file or name; of several the first."""
REST = "all else"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--today", type=Path, help="a checkout of an older state of ours")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measured()))
        return
    states = {"now": _asked(HERE), **({"older": _asked(args.today)} if args.today else {})}
    rows = [
        [name, *(f"{found['rooms'][name]:.0f}%" for found in states.values())]
        for name in [*(name for name, _ in ROOMS), REST]
    ]
    rows.append(["calls of functions", *(f"{found['calls']:,.0f}" for found in states.values())])
    rows.append(["CPU, ms", *(f"{found['cpu']:.1f}" for found in states.values())])
    head = ["a unit's page, made anew", *states]
    lines = [head, ["---"] * len(head), *rows]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    print(text)
    if args.write:
        here = f"Python {platform.python_version()}, {machine()}:\n\n"
        before, _, rest = DOCS.read_text("utf-8").partition(START)
        DOCS.write_text(f"{before}{START}{here}{text}{END}{rest.partition(END)[2]}", "utf-8")


def _asked(checkout: Path) -> dict[str, object]:
    """What this script measures of the code of a checkout."""
    command = [sys.executable, __file__, "--measure"]
    env = {**os.environ, "PYTHONPATH": str(checkout / "src"), "OMP_NUM_THREADS": "1"}
    found: dict[str, object] = json.loads(subprocess.check_output(command, env=env))
    return found


def measured() -> dict[str, object]:
    """Shares of time by room, calls and CPU milliseconds of a page."""
    from micrograph.atlas import Library, bundled_catalogue, bundled_gallery
    from micrograph.web import create_app
    from micrograph.web.indexing import index_of

    folder = bundled_gallery()
    index = index_of([folder])
    library = Library([folder], bundled_catalogue(), index)
    index.follow(library.snapshot())
    index.wait_until_current()
    app = create_app(library)
    paths = _paths(library)
    times, profile = [], cProfile.Profile()
    _ask(app, paths[:20])
    for path in paths[20 : 20 + PAGES]:
        started = time.process_time()
        _ask(app, [path])
        times.append(1000 * (time.process_time() - started))
    profile.runcall(_ask, app, paths[100 : 100 + PAGES])
    stats: Any = pstats.Stats(profile)
    rooms = dict.fromkeys([*(name for name, _ in ROOMS), REST], 0.0)
    for (file, _, name), (_, _, own, _, _) in stats.stats.items():
        rooms[_room(f"{file} {name}")] += own
    total = sum(rooms.values())
    return {
        "rooms": {name: 100 * own / total for name, own in rooms.items()},
        "calls": stats.total_calls / PAGES,
        "cpu": statistics.median(times),
    }


def _room(function: str) -> str:
    """What a function belongs to."""
    return next((name for name, words in ROOMS if any(w in function for w in words)), REST)


def _ask(app: Any, paths: Sequence[str]) -> None:
    """Ask the application for pages, in this thread."""

    async def here(do: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return do(*args, **named)

    async def one(path: str) -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "http_version": "1.1",
            "headers": [(b"host", b"localhost"), (b"accept-encoding", b"gzip")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            assert message.get("status", 200) == 200, path

        await app(scope, receive, send)

    async def everything() -> None:
        for path in paths:
            await one(path)

    with ExitStack() as patches:
        for room in ("fastapi.routing", "micrograph.web.routes", "micrograph.web.quick_routes"):
            with suppress(ImportError, AttributeError):  # states have some of them
                patches.enter_context(patch(f"{room}.run_in_threadpool", here))
        asyncio.run(everything())


def _paths(library: "Library") -> list[str]:
    model = library.model("inceptionv1_caffe")
    places = [
        f"/models/{model.model.id}/{node.id}/{tile.unit}"
        for node in model.nodes.values()
        for tile in model.tiles(node.id, "feature_vis", "channel", min_width=112)
    ]
    random.Random(1).shuffle(places)
    return places


if __name__ == "__main__":
    main()
