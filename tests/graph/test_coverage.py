"""How much of a network has a node, in words and as JSON."""

import json

import pytest

from micrograph.graph import Coverage, LostAt

SOME = Coverage(
    47,
    ("pool.q", "pool.k", "head"),
    (LostAt("lost at stack in pool", "pool.q", 2), LostAt("its axes count units", "head", 1)),
    ("conv in a could not be followed (KeyError)", "more"),
)


def test_one_line() -> None:
    assert str(Coverage()) == str(Coverage(47)) == ""
    assert str(SOME) == (
        "3 of 47 modules have no node: pool.q and 1 more (lost at stack in pool); "
        "head (its axes count units); conv in a could not be followed (KeyError) (and 1 more)"
    )
    many = Coverage(9, tuple("abcd"), tuple(LostAt("x", name, 1) for name in "abcd"))
    assert str(many).endswith("a (x); b (x); c (x); ...")
    assert str(Coverage(1, ("a",), (LostAt("x", "a", 1),))) == "1 of 1 module has no node: a (x)"


def test_it_reads_back() -> None:
    data = json.loads(json.dumps(SOME.to_json()))
    assert data["modules"] == 47
    assert data["without_node"] == ["pool.q", "pool.k", "head"]
    assert data["lost"][0] == {"reason": "lost at stack in pool", "first": "pool.q", "modules": 2}
    assert Coverage.from_json(data) == SOME


@pytest.mark.parametrize(
    "data", [None, 3, [], {}, {"modules": "many"}, {**SOME.to_json(), "lost": [{"reason": "x"}]}]
)
def test_what_an_older_atlas_or_another_program_says_is_nothing(data: object) -> None:
    assert Coverage.from_json(data) is None
