"""The address of a page as an object: which page, of what, and how it is to be shown.

`parse` makes a target of an address; `url` of a target is the address again, in its one canonical
spelling. Nothing here asks whether what the address names exists.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlencode

from micrograph.errors import BadInput, NotFound, short
from micrograph.web.pages.node_view import NodeView


@dataclass(frozen=True)
class Parameter:
    """A value that stands in a page's address: in its path, or as an option in its query.

    `default` is None where it has to be given; `longest` is how many characters are read at most,
    None for any number.
    """

    name: str
    default: str | None
    longest: int | None


@dataclass(frozen=True, kw_only=True)
class Target:
    """A page that is asked for. `pattern` is the path of such pages, with {names} of parameters;
    `kind` is the kind of page.

    `twin` asks for the page as JSON. `query` is the query as it was written: redirects keep it, and
    links of another site are told by it.
    """

    kind: ClassVar[str]
    pattern: ClassVar[str]
    twin: bool = False
    query: str = field(default="", compare=False)

    @classmethod
    def parameters(cls) -> list[Parameter]:
        """What stands in the address, in order; options that belong together are one field, whose
        type is a dataclass."""
        return [_parameter(one) for _, parts in _groups(cls) for one in parts]

    @classmethod
    def of(cls, values: Mapping[str, str], twin: bool = False, query: str = "") -> "Target":
        """From the values of its parameters. Raises BadInput for one that is missing, too long or
        no known setting."""
        read: dict[str, Any] = {}
        for name, parts in _groups(cls):
            found = {one.name: _value(_parameter(one), values) for one in parts}
            kind = cls.__dataclass_fields__[name].type
            read[name] = (
                kind(**found) if isinstance(kind, type) and is_dataclass(kind) else found[name]
            )
        return cls(**read, twin=twin, query=query)

    @property
    def values(self) -> dict[str, str]:
        """The values of its parameters by name."""
        found: dict[str, str] = {}
        for name, parts in _groups(type(self)):
            value = getattr(self, name)
            found |= {
                one.name: getattr(value, one.name) if is_dataclass(value) else value
                for one in parts
            }
        return found

    @property
    def path(self) -> str:
        """The path of the page itself, whether or not its twin is asked for."""
        return self.pattern.format_map({n: quote(value) for n, value in self.values.items()})

    @property
    def url(self) -> str:
        """The address that `parse` reads as this target. Options that are as usual are left out."""
        values = self.values
        options = {
            one.name: values[one.name]
            for one in self.parameters()
            if f"{{{one.name}}}" not in self.pattern and values[one.name] != one.default
        }
        query = "?" + urlencode(options) if options else ""
        return self.path + (".json" if self.twin else "") + query


@dataclass(frozen=True, kw_only=True)
class StartTarget(Target):
    """`/`: the models there are."""

    kind, pattern = "start", "/"


@dataclass(frozen=True, kw_only=True)
class ModelsTarget(Target):
    """`/models`: the index of models."""

    kind, pattern = "models", "/models"


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
class LocationTarget(Target):
    """A page of a model, or of something in one: names are as they were written."""

    @property
    def location(self) -> str:
        """The text of the address that is meant: `toytown/mixed4a/3`."""
        values = self.values
        return "/".join(values[one] for one in ("model", "node", "unit") if one in values)


@dataclass(frozen=True, kw_only=True)
class ModelTarget(LocationTarget):
    """`/models/<model>`. `lens` says what stands in the nodes of its graph, `picture` which picture
    that lens looked at, `open` which repeated block is drawn whole, or "all"."""

    kind, pattern = "model", "/models/{model}"
    model: str
    lens: str = "units"
    picture: str = ""
    open: str = ""


@dataclass(frozen=True, kw_only=True)
class NodeTarget(LocationTarget):
    """`/models/<model>/<node>`. `view` is how its grid of units is shown, `picture` the picture
    that the lenses above the grid looked at."""

    kind, pattern = "node", "/models/{model}/{node}"
    model: str
    node: str
    view: NodeView = field(default_factory=NodeView)
    picture: str = ""


@dataclass(frozen=True, kw_only=True)
class UnitTarget(LocationTarget):
    """`/models/<model>/<node>/<unit>`. `dataset` names the dataset whose examples are shown."""

    kind, pattern = "unit", "/models/{model}/{node}/{unit}"
    model: str
    node: str
    unit: str
    dataset: str = ""


TARGETS: tuple[type[Target], ...] = (
    StartTarget,
    ModelsTarget,
    AboutTarget,
    SearchTarget,
    CompareTarget,
    ModelTarget,
    NodeTarget,
    UnitTarget,
)


def parse(path: str, query: str = "") -> Target:
    """The page at `path`, which is decoded, as a server hands it on; with `.json` at its end its
    twin. Options that a page does not have are ignored, of repeated ones the last counts.

    Raises NotFound where no page has such a path, BadInput for options that cannot be.
    """
    options = dict(parse_qsl(query, keep_blank_values=True))
    for twin in (True, False) if path.endswith(".json") else (False,):
        plain = path.removesuffix(".json") if twin else path
        for kind in TARGETS:
            if (found := _match(kind.pattern, plain)) is not None:
                return kind.of(options | found, twin, query)
    raise no_such_page(path)


def no_such_page(path: str) -> NotFound:
    """The error for a path that no page has."""
    return NotFound(f"there is no page {short(path)}; places are /models/<model>/<node>/<unit>")


def _match(pattern: str, path: str) -> dict[str, str] | None:
    """The values of a pattern's {names} in a path, or None where it has another form."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    found = {}
    for part, value in zip(wanted, given, strict=True):
        if part.startswith("{") and value:
            found[part[1:-1]] = value
        elif part != value:
            return None
    return found


def _groups(kind: type[Target]) -> Iterator[tuple[str, tuple[Field[Any], ...]]]:
    """The fields of a target that are its own, each with those that make up its value."""
    common = {one.name for one in fields(Target)}
    for one in fields(kind):
        if one.name not in common:
            group = isinstance(one.type, type) and is_dataclass(one.type)
            yield one.name, fields(one.type) if group else (one,)  # type: ignore[arg-type]


def _parameter(one: Field[Any]) -> Parameter:
    default = None if one.default is MISSING else str(one.default)
    return Parameter(one.name, default, one.metadata.get("longest"))


def _value(one: Parameter, values: Mapping[str, str]) -> str:
    value = values.get(one.name, one.default)
    if value is None:
        raise BadInput(f"query.{one.name}: Field required")
    if one.longest is not None and len(value) > one.longest:
        raise BadInput(f"query.{one.name}: String should have at most {one.longest} characters")
    return value
