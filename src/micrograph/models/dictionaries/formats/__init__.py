"""The formats of the libraries that train dictionaries: one reader each.

A reader is a module with `NAME`, `claims(contents, options)`, whether a file is of its format, and
`describe(contents, options)`, what the file says. Order matters: the first that claims a file reads
it; the own form, which takes what is left, comes last.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import (
    circuit_tracer,
    dictionary_learning,
    gemma_scope,
    openai,
    openmoss,
    overcomplete,
    own,
    prisma,
    saelens,
    saev,
    sparsify,
    universal,
)


class Format(Protocol):
    """What every module of this package gives."""

    NAME: str

    def claims(self, given: Contents, options: Mapping[str, Any]) -> bool:
        """Whether it is the one to read this."""

    def describe(self, given: Contents, options: Mapping[str, Any]) -> Description:
        """What is said of the dictionary. Raises BadInput for what it cannot honour."""


FORMATS: tuple[Format, ...] = (
    saev,
    universal,
    overcomplete,
    openmoss,
    prisma,
    dictionary_learning,
    openai,
    sparsify,
    gemma_scope,
    circuit_tracer,
    saelens,
    own,
)


def format_of(given: Contents, options: Mapping[str, Any]) -> Format:
    """The reader for this file. Raises BadInput for the name of a format that there is not."""
    if name := str(options.get("format") or ""):
        for one in FORMATS:
            if one.NAME.lower() == name.lower():
                return one
        known = ", ".join(one.NAME for one in FORMATS)
        raise BadInput(f"format {short(name)} is unknown; expected one of {known}")
    return next(one for one in FORMATS if one.claims(given, options))
