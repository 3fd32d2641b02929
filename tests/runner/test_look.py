"""What a model makes of one picture, and the process that answers the site about it."""

import base64
import io
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from micrograph.cli.look import failure
from micrograph.errors import BadInput, NotFound
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.models.pictures import to_input
from micrograph.pictures import open_shipped
from micrograph.runner import look


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


@pytest.fixture(scope="module")
def owl() -> np.ndarray:
    return np.asarray(open_shipped("owl"))


def test_a_picture_is_fitted_as_networks_are_evaluated(toytown: Model, owl: np.ndarray) -> None:
    expected = to_input(open_shipped("owl"), toytown.preprocessing)
    assert torch.allclose(look.fit(owl, toytown).tensor()[0], expected, atol=1e-6)
    exact = np.arange(96 * 96 * 3, dtype=np.uint32).astype(np.uint8).reshape(96, 96, 3)
    assert np.array_equal(look.fit(exact, toytown).image, exact), "stored samples stay as they are"
    assert look.fit(owl[:1, :1], toytown).image.shape == (96, 96, 3)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(toytown: Model, pixels: np.ndarray) -> None:
    with pytest.raises(BadInput, match="expected uint8"):
        look.fit(pixels, toytown)


def test_one_look_tells_what_the_passes_tell(toytown: Model, owl: np.ndarray) -> None:
    picture = look.fit(owl, toytown)
    found = look.look(toytown, picture)
    with torch.no_grad():
        a = toytown.run(picture.tensor(), ["mixed4c", "logits"])
    assert next(iter(found["maxima"])) == "conv0"
    assert list(found["maxima"])[-1] == "logits"
    assert "mixed4c_1x1" not in found["maxima"]
    assert torch.allclose(torch.tensor(found["maxima"]["mixed4c"]), a["mixed4c"][0].amax((1, 2)))
    assert torch.allclose(torch.tensor(found["maxima"]["logits"]), a["logits"][0])
    assert found["classes"][0]["label"] == "owl"
    shares = a["logits"].softmax(1)[0].sort(descending=True).values[:5]
    assert [c["share"] for c in found["classes"]] == pytest.approx(shares.tolist(), abs=1e-4)
    assert (found["unit"], found["attribution"]) == (None, None)


def test_a_unit_with_its_map_and_what_carried_it(toytown: Model, owl: np.ndarray) -> None:
    picture = look.fit(owl, toytown)
    found = look.look(toytown, picture, "mixed4c", 142, attribution=True)
    with torch.no_grad():
        a = toytown.run(picture.tensor(), ["mixed4c"])["mixed4c"][0, 142]
    assert found["unit"]["value"] == pytest.approx(a.max().item(), rel=1e-4)
    assert found["unit"]["position"] == int(a.argmax())
    assert np.allclose(found["unit"]["map"], a / a.max(), atol=1e-3)
    assert list(found["maxima"]) == ["mixed4c"]
    carried = found["attribution"]
    assert (carried["node"], carried["unit"]) == ("mixed4c", 142)
    assert carried["target"] == pytest.approx(a.max().item(), rel=1e-3)
    assert [n["node"] for n in carried["nodes"]] == ["mixed4b", "mixed4a", "mixed3b"]


def test_a_silent_unit_has_an_empty_map(toytown: Model) -> None:
    grey = look.fit(np.full((96, 96, 3), 128, np.uint8), toytown)
    with torch.no_grad():
        a = toytown.run(grey.tensor(), ["mixed4c"])["mixed4c"][0].flatten(1).amax(1)
    silent = int((a == 0).nonzero()[0])
    assert look.unit_map(toytown, grey, "mixed4c", silent)["map"] == [[0.0] * 12] * 12


def test_places_that_are_not_are_refused(toytown: Model, owl: np.ndarray) -> None:
    picture = look.fit(owl, toytown)
    with pytest.raises(BadInput, match="out of range"):
        look.unit_map(toytown, picture, "mixed4c", 208)
    with pytest.raises(NotFound):
        look.look(toytown, picture, "mixed9z")


def test_a_caricature_is_a_picture(toytown: Model, owl: np.ndarray) -> None:
    told: list[tuple[int, int]] = []
    url = look.caricature(
        toytown, look.fit(owl, toytown), "conv1", lambda step, steps: told.append((step, steps))
    )
    kind, _, data = url.partition(",")
    assert kind == "data:image/webp;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (96, 96)
    assert told[-1][0] == told[-1][1]


def test_what_a_unit_is_made_of_and_what_changes_with_it(toytown: Model, owl: np.ndarray) -> None:
    picture = look.fit(owl, toytown)
    steps: list[int] = []
    graph = look.circuit(toytown, picture, "3a", 3, lambda step, of: steps.append(step))
    assert graph["target"] == "mixed3a/3"
    assert graph["picture_digest"] == picture.digest
    assert steps == [1, 2, 3]
    largest = toytown.run(picture.tensor(), ["mixed5b"])["mixed5b"][0].flatten(1).amax(1)
    unit = int(largest.argmax())
    added = look.steered(toytown, picture, "mixed5b", unit, "add")
    assert added["amount"] == pytest.approx(largest[unit].item())
    assert look.steered(toytown, picture, "mixed5b", unit, "halve")["factor"] == 0.5
    silent = int(largest.argmin())
    assert largest[silent] == 0
    with pytest.raises(BadInput, match="nowhere above 0 on this picture"):
        look.steered(toytown, picture, "mixed5b", silent, "add")
    with pytest.raises(BadInput, match="out of range"):
        look.circuit(toytown, picture, "3a", 80)


def test_the_process_answers_until_its_input_ends(owl: np.ndarray) -> None:
    def request(**ask) -> bytes:
        return json.dumps(ask | {"shape": owl.shape}).encode() + b"\n" + owl.tobytes()

    done = subprocess.run(
        [sys.executable, "-m", "micrograph", "look", "toytown"],
        input=request(ask="look", node="mixed4c", unit=5)
        + request(ask="map", node="x", unit=1)
        + request(ask="nonsense")
        + request(ask="map", node="mixed4c", unit=5),
        capture_output=True,
        timeout=120,
        check=True,
    )
    ready, looked, wrong, senseless, mapped = map(json.loads, done.stdout.splitlines())
    assert ready == {"answer": "ready"}
    assert looked["answer"]["classes"][0]["label"] == "owl"
    assert wrong["status"] == 404
    assert "no question" in senseless["error"]
    assert mapped["answer"] == looked["answer"]["unit"]


def test_the_process_answers_about_a_transformer(owl: np.ndarray) -> None:
    asked = {"ask": "look", "attribution": True, "shape": owl.shape}
    places = [("blocks.1", 0), ("blocks.3.class", 5), ("logits", 18)]
    done = subprocess.run(
        [sys.executable, "-m", "micrograph", "look", "toytown_vit"],
        input=b"".join(
            json.dumps(asked | {"node": node, "unit": unit}).encode() + b"\n" + owl.tobytes()
            for node, unit in places
        ),
        capture_output=True,
        timeout=120,
        check=True,
    )
    ready, *looked = map(json.loads, done.stdout.splitlines())
    assert ready == {"answer": "ready"}
    for (node, unit), told in zip(places, looked, strict=True):
        carried = told["answer"]["attribution"]
        assert (carried["node"], carried["unit"]) == (node, unit)
        assert carried["nodes"]
        for part in carried["nodes"]:
            there_is = max(abs(carried["target"]), abs(carried["target"] - part["baseline"]))
            assert abs(part["missed"]) <= 0.051 * there_is


def test_what_goes_wrong_in_a_network_is_told_in_one_line(toytown: Model) -> None:
    told = failure(toytown, RuntimeError("sizes of tensors must match\nexcept in dimension 1"))
    assert told.to_json() == {
        "error": "toytown failed on this picture (RuntimeError: sizes of tensors must match)",
        "status": 503,
    }


def test_the_process_stops_a_caricature_that_is_taken_back(owl: np.ndarray) -> None:
    def request(**ask) -> bytes:
        return json.dumps(ask | {"shape": owl.shape}).encode() + b"\n" + owl.tobytes()

    process = subprocess.Popen(
        [sys.executable, "-m", "micrograph", "look", "toytown"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(request(ask="caricature", node="conv1", frames=1))
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"answer": "ready"}
        first = json.loads(process.stdout.readline())
        assert first["step"] == 1
        assert first["frame"].startswith("data:image/webp;base64,")
        process.stdin.write(b'{"cancel": true}\n' + request(ask="map", node="mixed4c", unit=5))
        process.stdin.close()
        *steps, failed, mapped = map(json.loads, process.stdout.readlines())
    assert len(steps) < first["steps"] - 1, "it did not go on to its end"
    assert failed == {"error": "the question was taken back", "status": 503}
    assert mapped["answer"]["value"] >= 0, "what is asked after it is answered"
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["toytown", "--digest", "ab" * 32], "are not those that the atlas was made from"),
        (["nomodel"], "only in an atlas"),
    ],
)
def test_a_model_that_cannot_be_had_is_told_at_once(words: list[str], reason: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "micrograph", "look", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["status"] == 503
    assert reason in said["error"]
