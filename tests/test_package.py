import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import micrograph

CHECKOUT = Path(__file__).parents[1]
HELPERS = Path(__file__).parent / "helpers"


def test_import_does_not_bring_torch() -> None:
    code = "import sys, micrograph; micrograph.register; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there() -> None:
    for name in micrograph.__all__:
        assert getattr(micrograph, name) is not None


def test_names_do_not_turn_into_modules_of_the_same_name() -> None:
    """Importing a package of ours puts it over a function of that name."""
    code = (
        "import types, micrograph; micrograph.load('toytown'); import micrograph.web\n"
        "modules = [n for n in micrograph.__all__ "
        "if isinstance(getattr(micrograph, n), types.ModuleType)]\n"
        "print(*modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["optimize"]


def test_one_version() -> None:
    assert version("micrograph") == micrograph.__version__
    citation = (CHECKOUT / "CITATION.cff").read_text("utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [micrograph.__version__]
    changes = (CHECKOUT / "CHANGELOG.md").read_text("utf-8")
    releases = re.findall(r"^## (.+)$", changes, re.MULTILINE)
    assert releases[:2] == ["Unreleased", micrograph.__version__]


@pytest.mark.nightly
def test_the_wheel_has_every_file_that_the_checkout_has(tmp_path: Path) -> None:
    """Templates, tables, weights, atlases: whatever lies in the package and is tracked."""
    listed = ["git", "ls-files", "-z"]
    tracked = subprocess.run(listed, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a checkout of the repository")
    files = [path for path in tracked.stdout.split("\0") if path]
    source = tmp_path / "source"  # not in place: what an earlier build left would be packed as well
    for path in files:
        target = source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / path, target)
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), "."]
    subprocess.run(wheel, cwd=source, check=True)
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        packed = set(archive.namelist())
    wanted = {path.removeprefix("src/") for path in files if path.startswith("src/")}
    assert {path for path in wanted - packed if not path.endswith(".md")} == set()


def test_the_site_and_the_resolver_answer_without_torch() -> None:
    code = (
        "import sys\n"
        "from web_client import Client\n"
        "from micrograph.atlas import Library, bundled_catalogue\n"
        "from micrograph.resolve import resolve\n"
        "from micrograph.web import create_app\n"
        "from micrograph.web.known import known_here\n"
        "library = Library([], bundled_catalogue())\n"
        "site = Client(create_app(library, known=known_here))\n"
        "models = site.get('/models.json').json()['known']\n"
        "page = site.get('/models/contrastive_v1.json').json()\n"
        "print(models[0]['model']['id'], page['state']['instead'], page['family']['question'],\n"
        "      resolve('InceptionV1 4c:447', library).address, 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(HELPERS)])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = "alexnet contrastive_rn50 Which CLIP? inceptionv1/mixed4c/447 False\n"
    assert done.stdout == told, done.stderr
