"""The catalogue that ships is what the zoo's networks give."""

import pytest

from micrograph.atlas import Outline, bundled_catalogue
from micrograph.cards import card
from micrograph.runner.catalogue import outline, write, zoo_models

LARGE = 30_000_000
"""Parameters from which a network takes too long for every day."""


def shipped(model: str) -> str:
    path = bundled_catalogue() / f"{model}.json"
    assert path.exists(), f"python -m micrograph.runner.catalogue {model}"
    return path.read_text("utf-8")


def compare(model: str) -> None:
    made, there = Outline.load(outline(card(model)).dump()), Outline.load(shipped(model))
    remake = f"outdated: python -m micrograph.runner.catalogue {model}"
    assert there.model == made.model, remake
    assert list(there.nodes) == list(made.nodes), remake
    for id, node in made.nodes.items():
        assert there.nodes[id] == node, remake
    assert made.dump() == shipped(model), remake


SMALL = [m for m in zoo_models() if card(m).parameters <= LARGE]


@pytest.mark.parametrize("model", SMALL)
def test_the_graph_is_the_networks(model: str) -> None:
    compare(model)


@pytest.mark.nightly
@pytest.mark.parametrize("model", sorted({*zoo_models()} - {*SMALL}))
def test_the_graph_is_the_large_networks(model: str) -> None:
    compare(model)


def test_the_zoo_and_nothing_else_is_in_it() -> None:
    assert {f.stem for f in bundled_catalogue().glob("*.json")} == set(zoo_models())


def test_making_it_again_changes_nothing(tmp_path) -> None:
    write(tmp_path, ["toytown"])
    assert (tmp_path / "toytown.json").read_text("utf-8") == shipped("toytown")


def test_what_left_the_zoo_leaves_the_catalogue(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("micrograph.runner.catalogue.zoo_models", lambda: ["toytown"])
    (tmp_path / "gone.json").touch()
    write(tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["toytown.json"]


def test_of_an_unreleased_model_its_card_is_all_there_is(monkeypatch) -> None:
    from dataclasses import replace

    def never() -> None:
        raise AssertionError("not to be built")

    lost = replace(card("toytown"), id="lost", unreleased="never published", build=never)
    made = outline(lost)
    assert (made.unreleased, dict(made.nodes)) == ("never published", {})
