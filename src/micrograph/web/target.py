"""The address of any page as an object."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from micrograph.errors import BadInput


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
    it identifies links of another site.
    """

    kind: ClassVar[str]
    pattern: ClassVar[str]
    asks: ClassVar[bool] = False
    """Whether making the page has work done: then it takes no turn of those that need none."""
    rest: ClassVar[str] = ""
    """The parameter that stands for all that is left of the path, slashes too; "" for none."""
    twin: bool = False
    query: str = field(default="", compare=False)

    @classmethod
    def parameters(cls) -> list[Parameter]:
        """The parameters in the address, in order. Options that belong together are one field: a
        dataclass."""
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
        return self.pattern.format_map(
            {n: quote(v, safe="/=+:" if n == self.rest else "/") for n, v in self.values.items()}
        )

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


_Groups = tuple[tuple[str, tuple[Field[Any], ...]], ...]
_KNOWN: dict[type[Target], _Groups] = {}


def _groups(kind: type[Target]) -> _Groups:
    """The fields of a target that are its own, each with those that make up its value."""
    known = _KNOWN.get(kind)
    if known is not None:
        return known
    common = {one.name for one in fields(Target)}
    found: list[tuple[str, tuple[Field[Any], ...]]] = []
    for one in fields(kind):
        if one.name not in common:
            group = isinstance(one.type, type) and is_dataclass(one.type)
            found.append((one.name, fields(one.type) if group else (one,)))  # type: ignore[arg-type]
    return _KNOWN.setdefault(kind, tuple(found))


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
