"""The examples in docstrings do what they say."""

import doctest
from importlib import import_module

import pytest

from micrograph.cards import registry

MODULES = (
    "micrograph.atlas.read",
    "micrograph.atlas.write",
    "micrograph.cards.function",
    "micrograph.cards.model_card",
    "micrograph.cards.preprocessing",
    "micrograph.cards.registry",
    "micrograph.models",
    "micrograph.models.model",
    "micrograph.optimize.ascent",
    "micrograph.optimize.objectives",
    "micrograph.optimize.parameterize",
    "micrograph.optimize.pictures",
    "micrograph.optimize.settings",
    "micrograph.optimize.transforms",
    "micrograph.recipe",
    "micrograph.runner.local",
    "micrograph.steps",
    "micrograph.subject",
)


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What examples register is gone afterwards."""
    monkeypatch.setattr(registry, "_cards", dict(registry.cards()))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
