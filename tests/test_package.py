import ast
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import micrograph

HELPERS = Path(__file__).parent / "helpers"


def test_import_does_not_bring_torch() -> None:
    code = "import sys, micrograph; micrograph.cards; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there() -> None:
    for name in micrograph.__all__:
        assert getattr(micrograph, name) is not None


def test_no_two_classes_have_one_name() -> None:
    root = Path(micrograph.__file__).parent
    files: dict[str, list[str]] = defaultdict(list)
    for file in sorted(root.rglob("*.py")):
        for statement in ast.parse(file.read_text("utf-8")).body:
            if isinstance(statement, ast.ClassDef):
                files[statement.name].append(str(file.relative_to(root)))
    assert len(files) > 200  # the files were found
    assert {name: where for name, where in files.items() if len(where) > 1} == {}


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
