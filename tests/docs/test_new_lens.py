"""The lens in CONTRIBUTING.md works as it stands there, in a package of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
FILE = re.compile(r"^```python\n# (greys/\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r'^```toml\n\[project\.entry-points\."(.+?)"\]\n(\w+) = "(.+?)"\n```$', re.M)
ASK = """
import sys
from pathlib import Path
from micrograph.atlas import Library
from micrograph.web.app import create_app
from web_client import Client
print(Client(create_app(Library([Path(sys.argv[1])]))).get(sys.argv[2]).text)
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on the path in which the package lies as pip would install it."""
    folder = tmp_path_factory.mktemp("site-packages")
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (folder / "greys").mkdir()
    (folder / "greys" / "__init__.py").touch()
    for name, code in FILE.findall(text):
        (folder / name).write_text(code, encoding="utf-8")
    ((group, name, value),) = ENTRY.findall(text)
    about = folder / "greys-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: greys\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
    return folder


def run(package: Path, *args: str) -> str:
    """What Python prints that finds the package."""
    path = [str(package), str(CHECKOUT / "src"), str(CHECKOUT / "tests" / "helpers")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    done = subprocess.run(
        [sys.executable, *args], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_files_of_a_lens(package: Path) -> None:
    names = sorted(path.name for path in (package / "greys").iterdir())
    assert names == ["__init__.py", "engine.py", "lens.py", "page.py"]


def test_its_option_is_listed(package: Path) -> None:
    told = run(package, "-m", "micrograph", "render", "-t", "greys", "--help")
    assert "Options of greys (-t greys):" in told
    assert "Greys from black to white. [2 to 256; default: 16]" in " ".join(told.split())


def test_it_renders_and_is_seen(package: Path, tmp_path: Path) -> None:
    units = ["--node", "mixed3a", "--units", "3,5", "--atlas", str(tmp_path)]
    run(package, "-m", "micrograph", "render", "toytown", "-t", "greys", "--levels", "5", *units)
    page = run(package, "-c", ASK, str(tmp_path), "/models/toytown/mixed3a/3")
    assert "Which plain grey moves it most?" in page
    assert page.count("Grey 0.") + page.count("Grey 1.00") > 0
    ids = re.findall(r' id="([^"]*)"', page)
    assert ids.count("greys") == 1, "its part is there once"
    twin = run(package, "-c", ASK, str(tmp_path), "/models/toytown/mixed3a/5.json")
    assert '"technique":"greys"' in twin.replace(" ", "")
