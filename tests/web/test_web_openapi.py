"""The site's own OpenAPI document, and whether the site answers as it says."""

import json
from typing import Any

import lens_samples
import pytest
import web_samples
from hostile_requests import routes_of
from web_client import Client

from micrograph.atlas import Library
from micrograph.web import create_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("described")
    web_samples.write(folder)
    lens_samples.write(folder)
    return create_app(Library([folder]))


@pytest.fixture(scope="module")
def document(app: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Client(app).get("/openapi.json").text)
    return found


def test_every_address_that_answers_in_data_is_described(app: Any, document: dict) -> None:
    pages = {route.path.removesuffix(".json") for route in routes_of(app) if ".json" in route.path}
    data = {r.path: r for r in routes_of(app) if r.path not in pages or "POST" in r.methods}
    data = {p: r for p, r in data.items() if not p.startswith(("/images", "/static", "/openapi"))}
    assert document["paths"].keys() == data.keys()
    for path, route in data.items():
        for method, said in document["paths"][path].items():
            assert method.upper() in route.methods
            named = {one["name"] for one in said.get("parameters", []) if one["in"] == "query"}
            assert named == {*route.options}
            assert said["description"]
            assert {"4XX", "5XX"} <= said["responses"].keys()
            assert "422" not in said["responses"]


def test_the_document_says_what_errors_look_like(document: dict) -> None:
    fields = document["components"]["schemas"]["ErrorPage"]["properties"]
    assert fields.keys() == {"kind", "title", "status", "message", "nearest"}


@pytest.mark.nightly
def test_the_site_answers_as_it_says(app: Any) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="pip install '.[fuzz]'")
    from hypothesis import HealthCheck, given, settings
    from schemathesis.specs.openapi import checks

    described = schemathesis.openapi.from_asgi("/openapi.json", app, headers=OWN)
    # Which values an atlas has, no document can tell: that one is refused breaks no promise.
    promised = [
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
        checks.response_headers_conformance,
        checks.unsupported_method,
    ]
    asked = 0
    for operation in described.get_all_operations():
        found = operation.ok()

        @settings(
            max_examples=100,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        @given(case=found.as_strategy())
        def keeps_its_word(case: Any) -> None:
            nonlocal asked
            asked += 1
            if asked % 2:  # places that are there, with whatever options
                case.path_parameters.update({k: PLACE[k] for k in case.path_parameters})
            case.call_and_validate(headers=OWN, checks=promised)

        keeps_its_word()
    assert asked > 500


PLACE = {"model": "lensed", "node": "mixed1a", "unit": "3", "claim": "lensed/mixed1a/3=conv0/1"}
OWN = {"host": "localhost", "origin": "http://localhost", "sec-fetch-site": "same-origin"}
