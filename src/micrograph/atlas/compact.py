"""A copy of an atlas without slack, for shipping."""

import math
import sqlite3
from pathlib import Path

from micrograph.atlas.format import check, explain, reading
from micrograph.errors import Conflict


def compact(source: Path | str, target: Path | str) -> int:
    """Write a compact copy of `source` as one plain read-only-ready file; returns its bytes.

    Raises Conflict where `target` exists, and what `Atlas.open` raises for `source`.
    """
    source, target = Path(source), Path(target)
    if target.exists():
        raise Conflict(f"{target} is there already; delete it or choose another name")
    fresh = target.with_name(target.name + ".new")
    fresh.unlink(missing_ok=True)
    try:
        check(source)
        with reading(source, seconds=math.inf) as connection:
            try:
                connection.execute("VACUUM INTO ?", (str(fresh),))
            except sqlite3.Error as error:
                raise explain(error, target) from error
        fresh.rename(target)
    finally:
        fresh.unlink(missing_ok=True)
    return target.stat().st_size
