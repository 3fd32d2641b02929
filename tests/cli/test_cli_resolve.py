"""`micrograph resolve`, and what other commands know of models of which nothing is rendered."""

import json

import pytest

LINK = (
    "https://microscope.openai.com/models/inceptionv1/mixed4c_0/447"
    "?models.op.feature_vis.type=channel&models.op.technique=feature_vis"
)


def test_a_place_for_people(run):
    status, out, err = run("resolve", "InceptionV1", "4c:447")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "inceptionv1/mixed4c/447"
    assert lines[1].split() == ["page", "/models/inceptionv1/mixed4c/447"]
    assert "micrograph render inceptionv1 --node mixed4c --units 447" in out


def test_a_place_for_machines(run):
    status, out, _ = run("resolve", "--json", LINK)
    assert status == 0
    assert json.loads(out) == {
        "model": "inceptionv1",
        "node": "mixed4c",
        "unit": 447,
        "address": "inceptionv1/mixed4c/447",
        "technique": "feature_vis",
        "available": False,
        "note": "Nothing is rendered of it here yet: "
        "`micrograph weights fetch inceptionv1`, then "
        "`micrograph render inceptionv1 --node mixed4c --units 447`.",
        "variant": "channel",
        "url": "/models/inceptionv1/mixed4c/447",
        "nearest": [],
    }


@pytest.mark.parametrize("text", ["mixd4c:447", "inceptionv1/mixed4c/512", "-- -x", "\0", ""])
def test_nothing_found_is_status_2(run, text):
    status, out, err = run("resolve", *text.split("  "))
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    status, out, err = run("resolve", "--json", "--", text)
    assert (status, err) == (2, "")
    found = json.loads(out)
    assert found["address"] is found["unit"] is None
    assert found["note"]


def test_the_nearest_are_shown(run):
    err = run("resolve", "inceptionv1/mixd4c/447").err
    assert "near: inceptionv1/mixed4c" in err


def test_the_index_and_the_lost(run):
    assert run("resolve", "https://microscope.openai.com/models").out.startswith("/models\n")
    status, out, _ = run("resolve", "http://microscope-azure-edge.openai.com/models/lm_v1/x_0/3")
    assert status == 0
    assert out.startswith("lm_v1\n")
    assert "contrastive_rn50" in out


def test_it_does_not_import_torch():
    import subprocess
    import sys

    code = (
        "import sys; from micrograph.cli import main; main(['resolve', '4c:447'])\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_unreleased_models_are_told_apart(run):
    (line,) = [line for line in run("models").out.splitlines() if line.startswith("lm_v1 ")]
    assert "unreleased" in line
    out = run("info", "lm_v1").out
    assert "never released" in out
    assert "receptive" not in out
    assert "rendered" not in out


def test_info_knows_what_nobody_rendered(run):
    status, out, _ = run("info", "inceptionv1/4c/447")
    assert status == 0
    assert "inceptionv1/mixed4c/447" in out
    assert "Nothing rendered yet: micrograph render inceptionv1 --node mixed4c --units 447" in out
