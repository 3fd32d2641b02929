"""Examples in docstrings do what they say."""

import doctest
from importlib import import_module

import pytest

MODULES = ("micrograph.runner.local",)
"""Modules with examples."""


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name: str) -> None:
    failed, tried = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert tried, "there are no examples"
    assert not failed
