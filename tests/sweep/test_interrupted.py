"""Sweeps that meet bad values, or stop half-way and go on."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import sweeping
import torch
from sweeping import Small, pictures, small_model, swept
from torch import nn

from micrograph.atlas import Atlas
from micrograph.datasets import reading
from micrograph.errors import BadInput, Conflict
from micrograph.lenses.dataset_examples.engine import ENGINE as DATASET_EXAMPLES
from micrograph.lenses.dataset_examples.engine import FILE
from micrograph.models.model import Model
from micrograph.runner import parts, render
from micrograph.runner.executor import workspace_of
from micrograph.sweep import collecting, part


class Poisoned(nn.Module):
    """A network that cannot stand pictures with a black corner."""

    def __init__(self, value: float):
        super().__init__()
        self.net, self.value = Small(), value

    def forward(self, x):
        bad = (x[:, :, :2, :2].amax((1, 2, 3)) <= -0.5).float()
        x = self.net.stem(x)
        x = x + torch.where(bad > 0, self.value, 0.0)[:, None, None, None]
        return self.net.last(self.net.plain(self.net.pool(self.net.both(x))).mean((2, 3)))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_pictures_with_values_that_are_no_numbers_are_left_out(folder, value):
    torch.manual_seed(0)
    pre = small_model().preprocessing
    model = Model.of(Poisoned(value), id="small", preprocessing=pre)
    from PIL import Image

    for name in ("class0/0003.png", "class2/0199.png"):
        pixels = np.asarray(Image.open(folder / name)).copy()
        pixels[:2, :2] = 0
        Image.fromarray(pixels).save(folder / name)
    _, tally = swept(model, folder)
    assert set(tally.skipped) == {3, 199}
    assert "no finite numbers" in tally.skipped[3]
    assert tally.complete
    # As if the two had never been there: the same values, from the remaining pictures.
    assert not {3, 199} & set(tally.top.numbers.ravel().tolist())
    assert np.isfinite(tally.arrays["max"]).all()
    assert np.isfinite(tally.sum.total()).all()
    assert tally.arrays["class.counts"].sum() == 198


def test_no_picture_that_can_be_used(tmp_path):
    for n in range(3):
        (tmp_path / f"{n}.png").write_bytes(b"damaged")
    with pytest.raises(BadInput, match=r"no picture of the dataset .* can be used: cannot read"):
        swept(small_model(), tmp_path)


class Stop(Exception):
    pass


def test_an_interrupted_render_goes_on(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "CHECKPOINT", 32)
    model, looked = small_model(), []
    job = DATASET_EXAMPLES.jobs(model, dataset=str(folder))[0]
    targets = {"both": range(7), "plain": range(6)}
    batch = reading._batch
    monkeypatch.setattr(reading, "_batch", lambda *a: looked.append(a[3]) or batch(*a))

    def stop(step: int, steps: int) -> None:
        if step == 5:
            raise Stop

    def run(workspace: Path, hook=None, wanted=targets):
        return list(DATASET_EXAMPLES.sweep(model, wanted, job, workspace, hook))

    with pytest.raises(Stop):
        run(tmp_path / "w", stop)
    looked.clear()
    found = run(tmp_path / "w")
    assert looked == [5, 6]
    looked.clear()
    fewer = run(tmp_path / "w", None, {"plain": [3]})  # the others are stored by now
    assert looked == []
    expected = run(tmp_path / "other")
    assert said(found) == said(expected)
    assert said(fewer) == {("plain", 3): said(expected)["plain", 3]}
    (tmp_path / "w" / FILE).write_bytes(b"damaged")
    assert said(run(tmp_path / "w")) == said(expected)


def said(results):
    return {
        (r.node, r.unit): dict(r.data) for r in results if hasattr(r, "unit") and r.unit is not None
    }


def test_a_change_in_the_middle(folder, tmp_path):
    model = small_model()
    job = DATASET_EXAMPLES.jobs(model, dataset=str(folder))[0]
    (folder / "class2" / "0190.png").write_bytes(b"another")
    with pytest.raises(Conflict, match=r"0190\.png.*has changed"):
        list(DATASET_EXAMPLES.sweep(model, {"plain": [0]}, job, tmp_path / "w"))


SCRIPT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from sweeping import small_model
from micrograph.runner import render
from micrograph.sweep import collecting
collecting.CHECKPOINT = 32
look = collecting.Look.__call__
def slow(*args):
    time.sleep(0.3)
    return look(*args)
collecting.Look.__call__ = slow
render(small_model(), sys.argv[2], technique=["dataset_examples"], dataset=sys.argv[3])
"""


def test_killed_with_the_atlas_whole(folder, tmp_path):
    atlas = tmp_path / "atlas"
    arguments = [
        sys.executable,
        "-c",
        SCRIPT,
        str(Path(sweeping.__file__).parent),
        str(atlas),
        str(folder),
    ]
    child = subprocess.Popen(arguments, env=os.environ | {"OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 120
    while not (found := list(atlas.glob(f"*.part/{FILE}"))) and time.monotonic() < deadline:
        assert child.poll() is None
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert found, "no checkpoint within two minutes"
    summary = render(small_model(), atlas, technique=["dataset_examples"], dataset=str(folder))
    assert summary.rendered > 0
    assert [p.suffix for p in atlas.iterdir() if p.suffix != ".lock"] == [".atlas"]
    render(small_model(), tmp_path / "fresh", technique=["dataset_examples"], dataset=str(folder))
    assert content(atlas) == content(tmp_path / "fresh")


PART = """
import sys
sys.path.insert(0, sys.argv[1])
from sweeping import small_model
from micrograph.runner import parts
from micrograph.sweep import collecting
look = collecting.Look.__call__
def waiting(*args):
    print("looks", flush=True)
    sys.stdin.readline()
    return look(*args)
collecting.Look.__call__ = waiting
parts.sweep_part(small_model(), parts.Path(sys.argv[2]), dataset=sys.argv[3])
"""


def test_a_second_sweep_into_one_file_is_refused_while_the_first_lives(folder, tmp_path):
    out = tmp_path / "part1"
    here = str(Path(sweeping.__file__).parent)
    child = subprocess.Popen(
        [sys.executable, "-c", PART, here, str(out), str(folder)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "looks\n"
        other = tmp_path / "link"
        other.symlink_to(out)
        for name in (out, other, tmp_path / "." / "part1"):
            with pytest.raises(Conflict, match="being written by another process") as told:
                parts.sweep_part(small_model(), name, dataset=str(folder))
            assert "\n" not in str(told.value)
        parts.sweep_part(small_model(), tmp_path / "part2", dataset=str(folder))
        assert not out.exists()
    finally:
        child.kill()
        child.communicate()
    swept_now = parts.sweep_part(small_model(), out, dataset=str(folder))
    assert swept_now.complete
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "noise", "part1", "part2"]


def content(folder: Path):
    with Atlas.open(folder / "small.atlas") as atlas:
        return {
            (v.node, v.unit): dict(v.data)
            for node in atlas.nodes.values()
            for unit in range(node.units)
            for v in atlas.visualizations(node.id, unit)
        }


def test_bad_copies_of_every_kind_are_counted(tmp_path):
    """What can be decoded is swept, the rest is left out with a reason."""
    from PIL import Image

    root = pictures(tmp_path / "p", 12) / "class0"
    flat = Image.new("RGB", (30, 20), "red")
    flat.convert("CMYK").save(root / "cmyk.jpg")
    flat.convert("P").save(root / "palette.png")
    flat.save(root / "animated.gif", save_all=True, append_images=[flat.rotate(90)])
    Image.fromarray(np.full((9, 9), 40_000, np.uint16)).save(root / "deep.png")
    Image.new("RGB", (1, 1)).save(root / "one.png")
    (root / "corrupt.jpg").write_bytes(b"\xff\xd8\xff" + b"0" * 300)
    (root / "empty.png").write_bytes(b"")
    huge = Image.new("1", (8100, 8000))
    huge.save(root / "huge.png")
    dataset, tally = swept(small_model(), tmp_path / "p")
    reasons = {dataset.entries[n].name: why for n, why in tally.skipped.items()}
    assert set(reasons) == {f"class0/{n}" for n in ("corrupt.jpg", "empty.png", "huge.png")}
    assert "megapixels" in reasons["class0/huge.png"]
    assert tally.complete


def test_killed_between_the_last_unit_and_the_node(folder, tmp_path):
    """What a node has as a whole is stored after its units; the same command makes that alone."""
    whole = {"technique": ["dataset_examples"], "dataset": str(folder), "nodes": ["plain"]}
    render(small_model(), tmp_path / "unbroken", **whole)
    render(small_model(), tmp_path / "killed", **whole)
    with closing(sqlite3.connect(tmp_path / "killed" / "small.atlas")) as connection:
        of_nodes = "(SELECT id FROM visualization WHERE unit = -1)"
        connection.execute(f"DELETE FROM array WHERE visualization IN {of_nodes}")
        connection.execute("DELETE FROM visualization WHERE unit = -1")
        assert connection.total_changes >= 2
        connection.commit()
    assert nodes_alone(tmp_path / "killed") == []
    again = render(small_model(), tmp_path / "killed", **whole)
    assert again.rendered == 1
    assert nodes_alone(tmp_path / "killed") == nodes_alone(tmp_path / "unbroken") != []
    assert render(small_model(), tmp_path / "killed", **whole).rendered == 0


def nodes_alone(folder: Path):
    with closing(sqlite3.connect(folder / "small.atlas")) as connection:
        return connection.execute(
            "SELECT v.data, a.name, a.data FROM visualization v "
            "JOIN array a ON a.visualization = v.id WHERE v.unit = -1 ORDER BY 2"
        ).fetchall()


def test_killed_after_the_last_result(folder, tmp_path):
    """The folder with the work goes at the next start; one that holds more is kept."""
    whole = {"technique": ["dataset_examples"], "dataset": str(folder)}
    model = small_model()
    (job,) = DATASET_EXAMPLES.jobs(model, dataset=str(folder))
    work = workspace_of(tmp_path / "small.atlas", job.recipe)
    list(DATASET_EXAMPLES.sweep(model, {"plain": range(6), "last": range(4)}, job, work))
    assert (work / FILE).exists()
    render(model, tmp_path, nodes=["plain"], **whole)
    list(DATASET_EXAMPLES.sweep(model, {"plain": range(6), "last": range(4)}, job, work))
    render(model, tmp_path, nodes=["plain"], **whole)
    assert (work / FILE).exists(), "of another node there is work that can be gone on from"
    list(DATASET_EXAMPLES.sweep(model, {"plain": range(6)}, job, tmp_path / "w"))
    shutil.move(tmp_path / "w" / FILE, work / FILE)
    shutil.rmtree(tmp_path / "w")
    assert render(model, tmp_path, nodes=["plain"], **whole).rendered == 0
    assert not work.exists()


def test_a_part_that_is_not_finished_is_named(folder, tmp_path):
    model = small_model()
    for number in (1, 2):
        parts.sweep_part(model, tmp_path / f"p{number}", dataset=str(folder), shard=(number, 2))
    tally, source = part.read(tmp_path / "p2")
    assert part.left_of(tmp_path / "p2") == 0
    tally.done[-1] = False
    part.write(tally, tmp_path / "p2", source, range(3, tally.spec.batches))
    assert part.left_of(tmp_path / "p2") == 1
    with pytest.raises(BadInput, match=r"not finished: .*p2; run the command again") as told:
        parts.merge_parts([tmp_path / "p1", tmp_path / "p2"])
    assert "p1" not in str(told.value)
