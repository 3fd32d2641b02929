"""Dataset examples in an atlas, from a folder and from parts."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from micrograph import Model, Preprocessing
from micrograph import lenses as techniques
from micrograph.atlas import Atlas
from micrograph.cli import main
from micrograph.errors import BadInput, Conflict, MicrographError
from micrograph.lenses.dataset_examples.engine import ENGINE as DATASET_EXAMPLES
from micrograph.lenses.engines.base import SweepEngine
from micrograph.runner import parts, render
from micrograph.runner.progress import Silent

pytestmark = pytest.mark.filterwarnings("ignore:dataset things. 1 of 9. pictures left out")


def net() -> Model:
    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3, stride=2))
    return Model.of(module, id="net", preprocessing=Preprocessing(16, 16))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(90):
        pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        path = tmp_path / "things" / ("ants" if number < 50 else "bees") / f"{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    (tmp_path / "things" / "bees" / "099.png").write_bytes(b"damaged")
    return tmp_path / "things"


def said(folder: Path) -> dict:
    with Atlas.open(folder / "net.atlas") as atlas:
        return {
            (v.node, v.unit): (v.score, dict(v.data))
            for node in atlas.nodes.values()
            for unit in range(node.units)
            for v in atlas.visualizations(node.id, unit)
        }


def test_a_sweep_in_the_atlas(folder, tmp_path):
    assert isinstance(techniques.get("dataset_examples"), SweepEngine)
    render(net(), tmp_path / "a", technique=["dataset_examples"], dataset=str(folder), k=4)
    with Atlas.open(tmp_path / "a" / "net.atlas") as atlas:
        (source,) = atlas.datasets()
        assert (source.name, source.pictures, source.size) == ("things", 91, 16)
        assert source.classes == ("ants", "bees")
        (v,) = atlas.visualizations("2", 3)
        assert (v.technique, v.variant, v.picture) == ("dataset_examples", "things", None)
        assert v.data["dataset"] == source.digest == v.recipe["dataset"]
        assert v.score == v.data["max"] == v.data["top"][0][2]
        assert [len(v.data[end]) for end in ("top", "bottom")] == [4, 2]
        numbers = {n for n, _, _ in v.data["top"] + v.data["bottom"]}
        samples = atlas.samples(source.digest, sorted(numbers))
        assert set(samples) == numbers
        for number, sample in samples.items():
            assert sample.name.endswith(f"{number:03d}.png")
            assert sample.cls == (0 if number < 50 else 1)
            assert (sample.picture.width, sample.picture.height) == (16, 16)
        # The value is found again where it is said to be.
        number, position, value = v.data["top"][0]
        path = next(folder.rglob(f"{number:03d}.png"))
        pixels = torch.from_numpy(np.asarray(Image.open(path)).copy()).permute(2, 0, 1)[None] / 255
        again = net().run(pixels, ["2"])["2"][0, 3].flatten()
        assert again.argmax() == position
        assert again[position] == pytest.approx(value, rel=1e-4)
        (whole,) = atlas.visualizations("2", None)
        assert whole.data["skipped"] == 1
        assert "099.png" in whole.data["reasons"][0][1]
        arrays = atlas.arrays("2", None, "dataset_examples", "things")
        assert arrays["profile"].shape == (4, 90)
        assert arrays["numbers"].tolist() == list(range(90))
        assert arrays["profile"][3].argmax() == number
        assert arrays["high"][3] == np.float32(value)


def test_a_repeat_adds_nothing_and_other_datasets_stand_beside(folder, tmp_path):
    options = {"technique": ["dataset_examples"], "dataset": str(folder)}
    first = render(net(), tmp_path / "a", **options)
    assert render(net(), tmp_path / "a", **options).rendered == 0
    (folder / "ants" / "000.png").unlink()
    assert render(net(), tmp_path / "a", **options).rendered == first.rendered
    with Atlas.open(tmp_path / "a" / "net.atlas") as atlas:
        assert len(atlas.datasets()) == 2


def test_without_pictures_and_then_with_them(folder, tmp_path):
    options = {"technique": ["dataset_examples"], "dataset": str(folder)}
    for pictures in (False, True):
        render(net(), tmp_path, **options, pictures=pictures)
        with Atlas.open(tmp_path / "net.atlas") as atlas:
            (source,) = atlas.datasets()
            v, *_ = atlas.visualizations("2", 0)
            number = v.data["top"][0][0]
            assert (atlas.samples(source.digest, [number])[number].picture is not None) == pictures


def test_what_is_left_out_is_told(folder, tmp_path):
    (folder / "notes.txt").write_text("mixed in")
    with pytest.warns(
        UserWarning,
        match=r"^dataset things: 1 of 91 pictures left out \(first: can"
        r"not read .*bees/099.png.*; 1 other files \(no name of a picture\)$",
    ):
        render(net(), tmp_path / "atlas", technique=["dataset_examples"], dataset=str(folder))


def test_parts_merged_into_an_atlas(folder, tmp_path):
    model = net()
    files = [tmp_path / f"part{n}" for n in (1, 2, 3)]
    for n, file in enumerate(files):
        parts.sweep_part(model, file, dataset=str(folder), shard=(n + 1, 3), k=4)
    whole, source = parts.merge_parts(files[::-1])
    parts.store_merged(model, whole, tmp_path / "merged", dataset=source)
    with pytest.raises(BadInput, match="stored already"):
        parts.store_merged(model, whole, tmp_path / "merged", dataset=source)
    render(model, tmp_path / "one", technique=["dataset_examples"], dataset=str(folder), k=4)
    assert said(tmp_path / "merged") == said(tmp_path / "one")

    with pytest.raises(BadInput, match=r"66\.7% of the dataset; pictures from number 0 on"):
        parts.merge_parts(files[1:])
    with pytest.raises(Conflict, match="give each part once"):
        parts.merge_parts([*files, files[0]])
    other = net()
    other.digest = "0" * 64
    whole, _ = parts.merge_parts(files)
    with pytest.raises(BadInput, match="digest of the weights"):
        parts.store_merged(other, whole, tmp_path / "new", dataset=source)
    (folder / "ants" / "003.png").write_bytes((folder / "ants" / "004.png").read_bytes())
    with pytest.raises(BadInput, match="has changed since it was swept"):
        parts.store_merged(model, whole, tmp_path / "new", dataset=source)
    parts.sweep_part(model, tmp_path / "late", dataset=str(folder), shard=(3, 3), k=4)
    with pytest.raises(BadInput, match="digest of the dataset"):
        parts.merge_parts([*files[:2], tmp_path / "late"])
    assert not (tmp_path / "new").exists()


def test_a_part_goes_on_where_it_was(folder, tmp_path):
    model, out = net(), tmp_path / "part"
    first = parts.sweep_part(model, out, dataset=str(folder), shard=(1, 2))
    assert not first.complete
    both = parts.sweep_part(model, out, dataset=str(folder), shard=(2, 2))
    assert both.complete
    out.write_bytes(b"notes of mine")
    with pytest.raises(BadInput, match="no sweep part"):
        parts.sweep_part(model, out, dataset=str(folder))
    assert out.read_bytes() == b"notes of mine"
    with pytest.raises(MicrographError, match="cannot write"):
        parts.sweep_part(model, tmp_path / "absent" / "x", dataset=str(folder))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"k": 0}, "k 0"),
        ({"k": "many"}, "k 'many'"),
        ({"seed": -1}, "seed"),
        ({"pictures": "yes"}, "true or false"),
        ({"dataset": "absent"}, "not there"),
    ],
)
def test_options_that_make_no_sense(options, why):
    with pytest.raises(BadInput, match=why):
        DATASET_EXAMPLES.jobs(net(), **{"dataset": "toytown:9", **options})


@pytest.mark.parametrize(
    "arguments",
    [
        "toytown",
        "toytown --dataset toytown:9",
        "toytown --out x",
        "--merge absent",
        "toytown --dataset toytown:9 --out x --shard 3/2",
        "--merge x --out y",
        "a b --dataset toytown:9 --out x",
        "nowhere --dataset toytown:9 --out x",
    ],
)
def test_commands_that_make_no_sense(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", *arguments.split()]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_command_in_parts(folder, tmp_path, capsys):
    common = ["sweep", "toytown", "--dataset", str(folder), "--node", "logits", "-k", "3"]
    for n in (1, 2):
        assert main([*common, "--shard", f"{n}/2", "--out", str(tmp_path / f"p{n}")]) == 0
    assert "1 pictures were left out" in capsys.readouterr().out
    merge = ["sweep", "--merge", str(tmp_path / "p1"), str(tmp_path / "p2")]
    assert main([*merge, "--atlas", str(tmp_path / "atlas")]) == 0
    with Atlas.open(tmp_path / "atlas" / "toytown.atlas") as atlas:
        (v,) = atlas.visualizations("logits", 7)
        assert len(v.data["top"]) == 3
        assert json.dumps(dict(v.data))


class Counted(Silent):
    """What a render says that it has to do, and how far it got."""

    def start(self, total: int, there: int, where: str) -> None:
        self.total, self.there, self.done = total, there, 0.0

    def update(self, done: float, doing: str) -> None:
        self.done = done


def test_results_are_counted_alike_before_and_after(folder, tmp_path):
    options = {"technique": ["dataset_examples"], "dataset": str(folder)}
    first, again, more = Counted(), Counted(), Counted()
    done = render(net(), tmp_path, nodes="2", progress=first, **options)
    assert (first.total, first.there, first.done) == (4 + 1, 0, 4 + 1)
    assert (done.rendered, done.there) == (4 + 1, 0)
    done = render(net(), tmp_path, nodes="2", progress=again, **options)
    assert (again.total, again.there) == (0, 4 + 1) == (done.rendered, done.there)
    done = render(net(), tmp_path, nodes=["1", "2"], progress=more, **options)
    assert (more.total, more.there) == (6 + 1, 4 + 1) == (done.rendered, done.there)
