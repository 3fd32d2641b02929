"""The page of a unit: everything that was rendered of it, and how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph import recipe as recipes
from micrograph.atlas import ModelRecord, NodeRecord, Reading, Visualization
from micrograph.web.graph import parts_of
from micrograph.web.lenses import LENSES, Lens, View
from micrograph.web.lenses import lens as lens_of
from micrograph.web.pages.parts import (
    Link,
    ModelRef,
    NodeFacts,
    Thumb,
    model_ref,
    node_facts,
    render_command,
    safe_color,
    thumb,
)
from micrograph.web.urls import Urls

REACH = 6


@dataclass(frozen=True)
class VisualizationView:
    """One result about the unit. `image` is its picture's URL, empty (and its sizes 0) where
    `data` says it all; `recipe_digest` names the recipe."""

    technique: str
    variant: str
    recipe: Mapping[str, Any]
    recipe_digest: str
    seed: int
    score: float
    image: str
    width: int
    height: int
    color: str
    data: Mapping[str, Any]
    made_with: Mapping[str, str]
    created: str
    seconds: float


@dataclass(frozen=True)
class Citation:
    """One way to cite the unit, ready to be copied."""

    name: str
    text: str


@dataclass(frozen=True)
class RenderState:
    """Whether the site can render this unit itself, and how far that is.

    `state` is "none", "queued", "running", "done" or "failed"; `reason` says why it cannot.
    """

    available: bool
    reason: str
    state: str
    message: str
    url: str


@dataclass(frozen=True)
class UnitPage:
    """`/models/<model>/<node>/<unit>`. `label` is the class name of an output unit, else "".

    `same_as` is the unit of a concatenation that this unit of a branch becomes.
    """

    kind: str
    title: str
    address: str
    model: ModelRef
    node: str
    node_facts: NodeFacts
    unit: int
    label: str
    same_as: Link | None
    visualizations: list[VisualizationView]
    neighbours: list[Thumb]
    previous: Link | None
    next: Link | None
    citations: list[Citation]
    command: str
    render: RenderState

    def groups(self, technique: str) -> list[tuple[View, list[VisualizationView]]]:
        """The pictures of a lens by its views; each a list of repeats, the best one per seed."""
        lens = lens_of(technique)
        found = []
        for view in lens.views if lens else ():
            best: dict[int, VisualizationView] = {}
            for v in self.visualizations:
                if (v.technique, v.variant) == (technique, view.variant):
                    best.setdefault(v.seed, v)
            if best:
                found.append((view, [best[seed] for seed in sorted(best)]))
        return found

    def absent(self, lens: Lens) -> list[View]:
        """The views of a lens that this unit has no picture for."""
        there = {(v.technique, v.variant) for v in self.visualizations}
        return [view for view in lens.views if (lens.technique, view.variant) not in there]


def unit_page(
    atlas: Reading, node: NodeRecord, unit: int, urls: Urls, origin: str, render: RenderState
) -> UnitPage:
    """`origin` ("http://host:port") makes the permalink."""
    model = atlas.model
    tiles = {
        t.unit: t
        for t in atlas.tiles(node.id, LENSES[0].technique, LENSES[0].views[0].variant,
                             min_width=64)
    }
    first = max(0, min(unit - REACH, node.units - 2 * REACH - 1))
    nearby = range(first, min(node.units, first + 2 * REACH + 1))
    found = [_view(v, model.id, urls) for v in atlas.visualizations(node.id, unit)]
    address = f"{model.id}/{node.id}/{unit}"

    def link(other: int) -> Link | None:
        inside = 0 <= other < node.units
        return Link(str(other), urls.unit(model.id, node.id, other)) if inside else None

    return UnitPage(
        "unit", address.replace("/", " / "), address, model_ref(model, urls), node.id,
        node_facts(model.id, node, urls), unit, _label(atlas, node, unit),
        _same_as(atlas, node, unit, urls), found,
        [thumb(model.id, node.id, other, tiles.get(other), urls) for other in nearby],
        link(unit - 1), link(unit + 1),
        citations(model, address, origin + urls.unit(model.id, node.id, unit), found),
        render_command(model.id, node.id, unit, _missing(found)), render,
    )


def _missing(found: list[VisualizationView]) -> list[str]:
    """The variants to ask for: none where there is nothing yet, so that the plain one is first."""
    there = {v.variant for v in found}
    return [view.variant for view in LENSES[0].views if there and view.variant not in there]


def _view(v: Visualization, model: str, urls: Urls) -> VisualizationView:
    p = v.picture
    return VisualizationView(
        v.technique, v.variant, v.recipe, recipes.digest(v.recipe), v.seed, v.score,
        urls.image(model, p.digest, p.mime) if p else "", p.width if p else 0, p.height if p else 0,
        safe_color(p.color if p else ""), v.data, v.made_with, v.created, v.seconds,
    )


def _label(atlas: Reading, node: NodeRecord, unit: int) -> str:
    """The class a flat node's unit stands for, where the node has one unit per class."""
    labels = atlas.model.labels
    return labels[unit] if labels and not node.shape and len(labels) == node.units else ""


def _same_as(atlas: Reading, node: NodeRecord, unit: int, urls: Urls) -> Link | None:
    whole, first = parts_of(atlas.nodes).get(node.id, ("", 0))
    if not whole:
        return None
    return Link(f"{whole}/{first + unit}", urls.unit(atlas.model.id, whole, first + unit))


def citations(
    model: ModelRecord, address: str, permalink: str, found: list[VisualizationView]
) -> list[Citation]:
    """Address, link, Markdown, BibTeX, and the recipe of the first picture."""
    key = re.sub(r"[^A-Za-z0-9]+", "_", address)
    year = found[0].created[:4] if found and found[0].created else ""
    bibtex = "\n".join([
        f"@misc{{micrograph_{key},",
        f"  title = {{Unit {address}}},",
        f"  note = {{{_tex(model.title)}, weights {model.digest[:12]}, rendered with Micrograph}},",
        *([f"  year = {{{year}}},"] if year else []),
        f"  url = {{{permalink}}}",
        "}",
    ])
    texts = [
        Citation("Address", address),
        Citation("Link", permalink),
        Citation("Markdown", f"[{address}]({permalink})"),
        Citation("BibTeX", bibtex),
    ]
    if found:
        texts.append(Citation("Recipe", recipes.canonical(found[0].recipe)))
    return texts


def _tex(text: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", text)
