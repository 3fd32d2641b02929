"""Cards of models, with pictures of their units from input to output."""

import json
from dataclasses import asdict, dataclass
from weakref import WeakKeyDictionary

from micrograph.atlas import Merged, Reading, Tile
from micrograph.graph import is_drawn_small
from micrograph.parts.parts import ModelRef, Thumb, model_ref, spread, thumb
from micrograph.parts.urls import Urls
from micrograph.web.pages.model_state import own_nodes
from micrograph.web.pages.pictured import (
    along_depth,
    node_tiles,
    pictured_count,
    pictured_of,
    unit_count,
)

STRATA = 12
DEPTH = 4


@dataclass(frozen=True)
class Stratum:
    """One node in a card's core sample: a few of its units, in so many `columns`."""

    node: str
    url: str
    columns: int
    thumbs: list[Thumb]


@dataclass(frozen=True, eq=False)
class ModelSummary:
    """A model in the index. `nodes` and `units` count what can be pictured, `lenses` is how many
    lenses have results; `strata` go from the model's input to its output, and are none while no
    unit has a picture."""

    model: ModelRef
    summary: str
    parameters: int
    licence: str
    nodes: int
    units: int
    pictured: int
    lenses: int
    strata: list[Stratum]


@dataclass(frozen=True)
class CardFacts:
    """What a card takes from the files: how many units have a picture, how many lenses have
    results, and the tiles of each stratum by node."""

    pictured: int
    lenses: int
    strata: list[tuple[str, list[Tile]]]


def card(atlas: Reading, urls: Urls) -> ModelSummary:
    """The card of a model; the same object as long as no file of it changes."""
    if not isinstance(atlas, Merged) or not atlas.states:
        return _summary_of(atlas, card_facts(atlas), urls)
    known = _CARDS.setdefault(atlas, {})
    key = urls.version, urls.prefix
    if key not in known:
        known[key] = _summary_of(atlas, _kept_facts(atlas) or card_facts(atlas), urls)
    return known[key]


_CARDS: "WeakKeyDictionary[Reading, dict[tuple[str, str], ModelSummary]]" = WeakKeyDictionary()
"""By what a library gives for a model, the same object as long as no file of it changes."""


def _summary_of(atlas: Reading, facts: CardFacts, urls: Urls) -> ModelSummary:
    model = atlas.model
    return ModelSummary(
        model_ref(model, urls),
        model.summary,
        model.parameters,
        model.licence,
        len(own_nodes(atlas)),
        unit_count(atlas),
        facts.pictured,
        facts.lenses,
        [_stratum(model.id, node, tiles, urls) for node, tiles in facts.strata],
    )


def _stratum(id: str, node: str, tiles: list[Tile], urls: Urls) -> Stratum:
    thumbs = [thumb(id, node, t.unit, t, urls) for t in tiles]
    return Stratum(node, urls.node(id, node), -(-len(thumbs) // DEPTH), thumbs)


def card_facts(atlas: Reading) -> CardFacts:
    """Read from the files. A shallow model's (or a young atlas's) nodes get more columns each."""
    counts = atlas.counts()
    pictured = pictured_of(counts)
    worth = [n for n in atlas.nodes.values() if pictured.get(n.id) and not is_drawn_small(n)]
    nodes = along_depth(worth, STRATA)
    return CardFacts(
        pictured_count(atlas, pictured),
        len({count.technique for count in counts}),
        [
            (n.id, spread(node_tiles(atlas, n.id), DEPTH * max(1, STRATA // len(nodes))))
            for n in nodes
        ],
    )


KEPT_AS = f"card-2-{STRATA}-{DEPTH}"
"""The name under which an index keeps what `pack_facts` makes of a file."""


def _kept_facts(atlas: Merged) -> CardFacts | None:
    """What the index has of a model that is one file."""
    if atlas.index is None or len(atlas.parts) > 1:
        return None
    path = atlas.parts[0].path
    kept = atlas.index.stored_value(path, atlas.states[path], KEPT_AS)
    return None if kept is None else unpack_facts(kept)


def pack_facts(atlas: Reading) -> bytes:
    """The facts of one file for an index, as JSON."""
    return json.dumps(asdict(card_facts(atlas))).encode()


def unpack_facts(packed: bytes) -> CardFacts | None:
    """The reverse of `pack_facts`; None for anything else."""
    try:
        facts = json.loads(packed)
        strata = [(node, [Tile(**tile) for tile in tiles]) for node, tiles in facts["strata"]]
        return CardFacts(facts["pictured"], facts["lenses"], strata)
    except (ValueError, KeyError, TypeError):
        return None
