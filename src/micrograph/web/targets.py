"""The address of a page as an object: which page, of what, and how it is to be shown.

`parse` makes a target of an address; `url` of a target is its canonical address. Nothing here
checks that the named model or node exists.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qsl

from micrograph.errors import BadInput, NotFound, short
from micrograph.web.experiments import ExperimentOptions
from micrograph.web.pages.node_view import NodeView
from micrograph.web.target import Target


@dataclass(frozen=True, kw_only=True)
class StartTarget(Target):
    """`/`: the models there are."""

    kind, pattern = "start", "/"


@dataclass(frozen=True, kw_only=True)
class ModelsTarget(Target):
    """`/models`: the index of models. `page` counts from 1."""

    kind, pattern = "models", "/models"
    page: str = field(default="1", metadata={"longest": 6})

    @property
    def number(self) -> int:
        """The page. Raises BadInput where it is no number."""
        return _page_number(self.page)


@dataclass(frozen=True, kw_only=True)
class AboutTarget(Target):
    """`/about`: what this is."""

    kind, pattern = "about", "/about"


@dataclass(frozen=True, kw_only=True)
class SearchTarget(Target):
    """`/search?q=`: what has a name."""

    kind, pattern = "search", "/search"
    q: str = field(default="", metadata={"longest": 500})


@dataclass(frozen=True, kw_only=True)
class CompareTarget(Target):
    """`/compare?here=&there=`: two models side by side."""

    kind, pattern = "compare", "/compare"
    here: str = field(metadata={"longest": 200})
    there: str = field(metadata={"longest": 200})


@dataclass(frozen=True, kw_only=True)
class ClaimsTarget(Target):
    """`/claims`: the claims that were tested. `text` is one to go to, `about` the address of a
    model, node or unit that all of them are about; `page` counts from 1."""

    kind, pattern = "claims", "/claims"
    text: str = field(default="", metadata={"longest": 2000})
    about: str = field(default="", metadata={"longest": 1000})
    page: str = field(default="1", metadata={"longest": 6})

    @property
    def number(self) -> int:
        """The page. Raises BadInput where it is no number."""
        return _page_number(self.page)


@dataclass(frozen=True, kw_only=True)
class ClaimTarget(Target):
    """`/claims/<model>/<unit>=<unit>+<unit>-<unit>`: a claim and its evidence."""

    kind, pattern, rest = "claim", "/claims/{claim}", "claim"
    claim: str


@dataclass(frozen=True, kw_only=True)
class LocationTarget(Target):
    """A page of a model, or of something in one: names are as they were written."""

    @property
    def location(self) -> str:
        """The text of the address that is meant: `toytown/mixed4a/3`."""
        parts = [getattr(self, one, None) for one in ("model", "node", "unit")]
        return "/".join([part for part in parts if part is not None])


@dataclass(frozen=True, kw_only=True)
class ModelTarget(LocationTarget):
    """`/models/<model>`. `lens` says what stands in the nodes of its graph, `picture` which picture
    that lens looked at, `open` which repeated block is drawn whole, or "all"; `page` counts the
    drawings of a very large graph."""

    kind, pattern = "model", "/models/{model}"
    model: str
    lens: str = "units"
    picture: str = ""
    open: str = ""
    page: str = field(default="1", metadata={"longest": 6})

    @property
    def number(self) -> int:
        """The page of the graph. Raises BadInput where it is no number."""
        return _page_number(self.page)


@dataclass(frozen=True, kw_only=True)
class NodeTarget(LocationTarget):
    """`/models/<model>/<node>`. `view` is how its grid of units is shown, `picture` the picture
    that the lenses above the grid looked at; `page` counts the pages of a very large grid,
    `weights` those of the weights of a first layer."""

    kind, pattern = "node", "/models/{model}/{node}"
    model: str
    node: str
    view: NodeView = field(default_factory=NodeView)
    picture: str = ""
    page: str = field(default="1", metadata={"longest": 6})
    weights: str = field(default="1", metadata={"longest": 6})

    @property
    def number(self) -> int:
        """The page of the grid. Raises BadInput where it is no number."""
        return _page_number(self.page)

    @property
    def number_of_weights(self) -> int:
        """The page of the weights. Raises BadInput where it is no number."""
        return _page_number(self.weights, "weights")


@dataclass(frozen=True, kw_only=True)
class UnitTarget(LocationTarget):
    """`/models/<model>/<node>/<unit>`. `dataset` names the dataset whose examples are shown,
    `order` what its inputs are ordered by ("weight" or "activation"); `page` counts the pages of
    very many results."""

    kind, pattern = "unit", "/models/{model}/{node}/{unit}"
    model: str
    node: str
    unit: str
    dataset: str = ""
    order: str = field(default="weight", metadata={"longest": 20})
    page: str = field(default="1", metadata={"longest": 6})

    @property
    def number(self) -> int:
        """The page of its results. Raises BadInput where it is no number."""
        return _page_number(self.page)


@dataclass(frozen=True, kw_only=True)
class OnPictureTarget(LocationTarget):
    """`/models/<model>/<node>/<unit>/on-picture`: the `question` "graph" (what it is made of) or
    "steer" (what changes with it, `how` it is changed), for which `units` names others of the node
    that are changed with it: 3,7 or 3+7 or 0-5. The picture ships and has a name, or is
    `number` of a `dataset` (its digest) and kept in the atlas; by default the unit's strongest."""

    kind, pattern = "on_picture", "/models/{model}/{node}/{unit}/on-picture"
    asks = True
    model: str
    node: str
    unit: str
    question: str = "graph"
    how: str = "silence"
    units: str = field(default="", metadata={"longest": 2000})
    picture: str = ""
    dataset: str = ""
    number: str = ""


@dataclass(frozen=True, kw_only=True)
class LiveTarget(LocationTarget):
    """`/models/<model>/<node>/<unit>/live`: an experiment under the live microscope, whose options
    are in the address. `run` has the picture made before the page is shown, for readers without
    scripts."""

    kind, pattern = "live", "/models/{model}/{node}/{unit}/live"
    asks = True
    model: str
    node: str
    unit: str
    controls: ExperimentOptions = field(default_factory=ExperimentOptions)
    run: str = field(default="", metadata={"longest": 20})


@dataclass(frozen=True, kw_only=True)
class CircuitTarget(LocationTarget):
    """`/circuits/<model>/<node>/<unit>`: its strongest inputs, and theirs: `depth` steps back,
    `width` of each unit, of one `sign` or of all, by one `order` ("weight" or "activation"), with
    `branches` "merged" or "apart". Units (node/unit, commas between) that are always shown: `pin`,
    and never: `without`."""

    kind, pattern = "circuit", "/circuits/{model}/{node}/{unit}"
    model: str
    node: str
    unit: str
    depth: str = field(default="2", metadata={"longest": 6})
    width: str = field(default="4", metadata={"longest": 6})
    sign: str = field(default="all", metadata={"longest": 20})
    order: str = field(default="weight", metadata={"longest": 20})
    branches: str = field(default="merged", metadata={"longest": 20})
    pin: str = field(default="", metadata={"longest": 4000})
    without: str = field(default="", metadata={"longest": 4000})


TARGETS: tuple[type[Target], ...] = (
    StartTarget,
    ModelsTarget,
    AboutTarget,
    SearchTarget,
    CompareTarget,
    ClaimsTarget,
    ClaimTarget,
    ModelTarget,
    NodeTarget,
    UnitTarget,
    OnPictureTarget,
    LiveTarget,
    CircuitTarget,
)


def parse(path: str, query: str = "") -> Target:
    """The page at `path`, which is decoded, as a server hands it on; with `.json` at its end its
    twin. Options that a page does not have are ignored, of repeated ones the last counts.

    Raises NotFound where no page has such a path, BadInput for options that cannot be.
    """
    return _parsed(path, query) if len(path) + len(query) < _SHORT else _parse(path, query)


_SHORT = 512
"""Characters of an address that is worth keeping what it means."""


@lru_cache(2048)
def _parsed(path: str, query: str) -> Target:
    return _parse(path, query)


def _parse(path: str, query: str) -> Target:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for twin in (True, False) if path.endswith(".json") else (False,):
        plain = path.removesuffix(".json") if twin else path
        for kind in TARGETS:
            if (found := _match(kind, plain)) is not None:
                return kind.of(options | found, twin, query)
    raise no_such_page(path)


def _page_number(text: str, option: str = "page") -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadInput(f"query.{option}: {short(text)} is no number of a page")
    return int(text)


def no_such_page(path: str) -> NotFound:
    """The error for a path that no page has."""
    return NotFound(f"there is no page {short(path)}; places are /models/<model>/<node>/<unit>")


def _match(kind: type[Target], path: str) -> dict[str, str] | None:
    """The values of a pattern's {names} in a path, or None where it has another form."""
    wanted, given = kind.pattern.split("/"), path.split("/")
    if kind.rest and len(given) > len(wanted):
        given = [*given[: len(wanted) - 1], "/".join(given[len(wanted) - 1 :])]
    if len(wanted) != len(given):
        return None
    found = {}
    for part, value in zip(wanted, given, strict=True):
        if part.startswith("{") and value:
            found[part[1:-1]] = value
        elif part != value:
            return None
    return found
