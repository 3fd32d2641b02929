"""Which nodes and units a command means."""

import numpy as np
import pytest

from micrograph.errors import BadInput, NotFound
from micrograph.models.node import Node, ReceptiveField
from micrograph.runner.select import (
    as_names,
    as_selection,
    choose_nodes,
    choose_units,
    find_attached,
)


def node(
    id: str,
    kind: str,
    units: int,
    parents: str = "",
    relus: tuple[int, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Node:
    return Node(
        id, 0, kind, units, (8, 8), ReceptiveField(), tuple(parents.split()), id, aliases, relus
    )


def graph(*nodes: Node) -> dict[str, Node]:
    """In the order given."""
    return {n.id: Node(**{**vars(n), "index": index}) for index, n in enumerate(nodes)}


INCEPTION = graph(
    node("conv1", "conv", 8, relus=(0,), aliases=("stem",)),
    node("pool1", "pool", 8, "conv1", relus=(0,)),
    node("norm1", "norm", 8, "pool1"),
    node("mixed3a_1x1", "conv", 4, "norm1", relus=(1,)),
    node("mixed3a_3x3r", "conv", 2, "norm1", relus=(2,)),
    node("mixed3a_3x3", "conv", 6, "mixed3a_3x3r", relus=(3,)),
    node("mixed3a", "inception", 10, "mixed3a_1x1 mixed3a_3x3", relus=(1, 3), aliases=("3a",)),
    node("average", "pool", 10, "mixed3a"),
    node("logits", "logits", 5, "average"),
)

RESIDUAL = graph(
    node("conv1", "conv", 8),
    node("bn1", "norm", 8, "conv1"),
    node("relu1", "activation", 8, "bn1", relus=(0,)),
    node("conv2", "conv", 8, "relu1"),
    node("bn2", "norm", 8, "conv2"),
    node("add", "add", 8, "bn2 relu1"),
    node("logits", "logits", 3, "add"),
)


BLOCK = graph(
    node("patches", "conv", 8),
    node("b.norm", "norm", 8, "patches"),
    node("b.attn.qkv", "attention", 24, "b.norm"),
    node("b.attn", "attention", 8, "b.attn.qkv"),
    node("b.attn.class", "token", 8, "b.attn.qkv"),
    node("b.scale", "scale", 8, "b.attn"),
    Node("b.add", 0, "add", 8, (8, 8), ReceptiveField(), ("patches", "b.scale"), "b", join="add#0"),
    node("b.norm2", "norm", 8, "b.add"),
    node("b.mlp.act", "activation", 16, "b.norm2"),
    node("b.mlp", "mlp", 8, "b.mlp.act"),
    node("b", "block", 8, "b.add b.mlp"),
    node("b.class", "token", 8, "b.attn.class"),
    node("norm", "norm", 8, "b"),
    node("logits", "logits", 5, "b.class"),
)
"""A block of a transformer."""


def ids(nodes: list[Node]) -> list[str]:
    return [n.id for n in nodes]


def test_worth_seeing_by_default() -> None:
    assert ids(choose_nodes(INCEPTION, None)) == ["conv1", "mixed3a_3x3r", "mixed3a", "logits"]
    assert ids(choose_nodes(INCEPTION, [])) == ids(choose_nodes(INCEPTION, None))
    assert ids(choose_nodes(RESIDUAL, None)) == ["relu1", "add", "logits"]


def test_of_a_transformer_its_blocks_and_hidden_units() -> None:
    assert ids(choose_nodes(BLOCK, None)) == ["patches", "b.mlp.act", "b", "logits"]


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*.mlp", ["b.mlp"]),
        ("*mlp*", ["b.mlp.act", "b.mlp"]),
        ("*.class", ["b.attn.class", "b.class"]),
        ("b.attn*", ["b.attn.qkv", "b.attn"]),
        ("*norm*", ["b.norm", "b.norm2", "norm"]),
    ],
)
def test_globs_mean_single_tokens_and_norms_only_if_they_say_so(
    glob: str, expected: list[str]
) -> None:
    assert ids(choose_nodes(BLOCK, [glob])) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["mixed3a"], ["mixed3a"]),
        (["3a", "stem", "mixed3a"], ["conv1", "mixed3a"]),
        (["MIXED3A"], ["mixed3a"]),
        (["pool1"], ["pool1"]),
        (["mixed3a_*"], ["mixed3a_1x1", "mixed3a_3x3r", "mixed3a_3x3"]),
        (["mixed??"], ["mixed3a"]),
        (["*1"], ["conv1", "mixed3a_1x1"]),
        (["3*"], ["mixed3a"]),
        (["logits", "conv[0-9]"], ["conv1", "logits"]),
    ],
)
def test_names_aliases_and_globs(names: list[str], expected: list[str]) -> None:
    assert ids(choose_nodes(INCEPTION, names)) == expected


@pytest.mark.parametrize("name", ["mixed3b", "mixed4*", "nor[n]1"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(NotFound, match="unknown node") as error:
        choose_nodes(INCEPTION, ["conv1", name], "tinynet")
    assert "tinynet" in str(error.value)


def test_units_must_fit_the_largest_node_and_are_cut_for_smaller_ones() -> None:
    conv, logits = INCEPTION["conv1"], INCEPTION["logits"]
    assert choose_units(conv, None, 8) == list(range(8))
    assert choose_units(conv, "3-", 8) == [3, 4, 5, 6, 7]
    assert choose_units(logits, "3-", 8) == [3, 4]
    assert choose_units(logits, "6,7", 8) == []
    with pytest.raises(BadInput, match="0-7"):
        choose_units(logits, "8", 8)


@pytest.mark.parametrize(
    ("units", "text"),
    [("3-", "3-"), (0, "0"), ([0, 1], "0,1"), (range(2, 4), "2,3"), (np.arange(2), "0,1")],
)
def test_units_as_python_writes_them(units: str | int | list[int], text: str) -> None:
    assert as_selection(units) == text


@pytest.mark.parametrize("units", [[], 0.5, [0, "1"], True, [[0]]])
def test_units_that_are_no_numbers_are_refused_in_one_line(units: object) -> None:
    with pytest.raises(BadInput, match=r"^units .* not understood; expected .*$"):
        as_selection(units)  # type: ignore[arg-type]


def test_one_name_is_a_name_and_not_its_letters() -> None:
    assert as_names("nodes", "4c") == ["4c"]
    assert as_names("technique", ["tuning", "similar", "tuning"]) == ["tuning", "similar"]
    with pytest.raises(BadInput, match=r"^nodes '5' not understood"):
        as_names("nodes", 5)  # type: ignore[arg-type]


def test_a_pattern_is_no_dictionary_s_name():
    """`blocks.?` looks like a node over `blocks`, which is another name of the last block."""
    from micrograph.models import load

    model = load("toytown_vit")
    assert "blocks" in model.aliases
    find_attached(model, ["blocks.?", "logits"])
    with pytest.raises(NotFound, match="--dictionary blocks"):
        find_attached(model, ["blocks.sae"])
