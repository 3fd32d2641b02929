"""The examples in docstrings of what users call are run as they stand."""

import doctest
import importlib

import pytest

MODULES = ("micrograph.runner.local",)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    tried = doctest.testmod(importlib.import_module(name))
    assert tried.attempted, "a module in the list without an example"
    assert not tried.failed
