"""CLIP's tokenizer: texts to byte pairs (Sennrich et al. 2016 on bytes, as GPT-2 has it).

A text is cleaned and lower-cased, cut into words, numbers' digits and runs of other characters, and
each piece, as UTF-8 bytes with a mark at its end, is joined pair by pair, the commonest pair first.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

END_OF_WORD = "</w>"

_QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u02bc\u2018\u2019\u201a\u201b", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
    }
)
_WIDE = re.compile(
    "[\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\u3000\ufb00-\ufb06\uff01-\uffef]+"
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]")
_CONTRACTION = re.compile("'(?:s|t|re|ve|m|ll|d)", re.IGNORECASE)


def clean(text: str) -> str:
    """HTML entities resolved, ligatures and wide characters made plain, accents composed, control
    characters dropped, curly quotes straightened, blanks collapsed, lower case.

    This is what matters of OpenAI's cleaning, which also guesses at wrongly decoded text.
    """
    text = html.unescape(html.unescape(text))
    text = _WIDE.sub(lambda wide: unicodedata.normalize("NFKC", wide.group()), text)
    text = unicodedata.normalize("NFC", _CONTROLS.sub("", text).translate(_QUOTES))
    return " ".join(text.split()).lower()


def pieces(text: str) -> Iterator[str]:
    """Contractions ('s, 't, ...), words, single digits, runs of anything else but blanks."""
    at = 0
    while at < len(text):
        first = _class(text[at])
        contraction = _CONTRACTION.match(text, at)
        end = at + 1
        if contraction:
            end = contraction.end()
        elif first != "N":
            while end < len(text) and _class(text[end]) == first:
                end += 1
        if contraction or first != " ":
            yield text[at:end]
        at = end


def _class(character: str) -> str:
    """L for letters, N for numbers, a blank for blanks, else nothing."""
    if character.isspace():
        return " "
    kind = unicodedata.category(character)[0]
    return kind if kind in "LN" else ""


@lru_cache(maxsize=1)
def letters() -> dict[int, str]:
    """A visible character for each byte: itself where it is one in Latin-1, else from U+0100 on.

    The order is that of the tokens' numbers.
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in visible]
    return {b: chr(b) for b in visible} | {b: chr(256 + n) for n, b in enumerate(others)}


class Tokenizer:
    """Byte pairs in order of their rank, and the numbers of the tokens that they make."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        single = list(letters().values())
        tokens = [*single, *(s + END_OF_WORD for s in single), *(a + b for a, b in pairs)]
        self.tokens = tuple(tokens)
        """By number; the marks of a text's begin and end follow behind them."""
        self.begin, self.end = len(tokens), len(tokens) + 1
        self._numbers = {token: number for number, token in enumerate(tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(pairs)}
        self._numbers_of = lru_cache(maxsize=1 << 16)(self._joined)

    def encode(self, text: str) -> list[int]:
        """Token numbers without marks. Marks written out in the text are ordinary characters."""
        return [number for piece in pieces(clean(text)) for number in self._numbers_of(piece)]

    def _joined(self, piece: str) -> tuple[int, ...]:
        parts = [letters()[byte] for byte in piece.encode("utf-8", "replace")]
        parts[-1] += END_OF_WORD
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if best not in self._ranks:
                break
            joined, at = [], 0
            while at < len(parts):
                step = 2 if tuple(parts[at : at + 2]) == best else 1
                joined.append("".join(parts[at : at + step]))
                at += step
            parts = joined
        return tuple(self._numbers[part] for part in parts)

    def words(self) -> Iterator[str]:
        """The tokens that are whole words: two letters or more, nothing else; by rank."""
        bytes_of = {letter: byte for byte, letter in letters().items()}
        for token in self.tokens:
            if not token.endswith(END_OF_WORD):
                continue
            found = bytes(bytes_of[c] for c in token.removesuffix(END_OF_WORD))
            try:
                word = found.decode()
            except UnicodeDecodeError:
                continue
            if len(word) > 1 and word.isalpha():
                yield word
