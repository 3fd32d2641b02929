"""Tables of docs/benchmarks.md and other pages, each between a line `<!-- benchmarks/NAME -->` and
a line `<!-- end -->`."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def write_between(name: str, text: str, file: Path = PAGE) -> None:
    """Put `text` into the place of the script `name` in a page."""
    page = file.read_text()
    start, end = f"<!-- benchmarks/{name} -->\n", "<!-- end -->\n"
    before, found, rest = page.partition(start)
    if not found or end not in rest:
        raise SystemExit(f"{file} has no place for {name}; write {start.strip()} and {end.strip()}")
    file.write_text(before + start + text.rstrip() + "\n" + end + rest.split(end, 1)[1])
