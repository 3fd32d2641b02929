"""A reader's own picture: uploads good and bad, with a small script in the worker's place."""

import asyncio
import io
import json
import os
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
import web_samples
from PIL import Image

from micrograph.atlas import AtlasWriter, DatasetRecord, SampleRecord, Visualization
from micrograph.pictures import MAX_BYTES
from micrograph.web import picture_questions as looking
from micrograph.web.picture_questions import PictureQuestions
from micrograph.workers import LOOK
from micrograph.workers.process import WorkerProcess

SAME = {
    "content-type": "image/png",
    "origin": "http://site",
    "host": "site",
    "sec-fetch-site": "same-origin",
}
MODEL, NODE, UNIT = "/models/tinynet", "/models/tinynet/conv0", "/models/tinynet/conv0/3"
DATASET = "cd" * 32

SPEAKS = """
    import json, sys
    def say(**line): print(json.dumps(line), flush=True)
    say(answer="ready")
    while line := sys.stdin.buffer.readline():
        ask = json.loads(line)
        y, x, _ = ask["shape"]
        pixels = sys.stdin.buffer.read(y * x * 3)
        mean = sum(pixels) / len(pixels)
        shown = {"value": 2.0, "position": 1, "map": [[0.5, 1.0]]}
        node = ask["node"]
"""
ANSWERS = (
    SPEAKS
    + """
        if ask["ask"] == "map":
            say(answer=shown | {"value": mean})
        elif ask["ask"] == "caricature":
            for step in (1, 2): say(step=step, steps=2)
            say(answer="data:image/webp;base64,AAAA")
        else:
            say(answer={
                "maxima": {node or "conv0": [0, 4, 1, 0, 0, 0, 0, 3], "logits": [1, 2, 3],
                           "gone": [1.0]},
                "unit": None if ask["unit"] is None else shown,
                "classes": [{"class": 2, "label": "wild cat", "value": mean, "share": 0.5}],
                "attribution": {"size": [y, x], "asked": ask["attribution"]},
            })
"""
)
DIES = (
    SPEAKS
    + """
        sys.exit("out of luck")
"""
)
HANGS = (
    SPEAKS
    + """
        import time; time.sleep(60)
"""
)
NO_WEIGHTS = """
    import json
    print(json.dumps({"error": "no weights of tinynet here", "status": 503}), flush=True)
"""


def look_with(script: str) -> PictureQuestions:
    text = textwrap.dedent(script)
    return PictureQuestions(lambda model, digest: [sys.executable, "-c", text, model, digest])


def worker_of(look: PictureQuestions) -> WorkerProcess | None:
    """The process that holds a model for it, where there is one."""
    return look.workers.process(LOOK)


def wait_for(condition, seconds: float = 20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def site(client_of, folder):
    """Makes a client whose pictures are looked at by a script."""
    made = []

    def make(script: str = ANSWERS, *folders):
        look = look_with(script)
        made.append(look)
        return client_of(*(folders or (folder,)), look=look), look

    yield make
    for look in made:
        look.close()


def packed(image: Image.Image, format: str = "PNG", **more) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **more)
    return out.getvalue()


def gray(value: int = 100, size=(30, 20)) -> Image.Image:
    return Image.new("RGB", size, (value,) * 3)


def post(client, path: str, body: bytes, **headers: str):
    return client.ask(
        "POST", path, SAME | {k.replace("_", "-"): v for k, v in headers.items()}, body
    )


def test_a_model_tells_of_all_its_nodes(site):
    client, _ = site()
    found = post(client, MODEL + "/look", packed(gray())).json()
    assert found["picture"] == {"width": 30, "height": 20}
    assert found["unit"] is None
    assert [n["node"] for n in found["nodes"]] == ["conv0", "logits"], "those of the atlas"
    assert found["nodes"][0] == {
        "node": "conv0",
        "relative_to": "node",
        "units": [
            {"unit": 1, "value": 4, "strength": 0.5},
            {"unit": 7, "value": 3, "strength": 0.375},
            {"unit": 2, "value": 1, "strength": 0.125},
        ],
        "dataset": "",
    }
    assert found["classes"] == [{"class": 2, "label": "wild cat", "value": 100, "share": 0.5}]
    assert found["attribution"] == {"size": [20, 30], "asked": True}
    assert found["caricature"] is None


def test_a_unit_has_its_map(site):
    client, _ = site()
    found = post(client, UNIT + "/look", packed(gray())).json()
    assert found["unit"] == {
        "address": "tinynet/conv0/3",
        "value": 2,
        "position": 1,
        "map": [[0.5, 1]],
        "quantile": None,
        "dataset": "",
    }


def test_what_a_dataset_knows_makes_strengths_comparable(site, tmp_path):
    profile = np.tile(np.arange(0, 200, 2, dtype=np.uint8), (8, 1))
    arrays = {
        "profile": profile,
        "low": np.zeros(8, "f4"),
        "high": np.array([1, 100, 1, 255 / 50, 1, 1, 1, 3], "f4"),
        "numbers": np.arange(100, dtype=np.int32),
    }
    with AtlasWriter.open(
        tmp_path / "tinynet.atlas", web_samples.MODEL, web_samples.NODES
    ) as writer:
        writer.put(
            [
                Visualization(
                    "conv0",
                    None,
                    {"technique": "dataset_examples", "view": "town", "seed": 0},
                    1.0,
                    None,
                    arrays=arrays,
                )
            ]
        )
    client, _ = site(ANSWERS, tmp_path)
    found = post(client, UNIT + "/look", packed(gray())).json()
    (conv0, _) = found["nodes"]
    assert conv0["relative_to"] == "dataset"
    assert [(u["unit"], u["strength"]) for u in conv0["units"]] == [(2, 1), (7, 1), (1, 0.04)]
    # Unit 3: value 2 is 100 on the profile's scale, and 50 of 100 pictures stay below that.
    assert found["unit"]["dataset"] == conv0["dataset"] == "town"
    assert found["unit"]["quantile"] == pytest.approx(0.5, abs=0.02)


def test_a_caricature_comes_with_its_steps(site):
    client, _ = site()
    one = post(client, NODE + "/look?caricature=true", packed(gray())).json()
    assert one["caricature"] == "data:image/webp;base64,AAAA"
    answer = post(
        client, NODE + "/look?caricature=true", packed(gray()), accept="application/x-ndjson"
    )
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[:2] == [{"step": 1, "steps": 2}, {"step": 2, "steps": 2}]
    assert lines[2] == one


def exif_turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return packed(gray(size=(40, 30)), "JPEG", exif=exif)


def animated() -> bytes:
    return packed(gray(), "GIF", save_all=True, append_images=[gray(200)])


@pytest.mark.parametrize(
    ("body", "size", "mean"),
    [
        (packed(gray(), "JPEG"), (30, 20), 100),
        (exif_turned(), (30, 40), 100),
        (animated(), (30, 20), 100),
        (packed(gray(size=(1, 1))), (1, 1), 100),
        (packed(gray().convert("CMYK"), "JPEG"), (30, 20), 100),
        (packed(Image.fromarray(np.full((4, 5), 25700, np.uint16))), (5, 4), 100),
        (packed(gray().convert("P")), (30, 20), 100),
        (packed(gray(size=(3000, 3000)), "JPEG"), (3000, 3000), 100),
        (packed(Image.new("RGBA", (6, 5), (0, 0, 0, 0))), (6, 5), 255),
    ],
    ids=["jpeg", "turned", "animated", "dot", "cmyk", "16-bit", "palette", "large", "transparent"],
)
def test_pictures_of_all_kinds_are_taken(site, body, size, mean):
    client, _ = site()
    found = post(client, MODEL + "/look", body, content_type="application/octet-stream").json()
    assert (found["picture"]["width"], found["picture"]["height"]) == size
    assert found["classes"][0]["value"] == pytest.approx(mean, abs=3)


def test_large_photographs_are_reduced_on_the_way(site):
    client, _ = site()
    found = post(client, MODEL + "/look", packed(gray(size=(3000, 2100)), "JPEG")).json()
    assert found["attribution"]["size"] == [1050, 1500]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no picture",
        packed(gray())[:60],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        packed(gray(size=(9000, 9000)).convert("1")),
    ],
)
def test_what_is_no_picture_is_refused(site, body):
    client, look = site()
    answer = post(client, MODEL + "/look", body)
    assert answer.status_code == 400
    assert "cannot read the picture" in answer.json()["message"]
    assert worker_of(look) is None, "nobody was asked"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "multipart/form-data"}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-length": str(MAX_BYTES + 1)}, 413),
    ],
)
def test_requests_that_are_refused_unread(site, change, status):
    client, look = site()
    assert client.ask("POST", MODEL + "/look", SAME | change, b"x").status_code == status
    assert worker_of(look) is None


def test_too_many_bytes_are_refused_though_nobody_said_how_many(site):
    client, _ = site()

    async def endless():
        for _ in range(MAX_BYTES // 2**20 + 2):
            yield b"x" * 2**20

    assert post(client, MODEL + "/look", endless()).status_code == 413


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/models/nomodel/look", 404),
        ("/models/tinynet/nonode/look", 404),
        ("/models/tinynet/conv0/99/look", 404),
        ("/models/tinynet/conv0/x/look", 400),
    ],
)
def test_only_places_that_are_can_be_asked(site, path, status):
    client, _ = site()
    assert post(client, path, packed(gray())).status_code == status


def test_a_worker_that_dies_is_replaced(site):
    client, look = site(DIES)
    for _ in range(2):
        answer = post(client, MODEL + "/look", packed(gray()))
        assert answer.status_code == 503
        assert "out of luck" in answer.json()["message"]
    assert worker_of(look) is None


def test_a_worker_that_is_killed_while_warm_is_replaced(site):
    client, look = site()
    assert post(client, MODEL + "/look", packed(gray())).status_code == 200
    first = worker_of(look)
    os.kill(first.pid, 9)
    wait_for(lambda: not first.alive)
    assert post(client, MODEL + "/look", packed(gray())).status_code == 200
    assert worker_of(look) is not first


def test_a_warm_worker_answers_again_and_rests_when_nobody_asks(site, monkeypatch):
    client, look = site()
    post(client, MODEL + "/look", packed(gray()))
    worker = worker_of(look)
    post(client, NODE + "/look", packed(gray()))
    assert worker_of(look) is worker
    monkeypatch.setattr(looking, "IDLE", 0.05)
    post(client, NODE + "/look", packed(gray()))
    wait_for(lambda: not worker.alive)


def test_without_weights_it_says_so(site):
    client, _ = site(NO_WEIGHTS)
    answer = post(client, MODEL + "/look", packed(gray()))
    assert answer.status_code == 503
    assert answer.json()["message"] == "no weights of tinynet here"
    streamed = post(client, MODEL + "/look", packed(gray()), accept="application/x-ndjson")
    assert json.loads(streamed.text) == {
        "kind": "error",
        "title": "That did not work",
        "status": 503,
        "message": "no weights of tinynet here",
        "nearest": [],
    }


def test_without_torch_it_says_so(client_of, folder, monkeypatch):
    monkeypatch.setattr(looking.importlib.util, "find_spec", lambda name: None)
    answer = post(client_of(folder), MODEL + "/look", packed(gray()))
    assert answer.status_code == 503
    assert "pip install torch" in answer.json()["message"]


def test_an_answer_that_does_not_come_is_given_up(site, monkeypatch):
    monkeypatch.setattr(looking, "LIMIT", 0.2)
    client, look = site(HANGS)
    answer = post(client, MODEL + "/look", packed(gray()))
    assert answer.status_code == 503
    assert "no answer within" in answer.json()["message"]
    assert worker_of(look) is None


def test_several_readers_take_turns_and_too_many_are_told(site, tmp_path):
    gate = tmp_path / "gate"
    waits = f"    import os, time\n    while not os.path.exists({str(gate)!r}): time.sleep(0.02)\n"
    client, _ = site(waits + ANSWERS)
    states: list[int] = []
    many = looking.WAITING + 6

    def ask() -> None:
        while "being sent" in (answer := post(client, MODEL + "/look", packed(gray()))).text:
            pass  # the machine is slow: those before are not read yet
        states.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(many)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(states) >= many - looking.WAITING - 1)
    gate.touch()  # until now the first one waits for its answer
    for thread in threads:
        thread.join()
    assert sorted(states) == [200] * (looking.WAITING + 1) + [409] * 5


def test_closing_ends_a_worker_in_the_middle(site):
    client, look = site(HANGS)
    told: list[int] = []
    thread = threading.Thread(
        target=lambda: told.append(post(client, MODEL + "/look", packed(gray())).status_code)
    )
    thread.start()
    wait_for(lambda: worker_of(look) is not None)
    worker = worker_of(look)
    look.close()
    thread.join(10)
    assert told == [503]
    assert not worker.alive
    assert post(client, MODEL + "/look", packed(gray())).status_code == 503


ENDLESS = """
    import json, os, queue, sys, threading
    def say(**line): print(json.dumps(line), flush=True)
    asked = queue.Queue()
    def read():
        while line := sys.stdin.buffer.readline():
            ask = json.loads(line)
            if "shape" in ask: sys.stdin.buffer.read(ask["shape"][0] * ask["shape"][1] * 3)
            asked.put(ask)
    threading.Thread(target=read, daemon=True).start()
    say(answer="ready")
    while True:
        ask = asked.get()
        if ask.get("ask") == "look":
            say(answer={"maxima": {}, "unit": None, "classes": [],
                        "attribution": {"pid": os.getpid()}})
        if ask.get("ask") == "caricature":
            say(step=1, steps=2)
            while "cancel" not in asked.get(): pass
            say(error="taken back", status=503)
"""


def leave_after_a_while(client, path: str, seconds: float, **headers: str) -> list:
    """Post a picture, and close the connection; what the site sent until then, or after it."""
    sent: list = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"caricature=true",
        "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in (SAME | headers).items()],
        "server": ("site", 80),
        "client": ("127.0.0.1", 1),
    }

    async def run() -> None:
        body = [{"type": "http.request", "body": packed(gray()), "more_body": False}]
        end = time.monotonic() + seconds

        async def receive():
            if body:
                return body.pop()
            while time.monotonic() < end:
                await asyncio.sleep(0.05)
            return {"type": "http.disconnect"}

        async def send(message) -> None:
            sent.append(message)

        await asyncio.wait_for(client.app(scope, receive, send), 20)

    asyncio.run(run())
    return sent


@pytest.mark.parametrize("accept", ["application/x-ndjson", "application/json"])
def test_a_caricature_whose_reader_leaves_blocks_nobody(site, accept):
    client, _ = site(ENDLESS)
    first = post(client, MODEL + "/look", packed(gray())).json()
    begun = time.monotonic()
    leave_after_a_while(client, NODE + "/look", 0.3, accept=accept)
    second = post(client, MODEL + "/look", packed(gray())).json()
    assert time.monotonic() - begun < 15, "not the minutes that a caricature may take"
    assert second["attribution"] == first["attribution"], "the worker stayed warm"


@pytest.fixture
def sampled(site, tmp_path):
    """A site with a stored picture, number 7 of a dataset; number 8 is not kept."""
    record = DatasetRecord("town", DATASET, "Town", 9, 32)
    with AtlasWriter.open(
        tmp_path / "tinynet.atlas", web_samples.MODEL, web_samples.NODES
    ) as writer:
        writer.put_samples(
            record,
            [
                SampleRecord(7, "seven", -1, web_samples.picture(7)),
                SampleRecord(8, "eight"),
            ],
        )
    return site(ANSWERS, tmp_path)


def test_the_heat_map_of_a_stored_picture(sampled):
    client, look = sampled
    url = f"{UNIT}/map?dataset={DATASET}&number=7"
    first = client.get(url)
    pixels = Image.open(io.BytesIO(web_samples.picture(7).data))
    assert first.json() == {
        "map": [[0.5, 1]],
        "position": 1,
        "value": pytest.approx(np.asarray(pixels).mean()),
    }
    look.close()  # what was asked before is remembered
    assert client.get(url).json() == first.json()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"dataset={DATASET}&number=8", 404),
        (f"dataset={'ef' * 32}&number=7", 404),
        ("dataset=xyz&number=7", 400),
        (f"dataset={DATASET}&number=-1", 400),
        (f"dataset={DATASET}&number=many", 400),
    ],
)
def test_heat_maps_of_nothing(sampled, query, status):
    client, _ = sampled
    assert client.get(f"{UNIT}/map?{query}").status_code == status


def test_other_sites_may_not_ask_for_heat_maps(sampled):
    client, _ = sampled
    url = f"{UNIT}/map?dataset={DATASET}&number=7"
    answer = client.get(url, sec_fetch_site="cross-site")
    assert (answer.status_code, answer.json()["status"]) == (403, 403)
