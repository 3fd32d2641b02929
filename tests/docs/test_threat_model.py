"""Every row of the threat model names code and tests that are there."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
TEXT = (CHECKOUT / "SECURITY.md").read_text(encoding="utf-8")
_CODE = re.compile(r"`([\w/]+(?:\.py)?)`")
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


def table() -> list[list[str]]:
    section = TEXT.partition("## Threat model")[2]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


ROWS = table()


def test_there_are_rows_about_everybody() -> None:
    who = {row[0] for row in ROWS if row[0]}
    assert len(ROWS) > 15
    assert {"author of an atlas", "author of weights", "server of weights or pictures"} <= who
    assert any(row[0].startswith("another site") for row in ROWS)
    assert any(row[0].startswith("somebody") for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row[1][:40] for row in ROWS])
def test_a_row_names_what_guards_and_what_tries(row: list[str]) -> None:
    assert len(row) == 5
    code, tests = _CODE.findall(row[3]), _TEST.findall(row[4])
    assert code, "no code"
    assert tests, "no test"
    for path in code:
        assert (CHECKOUT / "src" / "micrograph" / path).exists(), path
    for path, name in tests:
        text = (CHECKOUT / "tests" / path).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{path}: {name}"
