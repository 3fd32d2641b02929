"""One digest for many pictures: which they are, in what order, with which classes."""

import hashlib
import json
from collections.abc import Iterable, Sequence


def digest_of_pictures(classes: Sequence[str], pictures: Iterable[tuple[str, int, str]]) -> str:
    """64 hex digits for `pictures`: of each its name, the number of its class (or -1) and the
    SHA-256 of its bytes in hex digits ("" where they cannot be read)."""
    whole = hashlib.sha256(_line("micrograph dataset 1", list(classes)))
    for name, cls, content in pictures:
        whole.update(_line(name, cls, content))
    return whole.hexdigest()


def _line(*values: object) -> bytes:
    return (json.dumps(values) + "\n").encode()
