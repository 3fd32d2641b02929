"""Rendering on demand: the site lets the `render` command run as a process of its own.

So the site never imports torch, a render that fails takes nothing with it, and the picture arrives
the same way as from any other render: through the atlas.
"""

import importlib.util
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from micrograph.errors import Conflict, MicrographError, Unavailable
from micrograph.events import Event, Stored
from micrograph.lenses import lead, lens
from micrograph.lenses.contract import View
from micrograph.parts.urls import Urls
from micrograph.web.render_state import RenderState
from micrograph.workers import (
    RENDER,
    Order,
    Priority,
    QueueFull,
    Supervisor,
    Ticket,
    TicketState,
    WorkerDied,
    WorkerTimeout,
)

WAITING = 4
"""Renders that may wait behind the one at work."""
REMEMBERED = 64
TIME_LIMIT = 1800.0
"""Seconds after which a render is given up."""
NICENESS = 19
"""Renders come behind everything that somebody watches."""
GRACE = 5.0
"""Seconds that a render which is ended has to close its atlas."""
ALL = "all"
"""All units that lack a picture."""
READ_ONLY = "this site shows its atlases read-only"


@dataclass(frozen=True)
class AskedUnit:
    """A unit that a reader wants to see; or, with a `technique` and no node, what that lens says of
    all nodes of a model; or with `units` the pictures that these lack, "all" for those of the whole
    node, or without a node of the whole model."""

    model: str
    node: str
    unit: int
    technique: str = ""
    units: str = ""

    @property
    def priority(self) -> Priority:
        """What is many comes behind what somebody waits for, and makes way for it."""
        return Priority.BACKGROUND if self.units else Priority.READER


def render_command(asked: AskedUnit, folder: Path) -> list[str]:
    """The command that renders a unit: the one a person would type, for every view of the lens. Of
    all nodes through another lens likewise.

    `--orphan-stops` ends it when its standard input closes, so it never outlives the site, and with
    `--events` it tells how it goes on in lines of JSON.
    """
    what: list[str] = ["--technique", asked.technique]
    views: tuple[View, ...] = ()
    if asked.units:
        what = ["--node", asked.node] if asked.node else []
        what += ["--units", asked.units] if asked.units != ALL else []
    elif not asked.technique:
        what = ["--node", asked.node, "--units", str(asked.unit), "--preset", "standard"]
        views = lens(lead()[0]).words.views
    return [
        sys.executable,
        "-m",
        "micrograph",
        "render",
        asked.model,
        *what,
        "--atlas",
        str(folder),
        "--orphan-stops",
        *(["--makes-way"] if asked.units else []),
        "--events",
        *(word for view in views for word in ("--variant", view.variant)),
    ]


class Live:
    """One render at a time and a short queue. `folder` is where pictures go; None: nowhere.

    `workers` are those of the site; without them it has its own. `knows_state` says that `state`
    asks no other process.
    """

    knows_state = True

    def __init__(
        self,
        folder: Path | None,
        urls: Urls,
        command: Callable[[AskedUnit, Path], list[str]] = render_command,
        workers: Supervisor | None = None,
    ) -> None:
        self.folder, self.urls, self.command = folder, urls, command
        self.workers = workers or Supervisor()
        self._tickets: OrderedDict[AskedUnit, Ticket] = OrderedDict()
        self._stored: dict[AskedUnit, int] = {}
        self._lock = threading.Lock()

    @cached_property
    def _has_torch(self) -> bool:
        """Looked for once: every page wants to know."""
        return importlib.util.find_spec("torch") is not None

    @property
    def reason(self) -> str:
        """Why nothing can be rendered from here, or "" when it can."""
        if self.folder is None:
            return READ_ONLY
        if self.command is render_command and not self._has_torch:
            return "rendering needs torch, which is not installed here: pip install torch"
        place = self.folder
        while not os.path.exists(place) and place != place.parent:
            place = place.parent
        if not os.access(place, os.W_OK):
            return f"the site may not write in {self.folder}"
        return ""

    def state(
        self, model: str, node: str, unit: int, technique: str = "", units: str = ""
    ) -> RenderState:
        """What the page of a unit says about rendering it."""
        asked = AskedUnit(model, node, unit, technique, units)
        with self._lock:
            ticket, stored = self._tickets.get(asked), self._stored.get(asked, 0)
        state = ticket.state if ticket else None
        return RenderState(
            not self.reason,
            self.reason,
            "none" if state in (None, TicketState.CANCELLED) else state.value,
            _message(ticket.error) if ticket and state is TicketState.FAILED else "",
            self.urls.render(model, node, unit),
            stored,
        )

    def ask(
        self, model: str, node: str, unit: int, technique: str = "", units: str = ""
    ) -> RenderState:
        """Queue a unit, unless it waits already. Raises Unavailable, or Conflict when full."""
        if self.reason:
            raise Unavailable(self.reason)
        assert self.folder is not None
        asked = AskedUnit(model, node, unit, technique, units)

        def on_event(event: Event) -> None:
            if isinstance(event, Stored):
                self._stored[asked] = self._stored.get(asked, 0) + 1

        with self._lock:
            known = self._tickets.get(asked)
            if known is None or known.wait(0):
                order = Order(
                    tuple(self.command(asked, self.folder)),
                    priority=asked.priority,
                    seconds=None if asked.units else TIME_LIMIT,
                    resumable=bool(asked.units),
                    grace=GRACE,
                    niceness=NICENESS,
                    on_event=on_event,
                )
                self._stored[asked] = 0
                try:
                    self._tickets[asked] = self.workers.submit(RENDER, order, WAITING + 1)
                except QueueFull as full:
                    raise Conflict(
                        f"{full.waiting} units wait to be rendered already; try again in a minute"
                    ) from None
                self._tickets.move_to_end(asked)
                self._forget_oldest()
        return self.state(model, node, unit, technique, units)

    def stop(self, model: str, node: str, units: str) -> RenderState:
        """End a render of many units; what it finished is in the atlas."""
        with self._lock:
            ticket = self._tickets.get(AskedUnit(model, node, 0, "", units))
        if ticket is not None:
            self.workers.cancel(RENDER, ticket)
        return self.state(model, node, 0, "", units)

    def close(self) -> None:
        """End the render at work; what it finished before is in the atlas."""
        self.workers.close(RENDER)

    def _forget_oldest(self) -> None:
        over = [asked for asked, ticket in self._tickets.items() if ticket.wait(0)]
        for asked in over[: max(0, len(self._tickets) - REMEMBERED)]:
            del self._tickets[asked]
            self._stored.pop(asked, None)


def _message(error: BaseException | None) -> str:
    """One line for the reader."""
    match error:
        case WorkerTimeout():
            return f"the render took longer than {TIME_LIMIT / 60:.0f} minutes and was ended"
        case WorkerDied():
            lines = error.said
            if not lines:
                return f"the render ended with status {error.status}"
        case OSError():
            return f"the render could not be started: {error}"
        case MicrographError():
            lines = (str(error),)
        case _:
            lines = (f"the render failed: {error}",)
    if any("being written by another process" in line for line in lines):
        return (
            "another render is writing this model's atlas; "
            "its pictures appear here by themselves, ask again when it is done"
        )
    return lines[-1].removeprefix("error: ")[:400]
