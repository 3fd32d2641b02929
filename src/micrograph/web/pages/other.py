"""About, search and errors."""

import re
from contextlib import suppress
from dataclasses import dataclass

from micrograph import address
from micrograph.atlas import Snapshot
from micrograph.errors import MicrographError, NotFound
from micrograph.lenses.contract import Words
from micrograph.lenses.pages.listing import all_words
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Link, Thumb
from micrograph.parts.urls import Urls
from micrograph.resolve import Resolved, resolve
from micrograph.resolve.claims import read_claim
from micrograph.resolve.nodes import find_node, spellings
from micrograph.web.class_search import units_of_class
from micrograph.web.error_data import title_of
from micrograph.web.old_links import page_of

OF_CLASS = 24
"""Units of a model, at most, that a search finds by the classes of their pictures."""


@dataclass(frozen=True, kw_only=True)
class AboutPage:
    """`/about`."""

    kind: str
    title: str
    version: str
    lenses: list[Words]


@dataclass(frozen=True)
class SearchHit:
    """A place that was found. `kind` is "model", "node", "unit", "label", "claim", "circuit" or
    "class": a unit whose strongest pictures are of classes that the text means, with its tile as
    `thumb`."""

    kind: str
    text: str
    address: str
    url: str
    thumb: Thumb | None = None


@dataclass(frozen=True)
class SearchPage:
    """`/search?q=`. `exact` is the URL of the one place the text names, or ""; `note` says in a
    sentence what became of a text that was meant as an address or a claim."""

    kind: str
    title: str
    query: str
    exact: str
    hits: list[SearchHit]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ErrorPage:
    """What a page or twin answers when it cannot be shown: why, and where to go instead."""

    kind: str
    title: str
    status: int
    message: str
    nearest: list[Link]


_UNSEEN = re.compile(r"[\0-\x1f\x7f]")
"""Control characters: in no name, and some of them not allowed in HTML."""


def about_page(version: str) -> AboutPage:
    return AboutPage(kind="about", title="About", version=version, lenses=all_words())


def addressed_page(library: Snapshot, query: str, urls: Urls) -> str:
    """The URL of the one place that a text is an address of, "" if there is none or are several."""
    found = _addressed(library, query.strip(), urls) if query.strip() else []
    return found[0].url if len(found) == 1 else ""


def search_page(library: Snapshot, query: str, urls: Urls) -> SearchPage:
    """Addresses first (`4c:447`, `toytown/4c`, `4c`, an old link), then what the atlases find by
    words, then units by the classes of their strongest pictures, or else what is near."""
    query = _UNSEEN.sub(" ", query).strip()
    if not query:
        return SearchPage("search", "Search", "", "", [])
    answer = resolve(query, library, here=urls.commands.here)
    if (special := _claim_or_circuit(query, answer, library, urls)) is not None:
        return special
    exact = _addressed(library, query, urls)
    hits = list(exact)
    for hit in library.search(query[:200]):
        parts = [str(p) for p in (hit.model, hit.node, hit.unit) if p is not None]
        if hit.node is None:
            url = urls.model(hit.model)
        elif hit.unit is None:
            url = urls.node(hit.model, hit.node)
        else:
            url = urls.unit(hit.model, hit.node, hit.unit)
        if all(url != known.url for known in hits):
            hits.append(SearchHit(hit.kind, hit.text, "/".join(parts), url))
    hits += _by_class(library, query[:200], urls)
    only = exact[0].url if len(exact) == 1 else "" if exact else page_of(answer, library, urls)
    note = ""
    if not hits and not only:
        hits, note = _near(answer, urls), answer.note
    return SearchPage("search", f"Search: {query[:200]}", query, only, hits, note)


def _claim_or_circuit(
    query: str, answer: Resolved, library: Snapshot, urls: Urls
) -> SearchPage | None:
    """Where the text makes a claim or asks for a circuit: that page alone, or why there is none."""
    title = f"Search: {query[:200]}"
    for kind in ("claim", "circuit"):
        if answer.url and answer.address and answer.url.startswith(f"/{kind}s/"):
            url = urls.own(answer.url)
            hit = SearchHit(kind, answer.address, answer.address, url)
            return SearchPage("search", title, query, url, [hit])
    try:
        read_claim(query, library)
    except MicrographError:
        return SearchPage("search", title, query, "", _near(answer, urls), answer.note)
    return None


def _by_class(library: Snapshot, query: str, urls: Urls) -> list[SearchHit]:
    """Units whose strongest pictures are of classes that the text means, model by model."""
    hits: list[SearchHit] = []
    for atlas in library.atlases():
        id, found = atlas.model.id, units_of_class(atlas, query, OF_CLASS)
        if not found:
            continue
        scene = Scene(atlas, atlas.nodes[found[0].node], None, urls, [])
        for one in found:
            many = f"{one.hits} of its {one.strongest} strongest pictures"
            said = many if one.strongest > 1 else "its strongest picture"
            hits.append(
                SearchHit(
                    "class",
                    f"{query}: {said} of {one.dataset}",
                    f"{id}/{one.node}/{one.unit}",
                    urls.unit(id, one.node, one.unit),
                    scene.thumb(one.node, one.unit),
                )
            )
    return hits


def _near(answer: Resolved, urls: Urls) -> list[SearchHit]:
    """Places near a text that is not an address."""
    kinds = ("model", "node", "unit")
    return [SearchHit(kinds[a.count("/")], a, a, f"{urls.models}/{a}") for a in answer.nearest]


def _addressed(library: Snapshot, query: str, urls: Urls) -> list[SearchHit]:
    """The places `query` is an address of, in any model when it does not name one."""
    found = []
    for id in _named(library, query):
        atlas = library.readings[id]
        for text in (query, f"{id}/{query}"):
            try:
                place = address.parse(text)
                if place.model.lower() != id.lower():
                    continue
                if place.node is None:
                    found.append(SearchHit("model", atlas.model.title, id, urls.model(id)))
                    continue
            except MicrographError:
                continue
            name = find_node(atlas, place.node)
            if name is None:
                continue
            node = atlas.nodes[name]
            if place.unit is None:
                found.append(SearchHit("node", node.id, f"{id}/{node.id}", urls.node(id, node.id)))
            elif place.unit < node.units:
                where = f"{id}/{node.id}/{place.unit}"
                found.append(SearchHit("unit", where, where, urls.unit(id, node.id, place.unit)))
    return found


def _named(library: Snapshot, query: str) -> list[str]:
    """The models that `query` can be an address in: those it names, and all that know its node."""
    there: set[str] = set()
    with suppress(MicrographError):
        name = address.parse(query).model.lower()
        there.update(id for id in library.readings if id.lower() == name)
    with suppress(MicrographError):
        node = address.parse(f"any/{query}").node
        if node is None:
            return list(library.readings)
        for name in spellings(node):
            there.update(library.models_by_spelling.get(name.lower(), ()))
    return [id for id in library.readings if id in there]


def error_page(error: MicrographError, model: str | None, urls: Urls) -> ErrorPage:
    """`model` is the model the address was in, where that much of it was right."""
    near = []
    for name in error.nearest if isinstance(error, NotFound) else ():
        parts = name.split("/")
        if len(parts) == 3:
            near.append(Link(name, urls.unit(parts[0], parts[1], int(parts[2]))))
        elif model is not None:
            near.append(Link(name, urls.node(model, name)))
        else:
            near.append(Link(name, urls.model(name)))
    return ErrorPage(
        kind="error",
        title=title_of(error.status),
        status=error.status,
        message=str(error),
        nearest=near,
    )
