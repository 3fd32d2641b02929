"""`render` and `info`, on the network that ships with us."""

import json
import signal
import time

import pytest

from micrograph.atlas import Atlas

QUICK = ("--node", "conv0", "--steps", "2", "--size", "32")


def test_render_then_again_then_look(run, tmp_path):
    folder = tmp_path / "deep" / "atlas"
    args = ("render", "toytown", *QUICK, "--units", "0-1,5", "--atlas", folder)
    status, out, err = run(*args)
    assert status == 0
    assert out.startswith("3 results in ")
    assert "3 to do" in err
    assert [p.name for p in folder.glob("*.atlas*") if p.suffix != ".lock"] == ["toytown.atlas"]
    again = run(*args)
    assert again.status == 0
    assert again.out.startswith("0 results")
    assert "3 were there already" in again.out

    facts = json.loads(run("info", "toytown/conv0/5", "--json", "--atlas", folder).out)
    assert facts["address"] == "toytown/conv0/5"
    (picture,) = facts["visualizations"]
    assert (picture["width"], picture["seed"], picture["variant"]) == (32, 0, "channel")
    assert picture["recipe"]["steps"] == 2
    assert "feature_vis  channel  0" in run("info", "toytown/conv0/5", "--atlas", folder).out
    assert "3 feature_vis/channel" in run("info", "toytown", "--atlas", folder).out
    assert "3 feature_vis/channel" in run("info", "toytown/conv0", "--atlas", folder).out


def test_every_option_reaches_the_recipe(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRAPH_ATLAS", str(tmp_path))
    status, out, _ = run(
        *("render", "ToyTown", *QUICK, "--units", "7", "--variant", "neuron-negative"),
        *("--variant", "channel", "--seed", "3", "--repeats", "2", "--preset", "draft"),
        *("--batch", "1", "--device", "cpu", "--technique", "feature_vis"),
    )
    assert status == 0
    assert out.startswith("4 results")
    with Atlas.open(tmp_path / "toytown.atlas") as atlas:
        made = atlas.visualizations("conv0", 7)
    assert {(v.variant, v.seed) for v in made} == {
        (variant, seed) for variant in ("neuron-negative", "channel") for seed in (3, 4)
    }


BAD = {
    ("--steps", "-3"): "steps -3 is out of range",
    ("--steps", "0"): "steps 0 is out of range",
    ("--steps", "99999999"): "steps 99999999 is out of range",
    ("--size", "-1"): "size -1 is out of range",
    ("--size", "100000"): "size 100000 is out of range",
    ("--batch", "0"): "batch 0 is not usable",
    ("--batch", "-2"): "batch -2 is not usable",
    ("--batch", "many"): "--batch 'many' is no number",
    ("--node", "conv77"): "unknown node 'conv77' in toytown; did you mean",
    ("--node", "zzz*"): "unknown node 'zzz*'",
    ("--units", "9999"): "out of range; this node has units 0-",
    ("--units", "5-3"): "out of range",
    ("--units", "a-b"): "units 'a-b' not understood",
    ("--units", ""): "units '' not understood",
    ("--units", "-4"): "units '-4' not understood",
    ("--technique", "magic"): "unknown technique 'magic'",
    ("--variant", "sideways"): "unknown variant 'sideways'",
    ("--preset", "draf"): "did you mean 'draft'",
    ("--seed", "-1"): "seed -1 is out of range",
    ("--quality", "0"): "image quality 0 is out of range",
    ("--quality", "101"): "image quality 101 is out of range",
    ("--repeats", "0"): "repeats 0 is out of range",
    ("--device", "quantum"): "device 'quantum' cannot be used here",
    ("--weights", "absent.safetensors"): "cannot read absent.safetensors",
    ("--steps", "many"): "steps 'many' of feature_vis is not usable; expected a whole number",
}


@pytest.mark.parametrize("option", BAD, ids=" ".join)
def test_bad_options_leave_nothing(refused, tmp_path, option):
    line = refused("render", "toytown", "--atlas", tmp_path / "atlas", *QUICK, *option)
    assert BAD[option] in line
    assert not (tmp_path / "atlas").exists()


def test_other_bad_input_of_render(refused, tmp_path):
    assert "unknown model 'toytwn'" in refused("render", "toytwn")
    assert "no weights for squeezenet1_1 here" in refused("render", "squeezenet1_1")
    file = tmp_path / "file"
    file.write_text("")
    assert "is a file, expected a folder" in refused("render", "toytown", "--atlas", file)
    line = refused("render", "toytown", *QUICK, "--atlas", file / "below")
    assert str(file / "below") in line
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "toytown.atlas").write_text("no atlas")
    assert "toytown.atlas" in refused("render", "toytown", *QUICK, "--atlas", foreign)
    assert (foreign / "toytown.atlas").read_text() == "no atlas"


LONG = ("render", "toytown", "--node", "conv0", "--size", "32", "--steps", "60", "--batch", "2")


def wait_for(condition, seconds: float = 90.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
    return found


def stored(path) -> int:
    if not path.exists():
        return 0
    with Atlas.open(path) as atlas:
        return len(atlas.rendered())


@pytest.mark.parametrize(
    "how", ["Ctrl-C", pytest.param("SIGTERM", marks=pytest.mark.nightly), "orphaned"]
)
def test_stopping_keeps_what_is_done(start, tmp_path, how):
    import subprocess

    path = tmp_path / "toytown.atlas"
    orphan = ("--orphan-stops",) if how == "orphaned" else ()
    process = start(*LONG, "--atlas", tmp_path, *orphan, stdin=subprocess.PIPE)
    wait_for(lambda: stored(path) or process.poll() is not None)
    assert process.poll() is None, process.stderr.read()
    if how == "orphaned":
        process.stdin.close()
        process.stdin = None
    else:
        process.send_signal(signal.SIGINT if how == "Ctrl-C" else signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: the same command goes on from here" in out
    assert "Traceback" not in err
    assert stored(path) >= 2
    assert not (tmp_path / "toytown.atlas-wal").exists()


def test_info_without_an_atlas(run):
    out = run("info", "squeezenet1_1").out  # needs no weights
    assert "fire2_squeeze1x1  conv" in out
    facts = json.loads(run("info", "inceptionv1_caffe", "--json").out)
    assert facts["model"]["weights"] is None
    assert {n["id"]: n["units"] for n in facts["nodes"]}["inception_4c"] == 512
    out = run("info", "inceptionv1_caffe mixed4c_3x3_bottleneck:7").out
    assert out.startswith("inceptionv1_caffe/inception_4c_3x3_reduce/7\n")
    assert "render inceptionv1_caffe --node inception_4c_3x3_reduce --units 7" in out
    assert "golden retriever" in run("info", "inceptionv1_caffe/logits/207").out


def test_bad_addresses(refused):
    assert "unknown model 'toytwn'; did you mean 'toytown'" in refused("info", "toytwn/conv0")
    assert "unknown node 'conv77' in toytown" in refused("info", "toytown/conv77")
    assert "has units 0-" in refused("info", "toytown/conv0/9999")
    assert "is no address" in refused("info", "a/b/3/4")
    assert "is no number" in refused("info", "toytown/conv0/x")


def test_a_damaged_atlas_is_mentioned(run, tmp_path):
    (tmp_path / "toytown.atlas").write_text("no atlas")
    status, out, err = run("info", "toytown/conv0", "--atlas", tmp_path)
    assert status == 0
    assert "units     24" in out
    assert err.startswith("warning: ")
    assert "toytown.atlas" in err
