"""Dictionaries from files and folders, in our own form and those of the libraries that train them.

Nothing in a file is ever run: pickles and archives are read as data. docs/dictionaries.md lists the
formats.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.dictionaries.contents import Contents, contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.dictionary import Dictionary
from micrograph.models.dictionaries.folding import folded
from micrograph.models.dictionaries.formats import format_of
from micrograph.models.dictionaries.options import check_options, with_options
from micrograph.weights.formats import WeightsError


def read(path: Path, units: int, **options: Any) -> Dictionary:
    """The dictionary in a file or folder, for a node of that many `units`.

    `options` (see `options.OPTIONS`) win over what the file says. Raises WeightsError for a file
    that is none, holds what cannot be honoured, or is made for another node.
    """
    return ReadFile(path, options).dictionary(units)


def directions(matrix: Tensor, units: int) -> Dictionary:
    """The rows of `matrix` [direction, unit] as a dictionary: projections, without activation."""
    return of_tensors({"directions": matrix}, units)


def of_tensors(tensors: Mapping[str, Tensor], units: int, **options: Any) -> Dictionary:
    """As `read`, from tensors by their names in a file."""
    given = Contents(Path(), {name: tensor.detach().cpu() for name, tensor in tensors.items()})
    return _dictionary(given, _described(given, options), units)


class ReadFile:
    """A file or folder that was read once: what it says, and the dictionary that it makes."""

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        self.path = path
        self._contents = contents(path)
        try:
            self.description: Description = _described(self._contents, options)
        except BadInput as error:
            raise self._named(error) from None

    def dictionary(self, units: int) -> Dictionary:
        """For a node of that many units. Raises WeightsError."""
        try:
            return _dictionary(self._contents, self.description, units)
        except BadInput as error:
            raise self._named(error) from None

    def _named(self, error: BadInput) -> BadInput:
        return error if isinstance(error, WeightsError) else WeightsError(f"{self.path}: {error}")


def _described(given: Contents, options: Mapping[str, Any]) -> Description:
    options = {name: value for name, value in options.items() if value is not None}
    check_options(options)
    return with_options(format_of(given, options).describe(given, options), options)


def _dictionary(given: Contents, described: Description, units: int) -> Dictionary:
    if described.encoder.ndim != 2 or described.encoder.shape[1] != units:
        raise BadInput(
            f"its encoder has shape {list(described.encoder.shape)} [latent, unit], and the node "
            f"has {units} units; attach it to the node that it was made for"
        )
    return folded(described, given.tensors)
