"""Pages as HTML: the templates, and how they write numbers."""

import hashlib
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup, escape

from micrograph.atlas.kept import Kept
from micrograph.lenses import lenses
from micrograph.lenses.pages.listing import page_of, words
from micrograph.parts import markup
from micrograph.parts.markup import breakable
from micrograph.parts.numbers import number, score
from micrograph.parts.plots.evidence import controls_plot, kernel_plot
from micrograph.parts.plots.svg import short
from micrograph.parts.urls import Urls
from micrograph.pictures import shipped
from micrograph.recipe import indented
from micrograph.web.column import Drawing
from micrograph.web.drawings import depth_of
from micrograph.web.drawn_parts import lens_part, unit_parts
from micrograph.web.experiments import USUAL, ExperimentOptions
from micrograph.web.lens_templates import lens_templates
from micrograph.web.lens_traits import DEFAULT, MAP, is_default_tile, source_names
from micrograph.web.pages import Page
from micrograph.web.pages.circuit import drawing_of_circuit
from micrograph.web.pages.claim_words import reading_in_words
from micrograph.web.pages.model_cards import ModelSummary
from micrograph.web.pages.node import PER_PAGE
from micrograph.web.pages.on_picture import OnPicturePage, drawing_of, inputs_of, rest_of
from micrograph.web.panel import Panel
from micrograph.web.sharing import sharing

HERE = Path(__file__).parent
STATIC = HERE / "static"
_PANELS = 1 << 20
"""Characters of panels that are kept."""


def static_version() -> str:
    """A name for the static files as they are, part of their URLs: they may be kept for ever."""
    digest = hashlib.sha1(usedforsecurity=False)
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def shipped_pictures() -> tuple[str, ...]:
    """Names of the pictures that ship."""
    return shipped()


def signed(value: float) -> str:
    """A change with three figures and its sign."""
    return f"+{short(value)}" if value > 0 else short(value)


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
        self._panels: Kept[tuple[Drawing | None, Markup]] = Kept(_PANELS, lambda pair: len(pair[1]))
        self.environment = Environment(
            loader=ChoiceLoader(
                [
                    FileSystemLoader(HERE / "templates"),
                    PrefixLoader({"lenses": lens_templates()}),
                ]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,  # a look at a dozen files for each page
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
            reading_in_words=reading_in_words,
            lens_part=lens_part,
            unit_parts=unit_parts,
            source_names=source_names,
            map_lens=MAP,
            default_lens=DEFAULT,
            per_page=PER_PAGE,
            card_of=self._card,
            graph_drawing_of=drawing_of,
            circuit_drawing_of=drawing_of_circuit,
            graph_inputs_of=inputs_of,
            graph_rest_of=rest_of,
            shipped_pictures=shipped_pictures,
            panel_of=self._panel,
            is_default_tile=is_default_tile,
            usual_controls=USUAL,
            usual_experiment=ExperimentOptions(),
            markup=markup,
        )
        self.environment.filters.update(
            number=number,
            score=score,
            millions=millions,
            pretty=indented,
            percent=percent,
            breakable=breakable,
            ticked=ticked,
            megabytes=megabytes,
            figures=short,
            signed=signed,
        )

    def render(self, page: Page, panel: Panel, path: str, origin: str = "") -> bytes:
        """`path` is the page's own address, with its query; `origin` what makes it a whole one."""
        template = self.environment.get_template(f"{page.kind}.html")
        shared = sharing(page.kind, origin, path) if origin and page.kind != "error" else None
        text = template.render(page=page, panel=panel, path=path, shared=shared, origin=origin)
        data = text.encode(errors="backslashreplace")  # names of files need be no Unicode
        # An atlas may hold one anywhere, and no HTML may. In bytes it is quick to see that none is.
        return data.replace(b"\0", "\N{REPLACEMENT CHARACTER}".encode())

    def asking(self, page: object, urls: Urls) -> str:
        """The page that asks for the token, which shows nothing of the site."""
        return self.environment.get_template("token.html").render(page=page, urls=urls)

    def answer_on_picture(self, page: OnPicturePage) -> str:
        """The answer of such a page without the page around it."""
        return self.environment.get_template("on_picture_parts.html").render(page=page)

    def _panel(self, panel: Panel) -> Markup:
        """The panel beside a page, which the units of a node share."""
        # By the drawing itself: to compare two of them takes longer than to write one down.
        entries = tuple((one.lens.technique, one.url, one.there) for one in panel.entries)
        key = (entries, panel.current, panel.model, panel.here)
        kept = self._panels.find(key)
        if kept is None or kept[0] is not panel.map:
            template = self.environment.get_template("panel.html")
            kept = (panel.map, Markup(template.render(panel=panel)))
            self._panels.put(key, kept)
        return kept[1]

    def _card(self, card: ModelSummary, macro: str, number: int) -> Markup:
        """A card at its place in a list, written down once: the list of models may be long."""
        known = self._cards.setdefault(card, {})
        if (macro, number) not in known:
            macros: Any = self.environment.get_template("macros.html").module
            known[macro, number] = getattr(macros, macro)(card, number)
        return known[macro, number]
