import json

import pytest

from micrograph.errors import not_found
from micrograph.recipe import canonical, digest


def test_order_and_container_do_not_matter() -> None:
    a = {"b": (1, 2), "a": {"y": 0.1, "x": True}}
    b = {"a": {"x": True, "y": 0.1}, "b": [1, 2]}
    assert canonical(a) == canonical(b)
    assert digest(a) == digest(b)
    assert digest(json.loads(canonical(a))) == digest(a)


@pytest.mark.parametrize("other", [{"a": 2}, {"a": 1.5}, {"a": "1"}, {"a": 1, "b": None}, {}])
def test_every_change_shows(other: dict) -> None:
    assert digest(other) != digest({"a": 1})


def test_values_without_a_text_of_their_own_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        digest({"a": float("nan")})


def test_unknown_names_say_what_is_near() -> None:
    error = not_found("model", "toytwon", ["toytown", "squeezenet1_1"])
    assert error.nearest[0] == "toytown"
    assert "did you mean 'toytown'" in str(error)
    assert "known: b" in str(not_found("model", "zzz", ["b"]))
    assert "none yet" in str(not_found("model", "a", []))
