"""What the demo renders: every lens, as the commands that a person would type.

The best first, and the slowest last: all of it takes about a quarter of an hour on two cores.
"""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from micrograph.lenses import lenses
from micrograph.workers import RENDER, Order, Priority, Supervisor, Ticket

NICENESS = 19
"""It comes behind everything that somebody watches."""
GRACE = 15.0
"""Seconds that a step which is ended has to close its atlas."""

WHOLE = "--node conv? --node mixed?? --node logits"
"""Whole layers and blocks of toytown: the pictures that say most."""

STEPS = (
    f"toytown {WHOLE} --units 0-3",
    "toytown --technique dataset_examples --technique tuning",
    "toytown --technique similar --technique unit_map",
    f"toytown {WHOLE} --technique deepdream",
    "toytown --node mixed?? --technique caricature --image chelsea --image owl --image car",
    f"toytown {WHOLE} --technique attribution --units 0-3",
    f"toytown {WHOLE}",
    f"toytown {WHOLE} --units 0-3 --variant neuron --variant channel-negative --variant alpha",
    f"toytown {WHOLE} --units 0-3 --variant neuron-negative --variant channel --repeats 3",
    "toytown --node mixed4a --units 0-7 --technique joint --option partner=mixed4a:8",
    "toytown_clip --node mixed5b --node embedding --units 0-15",
    "toytown_clip --node mixed5b --node embedding --units 0-15 --technique text_feature_vis",
    "toytown_clip --node mixed5b --units 0-3 --technique faceted_feature_vis",
    "toytown --node mixed?? --technique neuron_groups --technique activation_grid",
    "toytown --node mixed4a.sae --units 115,160,184,644,662",
    "toytown --node mixed4? --units 0-3 --technique diversity --technique maco",
)
"""What needs more than one lens, or more than one step."""
EARLY = 6
"""Of these so many come before the steps that lenses name."""


def all_steps() -> tuple[str, ...]:
    """The steps of the tour, in order."""
    demos = [one.demo for one in lenses().values() if one.demo]
    return (*STEPS[:EARLY], *demos, *STEPS[EARLY:])


def command(step: str, folder: Path) -> list[str]:
    """The command line of a step, with one word that ties it to this process."""
    return [
        sys.executable,
        "-m",
        "micrograph",
        "render",
        *step.split(),
        "--atlas",
        str(folder),
        "--orphan-stops",
        "--makes-way",
    ]


class Tour:
    """Has the steps done one after the other, each in a process of its own, which ends with this
    one however that ends. A step that fails says why on standard error, and the next one begins.

    `steps` are those of `all_steps` where none are given.
    `workers` are those of the site: what a reader asks for comes before the next step, and a step
    that is under way makes way for it and goes on afterwards. It does so, too, for a command that
    somebody types.
    """

    def __init__(self, folder: Path, workers: Supervisor, steps: Sequence[str] = ()) -> None:
        self._folder, self._workers = folder, workers
        self._steps = tuple(steps) or all_steps()
        self._ticket: Ticket | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Tour":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """End the step at work; what it finished is in the atlas."""
        with self._lock:
            self._closed = True
            ticket = self._ticket
        if ticket is not None:
            self._workers.cancel(RENDER, ticket)
        self._thread.join(GRACE + 5)

    def _run(self) -> None:
        for step in self._steps:
            order = Order(
                tuple(command(step, self._folder)),
                priority=Priority.BACKGROUND,
                resumable=True,
                grace=GRACE,
                niceness=NICENESS,
                shown=True,
            )
            with self._lock:
                if self._closed:
                    return
                self._ticket = self._workers.submit(RENDER, order)
            self._ticket.wait()
            if isinstance(self._ticket.error, OSError):
                print(f"warning: {step}: {self._ticket.error}", file=sys.stderr)
