"""Citing a unit in one click."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from micrograph import recipe as recipes
from micrograph.atlas import ModelRecord, Visualization
from micrograph.web.lens_traits import result_to_cite


@dataclass(frozen=True)
class Citation:
    """One way to cite the unit, ready to be copied."""

    name: str
    text: str


def citations(
    model: ModelRecord, address: str, permalink: str, found: Sequence[Visualization]
) -> list[Citation]:
    """Address, link, Markdown, BibTeX, and the recipe of the picture the page begins with."""
    first = result_to_cite(found)
    key = re.sub(r"[^A-Za-z0-9]+", "_", address)
    year = first.created[:4] if first and first.created else ""
    made = [f"{model.title}, weights {model.digest[:12]}, rendered with Micrograph"]
    if first:
        made.append(f"recipe {recipes.digest(first.recipe)}")
    fields = {
        "author": "{The Micrograph developers}",
        "title": f"{{Unit {_tex(address)}}}",
        "note": _tex(", ".join(made)),
        "year": year,
        "url": _tex_url(permalink),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    bibtex = "\n".join([f"@misc{{micrograph_{key},", ",\n".join(lines), "}"])
    texts = [
        Citation("Address", address),
        Citation("Link", permalink),
        Citation("Markdown", f"[{address}]({permalink})"),
        Citation("BibTeX", bibtex),
    ]
    if first:
        texts.append(Citation("Recipe", recipes.canonical(first.recipe)))
    return texts


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "{": r"\textbraceleft{}",  # BibTeX counts braces, escaped ones too
    "}": r"\textbraceright{}",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
}
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
    "\u0328": "k",
}
"""Combining marks and the commands that set them."""
_LETTERS = {
    "ß": r"{\ss}",
    "æ": r"{\ae}",
    "Æ": r"{\AE}",
    "œ": r"{\oe}",
    "Œ": r"{\OE}",
    "ø": r"{\o}",
    "Ø": r"{\O}",
    "ł": r"{\l}",
    "Ł": r"{\L}",
    "ı": r"{\i}",
    "×": r"$\times$",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\ldots{}",
    "\u00a0": "~",
    "\u202f": r"\,",
}


def _tex(text: str) -> str:
    """`text` as BibTeX and every LaTeX read it: signs escaped, letters beyond ASCII by commands.
    What has none is left to those that read UTF-8."""
    found: list[str] = []
    for sign in unicodedata.normalize("NFD", " ".join(text.split())):
        if sign in _ACCENTS and found and found[-1][-1:].isalpha() and len(found[-1]) == 1:
            letter = {"i": r"\i", "j": r"\j"}.get(found[-1], found[-1])
            found[-1] = f"{{\\{_ACCENTS[sign]}{{{letter}}}}}"
        else:
            found.append(_SPECIAL.get(sign) or _LETTERS.get(sign) or sign)
    return unicodedata.normalize("NFC", "".join(found))


def _tex_url(url: str) -> str:
    """A URL with nothing in it that BibTeX or \\url takes for something else: other signs are
    percent-encoded, as most are by then."""
    return quote(url, safe="/:?=@.,;!*()+-_~'$&%#[]")
