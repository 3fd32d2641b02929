"""A copy of an atlas without slack, for shipping."""

import math
import os
import sqlite3
from pathlib import Path

from micrograph.atlas.format import check, explain, reading
from micrograph.atlas.place import fresh_atlas
from micrograph.files import check_free, remove_abandoned


def compact(source: Path | str, target: Path | str) -> int:
    """Write a compact copy of `source` as one plain read-only-ready file; returns its bytes.

    Raises Conflict where `target` exists, and what `Atlas.open` raises for `source`.
    """
    source, target = Path(source), Path(target)
    remove_abandoned(target.parent)
    check_free(target)
    check(source)
    with (
        fresh_atlas(target) as fresh,
        reading(source, seconds=math.inf) as connection,
    ):
        try:
            # As bytes: a folder's name may be no text.
            connection.execute("VACUUM INTO CAST(? AS TEXT)", (os.fsencode(fresh),))
        except sqlite3.Error as error:
            raise explain(error, target) from error
    return target.stat().st_size
