"""What the nodes of a model's graph show: units, or the pictures of a lens of nodes."""

from dataclasses import dataclass

from micrograph.atlas import Reading
from micrograph.lenses.pages.listing import words
from micrograph.lenses.pages.scene import Scene
from micrograph.lenses.pages.source import source_of
from micrograph.lenses.result import OnePicture
from micrograph.parts.parts import Choice, Image, Switch, image
from micrograph.parts.urls import Urls
from micrograph.web.choices import check_choice
from micrograph.web.lens_traits import DEFAULT, MAP, by_picture, in_graph

UNITS = "units"
"""In a lens's place: a few units of each node, by the default lens."""


@dataclass(frozen=True, kw_only=True)
class ModelView:
    """The state of a model's page. `variant` is the lens's variant in the atlas, "" for units."""

    lens: str
    variant: str
    picture: str
    switches: list[Switch]
    techniques: list[str]

    @classmethod
    def of(cls, atlas: Reading, asked: str, picture: str, urls: Urls) -> "ModelView":
        """The view that a query asks for. Raises BadInput for one the model does not have."""
        there: dict[str, list[str]] = {}
        for count in atlas.counts():
            variants = there.setdefault(count.technique, [])
            if count.variant not in variants:
                variants.append(count.variant)
        shown = [name for name in in_graph() if name in there]
        if "model" in there.get(MAP, ()):
            shown.append(MAP)
        if asked != DEFAULT.technique:
            check_choice("lens", asked, [UNITS, *shown])
        chosen = UNITS if asked == DEFAULT.technique else asked
        pictures = there.get(chosen, []) if by_picture(chosen) else []
        if picture:
            check_choice("picture", picture, pictures, of="" if pictures else f"lens={chosen}")
        picture = (picture or pictures[0]) if pictures else ""
        return cls(
            lens=chosen,
            variant=picture or ("" if chosen == UNITS else there[chosen][0]),
            picture=picture,
            switches=_switches(atlas.model.id, shown, chosen, pictures, picture, urls),
            techniques=list(there),
        )

    def query(self) -> dict[str, str | None]:
        """The view as the query of an address."""
        return {
            "lens": None if self.lens == UNITS else self.lens,
            "picture": self.picture or None,
        }


def _switches(
    model: str, shown: list[str], chosen: str, pictures: list[str], picture: str, urls: Urls
) -> list[Switch]:
    """What can be shown instead: other lenses, and other pictures that the lens looked at."""
    titles = {UNITS: "Units"} | {name: words(name).title for name in shown}
    lenses = [
        Choice(name, title, urls.model(model, lens=None if name == UNITS else name), name == chosen)
        for name, title in titles.items()
    ]
    looked_at = [
        Choice(
            name,
            name.replace("-", " "),
            urls.model(model, lens=chosen, picture=name),
            name == picture,
        )
        for name in pictures
    ]
    return [
        Switch(name, text, choices)
        for name, text, choices in (("lens", "Show", lenses), ("picture", "Picture", looked_at))
        if len(choices) > 1
    ]


def whole_pictures(
    atlas: Reading, view: ModelView, urls: Urls
) -> tuple[dict[str, Image], Image | None]:
    """The picture of each node through a lens of nodes, and the picture that the lens looked at."""
    found: dict[str, Image] = {}
    source: Image | None = None
    if view.lens in (UNITS, MAP):
        return found, source
    for node in atlas.nodes.values():
        v = atlas.results(node.id, view.lens, view.variant).get(None)
        if v is None or v.picture is None:
            continue
        found[node.id] = image(atlas.model.id, v.picture, urls)
        if source is None and view.picture:
            looked_at = OnePicture.from_json(v.data, {}).source
            seen = source_of(Scene(atlas, node, None, urls, [v]), v, looked_at)
            source = seen.image if seen else None
    return found, source
