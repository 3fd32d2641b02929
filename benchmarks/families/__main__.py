"""The table of families: does what is shown of a network agree with the network itself?

    python benchmarks/families [--only REGEX] [--again] [--write]

Takes timm's smallest network of every module, and the families of torchvision, open_clip and
transformers, with random weights and without a network connection. Each runs in another process,
with a limit of time. Rows are kept in `build/families.jsonl`, so that a run goes on where it ended;
`--again` checks the chosen networks again, `--write` puts the table into docs/families.md.
"""

import argparse
import json
import os
import re
import select
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
KEPT = CHECKOUT / "build" / "families.jsonl"
LIMIT = 400.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="a regular expression over library:name")
    parser.add_argument("--again", action="store_true", help="forget what is known of these")
    parser.add_argument("--write", action="store_true", help="write docs/families.md")
    parser.add_argument("--rows", type=Path, default=KEPT, help="where rows are kept")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work()
    else:
        run(args)


def run(args: argparse.Namespace) -> None:
    """Check the networks that are asked for and not known yet."""
    from networks import names

    listed = [name for name in names() if re.search(args.only, name)]
    rows = {} if args.again and not args.only else known(args.rows)
    todo = [name for name in listed if args.again or name not in rows]
    for row in checked(todo):
        rows[row["name"]] = row
        args.rows.parent.mkdir(exist_ok=True)
        args.rows.write_text("".join(json.dumps(one) + "\n" for one in rows.values()))
        print(line(row), flush=True)
    if args.write:
        from table import document

        wanted = [rows[name] for name in names() if name in rows]
        (CHECKOUT / "docs" / "families.md").write_text(document(wanted), encoding="utf-8")


def known(path: Path) -> dict[str, dict]:
    """The rows that were kept."""
    if not path.is_file():
        return {}
    return {row["name"]: row for row in map(json.loads, path.read_text().splitlines())}


def line(row: dict) -> str:
    """A row for the terminal: what is wrong in full, the rest as counts."""
    lists = ("values_wrong", "edges_false", "edges_missing", "fields_wrong", "maps_wrong")
    wrong = [
        f"  {key}: {row[key][:6]} of {len(row[key])}"
        for key in (*lists, "pictures_wrong")
        if row.get(key)
    ]
    head = (
        f"{row['name']}: {row['seconds']:.0f} s, {row['nodes']} nodes, "
        f"{len(row['unseen'])} of {row['modules']} modules without, output {row['output']}, "
        f"maps {row['follows']}+{row['spread']} {row['error']}"
    )
    return "\n".join([head, *wrong])


def checked(names: list[str]):
    """A row for each of the networks, made by a process that is started again when one hangs."""
    worker = None
    for name in names:
        worker = worker or started()
        begin = time.monotonic()
        worker.stdin.write(name + "\n")
        worker.stdin.flush()
        ready, _, _ = select.select([worker.stdout], [], [], LIMIT)
        text = worker.stdout.readline() if ready else ""
        if text:
            yield json.loads(text)
            continue
        worker.kill()
        worker.wait()
        worker = None
        from checks import Found

        said = "the process ended" if ready else f"not done in {LIMIT:.0f} s"
        yield asdict(Found(name, error=said, seconds=time.monotonic() - begin))
    if worker is not None:
        worker.stdin.close()
        worker.wait()


def started() -> subprocess.Popen:
    """A process that checks the networks whose names it reads."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).parent), "--worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )


def work() -> None:
    """Read names, write rows. Whatever else is printed goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from one import row_of

    for name in sys.stdin:
        out.write(json.dumps(row_of(name.strip())) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
