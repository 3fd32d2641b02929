import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograph.address import Address
from micrograph.errors import BadInput
from micrograph.subject import (
    LONGEST,
    ClaimSubject,
    NodeSubject,
    PairSubject,
    PathSubject,
    PictureSubject,
    PlaceSubject,
    Subject,
    UnitSubject,
    subject_at,
)

NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,20}", fullmatch=True)
DIGEST = "0123456789abcdef" * 2


def claim(units: list[UnitSubject], driving: int) -> ClaimSubject:
    first, *others = units
    return ClaimSubject(first, tuple(others[:driving]), tuple(others[driving:]))


def subjects(names: st.SearchStrategy[str], most: int) -> st.SearchStrategy[Subject]:
    nodes = st.builds(NodeSubject, names)
    units = st.builds(UnitSubject, names, st.integers(0, most))
    places = st.one_of(nodes, units)
    return st.one_of(
        places,
        st.lists(units, min_size=2, max_size=2, unique=True).map(lambda two: PairSubject(*two)),
        st.lists(places, min_size=2, max_size=5, unique=True).map(lambda p: PathSubject(tuple(p))),
        st.builds(PictureSubject, st.from_regex(r"[0-9a-f]{32}", fullmatch=True)),
        st.builds(claim, st.lists(units, min_size=2, max_size=6, unique=True), st.integers(0, 5)),
    )


ANY = subjects(NAMES, 999_999_999)
FEW = subjects(st.sampled_from(["a", "1", "a-1", "1-a"]), 2)
"""So few that equal ones and look-alikes come up."""
# The characters that RFC 3986 lets stand in the segments of a path as they are.
PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/]+")


@given(st.one_of(ANY, FEW))
def test_text_and_subject_are_the_same_thing(subject: Subject) -> None:
    text = str(subject)
    assert Subject.parse(text) == subject
    assert PATH.fullmatch(text)
    assert not {"", ".", ".."} & set(text.split("/")), "no segment that a browser would take away"
    assert subject.path("net") == f"/models/net/{text}"


@given(FEW, FEW)
def test_no_two_subjects_share_a_text(one: Subject, other: Subject) -> None:
    assert (str(one) == str(other)) == (one == other)


@given(st.text(alphabet="ab1/,~=+-@ .%?#\n\0é", max_size=12))
def test_whatever_is_read_is_canonical_and_the_rest_is_refused_in_one_line(text: str) -> None:
    try:
        told = str(Subject.parse(text))
    except BadInput as error:
        told = f"refused: {error}"
    assert told == text or (told.startswith("refused: ") and "\n" not in told)


@given(NAMES, st.integers(0, 999_999_999))
def test_nodes_and_units_are_spelled_as_in_addresses(node: str, unit: int) -> None:
    for address in (Address("net", node), Address("net", node, unit)):
        subject = subject_at(node, address.unit)
        assert f"net/{subject}" == str(address)
        assert subject.path("net") == address.path


A, B, C = UnitSubject("mixed4a", 3), UnitSubject("mixed3b", 7), UnitSubject("mixed3b", 12)


@pytest.mark.parametrize(
    ("text", "subject", "home"),
    [
        ("mixed4a", NodeSubject("mixed4a"), NodeSubject("mixed4a")),
        ("mixed4a/3", A, A),
        ("mixed4a/3,mixed3b/7", PairSubject(A, B), A),
        ("mixed3b/7~conv-1.x~mixed4a/3", PathSubject((B, NodeSubject("conv-1.x"), A)), A),
        (f"@{DIGEST}", PictureSubject(DIGEST), None),
        ("mixed4a/3=mixed3b/7+mixed3b/12", ClaimSubject(A, (C, B)), A),
        ("mixed4a/3=mixed3b/7-mixed3b/12", ClaimSubject(A, (B,), (C,)), A),
        ("mixed4a/3=-mixed3b/7-mixed3b/12", ClaimSubject(A, (), (C, B)), A),
    ],
)
def test_the_texts(text: str, subject: Subject, home: PlaceSubject | None) -> None:
    assert Subject.parse(text) == subject
    assert str(subject) == text
    assert subject.home == home
    assert subject.home is None or subject.home in subject.places


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "../x",
        "a/",
        "/a",
        "a//1",
        "a/1/2",
        "a/-1",
        "a/1234567890",
        "a/٣",
        "a b",
        "a%2Fb",
        "a?b",
        "a#b",
        "a\n",
        "a/1,",
        "a/1,b",
        "a/1,a/1",
        "a/1,b/2,c/3",
        "a~",
        "~a",
        "a~b~a",
        "a/1=",
        "a=b/1",
        "a/1=b",
        "a/1=+b/2",
        "a/1=b/2+",
        "a/1=b/2+b/2",
        "a/1=b/2-b/2",
        "a/1=a/1",
        "a/1=b/2=c/3",
        "a/1=b/2~c",
        "@",
        f"@{DIGEST.upper()}",
        f"@{DIGEST}0",
        f"a/1,@{DIGEST}",
        "a" * (LONGEST + 1),
        "~".join(f"n{k}" for k in range(LONGEST)),
    ],
)
def test_other_texts_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadInput) as told:
        Subject.parse(text)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 400


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("a/007", "a/7"), ("a/1=c/3+b/2", "a/1=b/2+c/3"), ("a/1=-b/2+c/3", "a/1=c/3-b/2")],
)
def test_another_spelling_is_told_the_right_one(text: str, canonical: str) -> None:
    with pytest.raises(BadInput, match=re.escape(f"write {canonical}")):
        Subject.parse(text)


def test_what_no_text_could_say_is_refused() -> None:
    for make in (
        lambda: UnitSubject("a", -1),
        lambda: UnitSubject("a", 10**9),
        lambda: NodeSubject("a/b"),
        lambda: PairSubject(A, A),
        lambda: PathSubject((A,)),
        lambda: ClaimSubject(A),
        lambda: ClaimSubject(A, tuple(UnitSubject("mixed3b", k) for k in range(1000))),
        lambda: PictureSubject(DIGEST[:-1]),
    ):
        with pytest.raises(BadInput):
            make()
