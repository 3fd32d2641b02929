"""One network of the table: built, put under the microscope, checked."""

import time
import traceback
from dataclasses import asdict
from typing import Any

from checks import Found, check

from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import MicrographError
from micrograph.models.model import Model
from networks import build, quiet


def row_of(name: str) -> dict[str, Any]:
    """The row of one network; an error is part of it."""
    found = Found(name)
    begin = time.monotonic()
    try:
        net, size, channels = build(name)
    except Exception as error:  # as the library says it: this network is not in the table
        found.error = f"not built: {type(error).__name__}: {error}".splitlines()[0][:200]
        return asdict(found)
    order, ones = ("L", (0.0,)) if channels == 1 else ("RGB", (0.0,) * 3)
    given = Preprocessing(size, size, mean=ones, std=tuple(1.0 for _ in ones), channel_order=order)
    try:
        with quiet():
            check(found, Model.of(net, id="net", preprocessing=given))
    except MicrographError as error:
        found.error = f"refused: {error}".splitlines()[0][:300]
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        found.error = (
            f"{type(error).__name__}: {error}".splitlines()[0][:200]
            + f" ({where.name}:{where.lineno})"
        )
        traceback.print_exc()
    found.seconds = time.monotonic() - begin
    return asdict(found)
