"""Every lens has a page in docs/techniques that names each of its options."""

import re
from pathlib import Path

import pytest

from micrograph.lenses import lens, names
from micrograph.lenses.params import Option

PAGES = Path(__file__).parents[2] / "docs" / "techniques"
OTHERS = {"README", "quality"}


def flag(option: Option) -> str:
    """What is typed on the command line."""
    return option.flag or f"--{option.name.replace('_', '-')}"


def is_named(option: Option, page: str) -> bool:
    """Whether its flag, or its name, stands in the page as code, alone or in a longer piece."""
    spellings = f"{re.escape(flag(option))}|{re.escape(option.name)}"
    code = re.findall(r"`[^`\n]+`|^ {4}.*$|^micrograph .*$", page, re.MULTILINE)
    return any(re.search(rf"(?<![\w-])({spellings})(?![\w-])", piece) for piece in code)


def test_pages_are_called_as_lenses() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} - OTHERS == set(names())


@pytest.mark.parametrize("name", names())
def test_each_option_is_on_its_page(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    missing = [flag(one) for one in lens(name).params.options() if not is_named(one, page)]
    assert missing == []


@pytest.mark.parametrize("name", names())
def test_no_flag_is_made_up(name: str) -> None:
    """Flags in the line of a lens's options are those that it has."""
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    lines = re.search(r"^Options:.*?(?=\n\n|\Z)", page, re.MULTILINE | re.DOTALL)
    assert lines is not None, "no paragraph begins with 'Options:'"
    known = {flag(one) for one in lens(name).params.options()}
    assert set(re.findall(r"--[a-z][a-z-]*", lines[0])) <= known
