"""Citing a unit in one click."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

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
    bibtex = "\n".join(
        [
            f"@misc{{micrograph_{key},",
            f"  title = {{Unit {address}}},",
            (
                f"  note = {{{_tex(model.title)}, weights {model.digest[:12]}, "
                "rendered with Micrograph},"
            ),
            *([f"  year = {{{year}}},"] if year else []),
            f"  url = {{{permalink}}}",
            "}",
        ]
    )
    texts = [
        Citation("Address", address),
        Citation("Link", permalink),
        Citation("Markdown", f"[{address}]({permalink})"),
        Citation("BibTeX", bibtex),
    ]
    if first:
        texts.append(Citation("Recipe", recipes.canonical(first.recipe)))
    return texts


def _tex(text: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", text)
