"""CLIP's tokenizer with byte pairs of our own; the true ones are compared in tests/peers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograph.errors import Unavailable
from micrograph.networks.clip import vocabulary
from micrograph.networks.clip.tokenizer import Tokenizer, clean, letters, pieces
from micrograph.weights import store
from micrograph.weights.formats import WeightsError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  A \t Cat\n", "a cat"),
        ("it\u2019s \u201cfine\u201d", 'it\'s "fine"'),
        ("fish &amp;amp; chips &lt;b&gt; &eacute;&rsquo;", "fish & chips <b> é'"),
        ("cafe\u0301", "café"),
        ("\ufb01ne \uff41\uff42\uff43\u3000x \u01c6", "fine abc x dž"),
        ("a\x00b\ufeffc\x7f", "abc"),
        ("İSTANBUL", "i\u0307stanbul"),
        ("½ x² Ⅷ ①", "½ x² ⅷ ①"),
        ("a\u2028b\u00a0c\x85d", "a b c d"),
        ("", ""),
    ],
)
def test_cleaning(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the cats' dog's", ["the", "cats", "'", "dog", "'s"]),
        ("don't we'LL 'twas 'VE!", ["don", "'t", "we", "'LL", "'t", "was", "'VE", "!"]),
        ("!!'s 's!", ["!!'", "s", "'s", "!"]),
        ("route 66, 3.5", ["route", "6", "6", ",", "3", ".", "5"]),
        ("x² ½Ⅷ東京", ["x", "²", "½", "Ⅷ", "東京"]),
        ("<|endoftext|>", ["<|", "endoftext", "|>"]),
        ("🥚🥚 ok", ["🥚🥚", "ok"]),
        (" ", []),
    ],
)
def test_pieces(text, expected):
    assert list(pieces(text)) == expected


@given(st.text())
def test_pieces_lose_nothing_but_blanks(text):
    assert "".join(pieces(text)) == "".join(c for c in text if not c.isspace())
    assert all(piece for piece in pieces(text))


def test_every_byte_has_a_letter_of_its_own():
    assert sorted(letters()) == list(range(256))
    assert len(set(letters().values())) == 256
    assert all(c.isprintable() and not c.isspace() for c in letters().values())
    # The numbers of tokens: "!" is the first, byte 0 is the first of those moved away.
    assert next(iter(letters().values())) == "!"
    assert list(letters().values())[188] == "Ā" == letters()[0]


def joined(piece: str, pairs: list[tuple[str, str]]) -> list[str]:
    """Byte pair encoding as its paper has it: for each pair by rank, join it wherever it stands."""
    parts = [letters()[b] for b in piece.encode()]
    parts[-1] += "</w>"
    while found := [p for p in pairs if p in set(pairwise(parts))]:
        first, second = found[0]
        at = 0
        while at < len(parts) - 1:
            if (parts[at], parts[at + 1]) == (first, second):
                parts[at : at + 2] = [first + second]
            at += 1
    return parts


PAIRS = [
    ("a", "b"),
    ("b", "a</w>"),
    ("ab", "ab"),
    ("b", "b"),
    ("a", "a"),
    ("ab", "a</w>"),
    ("aa", "bb"),
    ("abab", "ab</w>"),
    ("b", "b</w>"),
    ("ab", "b</w>"),
]


@given(st.text(alphabet="abé", min_size=1, max_size=12))
def test_joining_against_the_plain_algorithm(word):
    tokenizer = Tokenizer(PAIRS)
    numbers = tokenizer.encode(word)
    assert [tokenizer.tokens[n] for n in numbers] == joined(word, PAIRS)


def test_numbers_and_marks():
    tokenizer = Tokenizer(PAIRS)
    assert len(tokenizer.tokens) == 512 + len(PAIRS)
    assert (tokenizer.begin, tokenizer.end) == (522, 523)
    assert tokenizer.encode("!") == [256]
    assert tokenizer.encode("ab!") == [tokenizer.tokens.index("a"), 256 + 65, 256]
    assert tokenizer.encode("\ud800") == tokenizer.encode("?")  # half a character


def test_words_are_whole_ones_of_letters():
    greek = "".join(letters()[b] for b in "ναί".encode())
    broken = letters()[0xC3] + letters()[0x28]
    pairs = [
        ("ca", "t</w>"),
        ("ca", "ts"),
        ("it", "'s</w>"),
        ("1", "2</w>"),
        ("", f"{greek}</w>"),
        ("", f"{broken}</w>"),
        ("", "x</w>"),
    ]
    assert list(Tokenizer(pairs).words()) == ["cat", "ναί"]


def test_where_the_file_may_lie(monkeypatch, tmp_path):
    chosen, data, away = tmp_path / "chosen", tmp_path / "data", tmp_path / "away"
    for folder in (chosen, data, away):
        folder.mkdir()
    monkeypatch.setenv("MICROGRAPH_WEIGHTS", str(chosen))
    monkeypatch.setattr(store, "data_folder", lambda: data)
    monkeypatch.setattr(store, "CHECKOUT_FOLDER", away)
    monkeypatch.setattr(vocabulary.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"weights fetch.*put the file from https"):
        vocabulary.find()
    for folder in (away, data, chosen):  # the later ones come first
        (folder / vocabulary.NAME).write_bytes(b"")
        assert vocabulary.find() == folder / vocabulary.NAME


def test_another_file_is_refused_before_it_is_unpacked(tmp_path):
    file = tmp_path / vocabulary.NAME
    file.write_bytes(b"\x1f\x8b no gzip")
    with pytest.raises(WeightsError, match="not the list of byte pairs of CLIP"):
        vocabulary.read(file)


def test_the_true_file_where_it_is_here():
    try:
        path = vocabulary.find()
    except Unavailable as error:
        pytest.skip(str(error))
    pairs = vocabulary.read(path)
    assert path.stat().st_size == vocabulary.VOCABULARY.size
    assert len(pairs) == 48_894
    assert pairs[0] == ("i", "n")
    tokenizer = Tokenizer(pairs)
    assert (tokenizer.begin, tokenizer.end) == (49_406, 49_407)
    assert tokenizer.encode("a photo of a cat") == [320, 1125, 539, 320, 2368]
    words = list(tokenizer.words())
    assert words[:3] == ["the", "in", "and"] or "the" in words[:10]
    assert len(set(words)) == len(words)
