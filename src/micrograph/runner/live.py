"""The live microscope of one model: pictures of units that several readers watch, made in turns.

Pictures rest where nobody watches them, and go on from there when somebody asks for more steps.
Because a longer run begins as a shorter one does, what is seen after some steps is what a recipe of
so many steps gives.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from micrograph.errors import BadInput, MicrographError, short
from micrograph.events import Answer, Event, Failed, Step, Stored
from micrograph.lenses.engines import common
from micrograph.lenses.engines.base import Job
from micrograph.lenses.experiment.engine import ENGINE
from micrograph.lenses.experiment.lens import TOGETHER, ExperimentParams
from micrograph.optimize import optimize
from micrograph.recipe import canonical, digest
from micrograph.runner.estimating import estimate
from micrograph.runner.failing import in_one_line
from micrograph.runner.frames import frame
from micrograph.runner.keep_live import as_stored, store
from micrograph.runner.plan import job_at
from micrograph.runner.select import find_attached
from micrograph.runner.turns import Dropped, StepTurns, Turn
from micrograph.steps import StepState, Watch

if TYPE_CHECKING:
    from micrograph.models.model import Model

MOST_STEPS = 4096
"""Steps of a picture: it is begun as if it were to have so many."""
EVERY = 0.12
"""Seconds between two frames of a picture."""
FRAME_SIDE = 288
"""Height of frames on the way, in pixels."""
FINAL_SIDE, FINAL = 1024, 1 << 19
"""Height of the last frame in pixels and its length in characters, at most."""
USUAL_SIZE = 128
"""Side in pixels of pictures where nobody says it, and it is not above the model's own."""
RESTING = 6
"""Pictures that rest, at most; one of others begins anew."""

Tell = Callable[[int, Event], None]


@dataclass(frozen=True)
class Asker:
    """A reader's wish: the picture after so many `steps`, perhaps kept in an atlas in `folder`.
    `number` is what its events are told apart by, `job` has the recipe."""

    number: int
    client: str
    steps: int
    job: Job
    folder: Path | None


class Run(Turn):
    """A picture under way: `step` steps are done, and `askers` wait for more. `pictures` are as
    they stand then, where somebody wanted to see them."""

    def __init__(self, node: str, unit: int, job: Job) -> None:
        super().__init__()
        self.node, self.unit, self.job = node, unit, job
        self.askers: list[Asker] = []
        self.step = 0
        self.begun = self.framed = 0.0
        self.pictures: np.ndarray | None = None

    @property
    def clients(self) -> Sequence[str]:
        return [asker.client for asker in self.askers]

    def leads_to(self, steps: int) -> bool:
        """Whether it still comes past there."""
        return self.step < steps or (self.step == steps and self.pictures is not None)


class LiveRuns:
    """All pictures of one model. `tell` is called with the number of a wish and its events: steps,
    some with a frame, and at the end an answer or a failure; from threads of its own."""

    def __init__(self, model: "Model", tell: Tell) -> None:
        self.model, self._tell = model, tell
        self._turns = StepTurns()
        self._runs: dict[str, Run] = {}  # the one that was asked for last comes last
        self._savers: list[threading.Thread] = []

    def get_ready(self, asked: bool = False) -> None:
        """Find out what takes a pass, while no picture is under way; and unless somebody waits
        already, whose picture does the same, have kernels chosen and code imported: two steps of
        the deepest unit that has a map, with a frame."""
        model, size = self.model, self._usual_size()
        if asked:
            return
        maps = [node for node in model.nodes.values() if node.shape and node.units]
        places = sorted(maps or model.nodes.values(), key=lambda node: node.index)[-1:]
        for place in places:
            (job,) = ENGINE.jobs(model, size=size, steps=2)
            for made in ENGINE.run(model, place.id, [0], job):
                assert made.image is not None
                frame(made.image[None])

    def begin(self, number: int, client: str, asked: Mapping[str, Any]) -> None:
        """Have a picture made: `asked` has node, unit, `options` of the lens, and the `folder` of
        the atlas that it is to be kept in, if it is. What is wrong with it is told."""
        try:
            asker, run, key = self._prepared(number, client, asked)
        except Exception as error:  # of a network: whatever it is
            self._fail(number, error)
            return
        with self._turns.changed:
            known = self._runs.pop(key, None)
            if known is not None and known.leads_to(asker.steps) and not known.dropped:
                run = known
            elif known is not None:
                self._runs[f"{key} {id(known)}"] = known
            self._runs[key] = run
            run.askers.append(asker)
            self._drop_oldest()
            self._turns.look_again()
        if run is not known:
            self._turns.join(run)
            threading.Thread(target=self._climb, args=(run,), daemon=True).start()

    def cancel(self, number: int) -> None:
        """Nobody waits for that any more: its picture rests after the step at work."""
        with self._turns.changed:
            for run in self._runs.values():
                run.askers = [one for one in run.askers if one.number != number]
            self._turns.look_again()

    def estimate(self, number: int, client: str, asked: Mapping[str, Any]) -> None:
        """Say how long a render into the atlas in `folder` would take, of one node or all; between
        the steps of pictures that somebody watches."""

        def work() -> None:
            try:
                found = estimate(
                    self.model,
                    asked["folder"],
                    nodes=asked.get("node"),
                    alone=lambda: self._turns.aside(client),
                )
            except Exception as error:
                self._fail(number, error)
            else:
                self._tell(number, Answer({**asdict(found), "said": str(found)}))

        threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        """Wait until what is to be kept is stored."""
        for thread in self._savers:
            thread.join()

    def _prepared(
        self, number: int, client: str, asked: Mapping[str, Any]
    ) -> tuple[Asker, Run, str]:
        """The wish, a picture that fulfils it, and what that picture is known by."""
        model, options = self.model, dict(asked["options"])
        if not isinstance(unit := asked["unit"], int) or not isinstance(asked["node"], str):
            raise BadInput(f"{short(asked)} names no unit")
        params = ExperimentParams.read(options)
        named = [asked["node"], *(one.node for one in params.other_units)]
        if any(name not in model.aliases for name in named):
            with self._turns.aside(client):
                find_attached(model, named)
        if params.size is None:
            params = replace(params, size=self._usual_size())
        node = model.node(asked["node"]).id
        (job,) = ENGINE.plan(model, params)
        steps = job.recipe["steps"]
        if steps > MOST_STEPS:
            raise BadInput(f"steps {steps} given; expected at most {MOST_STEPS}")
        job = job_at(model, node, job)
        whole = replace(job, recipe={**job.recipe, "steps": MOST_STEPS})
        ENGINE.experiment(model, node, unit, whole)  # whether there is such a unit
        folder = Path(asked["folder"]) if asked.get("folder") else None
        key = digest({"node": node, "unit": unit, "recipe": canonical(whole.recipe)})
        return Asker(number, client, steps, job, folder), Run(node, unit, whole), key

    def _usual_size(self) -> int:
        """The side of pictures where nobody says it, which the model takes; first asked by
        `get_ready`, as finding out takes a pass."""
        own = self.model.preprocessing.size
        usual = min(USUAL_SIZE, own)
        return usual if usual == own or self.model.takes(usual) else own

    def _drop_oldest(self) -> None:
        resting = [key for key, run in self._runs.items() if not run.askers]
        for key in resting[: max(0, len(resting) - RESTING)]:
            self._turns.drop(self._runs.pop(key))

    def _climb(self, run: Run) -> None:
        try:
            self._turns.wait(run)
            run.begun = time.perf_counter()
            one = ENGINE.experiment(self.model, run.node, run.unit, run.job)
            watch = Watch(lambda state: self._after_step(run, state))
            optimize(self.model, one.target, one.settings, seeds=one.seeds, on_step=watch)
        except Dropped:
            pass
        except Exception as error:  # of a network: whatever it is
            with self._turns.changed:
                askers, run.askers = run.askers, []
            for asker in askers:
                self._fail(asker.number, error)
        finally:
            with self._turns.changed:
                self._runs = {key: other for key, other in self._runs.items() if other is not run}
            self._turns.leave(run)

    def _after_step(self, run: Run, state: StepState) -> None:
        """Tell of the step, and come back when it is this one's turn for another."""
        run.step, run.pictures = state.step, None
        askers, now = list(run.askers), time.perf_counter()
        due = run.step == 1 or now - run.framed >= EVERY
        shown = None
        if due or not askers or any(asker.steps <= run.step for asker in askers):
            run.pictures = state.pictures()
        if due and askers:
            run.framed, shown = now, frame(self._mosaic(run)[None], FRAME_SIDE)
        for asker in askers:
            self._tell(asker.number, Step(run.step, max(run.step, asker.steps), shown))
        while True:
            for asker in [one for one in run.askers if one.steps <= run.step]:
                self._finish(run, asker)
            self._turns.give_up(run, time.perf_counter() - run.begun)
            self._turns.wait(run)
            run.begun = time.perf_counter()
            if any(asker.steps > run.step for asker in run.askers):
                return

    def _mosaic(self, run: Run) -> np.ndarray:
        assert run.pictures is not None
        return common.mosaic(run.pictures, TOGETHER[int(run.job.recipe["together"])])

    def _finish(self, run: Run, asker: Asker) -> None:
        """Its picture is there: measure it, have it kept if it is to be, and tell."""
        with self._turns.changed:
            if asker in run.askers:
                run.askers.remove(asker)
        try:
            self._deliver(run, asker)
        except Exception as error:  # it costs this wish, not the picture
            self._fail(asker.number, error)

    def _deliver(self, run: Run, asker: Asker) -> None:
        assert run.pictures is not None
        now = time.perf_counter()
        started = run.begun - run.spent
        made = ENGINE.finished(self.model, run.node, run.unit, asker.job, run.pictures, started)
        if not math.isfinite(made.score):
            raise MicrographError(f"{run.node}/{run.unit} came out without finite numbers")
        answer = {
            **made.data,
            "step": run.step,
            "score": made.score,
            "seconds": round(now - started, 3),
            "map": self._map(run),
            "recipe": dict(asker.job.recipe),
            "recipe_digest": digest(asker.job.recipe),
            "frame": frame(self._mosaic(run)[None], FINAL_SIDE, FINAL, 90),
        }
        if asker.folder is None:
            self._tell(asker.number, Answer(answer))
            return
        folder, found = asker.folder, as_stored(ENGINE, self.model, asker.job, made)

        def save() -> None:
            try:
                store(self.model, folder, found)
            except Exception as error:
                self._fail(asker.number, error)
            else:
                self._tell(asker.number, Stored(f"{run.node}/{run.unit}"))
                self._tell(asker.number, Answer(answer))

        self._savers = [one for one in self._savers if one.is_alive()]
        self._savers.append(threading.Thread(target=save))
        self._savers[-1].start()

    @torch.no_grad()
    def _map(self, run: Run) -> list[int]:
        """Rows and columns of the node's map on pictures of this size; none where it has none."""
        size = run.job.recipe["size"]
        grey = torch.full((1, 3, size, size), 0.5, device=self.model.device)
        return list(self.model.run(grey, [run.node])[run.node].shape[2:])

    def _fail(self, number: int, error: Exception) -> None:
        told = in_one_line(error)
        self._tell(number, Failed(str(told), told.status))
