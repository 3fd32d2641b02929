"""Words on pictures: they fit, and show no boxes in place of signs."""

import pytest

from micrograph.parts.lettering import font, lines, shortened, spelled


def test_signs_of_the_font_stay_and_others_are_spelled() -> None:
    assert spelled("Zürich: 1\N{NARROW NO-BREAK SPACE}000 × 2 → 3") == "Zurich: 1 000 x 2 -> 3"
    assert spelled("犬 dog\n\x00") == "? dog  "


@pytest.mark.parametrize("text", ["", "x", "a few plain words", "w" * 900, "a b " * 900])
def test_a_line_fits(text: str) -> None:
    found = shortened(text, 300, 25)
    assert font(25).getlength(found) <= 300
    assert found == text or found.endswith("...")


def test_lines_hold_all_words_in_their_order_where_there_is_room() -> None:
    text = "A car detector is built from a wheel detector and a window detector."
    found = lines(text, 300, 25, 9)
    assert " ".join(found) == text
    assert len(found) > 1
    assert all(font(25).getlength(line) <= 300 for line in found)


def test_lines_end_where_there_is_no_room() -> None:
    found = lines("word " * 100, 200, 25, 2)
    assert len(found) == 2
    assert found[1].endswith("...")
    assert lines("", 200, 25, 3) == []
