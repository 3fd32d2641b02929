"""The examples in docstrings do what they say."""

import doctest
from importlib import import_module

import pytest

MODULES = (
    "micrograph.atlas.read",
    "micrograph.atlas.write",
    "micrograph.recipe",
    "micrograph.subject",
    "micrograph.optimize.loop",
    "micrograph.optimize.objectives",
    "micrograph.optimize.parameterize",
    "micrograph.optimize.pictures",
    "micrograph.optimize.settings",
    "micrograph.optimize.transforms",
    "micrograph.steps",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
