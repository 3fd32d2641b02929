"""What a lens is: its words for readers, its parameters, its results, and where the rest lies.

A lens is one folder. `lens.py` holds a `LENS`, made here, and never imports torch; `engine.py`
holds an `ENGINE`, which makes results; `page.py` a `PAGE`, which makes them part of a page, with
`page.html` beside it. Engine and page are found by the name of the folder's package, and imported
only when they are needed.
"""

import math
import re
from dataclasses import dataclass, field

from micrograph.errors import BadInput, short
from micrograph.lenses.params import Params
from micrograph.lenses.result import Result


@dataclass(frozen=True)
class View:
    """One way to look through a lens: a variant as the atlas names it, in words for people."""

    variant: str
    objective: str
    sign: str
    title: str
    meaning: str


@dataclass(frozen=True)
class Words:
    """A lens as a reader meets it: its question, how to read the answer, how that misleads.

    `technique` is its name in commands, URLs and atlases. `level` is where its results are shown:
    "unit" or "node". `under` is the lens in whose section it stands, "" for a section of its own.
    `options` are what its command needs beside the place. `score` says what the number is that its
    results have.
    """

    technique: str
    title: str
    question: str
    explanation: str
    reading: str
    caution: str
    views: tuple[View, ...] = ()
    level: str = "unit"
    under: str = ""
    options: str = ""
    score: str = "activation"


@dataclass(frozen=True, kw_only=True)
class Can:
    """What a lens can do on pages, so that no page names a particular lens.

    `lead`: it stands first on a unit's page also where nothing is rendered, and its pictures are a
    unit's portrait wherever one is needed. `whole_node`: one command does all units of a node.
    `on_pictures`: each of its results is about one picture, which the address may choose.
    `in_graph`: its pictures of nodes can stand in the drawing of the model. `replaces_grid`: it
    draws all units itself, in place of the grid. `needs_text`: it needs a model with a text tower,
    so it is offered only where the atlas has it already. `reader_picture`: the reader's own picture
    is looked at just before its section. `variant_title` is what a node page calls the choice
    among its variants. `on_dataset`: its results tell what each unit answered to a dataset, and its
    tiles can stand for units that have no picture. `scores_picture`: its score is what its picture
    reaches, so that the engine can `score` the picture as it is stored. `live`: its options are
    those of the live microscope, and what is kept of that are its results; one lens only.
    """

    lead: bool = False
    whole_node: bool = False
    variant_title: str = "View"
    on_pictures: bool = False
    in_graph: bool = False
    replaces_grid: bool = False
    needs_text: bool = False
    reader_picture: bool = False
    on_dataset: bool = False
    scores_picture: bool = False
    live: bool = False


@dataclass(frozen=True, kw_only=True)
class Lens:
    """A lens. `order` is its place among all, from 0, in which a reader meets them.

    `home` is the package that it lies in (`__package__` in its `lens.py`). `params` are its
    options. `about` says what its results are about: "unit", or "node" as a whole; by default
    what the pages are about that show them. `result` is what it stores there, `whole` what it
    stores about a node beside its units, None for nothing. `demo` are the words behind `micrograph
    render` that show it in the demo, "" where other steps of it do.
    """

    words: Words
    order: float
    home: str
    params: type[Params]
    result: type[Result]
    about: str = ""
    whole: type[Result] | None = None
    can: Can = field(default_factory=Can)
    demo: str = ""

    @property
    def name(self) -> str:
        """What commands, URLs and atlases call it."""
        return self.words.technique

    @property
    def level(self) -> str:
        """ "unit" or "node": what a result of it is about."""
        return self.about or self.words.level


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
"""Names of lenses: they stand in commands, URLs and names of templates."""


def check_lens(found: object) -> Lens:
    """`found`, where it is a lens that lists, commands and pages can rely on.

    Raises BadInput with the first field that cannot be used.
    """
    if not isinstance(found, Lens):
        raise BadInput(f"{short(found)} is no Lens")
    words, can = found.words, found.can
    if not isinstance(words, Words) or not isinstance(can, Can):
        raise BadInput("words must be Words, and can Can")
    if not isinstance(words.technique, str) or not _NAME.match(words.technique):
        raise BadInput(f"{short(words.technique)} is no name; expected letters, digits and _")
    if not isinstance(found.order, int | float) or not math.isfinite(found.order):
        raise BadInput(f"order {short(found.order)} is no number")
    if found.level not in ("unit", "node") or words.level not in ("unit", "node"):
        raise BadInput("level and about must be unit or node")
    if not isinstance(found.home, str) or not found.home:
        raise BadInput(f"home {short(found.home)} names no package")
    if not _is_kind(found.params, Params) or not _is_kind(found.result, Result):
        raise BadInput("params must be a class of Params, and result one of Result")
    if can.lead and not words.views:
        raise BadInput("a lens that leads needs a view")
    return found


def _is_kind(given: object, base: type) -> bool:
    return isinstance(given, type) and issubclass(given, base)
