"""Functions that cards name: they are there, and nothing is imported before they are called."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from typing import Any

import pytest

from micrograph.cards import ModelCard, cards
from micrograph.cards.function import Function
from micrograph.errors import BadInput


def functions(card: ModelCard) -> Iterator[Function]:
    """All that a card names."""
    values = [getattr(card, field.name) for field in fields(card)]
    for value in (*values, *(conversion.convert for conversion in card.conversions)):
        named: Any = value.func if isinstance(value, partial) else value
        if isinstance(named, Function):
            yield named


@pytest.mark.parametrize("card", cards().values(), ids=lambda card: card.id)
def test_what_a_card_names_is_there(card):
    found = list(functions(card))
    assert card.unreleased or found
    for function in found:
        assert function.load().__module__ == function.name.partition(":")[0]
        assert function.load().__name__ == function.name.partition(":")[2]


def test_a_function_is_imported_when_it_is_called():
    code = (
        "import sys; from micrograph.cards.function import Function\n"
        "f = Function('colorsys:rgb_to_hsv')\n"
        "before = 'colorsys' in sys.modules; found = f(1, 1, 1)\n"
        "print(before, 'colorsys' in sys.modules, found)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False True (0.0, 0.0, 1)\n"


def test_functions_of_one_name_are_equal():
    assert Function("math:sqrt") == Function("math:sqrt") != Function("math:cos")
    assert Function("math:log")(8, 2) == 3


@pytest.mark.parametrize(
    "name", ["math", "math:", ":sqrt", "math:no", "no_such_module:build", "math:pi", "", "a b:c"]
)
def test_a_name_that_stands_for_nothing_is_told(name):
    with pytest.raises(BadInput, match=r"(package.module:function|expected one)") as error:
        Function(name)(4)
    assert "\n" not in str(error.value)


def test_all_that_is_known_of_models_needs_neither_torch_nor_numpy():
    code = (
        "import sys\n"
        "from micrograph.cards import cards, card\n"
        "from micrograph.cards.families import families, microscope_models\n"
        "from micrograph.resolve.names import phrases\n"
        "card('TOYTOWN'), families(), microscope_models()\n"
        "for c in cards().values():\n"
        "    c.aliases('mixed4c'), c.tensor_name('conv0.weight'), c.preprocessing.as_dict()\n"
        "phrases((c.id, c.title) for c in cards().values())\n"
        "print(sorted({'torch', 'numpy', 'PIL', 'safetensors'} & set(sys.modules)),\n"
        "      [m for m in sys.modules if m.startswith('micrograph.networks')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "[] []\n", done.stderr
