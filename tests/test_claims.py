"""Claims: one thing, four spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograph.claims import RELATIONS, Claim, ClaimSource
from micrograph.errors import BadInput
from micrograph.subject import Subject, UnitSubject

FIRST = "abzAZ019_"
NAMES = st.builds(str.__add__, st.sampled_from(FIRST), st.text(FIRST + ".-", max_size=6))
UNITS = st.builds(UnitSubject, NAMES, st.integers(0, 10**9 - 1))


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    places = draw(st.lists(UNITS, min_size=2, max_size=5, unique=True))
    sources = tuple(
        ClaimSource(
            place, draw(st.sampled_from([1, -1])), draw(st.sampled_from(["", "", *RELATIONS]))
        )
        for place in places[1:]
    )
    return Claim(draw(NAMES), places[0], sources)


@given(claims())
def test_every_spelling_leads_back_to_the_claim(claim: Claim) -> None:
    assert Claim.parse(str(claim)) == claim
    assert Claim.of_path(claim.path) == claim
    assert Claim.from_json(claim.to_json()) == claim
    assert Subject.parse(str(claim.subject)) == claim.subject


@given(claims(), st.data())
def test_spaces_and_the_order_of_terms_do_not_matter(claim: Claim, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(claim.sources))
    assert Claim(claim.model, claim.target, tuple(shuffled)) == claim
    spaced = str(claim).replace(" ", data.draw(st.sampled_from(["  ", "\t", " \n "])))
    assert Claim.parse(f" {spaced} ") == claim


@given(st.text(max_size=60))
def test_any_text_is_a_claim_or_refused_in_one_line(text: str) -> None:
    for read in (Claim.parse, Claim.of_path):
        found, refused = None, ""
        try:
            found = read(text)
        except BadInput as error:
            refused = str(error)
        assert "\n" not in refused
        assert bool(refused) == (found is None)
        assert found is None or Claim.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("toytown/a/1", "no '<-'"),
        ("toytown/a/1 <-", "not understood|needs a unit"),
        ("a/1 <- b/2", "no unit of a model"),
        ("toytown/a <- b/2", "no unit of a model"),
        ("toytown/a/1 <- b", "not understood"),
        ("toytown/a/1 <- b/2 c/3", "not understood"),
        ("toytown/a/1 <- b/2 ++ c/3", "not understood"),
        ("toytown/a/1 <- b/2 +", "not understood"),
        ("toytown/a/1 <- + b/2", "before its first source"),
        ("toytown/a/1 <- b/2 beside", "relation 'beside' is unknown"),
        ("toytown/a/1 <- b/2 + b/2", "twice"),
        ("toytown/a/1 <- b/2 - b/2", "twice"),
        ("toytown/a/1 <- a/1", "twice"),
        ("toytown/a/1 <- b/-2", "not understood"),
        ("toytown/a/1 <- b/2 <- c/3", "not understood"),
        ("toytown/a/1 <- b/2; rm", "not understood"),
    ],
)
def test_another_form_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Claim.parse(text)


@pytest.mark.parametrize(
    "data",
    [{}, {"model": "m", "target": "a/1", "sources": []}, {"model": "m", "target": "a/1"}]
    + [{"model": "m", "target": "a/1", "sources": [wrong]} for wrong in (1, "b/2", {"unit": 3})]
    + [{"model": "m", "target": "a/1", "sources": [{"unit": "b/2", "sign": 0}]}]
    + [{"model": "m", "target": "a/1", "sources": [{"unit": "b/2"}], "weights": "x"}],
)
def test_json_of_another_form_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        Claim.from_json(data)
