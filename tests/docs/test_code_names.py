"""What documents name of the code is there: files, folders, modules and what is in them."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "src" / "micrograph"
DOCUMENTS = sorted(
    path
    for folder in (CHECKOUT, CHECKOUT / "docs", PACKAGE, CHECKOUT / "tests")
    for path in (folder.glob("*.md") if folder == CHECKOUT else folder.rglob("*.md"))
    if path.name != "CHANGELOG.md"
)
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w./-]+/|[\w./-]*\w\.(?:py|sql|toml|html|js|jsonl|json|safetensors)")
DOTTED = re.compile(r"\bmicrograph(?:\.[A-Za-z_]\w*)+(?![\w/])")
CAPITALS = re.compile(r"(?<![A-Za-z])[A-Z]{2,}(?![A-Za-z])")
ROOMS = {path.name for path in PACKAGE.iterdir()} | {path.name for path in CHECKOUT.iterdir()}
GROUPS = {"micrograph.lenses", "micrograph.models", "micrograph.adapters", "micrograph.techniques"}
"""Entry point groups; the last is the former name of the first."""


def named_paths(document: Path) -> list[str]:
    """Whole pieces of code in a document that are paths into a room of ours; with one in capitals
    (NAME) one stands for many."""
    found = CODE.findall(document.read_text(encoding="utf-8"))
    return [
        one
        for one in found
        if PATH.fullmatch(one)
        and not CAPITALS.search(one)
        and one.split("/")[0] in ROOMS | {"src", "micrograph"}
    ]


def is_there(path: str) -> bool:
    """Whether the path leads to something, seen from the checkout, src/ or the package."""
    places = (CHECKOUT, CHECKOUT / "src", PACKAGE)
    return any((place / path).exists() for place in places)


def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    parts = name.split(".")
    at: object = import_module(parts[0])
    for number, part in enumerate(parts[1:], 2):
        whole = ".".join(parts[:number])
        if isinstance(at, ModuleType) and hasattr(at, "__path__") and find_spec(whole):
            at = import_module(whole)
        elif hasattr(at, part):
            at = getattr(at, part)
        else:
            return False
    return True


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_names(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    names = {
        name for name in DOTTED.findall(text) if name not in GROUPS and not CAPITALS.search(name)
    }
    missing = [path for path in named_paths(document) if not is_there(path)]
    missing += [name for name in sorted(names) if not resolves(name)]
    assert missing == []


def test_names_are_found() -> None:
    """The test above sees something: documents name dozens of places."""
    assert sum(len(named_paths(document)) for document in DOCUMENTS) > 20
    assert not is_there("techniques/base.py")
    assert not resolves("micrograph.lineage")
    assert resolves("micrograph.optimize.Watch")
