"""What several pages are made of."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from micrograph.atlas.records import DictionaryRecord, ModelRecord, NodeRecord, Picture, Tile
from micrograph.graph import picture_size, what_a_position_sees
from micrograph.parts.crops import Box
from micrograph.parts.urls import Urls
from micrograph.plain import small_record

_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z").match


@dataclass(frozen=True)
class Link:
    """A place and its name."""

    text: str
    url: str


@small_record
class Image:
    """A picture as a page shows it. `color` ("#rrggbb") stands in until it has loaded."""

    url: str
    width: int
    height: int
    color: str


@small_record
class Thumb:
    """A unit in a row or grid of units. `image` is None while nothing has been rendered for it;
    `window` is the part of it to show, None for all. `text` stands for a picture that is not here.
    """

    unit: int
    address: str
    url: str
    image: Image | None = None
    score: float | None = None
    window: Box | None = None
    text: str = ""


@dataclass(frozen=True)
class Choice:
    """One setting of a switch. `current` marks the one the page shows."""

    value: str
    text: str
    url: str
    current: bool


@dataclass(frozen=True)
class Switch:
    """A setting of the page and its choices."""

    name: str
    text: str
    choices: list[Choice]


@dataclass(frozen=True)
class ModelRef:
    """Which model, exactly: `digest` is the digest of its weights."""

    id: str
    title: str
    digest: str
    url: str


@dataclass(frozen=True)
class NodeFacts:
    """A node in numbers. `sees` says in words how much of the input a position of it can see;
    `made_from` by what a node was made that is none of the network's own, else it is empty."""

    id: str
    kind: str
    units: int
    shape: list[int]
    sees: str
    aliases: list[str]
    url: str
    made_from: str = ""
    base: Link | None = None


@dataclass(frozen=True)
class LookState:
    """Whether a picture of the reader's own can be looked at here: where it is posted to, or the
    `reason` why not. `caricature` is where a node's caricature of it is asked for, or "". `size`
    and `resize` say which middle part of a picture the model sees."""

    available: bool
    reason: str
    url: str
    caricature: str
    size: int
    resize: int


def look_state(
    model: ModelRecord, reason: str, urls: Urls, node: str = "", unit: int | None = None
) -> LookState:
    """`reason` is "" where it can be done."""
    prep = model.preprocessing
    size, resize = (
        v if isinstance(v := prep.get(key), int) and v > 0 else 1 for key in ("size", "resize")
    )
    url = urls.look(model.id, node, unit)
    caricature = f"{urls.look(model.id, node)}?caricature=true" if node else ""
    return LookState(not reason, reason, url, caricature, size, max(size, resize))


def model_ref(model: ModelRecord, urls: Urls) -> ModelRef:
    return ModelRef(model.id, model.title, model.digest, urls.model(model.id))


def node_facts(
    of: ModelRecord, node: NodeRecord, urls: Urls, made: DictionaryRecord | None = None
) -> NodeFacts:
    model, sees = of.id, what_a_position_sees(node, picture_size(of.preprocessing))
    return NodeFacts(
        node.id,
        node.kind,
        node.units,
        list(node.shape),
        sees,
        list(node.aliases),
        urls.node(model, node.id),
        "" if made is None else _made_from(made),
        None if made is None else Link(node.parents[0], urls.node(model, node.parents[0])),
    )


def _made_from(made: DictionaryRecord) -> str:
    """What kind of dictionary, which one, and how many latents speak at a position, in words.

    What an atlas says of it anybody may have written.
    """
    about = made.about
    words = [str(about.get("activation", ""))[:20]]
    if "k" in about:
        words.append(f"k {str(about['k'])[:9]}")
    if "l0" in about:
        words.append(f"{str(about['l0'])[:9]} latents at a position")
    if "format" in about:
        words.append(f"of {str(about['format'])[:30]}")
    if "writes_node" in about:
        words.append(f"writes {str(about['writes_node'])[:80]}")
    words = [word for word in words if word not in ("", "none")]
    return ", ".join([*words, made.digest[:12]])


def image(model: str, picture: Picture | Tile, urls: Urls) -> Image:
    """Works for a whole picture and for a tile: both carry what a page needs."""
    return Image(
        urls.image(model, picture.digest, picture.mime),
        picture.width,
        picture.height,
        safe_color(picture.color),
    )


@lru_cache(4096)
def safe_color(color: str) -> str:
    """`color` where it is "#rrggbb", else a middle grey: it goes into a style attribute."""
    return color if _COLOR(color) else "#808080"


def thumb(model: str, node: str, unit: int, tile: Tile | None, urls: Urls) -> Thumb:
    address, url = f"{model}/{node}/{unit}", urls.unit(model, node, unit)
    if tile is None:
        return Thumb(unit, address, url)
    return Thumb(unit, address, url, image(model, tile, urls), tile.score)


def spread(tiles: Iterable[Tile], count: int) -> list[Tile]:
    """`count` tiles for a node's portrait: from its better-driven half, evenly over the units.

    Units that answer weakly to their own picture are often dead and their pictures noise.
    """
    ranked = sorted(tiles, key=lambda t: -t.score)
    half = ranked[: max(count, (len(ranked) + 1) // 2)]
    by_unit = sorted(half, key=lambda t: t.unit)
    if len(by_unit) <= count:
        return by_unit
    return [by_unit[i * len(by_unit) // count] for i in range(count)]
