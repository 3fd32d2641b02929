"""Weights: where they lie and whether they are the right ones. Never imports torch."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import platformdirs

from micrograph.cards.model_card import ModelCard
from micrograph.errors import Unavailable
from micrograph.weights.fetchable import reason_not_fetched
from micrograph.weights.formats import RawTensor, WeightsError, digest_of, read_safetensors

_PACKAGE = Path(__file__).parents[1]
CHECKOUT_FOLDER = Path("../shared/weights")
"""Looked into last, relative to the working directory: convenient in a checkout of the project."""


@dataclass(frozen=True)
class StoredWeights:
    """The tensors of one file, by their names in it, and the digest of their content."""

    path: Path
    tensors: dict[str, RawTensor]
    digest: str


@dataclass(frozen=True)
class Status:
    """What is known of a model's weights without reading them: `path` is None if there are none."""

    path: Path | None
    wanted_at: Path


def data_folder() -> Path:
    """The folder of this user in which imported weights are kept."""
    return _data_folder(tuple(map(os.environ.get, _DECIDING)))


_DECIDING = ("XDG_DATA_HOME", "HOME", "LOCALAPPDATA", "USERPROFILE")
"""Variables of the environment that say where a user's data lies."""


@lru_cache(16)
def _data_folder(deciding: tuple[str | None, ...]) -> Path:
    return Path(platformdirs.user_data_dir("micrograph", appauthor=False)) / "weights"


def folders() -> Iterator[Path]:
    """Where further files of models (their `extras`) may lie, in the order in which we look."""
    chosen = os.environ.get("MICROGRAPH_WEIGHTS")
    if chosen:
        yield Path(chosen)
    yield data_folder()
    yield CHECKOUT_FOLDER.resolve()


def import_path(card: ModelCard) -> Path:
    """Where `import_weights` puts the weights of this model."""
    return data_folder() / f"{card.id}.safetensors"


def _in_folder(folder: Path, card: ModelCard) -> Iterator[Path]:
    for name in (card.id, *card.file_names):
        yield folder / f"{name}.safetensors"
        yield from sorted((folder / name).glob("*.safetensors"))


def candidates(card: ModelCard) -> Iterator[Path]:
    """Where this model's weights may lie, in the order in which we look."""
    chosen = os.environ.get("MICROGRAPH_WEIGHTS")
    if chosen:
        yield from _in_folder(Path(chosen), card)
    yield import_path(card)
    if card.bundled:
        yield _PACKAGE / card.bundled
    yield from _in_folder(CHECKOUT_FOLDER.resolve(), card)


def status(card: ModelCard) -> Status:
    """Where the weights of this model are, if they are anywhere."""
    path = next((p for p in candidates(card) if p.is_file()), None)
    return Status(path, import_path(card))


def is_there(card: ModelCard) -> bool:
    """Whether `status` has a path: every page of the site wants to know, so no path is made that is
    not needed."""
    imported, chosen = import_path(card), os.environ.get("MICROGRAPH_WEIGHTS")
    if os.path.isfile(imported):
        return True
    if card.bundled and os.path.isfile(_PACKAGE / card.bundled):
        return True
    return any(
        os.path.isfile(f"{folder}/{name}.safetensors")
        or (
            os.path.isdir(f"{folder}/{name}")
            and any(map(os.path.isfile, (Path(folder) / name).glob("*.safetensors")))
        )
        for folder in (chosen, os.fspath(CHECKOUT_FOLDER))
        if folder
        for name in (card.id, *card.file_names)
    )


def check_released(card: ModelCard) -> None:
    """Raises Unavailable for a model whose weights nobody outside has."""
    if card.unreleased:
        raise Unavailable(f"{card.id} has no weights: {card.unreleased}")


def find(card: ModelCard) -> Path:
    """The first weights file there is. Raises Unavailable, saying where to put which file."""
    check_released(card)
    path = status(card).path
    if path is None:
        source = card.sources[0] if card.sources else None
        origin = f" (from {source.url or source.title})" if source else ""
        fetchable = any(not reason_not_fetched(one) for one in card.sources)
        fetch = f"`micrograph weights fetch {card.id}` or " if fetchable else ""
        raise Unavailable(
            f"no weights for {card.id} here; run {fetch}"
            f"`micrograph weights import {card.id} 'its file'`{origin} or put "
            f"{card.id}.safetensors into {data_folder()} or into the folder that "
            "MICROGRAPH_WEIGHTS names"
        )
    return path


def read(card: ModelCard, path: Path | None = None) -> StoredWeights:
    """Read the weights of `card` from `path`, or from where they are found, and verify the digest.

    Raises WeightsError for a damaged file or other content, Unavailable when there is none.
    """
    path = find(card) if path is None else path
    tensors = read_safetensors(path)
    digest = digest_of(tensors)
    check_digest(card, digest, path)
    return StoredWeights(path, tensors, digest)


def check_digest(card: ModelCard, digest: str, path: Path) -> None:
    """Raises WeightsError unless `digest` is what the card states (a card may leave it open)."""
    if card.digest and digest != card.digest:
        raise WeightsError(
            f"{path} does not hold the weights of {card.id}: its tensors have digest {digest}, "
            f"expected {card.digest}; for other weights of this architecture register a card of "
            "their own"
        )
