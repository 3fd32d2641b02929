"""Pages as HTML: the templates, and how they write numbers."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup, escape

from micrograph.lenses import lenses
from micrograph.lenses.pages.listing import page_of, words
from micrograph.parts.plots.evidence import controls_plot, kernel_plot
from micrograph.parts.urls import Urls
from micrograph.web.drawings import depth_of
from micrograph.web.drawn_parts import lens_part, unit_parts
from micrograph.web.lens_templates import lens_templates
from micrograph.web.lens_traits import DEFAULT, MAP, source_names
from micrograph.web.pages import Page
from micrograph.web.pages.model_cards import ModelSummary
from micrograph.web.panel import Panel

HERE = Path(__file__).parent
STATIC = HERE / "static"


def static_version() -> str:
    """A name for the static files as they are, part of their URLs: they may be kept for ever."""
    digest = hashlib.sha1(usedforsecurity=False)
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def number(value: float) -> str:
    """With thin spaces between thousands: 6 998 552."""
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def score(value: float) -> str:
    """An activation with three or four figures and a real minus sign."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def percent(share: float) -> str:
    """A share as a percentage with two figures: 3.2 %."""
    value = 100 * share
    digits = 0 if value >= 10 or not value else 1 if value >= 1 else 2
    return f"{value:.{digits}f}\N{NO-BREAK SPACE}%"


def millions(value: int) -> str:
    """A number of parameters in words: 7.0 million."""
    return f"{value / 1e6:.1f} million" if value >= 1e6 else number(value)


def megabytes(size: int) -> str:
    """A size in bytes: 98 MB."""
    return f"{number(max(1, size / 1e6))} MB"


def pretty(data: Mapping[str, Any]) -> str:
    """JSON for people: indented, but short lists of numbers on one line."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return re.sub(r"\[[\s\d.,eE+-]*\]", lambda m: " ".join(m[0].split()), text)


def breakable(name: str) -> Markup:
    """A long name that may break behind its separators and nowhere else."""
    return Markup("<wbr>").join(re.findall(r"[^_./-]*[_./-]?", name)[:-1])


def ticked(text: str) -> Markup:
    """A sentence in which `words between backticks` are code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


class Html:
    """Renders `<kind>.html` with the page's plain object in it."""

    def __init__(self, urls: Urls) -> None:
        self._cards: WeakKeyDictionary[ModelSummary, dict[tuple[str, int], Markup]] = (
            WeakKeyDictionary()
        )
        self.environment = Environment(
            loader=ChoiceLoader(
                [
                    FileSystemLoader(HERE / "templates"),
                    PrefixLoader({"lenses": lens_templates()}),
                ]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name in lenses():
            self.environment.globals.update(page_of(name).drawings)
        self.environment.globals.update(
            urls=urls,
            lens_of=words,
            depth_of=depth_of,
            controls_plot=controls_plot,
            kernel_plot=kernel_plot,
            lens_part=lens_part,
            unit_parts=unit_parts,
            source_names=source_names,
            map_lens=MAP,
            default_lens=DEFAULT,
            card_of=self._card,
        )
        self.environment.filters.update(
            number=number,
            score=score,
            millions=millions,
            pretty=pretty,
            percent=percent,
            breakable=breakable,
            ticked=ticked,
            megabytes=megabytes,
        )

    def render(self, page: Page, panel: Panel, path: str) -> bytes:
        """`path` is the page's own address, with its query."""
        template = self.environment.get_template(f"{page.kind}.html")
        return template.render(page=page, panel=panel, path=path).encode()

    def _card(self, card: ModelSummary, macro: str, number: int) -> Markup:
        """A card at its place in a list, written down once: the list of models may be long."""
        known = self._cards.setdefault(card, {})
        if (macro, number) not in known:
            macros: Any = self.environment.get_template("macros.html").module
            known[macro, number] = getattr(macros, macro)(card, number)
        return known[macro, number]
