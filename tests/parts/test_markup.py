"""Pictures as HTML, written by functions: what anybody may have written is escaped."""

from micrograph.parts.crops import WHOLE, Box
from micrograph.parts.markup import crop, grid, picture, thumb
from micrograph.parts.parts import Image, Thumb

EVIL = '"><script>&'
SAFE = "&#34;&gt;&lt;script&gt;&amp;"


def test_a_picture() -> None:
    found = picture(Image("/a.png?b&c", 3, 4, "#010203"), 'a "cat"')
    assert found == (
        '<img src="/a.png?b&amp;c" width="3" height="4" alt="a &#34;cat&#34;" decoding="async" '
        'loading="lazy" style="background:#010203">'
    )
    assert "loading" not in picture(Image("/a", 1, 1, "#000000"), eager=True)


def test_a_part_of_one() -> None:
    shown = Image("/a", 100, 100, "#000000")
    few = crop(shown, Box(0.1, 0.2, 0.12345, 0.5), Box(0.0, 0.0, 0.5, 0.5))
    assert few.startswith(
        '<span class="crop few" style="--l:0.1;--t:0.2;--w:0.1235;--h:0.5;'
        '--bl:0.0;--bt:0.0;--bw:0.5;--bh:0.5;background:#000000"><img '
    )
    assert few.endswith("<i></i></span>")
    assert crop(shown, WHOLE).startswith('<span class="crop all" style="--l:0.0;')
    assert crop(shown, WHOLE, WHOLE).endswith("></span>")  # a box around all of it says nothing


def test_what_stands_for_a_picture() -> None:
    assert thumb(Thumb(1, "m/n/1", "/1")) == '<span class="blank"></span>'
    assert thumb(Thumb(1, "m/n/1", "/1", text=EVIL)) == f'<span class="blank named">{SAFE}</span>'


def test_a_grid() -> None:
    bad = Image(EVIL, 1, 1, EVIL)
    units = [Thumb(0, "m/n/0", EVIL, bad), Thumb(1, "m/n/1", "/1", bad, window=WHOLE)]
    units += [Thumb(2, "m/n/2", "/2")]
    found = grid(units)
    assert "<script" not in found
    first, second, third = found.split("\n")
    assert first.startswith(f'<li><a href="{SAFE}" id="u0" data-unit="0"><img src="{SAFE}"')
    assert 'class="crop' in second
    assert third == (
        '<li><a href="/2" id="u2" data-unit="2" class="missing"><span class="blank"></span>'
        '<span class="n">2</span></a></li>'
    )


def test_only_the_first_are_loaded_at_once() -> None:
    image = Image("/a", 1, 1, "#000000")
    found = grid(Thumb(n, "", "", image) for n in range(62)).split("\n")
    assert [n for n, tile in enumerate(found) if "lazy" in tile] == [60, 61]
