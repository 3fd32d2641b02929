import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograph.address import Address, find_node, parse, parse_units
from micrograph.errors import BadInput, NotFound

NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,20}", fullmatch=True)


@given(NAMES, NAMES, st.integers(0, 999_999_999))
def test_text_and_address_are_the_same_thing(model: str, node: str, unit: int) -> None:
    for address in (Address(model), Address(model, node), Address(model, node, unit)):
        assert parse(str(address)) == address
        assert address.path == f"/models/{address}"


@pytest.mark.parametrize("text", ["net/4c/447", "net 4c:447", " net/4c:447 ", "net/4c/447/"])
def test_accepted_spellings(text: str) -> None:
    assert parse(text) == Address("net", "4c", 447)


@pytest.mark.parametrize("text", ["", "  ", "a/b/c", "a/b/-1", "a/b/1/2", "../x", "a/b?c", "a\0b"])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse(text)


def test_a_unit_needs_a_node() -> None:
    with pytest.raises(BadInput, match="needs a node"):
        Address("net", None, 3)


def test_nodes_are_found_by_alias_and_without_case() -> None:
    aliases = {"inception_4c": "inception_4c", "4c": "inception_4c", "Mixed": "b", "mixed": "c"}
    assert find_node("4c", aliases) == "inception_4c"
    assert find_node("INCEPTION_4C", aliases) == "inception_4c"
    assert find_node("mixed", aliases) == "c", "the exact spelling wins"
    with pytest.raises(NotFound, match="did you mean") as caught:
        find_node("inception_4d", aliases, "net")
    assert caught.value.nearest[0] == "inception_4c"
    with pytest.raises(NotFound, match="known: b, c, inception_4c, ") as caught:
        find_node("zzz", {"Mixed": "b", "mixed": "c", "4c": "inception_4c"})


@given(
    st.integers(1, 300).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.integers(0, n - 1), min_size=1))
    )
)
def test_units_read_back(case: tuple[int, list[int]]) -> None:
    count, units = case
    assert parse_units(",".join(map(str, units)), count) == sorted(set(units))


def test_unit_ranges() -> None:
    assert parse_units("0-3, 2-5,9-", 12) == [0, 1, 2, 3, 4, 5, 9, 10, 11]


BAD_UNITS = ["", "a", "-3", "5-2", "12", "0-12", "1,,2", "1e3", "99999999999", "٣"]


@pytest.mark.parametrize("text", BAD_UNITS)
def test_bad_units_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="units"):
        parse_units(text, 12)
