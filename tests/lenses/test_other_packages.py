"""A package of somebody else brings a lens, engine and page part by one entry point."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

LENS = """
from dataclasses import dataclass
from micrograph.lenses import Can, Lens, Params, Result, Words, option

WORDS = Words("brightness", "Brightness", "How bright is it?", "We look.", "Read it.", "It lies.")

@dataclass(frozen=True, kw_only=True)
class BrightnessParams(Params, lens="brightness"):
    times: int = option(2, "what the brightness is multiplied by", low=1, high=9)

@dataclass(frozen=True, kw_only=True)
class BrightnessResult(Result):
    value: float = 0.0

    def to_json(self):
        return {"value": self.value}

    @classmethod
    def from_json(cls, data, arrays):
        return cls(value=float(data["value"]))

LENS = Lens(words=WORDS, order=55, home=__package__, params=BrightnessParams,
            result=BrightnessResult, can=Can())
"""
ENGINE = """
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered
from brightness.lens import LENS, BrightnessResult

class Brightness(BatchEngine):
    lens = LENS

    def plan(self, model, params):
        return [Job(self.recipe(model, "plain", 0, times=params.times))]

    def batch_size(self, model, node, job):
        return 8

    def run(self, model, node, units, job, on_step=None):
        for unit in units:
            result = BrightnessResult(value=float(unit * job.recipe["times"]))
            yield Rendered(node, unit, None, result.value, 0.0, result)

ENGINE = Brightness()
"""
PAGE = """
from dataclasses import dataclass
from micrograph.lenses.pages.page import LensPage
from brightness.lens import LENS

@dataclass(frozen=True)
class BrightnessPart:
    technique: str
    form: str
    value: float

def section(scene):
    for v, result in scene.results(LENS.name, LENS.result):
        return BrightnessPart(LENS.name, "brightness", result.value)

PAGE = LensPage(part=BrightnessPart, section=section)
"""
HTML = "<p>It is <b>{{ section.value|score }}</b> bright.</p>"
USE = """
import json, sys
sys.path.insert(0, sys.argv[2])
from web_client import Client
from micrograph import lenses, load, render
from micrograph.atlas import Library
from micrograph.web import create_app

render(load("toytown", device="cpu"), sys.argv[1], technique="brightness", nodes="conv1",
       units="3", times=5)
client = Client(create_app(Library([sys.argv[1]])))
twin = client.get("/models/toytown/conv1/3.json").json()
print(json.dumps({
    "sections": twin["sections"],
    "page": client.get("/models/toytown/conv1/3").text,
    "about": [one["technique"] for one in client.get("/about.json").json()["lenses"]],
    "status": client.get("/models/toytown/conv1").status_code,
}))
"""
HELPERS = Path(__file__).parents[1] / "helpers"


def install(folder: Path, **changed: str) -> dict[str, str]:
    """Put the package into a folder as an installer does; the environment in which it is there."""
    package = folder / "brightness"
    package.mkdir()
    files = {"__init__": "", "lens": LENS, "engine": ENGINE, "page": PAGE} | changed
    for name, text in files.items():
        (package / f"{name}.py").write_text(textwrap.dedent(text))
    (package / "page.html").write_text(HTML)
    facts = folder / "brightness-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: brightness\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[micrograph.lenses]\nbrightness = brightness.lens:LENS\n"
    )
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}


def use(tmp_path: Path, env: dict[str, str]) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", USE, str(tmp_path / "atlases"), str(HELPERS)],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_words_engine_page_and_template_come_together(tmp_path: Path) -> None:
    env = install(tmp_path)
    said = use(tmp_path, env)
    (part,) = [p for p in said["sections"] if p["technique"] == "brightness"]
    assert part == {"technique": "brightness", "form": "brightness", "value": 15.0}
    assert "How bright is it?" in said["page"]
    assert "<p>It is <b>15.0</b> bright.</p>" in said["page"]
    place = said["about"].index("brightness")
    assert said["about"][place - 1 : place + 2] == ["dataset_examples", "brightness", "prototype"]
    command = [sys.executable, "-m", "micrograph", "render", "-t", "brightness"]
    listed = subprocess.run([*command, "--help"], env=env, capture_output=True, text=True)
    assert "--times N" in listed.stdout
    assert "What the brightness is multiplied by. [1 to 9; default: 2]" in " ".join(
        listed.stdout.split()
    )
    refused = subprocess.run(
        [*command, "toytown", "--times", "10", "--atlas", str(tmp_path / "new")],
        env=env,
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 2
    assert refused.stderr.strip().endswith("times 10 is out of range; expected 1 to 9")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("page", PAGE.replace("result.value)", "result.nothing)")),
        pytest.param("page", "raise RuntimeError('no page today')", marks=pytest.mark.nightly),
        ("page", "PAGE = None"),
        pytest.param(
            "page", PAGE.replace("part=BrightnessPart", "part=5"), marks=pytest.mark.nightly
        ),
        ("page", PAGE.replace("section=section", "section=section, drawings=None")),
        pytest.param(
            "page", PAGE.replace("section=section", "section=5"), marks=pytest.mark.nightly
        ),
        pytest.param(
            "page", PAGE.replace("return BrightnessPart(", "return ("), marks=pytest.mark.nightly
        ),
        ("lens", LENS.replace('float(data["value"])', 'float(data["nothing"])')),
    ],
    ids=[
        "section",
        "module",
        "no page",
        "no class",
        "no drawings",
        "no function",
        "no part",
        "result",
    ],
)
def test_one_that_breaks_costs_its_own_part(tmp_path: Path, file: str, text: str) -> None:
    said = use(tmp_path, install(tmp_path, **{file: text}))
    assert said["status"] == 200
    parts = {part["technique"]: part["form"] for part in said["sections"]}
    assert parts["feature_vis"] == "feature_vis"
    assert parts.get("brightness", "broken") == "broken"
    assert "It is <b>" not in said["page"]


def test_one_that_cannot_be_loaded_is_left_out_with_a_warning(tmp_path: Path) -> None:
    env = install(tmp_path, lens="raise RuntimeError('no lens today')")
    code = "from micrograph import lenses; print(lenses.names())"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert "'feature_vis'" in done.stdout
    assert "brightness" not in done.stdout
    assert "the lens 'brightness' of entry point 'brightness.lens:LENS' is left out" in done.stderr
    assert "RuntimeError: no lens today" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("order=55", "order=None", "order 'None' is no number"),
        ("order=55", "order=float('nan')", "order 'nan' is no number"),
        ("home=__package__", "home=''", "home '' names no package"),
        ("words=WORDS", "words=None", "words must be Words"),
        ("params=BrightnessParams", "params=None", "params must be a class of Params"),
        ("can=Can()", "can=None", "can Can"),
        ("can=Can()", "can=Can(lead=True)", "a lens that leads needs a view"),
        ('Words("brightness"', 'Words("../x"', "'../x' is no name"),
        ('Words("brightness"', 'Words("tuning"', "there is a lens tuning already"),
        ('"It lies.")', '"It lies.", level="x")', "level and about must be unit or node"),
    ],
)
def test_one_that_would_break_others_is_left_out(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    assert old in LENS
    env = install(tmp_path, lens=LENS.replace(old, new))
    code = (
        "from micrograph import lenses; print(lenses.names(), lenses.lead()); "
        "print(lenses.lens('tuning').home)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "brightness" not in done.stdout
    assert "('feature_vis', 'channel')" in done.stdout
    assert "micrograph.lenses.tuning" in done.stdout
    assert why in done.stderr
