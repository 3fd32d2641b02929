"""Lenses that a test makes up."""

from typing import Any

import pytest

from micrograph import lenses
from micrograph.lenses import Lens, Params, PlainResult, Words
from micrograph.lenses.engines.base import Engine


def lens_of(name: str, params: type[Params], level: str = "unit") -> Lens:
    """A lens of that name, whose results are plain data."""
    words = Words(
        technique=name,
        title=name.capitalize(),
        question="What is it?",
        explanation="Made up.",
        reading="Not at all.",
        caution="It is not there.",
        level=level,
    )
    return Lens(words=words, order=1000, home="", params=params, result=PlainResult)


def install(monkeypatch: pytest.MonkeyPatch, engine: Engine[Any]) -> None:
    """Make the engine's lens known until the test is over."""
    lenses.names()  # those that ship come first
    monkeypatch.setitem(lenses._lenses, engine.name, engine.lens)
    monkeypatch.setitem(lenses._engines, engine.name, engine)
