"""A process that reads atlases for the index of a site, and ends.

Reading all profiles of a gallery takes 100 MB for a moment, of which a process that did it keeps a
tenth, and it takes seconds, in which pages would wait for each other.
"""

import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from micrograph.index import Index
from micrograph.web.indexing import MAKERS
from micrograph.workers.process import WorkerProcess

NICENESS = 5
"""Pages come first."""
_PAUSE = 0.1
"""Seconds between looks at whether it is wanted still."""
COMMAND = (sys.executable, "-m", __name__)


def read_elsewhere(
    places: Sequence[Path], paths: Sequence[Path], wanted: Callable[[], bool]
) -> bool:
    """Have atlases read for the index at one of `places`, as long as that is `wanted`. Whether it
    was done to the end."""
    try:
        process = WorkerProcess(COMMAND, niceness=NICENESS)
    except OSError:
        return False
    question = {"places": [*map(os.path.abspath, places)], "paths": [*map(os.path.abspath, paths)]}
    process.write(json.dumps(question).encode() + b"\n")
    while process.alive and wanted():
        time.sleep(_PAUSE)
    done = process.status == 0
    process.close()
    return done


def main() -> None:
    """Take in what is named on standard input; end when that does."""
    question = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    paths = [Path(one) for one in question["paths"]]
    random.shuffle(paths)  # several processes of a site then share them
    index = Index([Path(one) for one in question["places"]], MAKERS)
    index.take_in(paths)
    index.close()
    os._exit(0)  # a thread waits for the input


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
