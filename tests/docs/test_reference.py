"""The reference names what is public, and what it names is there."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import micrograph
from micrograph import optimize

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
NAMED = re.findall(r"^\.\. auto(?:function|class|data):: (\S+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", NAMED)
def test_it_is_there_and_says_what_it_is(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    thing = getattr(import_module(module), attribute)
    kind = "class" if isinstance(thing, type) else "function" if callable(thing) else "data"
    assert f".. auto{kind}:: {name}\n" in PAGE
    if kind != "data":
        assert (thing.__doc__ or "").strip()


def test_every_public_name_has_an_entry() -> None:
    public = {f"micrograph.{name}" for name in micrograph.__all__}
    public |= {f"micrograph.optimize.{name}" for name in optimize.__all__}
    assert public - set(NAMED) == {
        "micrograph.__version__",
        "micrograph.optimize",
        "micrograph.cards",  # described as micrograph.models.cards, which it calls
        "micrograph.weights",  # a room that is called: micrograph.models.linear.weights.weights
    }


def test_members_are_there() -> None:
    """Names that autodoc is asked for and does not find it leaves out without a word."""
    listed = re.findall(r"^\.\. autoclass:: (\S+)\n   :members: (.+)$", PAGE, re.MULTILINE)
    assert listed
    for name, members in listed:
        module, _, attribute = name.rpartition(".")
        cls = getattr(import_module(module), attribute)
        for member in members.split(", "):
            assert hasattr(cls, member) or member in vars(cls).get("__annotations__", {}), member
