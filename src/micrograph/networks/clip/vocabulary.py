"""Where the tokenizer's list of byte pairs lies: a file of OpenAI's that does not ship with us."""

import gzip
import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from micrograph.cards.zoo._clip import VOCABULARY
from micrograph.errors import Unavailable
from micrograph.weights import store
from micrograph.weights.formats import WeightsError, read_bytes

NAME = VOCABULARY.url.rpartition("/")[2]

PAIRS = 48_894
"""So many of the file's pairs are in CLIP's vocabulary."""


def candidates() -> Iterator[Path]:
    """Where the file may lie, in the order in which we look."""
    yield from (folder / NAME for folder in store.folders())
    found = importlib.util.find_spec("open_clip")  # looks for the package without running it
    for folder in (found.submodule_search_locations or []) if found else []:
        yield Path(folder) / NAME


def find() -> Path:
    """The first such file. Raises Unavailable, saying what to do, if there is none."""
    for path in candidates():
        if path.is_file():
            return path
    raise Unavailable(
        f"texts for CLIP need {NAME}, which is not here; `micrograph weights fetch` of the model "
        f"gets it, or put the file from {VOCABULARY.url} into {store.data_folder()}, or `pip "
        "install open_clip_torch`, which contains it"
    )


def read(path: Path) -> list[tuple[str, str]]:
    """The pairs in order of their rank. Raises WeightsError if it is not OpenAI's very file."""
    data = read_bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    if digest != VOCABULARY.sha256:
        raise WeightsError(
            f"{path} is not the list of byte pairs of CLIP: its SHA-256 is {digest}, expected "
            f"{VOCABULARY.sha256}; get it again from {VOCABULARY.url}"
        )
    lines = gzip.decompress(data).decode().split("\n")
    # A heading, then more pairs than CLIP uses.
    pairs = (line.split() for line in lines[1 : PAIRS + 1])
    return [(first, second) for first, second in pairs]
