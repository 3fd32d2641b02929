"""The picture of rooms in ARCHITECTURE.md is the tree, and lenses are as it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
PACKAGE = CHECKOUT / "src" / "micrograph"
TEXT = (CHECKOUT / "ARCHITECTURE.md").read_text(encoding="utf-8")
NAME = re.compile(r"[a-z_]+(?:/|\.py)(?= |$)")
PARTS = ("lens", "page")
LENSES = sorted(path.parent.name for path in PACKAGE.glob("lenses/*/lens.py"))


def drawn() -> list[str]:
    """The rooms and modules of the picture, as paths below the package."""
    picture = re.search(r"^```\nsrc/micrograph/\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert picture is not None
    found, room = [], ""
    for line in picture[1].splitlines():
        inner = line.startswith("    ")
        names = _leading_names(line.strip())
        found += [room + name if inner else name for name in names]
        if not inner:
            room = names[-1]
    return found


def _leading_names(line: str) -> list[str]:
    """The names that a line begins with, up to its words."""
    names = []
    for word in line.split(" "):
        if word and not NAME.fullmatch(word):
            break
        names += [word] if word else []
    return names


def there() -> set[str]:
    """Rooms and modules directly in the package; what was only ever compiled does not count."""
    rooms = {
        f"{path.name}/"
        for path in PACKAGE.iterdir()
        if any(p.is_file() and p.parent.name != "__pycache__" for p in path.rglob("*"))
    }
    return rooms | {path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")}


def test_every_room_is_drawn_once() -> None:
    top = [name for name in drawn() if name.count("/") - name.endswith("/") == 0]
    assert len(set(top)) == len(top)
    assert set(top) == there()


def test_what_is_drawn_within_rooms_is_there() -> None:
    assert [name for name in drawn() if not (PACKAGE / name).exists()] == []


@pytest.mark.parametrize("lens", LENSES)
def test_a_lens_is_one_folder(lens: str) -> None:
    folder = PACKAGE / "lenses" / lens
    missing = [name for name in ("engine.py", "page.py") if not (folder / name).is_file()]
    assert missing == []


def test_words_and_pages_of_lenses_are_free_of_torch() -> None:
    modules = ", ".join(f"micrograph.lenses.{name}.{part}" for name in LENSES for part in PARTS)
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
