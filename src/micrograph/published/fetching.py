"""Fetching the reader's copy of a published set: file by file, a few at a time, each kept only if
it is the right one. What is there is not fetched again, so an interrupted fetch goes on."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from micrograph.cards.model_card import WeightsSource
from micrograph.errors import Unavailable
from micrograph.files import remove_abandoned
from micrograph.published.copies import Copy
from micrograph.steps import StepHook
from micrograph.weights.downloading import Unreachable, download
from micrograph.weights.formats import WeightsError

TOGETHER = 4
"""Files that are fetched at the same time: as many as a browser would, and no more."""

_PATIENCE = 5
"""Files in a row that could not be had, after which the others are not asked for."""


class _Stopped(Exception):
    """Somebody stopped the whole."""


@dataclass(frozen=True)
class FetchedPictures:
    """How many pictures came, and how many had been there before as they are published."""

    fetched: int
    before: int


def fetch_pictures(
    copy: Copy, *, pause: float = 1.0, on_step: StepHook | None = None
) -> FetchedPictures:
    """Fetch all pictures of a set that are missing, or here in another form than published.

    `on_step` hears how many of all are there. `pause` is as of `weights.downloading.download`.
    Raises Unavailable, saying which and why and what to do by hand, where some could not be had;
    those that came are kept.
    """
    remove_abandoned(copy.wanted_at)
    missing = copy.not_as_published()
    before = len(copy.listing) - len(missing)
    stop = threading.Event()
    failures: list[str] = []
    came = in_a_row = 0
    pool = ThreadPoolExecutor(TOGETHER, thread_name_prefix="micrograph-fetch")
    try:
        waiting: set[Future[None]] = set()
        queue = iter(missing)
        while True:
            while len(waiting) < TOGETHER and in_a_row < _PATIENCE:
                number = next(queue, None)
                if number is None:
                    break
                waiting.add(pool.submit(_fetch, copy, number, pause, stop.is_set))
            if not waiting:
                break
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for one in done:
                try:
                    one.result()
                except (Unreachable, WeightsError) as error:
                    failures.append(str(error))
                    in_a_row += 1
                else:
                    came, in_a_row = came + 1, 0
                    if on_step is not None:
                        on_step(before + came, len(copy.listing))
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
    if failures:
        raise _incomplete(copy, before + came, failures)
    return FetchedPictures(came, before)


def coming(copy: Copy, number: int) -> Path:
    """Where a picture lies until it is whole: what lies in its place may be another form of it,
    which does until then."""
    return copy.wanted_at / f".{copy.listing.pictures[number].name}.new"


def _fetch(copy: Copy, number: int, pause: float, stopped: Callable[[], bool]) -> None:
    def on_step(step: int, steps: int) -> None:
        if stopped():
            raise _Stopped

    picture, url = copy.listing.pictures[number], copy.listing.url(number)
    place = coming(copy, number)
    source = WeightsSource(
        picture.name, url, sha256=picture.published.sha256, size=picture.published.size
    )
    on_step(0, 0)
    try:
        download(source, place, pause=pause, on_step=on_step)
    except WeightsError:
        place.unlink(missing_ok=True)  # it was moved there whole, but a crash lost some of it
        raise
    place.replace(copy.wanted_at / picture.name)


def _incomplete(copy: Copy, there: int, failures: list[str]) -> Unavailable:
    """One line for pictures that could not be had."""
    listed = copy.listing
    more = f"; and {len(failures) - 1} more" if len(failures) > 1 else ""
    return Unavailable(
        f"{there:,} of the {len(listed):,} pictures of {listed.name} are here, others could not be "
        f"fetched ({failures[0]}{more}). Run the same command again to go on, or download "
        f"{listed.home} on any machine and run `{listed.command} --from FOLDER`"
    )
