"""Record the twins anew: asks every line of `urls.txt` and writes `recorded.json.xz`.

    python tests/twins/record.py

Only for answers that are meant to be others from now on. Read `README.md` first.
"""

import json
import lzma
import sys
import tempfile
from pathlib import Path
from typing import Any

from twin_site import RECORDED, Sites, bare_machine, copy_atlases, read_urls


def record() -> dict[str, Any]:
    """The answer to every line."""
    with tempfile.TemporaryDirectory() as place, bare_machine(Path(place) / "home"):
        sites = Sites(copy_atlases(Path(place) / "atlases"))
        return {line: sites.ask(line) for line in read_urls()}


def write(answers: dict[str, Any], path: Path = RECORDED) -> None:
    """The same answers give the same bytes."""
    text = json.dumps(answers, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def read(path: Path = RECORDED) -> dict[str, Any]:
    """The recorded answers."""
    answers: dict[str, Any] = json.loads(lzma.decompress(path.read_bytes()))
    return answers


if __name__ == "__main__":
    answers = record()
    write(answers)
    by_status: dict[int, int] = {}
    for answer in answers.values():
        by_status[answer["status"]] = by_status.get(answer["status"], 0) + 1
    print(f"{len(answers)} answers, by status {by_status}: {RECORDED}", file=sys.stderr)
