"""Tables of docs/benchmarks.md, each between `<!-- benchmarks/NAME -->` and `<!-- end -->`."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def write_between(name: str, text: str) -> None:
    """Put `text` into the place of the script `name`."""
    page = PAGE.read_text()
    start, end = f"<!-- benchmarks/{name} -->\n", "<!-- end -->\n"
    before, found, rest = page.partition(start)
    if not found or end not in rest:
        raise SystemExit(f"{PAGE} has no place for {name}; write {start.strip()} and {end.strip()}")
    PAGE.write_text(before + start + text.rstrip() + "\n" + end + rest.split(end, 1)[1])
