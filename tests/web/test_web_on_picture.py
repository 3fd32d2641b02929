"""A unit on one picture, as pages and twins show it, with a small script in the worker's place."""

import io
import json
import sys
import textwrap
from dataclasses import replace
from urllib.parse import quote

import pytest
import web_samples
from connection_samples import connections
from PIL import Image

from micrograph.atlas import AtlasWriter, Visualization
from micrograph.circuits.graph import (
    AttributionEdge,
    AttributionGraph,
    AttributionNode,
    AttributionStage,
)
from micrograph.circuits.steered import Effect, NodeEffects, Steered
from micrograph.web.picture_questions import PictureQuestions

PAGE = "/models/tinynet/conv0/3/on-picture"
SAME = {
    "content-type": "image/png",
    "origin": "http://site",
    "host": "site",
    "sec-fetch-site": "same-origin",
}
TARGET = AttributionNode(
    id="conv0/3",
    kind="target",
    node="conv0",
    unit=3,
    position=(1, 2),
    value=12.5,
    influence=1.0,
    cumulative=0.0,
    followed=True,
    constant=-1.5,
    others=77,
    others_sum=4.0,
    others_share=0.25,
)
PICTURE = replace(TARGET, id="picture", kind="picture", node="picture", unit=None, others=0)
GRAPH = AttributionGraph(
    model="tinynet",
    digest="ab" * 32,
    picture="own",
    picture_digest="cd" * 32,
    target="conv0/3",
    label="<b>wild</b>",
    positions=False,
    keep_nodes=0.8,
    keep_edges=0.98,
    follow=32,
    stages=(AttributionStage("conv0", 8, (4, 4), 8, 1, 1),),
    nodes=(PICTURE, replace(TARGET, id="conv0/1", kind="unit", unit=1), TARGET),
    edges=(
        AttributionEdge("picture", "conv0/1", -3.0, 1.0, 0.2),
        AttributionEdge("conv0/1", "conv0/3", 10.0, 0.75, 0.8),
    ),
    missed=0.0,
    followed=0.5,
)
EFFECT = Effect(1, 0.5, 0.25, -0.25, -0.01, 0.02, -12.0, 1, 1 / 21, "wild <i>cat</i>")
STEERED = Steered(
    model="tinynet",
    digest="ab" * 32,
    picture="own",
    picture_digest="cd" * 32,
    node="conv0",
    units=(3,),
    how="silence",
    factor=0.0,
    amount=0.0,
    activation=1.0,
    controls=tuple((unit,) for unit in range(20)),
    control_activation=1.25,
    matched=True,
    classes=(EFFECT,),
    nodes=(NodeEffects("logits", 3, 1, 0.125, 0.0625, 4.0, 2, 2 / 21, (EFFECT,)),),
)
SCRIPT = """
    import json, sys
    print(json.dumps({"answer": "ready"}), flush=True)
    while line := sys.stdin.buffer.readline():
        ask = json.loads(line)
        y, x, _ = ask["shape"]
        sys.stdin.buffer.read(y * x * 3)
        answer = json.loads(sys.argv[1 if ask["ask"] == "graph" else 2])
        if ask["ask"] == "steer":
            answer["how"] = ask["how"]
            answer["units"] = ask.get("units", [ask["unit"]])
        print(json.dumps({"step": 1, "steps": 2}), flush=True)
        print(json.dumps({"answer": answer}), flush=True)
"""


@pytest.fixture
def client(client_of, folder):
    answers = [json.dumps(one.to_json()) for one in (GRAPH, STEERED)]
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), *answers]
    look = PictureQuestions(lambda model, digest: command)
    yield client_of(folder, look=look)
    look.close()


def packed():
    out = io.BytesIO()
    Image.new("RGB", (30, 20), (100, 90, 80)).save(out, "PNG")
    return out.getvalue()


def test_the_graph_stands_on_a_page_that_needs_no_scripts(client):
    page = client.get(PAGE + "?picture=car")
    assert page.status_code == 200
    assert page.text.count("<svg xmlns") == 1
    assert "&lt;b&gt;wild&lt;/b&gt;" in page.text
    assert "<b>wild" not in page.text
    assert "other 77 inputs" in page.text
    assert "25 %" in page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert 'href="/models/tinynet/conv0/1"' in page.text


def test_every_number_is_in_the_twin(client):
    twin = client.get(PAGE + ".json?picture=car").json()
    told = json.loads(json.dumps(replace(GRAPH, picture="car").to_json()))
    del told["format"]
    assert twin["graph"] == told
    assert twin["steered"] is None
    steered = client.get(PAGE + ".json?picture=car&question=steer&how=double").json()["steered"]
    told = json.loads(json.dumps(replace(STEERED, picture="car", how="double").to_json()))
    del told["format"]
    assert steered == told


def test_steering_tells_controls_and_offers_other_ways(client):
    page = client.get(PAGE + "?picture=owl&question=steer")
    assert "wild &lt;i&gt;cat&lt;/i&gt;" in page.text
    assert "1 of 21" in page.text
    assert "how=double" in page.text
    assert "20 random units of conv0" in page.text
    twin = client.get(PAGE + ".json?picture=owl&question=steer").json()
    assert [way["value"] for way in twin["ways"]] == ["silence", "halve", "double", "add"]
    assert [choice["value"] for choice in twin["choices"] if choice["current"]] == ["owl"]


@pytest.mark.parametrize("text", ["1,5,6", "1+5-6", "conv0/1 + tinynet/conv0/5 6", "5,3,1,6"])
def test_groups_are_steered(client, text):
    query = f"question=steer&picture=owl&how=halve&units={quote(text)}"
    twin = client.get(f"{PAGE}.json?{query}").json()
    assert sorted(twin["units"]) == [1, 3, 5, 6]
    assert twin["units"][0] == 3
    assert twin["steered"]["units"] == twin["units"]
    named = ",".join(map(str, twin["units"]))
    assert twin["command"] == f"micrograph steer tinynet/conv0/{named} --picture FILE --halve"
    assert all(f"units={quote(named)}" in way["url"] for way in (*twin["ways"], *twin["choices"]))
    page = client.get(f"{PAGE}?{query}").text
    assert "20 random groups of 4 units of conv0" in page
    rest = ",".join(map(str, twin["units"][1:]))
    assert f'name="units" value="{rest}"' in page  # the form that needs no scripts
    assert '<input type="hidden" name="how" value="halve">' in page


def test_a_readers_own_picture_is_answered_for_groups(client):
    answer = client.ask("POST", PAGE + "?question=steer&units=1,5", SAME, packed()).json()
    assert answer["page"]["steered"]["units"] == [3, 1, 5]
    assert "conv0/3,1,5" in answer["html"]


def test_groups_of_weights_are_offered(client_of, tmp_path):
    web_samples.write(tmp_path)
    recipe = {"technique": "connections", "view": "pairs", "seed": 0}
    found = {variant: (data, arrays) for variant, data, arrays in connections(16, "conv0", 8)}
    data, arrays = found["pairs"]
    path = tmp_path / "tinynet.atlas"
    with AtlasWriter.open(path, web_samples.MODEL, web_samples.NODES) as writer:
        writer.put([Visualization("mixed1a", None, recipe, 0.0, None, data, arrays=arrays)])
    steered = replace(STEERED, node="mixed1a")
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), "{}", json.dumps(steered.to_json())]
    look = PictureQuestions(lambda model, digest: command)
    client = client_of(tmp_path, look=look)
    strongest = (-arrays["group_targets"]).argsort(1)[:, :6].tolist()
    units = ",".join(map(str, strongest[1]))
    twin = client.get(
        f"/models/tinynet/mixed1a/{strongest[1][0]}/on-picture.json"
        f"?question=steer&picture=car&units={units}"
    ).json()
    offered = [one["text"] for one in twin["groups"]]
    assert offered == [
        f"group {number}: " + ", ".join(map(str, units))
        for number, units in enumerate(strongest, 1)
    ]
    assert [one["current"] for one in twin["groups"]] == [False, True]
    assert client.get(twin["groups"][0]["url"]).status_code == 200
    look.close()


def test_a_readers_own_picture_is_answered_as_a_part_of_a_page(client):
    found = client.ask("POST", PAGE + "?question=graph", SAME, packed()).json()
    assert found["page"]["graph"]["picture"] == "your picture"
    assert "<svg xmlns" in found["html"]
    assert "<html" not in found["html"]
    answer = client.ask(
        "POST", PAGE + "?question=steer", SAME | {"accept": "application/x-ndjson"}, packed()
    )
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[0] == {"step": 1, "steps": 2}
    assert lines[-1]["page"]["steered"]["how"] == "silence"
    assert lines[-1]["page"]["ways"] == []


def test_a_units_page_asks_both_without_scripts(client):
    page = client.get("/models/tinynet/conv0/3").text
    assert f'action="{PAGE}"' in page
    assert '<button class="act" name="question" value="steer">' in page


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("?picture=nothing", 404, "unknown picture"),
        ("?picture=car&question=why", 400, "expected graph or steer"),
        ("?picture=car&question=steer&how=explode", 400, "expected silence or halve"),
        ("?picture=car&question=steer&units=8", 400, "out of range"),
        ("?picture=car&question=steer&units=1,x", 400, "units 'x' not understood"),
        ("?picture=car&question=steer&units=mixed1a/1", 400, "is no unit of conv0"),
        ("?picture=car&question=graph&units=1", 400, "a group can only be steered"),
        ("?dataset=zz&number=1", 400, "is no digest"),
        (f"?dataset={'cd' * 32}&number=1", 404, "is not kept"),
        (f"?dataset={'cd' * 32}&number=x", 400, "number 'x' given"),
    ],
)
def test_what_is_not_there_is_told_in_a_line(client, query, status, words):
    answer = client.get(PAGE + ".json" + query)
    assert answer.status_code == status
    assert words in answer.json()["message"]


def test_another_site_cannot_send_pictures(client):
    elsewhere = SAME | {"origin": "http://evil", "sec-fetch-site": "cross-site"}
    assert client.ask("POST", PAGE, elsewhere, packed()).status_code == 403
