"""An index that follows a library in the background, and is done without whenever it fails."""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from micrograph.atlas import Atlas, Snapshot
from micrograph.atlas.keeping import Row, States
from micrograph.atlas.rows import KINDS
from micrograph.atlas.scan import State, file_state, is_being_written
from micrograph.errors import MicrographError
from micrograph.index.store import Foreign, Store, is_busy, is_damage, path_key

Maker = Callable[[Atlas], bytes]
"""Computes the value to keep of one atlas; where it raises MicrographError, none is kept."""

Elsewhere = Callable[[Sequence[Path], Sequence[Path], Callable[[], bool]], bool]
"""Has files taken in (see `take_in`) by another process: into the first usable of some places, as
long as that is wanted. Whether it came to its end."""

T = TypeVar("T")
_SMALL = 4 << 20
"""Bytes of files that changed which are read here: to start another process costs more."""
_TRIES = 10
_PAUSE = 0.3
"""Seconds between tries to have a file that another process holds."""
_LOG = logging.getLogger("micrograph.index")


class Index:
    """Follows a library: what changed is read by a thread of its own, file by file.

    `places` are paths for the file, of which the first that works is used; without any the index
    stays empty. `makers` compute the values kept of each atlas, by name; a name stands for a form
    too, so that a new form gets a new name. Files that are being written are left until they are
    whole. All methods may be called from any thread; none raises for problems with the file.
    `elsewhere` spares this process the memory and the time that many or large files take.
    """

    def __init__(
        self,
        places: Sequence[Path],
        makers: Mapping[str, Maker] | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._elsewhere = elsewhere
        self._places = tuple(places)
        self._makers = dict(makers or {})
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._logged = ""
        self._wanted: Snapshot | None = None
        self._done: Snapshot | None = None
        self._rebuilt = 0
        self._worker: threading.Thread | None = None
        self._refused: dict[Path, State] = {}

    @property
    def path(self) -> Path | None:
        """Where the file lies, None as long as there is none."""
        with self._lock:
            return self._store.path if self._store else None

    def follow(self, snapshot: Snapshot) -> None:
        """Bring the index up to date with a library. Returns at once."""
        with self._lock:
            self._wanted = snapshot
            self._start()

    def _start(self) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="index", daemon=True)
            self._worker.start()

    def wait_until_current(self, timeout: float | None = None) -> bool:
        """Wait until the index is up to date, as far as possible; False if that takes longer."""
        with self._lock:
            worker = self._worker
        if worker is None or worker is threading.current_thread():
            return True
        worker.join(timeout)
        return not worker.is_alive()

    def close(self) -> None:
        """Stop following, and let go of the file."""
        with self._lock:
            self._wanted = self._done = None
        self.wait_until_current()
        with self._lock:
            self._close_store()

    def take_in(self, paths: Sequence[Path]) -> None:
        """Read these files now, those that are not known as they are."""
        for path in paths:
            for _ in range(_TRIES):
                with self._lock:
                    if not self._open_store():
                        return
                known = self._ask(lambda store: store.states(self._makers), None)
                state = file_state(path)
                if known is not None and (not state or known.get(path_key(path)) == state):
                    break
                if known is not None and self._read(path, state):
                    break
                time.sleep(_PAUSE)  # another process is at it

    def stored_value(self, path: Path, state: State, name: str) -> bytes | None:
        """The value that a maker computed from a file in exactly this state, or None."""
        if is_being_written(state):
            return None
        return self._ask(lambda store: store.value(path, state, name), None)

    def hits(self, files: States, text: str, kind: str) -> Mapping[Path, tuple[Row, ...]]:
        """What a search for `text` finds of a kind ("model", "node", "label") in those of `files`
        that it knows and that have one such row or none."""
        nothing: dict[Path, tuple[Row, ...]] = {}
        return self._ask(lambda store: store.hits(files, text, kind), nothing)

    def _ask(self, question: Callable[[Store], T], otherwise: T) -> T:
        with self._lock:
            if self._store is None:
                return otherwise
            try:
                return question(self._store)
            except (sqlite3.Error, ValueError, OSError) as error:
                self._handle_failure(error)
                return otherwise

    def _work(self) -> None:
        """The worker: until nothing is left to be read for the newest snapshot."""
        while snapshot := self._next():
            for _ in range(_TRIES):
                whole = self._read_all(snapshot)
                if whole or self._is_old(snapshot):
                    break
                time.sleep(_PAUSE)  # another process is at it

    def _read_all(self, snapshot: Snapshot) -> bool:
        """All files that changed, as long as there is no newer snapshot. False if some have to be
        tried again."""
        changed = self._changed(snapshot)
        if changed is None:
            return False
        if self._elsewhere is not None and sum(state[1] for _, state in changed) > _SMALL:
            paths = [path for path, _ in changed]
            if self._elsewhere(self._places, paths, lambda: self._wanted is not None):
                changed = self._changed(snapshot) or []  # what could not be read, or changed again
        done = [self._read(*one) for one in changed if not self._is_old(snapshot)]
        return all(done)

    def _next(self) -> Snapshot | None:
        """The snapshot to work on; None ends the worker."""
        with self._lock:
            if self._wanted is self._done:
                self._worker = None
                return None
            self._done = self._wanted
            return self._done

    def _is_old(self, snapshot: Snapshot) -> bool:
        with self._lock:
            return self._wanted is not snapshot

    def _changed(self, snapshot: Snapshot) -> list[tuple[Path, State]] | None:
        """The files to read, None if the index cannot be asked. Forgets deleted files."""
        with self._lock:
            if not self._open_store():
                return None
        known = self._ask(lambda store: store.states(self._makers), None)
        if known is None:
            return None
        gone = [Path(path) for path in known if not os.path.exists(path)]
        self._ask(lambda store: store.forget(gone), None)
        unreadable = {problem.path for problem in snapshot.problems}
        return [
            (path, state)
            for path, state in snapshot.files.items()
            if known.get(path_key(path)) != state
            and self._refused.get(path) != state
            and path not in unreadable
            and not is_being_written(state)
        ]

    def _read(self, path: Path, state: State) -> bool:
        """Read one file without holding the lock, then store it. False to try it again."""
        try:
            atlas = Atlas.open(path)
            rows = [(kind, row) for kind, row in atlas.searchable() if kind in KINDS]
            values = {name: make(atlas) for name, make in self._makers.items()}
        except MicrographError:
            self._refused[path] = state  # the library reports why
            return True
        except Exception as error:  # a bug in a maker
            self._refused[path] = state
            self._warn_once(f"{path} is not in the index ({type(error).__name__}: {error})")
            return True
        if file_state(path) != state:
            return True  # the next snapshot has it as it is now
        return self._ask(lambda store: store.put(path, state, rows, values), False)

    def _open_store(self) -> bool:
        """Whether the index file is open; opens it, or makes it anew, where needed."""
        if self._store is not None and self._store.is_there:
            return True
        self._close_store()
        reasons = []
        for place in self._places:
            try:
                self._store = Store(place)
                return True
            except (sqlite3.Error, OSError, Foreign) as error:
                reasons.append(f"{place}: {error}")
                if is_busy(error):
                    break  # another process holds it for a moment
        self._warn_once(f"no index, atlases are read themselves ({'; '.join(reasons)})")
        return False

    def _handle_failure(self, error: Exception) -> None:
        """Make a damaged file anew; a file that another process holds is tried again later."""
        if is_busy(error):
            return  # for a moment: another process of the site keeps the same index
        self._warn_once(f"the index is not used ({error}); atlases are read themselves")
        if self._store is None or not (isinstance(error, sqlite3.Error) and is_damage(error)):
            return
        path = self._store.path
        self._close_store()
        try:
            path.unlink(missing_ok=True)
        except OSError:
            self._places = tuple(place for place in self._places if place != path)
        self._rebuilt += 1
        if self._rebuilt <= _TRIES and self._wanted is not None:
            self._done = None
            self._start()

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
        self._store = None

    def _warn_once(self, line: str) -> None:
        """Log a line, unless it was the last one."""
        if line != self._logged:
            self._logged = line
            _LOG.warning(" ".join(line.split()))
