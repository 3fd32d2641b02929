"""From a text or a link to the place it means, or to what lies near it."""

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from micrograph.address import Address
from micrograph.atlas import Library, Reading, Snapshot
from micrograph.errors import nearest, short
from micrograph.resolve import names, prose
from micrograph.resolve.answer import Resolved
from micrograph.resolve.asked import Asked
from micrograph.resolve.links import links, page
from micrograph.resolve.nodes import find_node, near_nodes, spellings
from micrograph.resolve.views import AskedView

LONGEST = 10_000
"""Characters of a text that are read."""


def resolve_place(
    text: str,
    library: Library | Snapshot,
    first: Callable[[str], str] = lambda model: "",
    here: Callable[[str], str] = lambda command: command,
) -> Resolved:
    """The place in `library` that `text` means. Never raises, and takes a fraction of a second.

    A text that can be read in several ways, or that names what does not exist, has no place: its
    answer says why and what is near. `first` says what to type before a model can be rendered, such
    as fetching its weights; `here` makes of a command one whose results are shown here.
    """
    there = library if isinstance(library, Snapshot) else library.snapshot()
    return _Resolver(there, first, here).text(text)


@dataclass(frozen=True)
class _NodeOrUnit:
    atlas: Reading
    node: str
    unit: int | None

    @property
    def address(self) -> str:
        return str(Address(self.atlas.model.id, self.node, self.unit))

    @property
    def units(self) -> int:
        return self.atlas.nodes[self.node].units

    @property
    def exists(self) -> bool:
        return self.unit is None or self.unit < self.units


class _Resolver:
    def __init__(
        self, library: Snapshot, first: Callable[[str], str], here: Callable[[str], str]
    ) -> None:
        self.library, self.first, self.here = library, first, here
        self.models = library.readings
        self.names = names.phrases(tuple((m.id, m.title) for m in library.models()))

    def text(self, text: str) -> Resolved:
        text = html.unescape(text[:LONGEST])
        found, rest = links(text)
        if len(found) > 1:
            answers = [self.link(asked) for asked in found]
            if len({answer.address for answer in answers}) > 1 or answers[0].address is None:
                near = (a for answer in answers for a in (answer.address, *answer.nearest) if a)
                return Resolved(
                    note="The text has links to several places.", nearest=_nearest_few(near)
                )
            return answers[0]
        return self.link(found[0]) if found else self.read_words(rest)

    def link(self, asked: Asked) -> Resolved:
        """A place from the parts of a link."""
        if not asked.model:
            return Resolved(url="/models", note="The index of models.")
        known = {id.lower(): id for id in self.models}
        id = known.get(asked.model.lower()) or names.named(asked.model, self.names)
        if id is None:
            return self.unknown_model(asked.model)
        return self.in_atlas(self.models[id], asked)

    def in_atlas(self, atlas: Reading, asked: Asked) -> Resolved:
        """A place in a model that is known."""
        if unreleased := self.unreleased(atlas):
            return self.unreleased_answer(atlas, unreleased, asked)
        here = atlas.model.id
        if not asked.node:
            if asked.wrong:
                return Resolved(here, note=f"Here {asked.wrong}.", nearest=(here,))
            return self.model(atlas, asked.view)
        node = find_node(atlas, asked.node)
        if node is None:
            note = f"{here} has no node called {short(asked.node)}."
            return Resolved(
                here, note=note, nearest=_nearest_few([*near_nodes(atlas, asked.node), here])
            )
        if asked.wrong or not re.fullmatch("[0-9]{0,9}", asked.unit):
            what = asked.wrong or f"{short(asked.unit)} is no unit"
            units = f"units of {here}/{node} are numbers from 0"
            return Resolved(here, node, note=f"Here {what}; {units}.", nearest=(f"{here}/{node}",))
        return self.place(
            _NodeOrUnit(atlas, node, int(asked.unit) if asked.unit else None), asked.view
        )

    def read_words(self, text: str) -> Resolved:
        """A place from a text without links."""
        text = text.strip()
        if not text.strip("/"):
            return Resolved(note="There is nothing that could be an address.")
        exact = self.exact(text)
        if exact is not None:
            return exact
        mentioned = names.mentions(text, self.names)
        ids = list(dict.fromkeys(id for id, _, _ in mentioned))
        if len(ids) > 1:
            note = f"The text names several models: {', '.join(ids[:6])}."
            return Resolved(note=note, nearest=_nearest_few(ids))
        if not ids:
            return self.without_model(text)
        atlas = self.models[ids[0]]
        if whole := prose.read(text, partial(find_node, atlas)).place(True):
            return self.place(
                _NodeOrUnit(atlas, *whole)
            )  # the model's name is the scope of a tensor
        for _, start, end in reversed(mentioned):
            text = f"{text[:start]} {text[end:]}"
        return self.with_model(atlas, text)

    def exact(self, text: str) -> Resolved | None:
        """A text that is an address and nothing else: model/node/unit, model:node:unit, model."""
        text = text.strip("\"'`*“”.,;!?<> ")
        if re.search(r"\s", text):
            return None
        if re.match(r"[^?#]+/[^?#]+[?#][a-z]", text):  # the end of a URL, with its query
            asked = page(text)
            if names.named(asked.model, self.names):
                return self.link(asked)
        model, mark, rest = text.partition("/")
        if not mark:
            model, _, rest = text.partition(":")
        id = names.named(model, self.names)
        if id is None:
            return None
        atlas = self.models[id]
        if not rest.strip("/") or self.unreleased(atlas):
            return self.in_atlas(atlas, Asked(id, rest))
        found = prose.read(rest.strip("/"), partial(find_node, atlas)).place(True)
        if found:
            return self.place(_NodeOrUnit(atlas, *found))
        if self.places_in_all_models(text):  # a tensor whose first scope is a model's name
            return None
        node, _, unit = rest.strip("/").replace(":", "/").rpartition("/")
        return self.in_atlas(atlas, Asked(id, node, unit) if node else Asked(id, unit))

    def with_model(self, atlas: Reading, text: str) -> Resolved:
        """The rest of a text that names one model."""
        here = atlas.model.id
        if unreleased := self.unreleased(atlas):
            return self.unreleased_answer(atlas, unreleased, Asked(here, text.strip()))
        reading = prose.read(text, partial(find_node, atlas))
        if reading.is_empty:
            return self.model(atlas, AskedView())
        found = reading.place(True)
        if found:
            return self.place(_NodeOrUnit(atlas, *found))
        near = [str(Address(here, n, u)) for n, u in reading.units if u < atlas.nodes[n].units]
        near += [f"{here}/{node}" for node in reading.nodes]
        note = "The text can be read in several ways."
        strange = next(filter(prose.is_foreign, reading.others), None)
        if strange or not near:
            what = short(strange, 40) if strange else "Nothing in the text"
            note = f"{what} is {'no' if strange else 'a'} node of {here}."
            near += [a for word in _names_of_nodes(reading.others) for a in near_nodes(atlas, word)]
        return Resolved(here, note=note, nearest=_nearest_few([*near, here]))

    def places_in_all_models(self, text: str) -> list[_NodeOrUnit]:
        """What a text means in each model, where it names none."""
        found = []
        asked: dict[str, None] = {}
        prose.read(text, asked.setdefault)
        known = (
            self.library.models_by_spelling.get(s.lower(), ()) for a in asked for s in spellings(a)
        )
        may_have = set().union(*known)
        for atlas in self.models.values():
            if atlas.model.id not in may_have:
                continue
            if place := prose.read(text, partial(find_node, atlas)).place(False):
                found.append(_NodeOrUnit(atlas, *place))
        return found

    def without_model(self, text: str) -> Resolved:
        """A text that names no model: the literature's, or the only one that has such a node."""
        found = self.places_in_all_models(text)
        first = [p for p in found if p.atlas.model.id == names.LITERATURE] or found[:1]
        if not found:
            return self.nothing_found(text)
        others = [p for p in found if p not in first and p.exists]
        if first[0].atlas.model.id != names.LITERATURE and len(found) > 1:
            fits = [p.address if p.exists else f"{p.atlas.model.id}/{p.node}" for p in found]
            return Resolved(
                note="Several models have such a node; name one of them.",
                nearest=_nearest_few(sorted(fits, key=lambda address: -address.count("/"))),
            )
        answer = self.place(first[0])
        if not others:
            return answer
        which = ", ".join(p.atlas.model.id for p in others[:4]) + (", ..." if others[4:] else "")
        also = f"Taken for {names.LITERATURE}, as papers mean it; also in {which}."
        near = _nearest_few([*answer.nearest, *(p.address for p in others)])
        return replace(answer, note=f"{answer.note} {also}".strip(), nearest=near)

    def model(self, atlas: Reading, view: AskedView) -> Resolved:
        id = atlas.model.id
        there = {count.technique for count in atlas.counts()}
        note = "" if there else self.not_yet("Nothing", id)
        return _with_view(
            Resolved(id, address=id, url=Address(id).path, available=bool(there), note=note), view
        )

    def place(self, place: _NodeOrUnit, view: AskedView | None = None) -> Resolved:
        """The answer for a node or unit, if it exists."""
        view = view or AskedView()
        atlas, node, unit = place.atlas, place.node, place.unit
        id = atlas.model.id
        if not place.exists:
            last = str(Address(id, node, place.units - 1))
            note = f"Unit {unit} is out of range: {id}/{node} has units 0-{place.units - 1}."
            return Resolved(id, node, note=note, nearest=(last, f"{id}/{node}"))
        if unit is None:
            there = {count.technique for count in atlas.counts() if count.node == node}
        else:
            there = {v.technique for v in atlas.visualizations(node, unit)}
        missing = view.technique if view.technique not in there else ""
        note = ""
        if missing or not there:
            units = "" if unit is None else f" --units {unit}"
            lens = f" -t {missing}" if missing and missing != "feature_vis" else ""
            what = f"No {missing}" if missing and there else "Nothing"
            note = self.not_yet(what, id, f" --node {node}{units}{lens}")
        address = Address(id, node, unit)
        return _with_view(
            Resolved(
                id,
                node,
                unit,
                str(address),
                url=address.path,
                available=bool(there),
                note=note,
            ),
            view,
        )

    def not_yet(self, what: str, model: str, options: str = "") -> str:
        """What to type for it."""
        first = f"`{first}`, then " if (first := self.first(model)) else ""
        render = self.here(f"micrograph render {model}{options}")
        return f"{what} is rendered of it here yet: {first}`{render}`."

    def unreleased(self, atlas: Reading) -> str:
        """Why the model can never be seen, or ""."""
        outline = self.library.outlines.get(atlas.model.id)
        return outline.unreleased if outline is not None and not atlas.nodes else ""

    def unreleased_answer(self, atlas: Reading, why: str, asked: Asked) -> Resolved:
        """A model that was never released: its page, and where to look instead."""
        id = atlas.model.id
        near = []
        note = why.rstrip(". ") + "."
        sibling = self.models.get(names.relative_of(id))
        if sibling is not None:
            node = find_node(sibling, asked.node) if asked.node else None
            near = [*([f"{sibling.model.id}/{node}"] if node else []), sibling.model.id]
            note += f" Its nearest relative is {sibling.model.id}, whose units are others."
        return _with_view(
            Resolved(
                id,
                address=id,
                url=Address(id).path,
                note=note,
                nearest=_nearest_few(near),
            ),
            asked.view,
        )

    def unknown_model(self, name: str) -> Resolved:
        near = nearest(name[:100], self.models)
        return Resolved(note=f"There is no model called {short(name)}.", nearest=_nearest_few(near))

    def nothing_found(self, text: str) -> Resolved:
        """No place at all: names that look like what was written."""
        literature = self.models.get(names.LITERATURE)
        words = re.findall(r"[A-Za-z0-9_.\-]{2,40}", text)[:8]
        near: list[str] = []
        for word in words:
            near += nearest(word, self.models, 2)
        searched = [literature] if literature else self.library.atlases()[:2]
        for word in words:  # mixed3b_379: a node of that name, or a unit of mixed3b
            node, _, unit = re.sub(r"\.html?\Z", "", word).rpartition("_")
            for atlas in searched:
                known = find_node(atlas, node) if unit.isdecimal() else None
                if known and int(unit) < atlas.nodes[known].units:
                    near.insert(0, str(Address(atlas.model.id, known, int(unit))))
        for word in _names_of_nodes(words):
            near += [a for atlas in searched for a in near_nodes(atlas, word, 2)]
        if re.search(r"\bgooglenet\b", text, re.I):
            near[:0] = [id for id in ("inceptionv1", "inceptionv1_caffe") if id in self.models]
        note = f"{short(text, 60)} names no model, node or unit; an address is model/node/unit."
        return Resolved(note=note, nearest=_nearest_few(near))


def _with_view(answer: Resolved, view: AskedView) -> Resolved:
    return replace(answer, technique=view.technique or None, variant=view.variant or None)


def _names_of_nodes(words: Iterable[str]) -> list[str]:
    """The few words that may be a mistyped node: names with a digit, without a unit behind."""
    bare = (re.sub(r"[:/#]\d+\Z", "", word) for word in words)
    return [word for word in bare if re.search(r"\d", word) and re.search(r"[A-Za-z]", word)][:2]


def _nearest_few(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(addresses))[:6]
