"""What is kept has a bound."""

import pytest

from micrograph.atlas.kept import Kept


def test_the_least_used_go_first() -> None:
    kept: Kept[str] = Kept(2)
    for name in ("a", "b"):
        kept.put(name, name)
    assert kept.find("a") == "a"
    kept.put("c", "c")
    assert [kept.find(name) for name in "abc"] == ["a", None, "c"]


def test_so_many_bytes_at_most() -> None:
    kept: Kept[bytes] = Kept(100, len)
    for name in range(10):
        kept.put(name, bytes(30))
    assert [name for name in range(10) if kept.find(name)] == [7, 8, 9]
    kept.put("whole", bytes(101))  # alone too large: nothing goes for it
    assert kept.find("whole") is None
    assert kept.find(9)
    kept.put(9, bytes(90))  # in place of the smaller one
    assert [name for name in range(10) if kept.find(name)] == [9]


def test_what_fails_is_not_kept() -> None:
    kept: Kept[int] = Kept(2)
    made: list[int] = []

    def make() -> int:
        made.append(1)
        if len(made) == 1:
            raise LookupError("mine")
        return 7

    with pytest.raises(LookupError, match="mine"):
        kept.get("a", make)
    assert [kept.get("a", make), kept.get("a", make), len(made)] == [7, 7, 2]
