"""The state of a node's page, as its query has it, and the switches that change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from micrograph.atlas import Reading
from micrograph.lenses import lenses as lens_names
from micrograph.lenses.contract import View
from micrograph.lenses.pages.listing import page_of, words
from micrograph.lenses.pages.page import TileChoice
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Choice, Switch
from micrograph.parts.urls import Urls
from micrograph.web.choices import check_choice
from micrograph.web.failures import attempt
from micrograph.web.lens_traits import DEFAULT, MAP, default_view, lenses_with_tiles, variant_word
from micrograph.web.pages.sort import SORTS

SIZES = {"s": 64, "m": 112, "l": 192}
OBJECTIVES = {"channel": "Channel", "neuron": "Neuron"}
SIGNS = {"positive": "Positive", "negative": "Negative"}
DEFAULTS = {
    "lens": DEFAULT.technique,
    "variant": "",
    "objective": "channel",
    "sign": "positive",
    "sort": "unit",
    "size": "m",
}


@dataclass(frozen=True, kw_only=True)
class NodeView:
    """`lens` makes the tiles; `variant` says which of its views, "" for the first. For the default
    lens `objective` and `sign` say it instead. Raises BadInput for what is no known setting."""

    objective: str = "channel"
    sign: str = "positive"
    sort: str = "unit"
    size: str = "m"
    lens: str = DEFAULT.technique
    variant: str = ""

    def __post_init__(self) -> None:
        for name, known in (
            ("objective", OBJECTIVES),
            ("sign", SIGNS),
            ("sort", SORTS),
            ("size", SIZES),
            ("lens", lenses_with_tiles()),
        ):
            check_choice(name, getattr(self, name), known, "is not understood")

    @property
    def lens_view(self) -> View:
        """The view of the default lens that is meant."""
        return default_view(self.objective, self.sign)

    @property
    def shown_variant(self) -> str:
        return self.lens_view.variant if self.lens == DEFAULT.technique else self.variant

    def options(self, scene: Scene, there: Mapping[str, Sequence[str]]) -> list[TileChoice]:
        """The variants of the lens to choose from."""
        listed, known = page_of(self.lens).variants, there.get(self.lens, ())
        if listed is None:
            return []
        return attempt(
            words(self.lens).title,
            partial(listed, scene, known),
            lambda _: [TileChoice(v, v) for v in known],
        )

    def with_variant(self, scene: Scene, there: Mapping[str, Sequence[str]]) -> "NodeView":
        """With the variant that is shown. Raises BadInput for one that the node does not have."""
        known = [option.value for option in self.options(scene, there)]
        if self.variant in known:
            return self
        if self.variant:
            check_choice("variant", self.variant, known, of=f"lens={self.lens}")
        return replace(self, variant=known[0] if known else "")

    def query(self, **change: str) -> dict[str, str]:
        """The query of this view with `change`, without what is default anyway."""
        state = {name: getattr(self, name) for name in DEFAULTS} | change
        if "lens" in change:
            state["variant"] = ""
        return {name: value for name, value in state.items() if value != DEFAULTS[name]}


def lenses_there(atlas: Reading, node: str) -> dict[str, list[str]]:
    """The variants that any unit of a node (or the node as a whole) has, by lens."""
    found: dict[str, list[str]] = {}
    for count in atlas.counts():
        if count.node == node:
            found.setdefault(count.technique, []).append(count.variant)
    return found


def switches(
    scene: Scene, view: NodeView, there: Mapping[str, Sequence[str]], urls: Urls, below: bool
) -> list[Switch]:
    """Only what can be chosen: lenses with results, and the settings of the one shown. They lead to
    the grid where much stands above it."""
    lenses = {
        name: words(name).title
        for name in lens_names()
        if (page_of(name).tiles and (name in there or name in (view.lens, DEFAULT.technique)))
        or (name == MAP and (name == view.lens or "node" in there.get(MAP, ())))
    }
    sizes = {key: key.upper() for key in SIZES}
    named: list[tuple[str, str, dict[str, str]]] = []
    if len(lenses) > 1:
        named.append(("lens", "Lens", lenses))
    if view.lens == DEFAULT.technique:
        named += [("objective", "Objective", OBJECTIVES), ("sign", "Sign", SIGNS)]
    else:
        options = {option.value: option.text for option in view.options(scene, there)}
        if len(options) > 1:
            named.append(("variant", variant_word(view.lens), options))
    if view.lens != MAP:
        named += [("sort", "Sort", SORTS), ("size", "Size", sizes)]
    return [
        Switch(
            name,
            text,
            [
                Choice(
                    value,
                    label,
                    urls.node(scene.model, scene.node.id, **view.query(**{name: value}))
                    + (f"#{value if name == 'lens' else view.lens}" if below else ""),
                    getattr(view, name) == value,
                )
                for value, label in known.items()
            ],
        )
        for name, text, known in named
    ]
