"""The parts of lenses as HTML, each by its lens's own template: one that fails costs no other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplatesNotFound, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from micrograph.lenses.contract import Words
from micrograph.lenses.pages.listing import words
from micrograph.web.failures import attempt
from micrograph.web.lens_traits import follows_own_picture
from micrograph.web.pages.lens_parts import BrokenPart, LensPart

_BROKEN = Markup('<p class="quiet broken">{}</p>')


@dataclass(frozen=True, kw_only=True)
class DrawnPart:
    """A part of a unit's page: its section and lens, its HTML, and whether the reader's own picture
    is asked for before it."""

    section: LensPart
    lens: Words
    html: Markup
    after_own: bool


@pass_context
def unit_parts(context: Context, sections: Sequence[LensPart]) -> list[DrawnPart]:
    """The parts of a unit's page that stand on their own, in reading order. Pictures of lenses that
    belong under another lens are drawn by that one, unless it fails."""
    known = _variables(context)
    drawn = {part.technique: _draw_page(known, part) for part in sections if not _host_lens(part)}
    hosts = {lens for lens, (_, fine) in drawn.items() if fine}
    drawn |= {
        part.technique: _draw_page(known, part)
        for part in sections
        if _host_lens(part) and _host_lens(part) not in hosts
    }
    return [
        DrawnPart(
            section=part,
            lens=words(part.technique),
            html=drawn[part.technique][0],
            after_own=follows_own_picture(part.technique),
        )
        for part in sections
        if part.technique in drawn
    ]


@pass_context
def lens_part(context: Context, section: LensPart) -> Markup:
    """A part of the page of a node as a whole; nothing where its lens has no template for it."""
    names = [f"lenses/{section.form}/node.html", f"lenses/pages/{section.form}_node.html"]
    html, fine = _draw(_variables(context), section, names, optional=True)
    return html if fine else Markup('<div id="{}">{}</div>').format(section.technique, html)


def _host_lens(part: LensPart) -> str:
    """The lens whose template draws this part too, or ""."""
    return words(part.technique).under if part.form == "pictures" else ""


@dataclass(frozen=True, eq=False)
class _Variables:
    """All variables of a page's template, which an included one has, too."""

    environment: Environment
    values: dict[str, Any]


def _variables(context: Context) -> _Variables:
    return _Variables(context.environment, context.get_all())


def _draw_page(known: _Variables, section: LensPart) -> tuple[Markup, bool]:
    names = [f"lenses/{section.form}/page.html", f"lenses/pages/{section.form}.html"]
    return _draw(known, section, names)


def _draw(
    known: _Variables, section: LensPart, names: Sequence[str], optional: bool = False
) -> tuple[Markup, bool]:
    """A part as HTML, by the first template of `names` that exists, and whether that worked; if
    not, the HTML is a line with the reason. `optional`: without a template the HTML is empty.

    The template gets all variables of the page's template, as an included one does.
    """
    if isinstance(section, BrokenPart):
        return _BROKEN.format(section.message), False
    about = words(section.technique)

    def draw() -> tuple[Markup, bool]:
        try:
            template = known.environment.select_template(list(names))
        except TemplatesNotFound:
            if optional:
                return Markup(), True
            raise
        values = {**known.values, "section": section, "lens": about}
        # As `template.render`, but for a copy of a hundred variables.
        here = template.new_context(values, shared=True)
        return Markup(known.environment.concat(template.root_render_func(here))), True

    return attempt(about.title, draw, lambda line: (_BROKEN.format(line), False))
