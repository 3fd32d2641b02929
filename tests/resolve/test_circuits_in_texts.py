"""Links to circuits, and words that ask for one."""

import pytest

from micrograph.atlas import Library
from micrograph.resolve import resolve


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://a.example:8000/circuits/toytown/mixed4a/3", "/circuits/toytown/mixed4a/3"),
        ("see /circuits/toytown/mixed4a/3.svg.", "/circuits/toytown/mixed4a/3"),
        (
            "circuits/Toytown/4a/3.graph.json?depth=3&branches=apart#units",
            "/circuits/toytown/mixed4a/3?depth=3&branches=apart",
        ),
        (
            "http://x/circuits/toytown/mixed4a/3.png?pin=mixed3b%2F7",
            "/circuits/toytown/mixed4a/3?pin=mixed3b%2F7",
        ),
        ("the circuit of toytown mixed4a:3", "/circuits/toytown/mixed4a/3"),
        ("Circuit behind toytown/mixed4a/3", "/circuits/toytown/mixed4a/3"),
        ("/models/toytown/mixed4a/3", "/models/toytown/mixed4a/3"),
    ],
)
def test_circuits_are_found(text: str, url: str, library: Library) -> None:
    found = resolve(text, library)
    assert (found.url, found.model) == (url, "toytown")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/circuits/toytown/mixed4a/999", "out of range"),
        ("/circuits/toytown/mixed9z/3", "no node called"),
        ("/circuits/nosuch/mixed4a/3", "nosuch"),
        ("circuit diagrams", ""),
    ],
)
def test_what_has_no_circuit_is_no_place(text: str, said: str, library: Library) -> None:
    found = resolve(text, library)
    assert (found.url, found.address) == (None, None)
    assert said in found.note
