"""Rendering on demand: the site starts the `render` command as a process of its own.

So the site never imports torch, a render that fails takes nothing with it, and the picture arrives
the same way as from any other render: through the atlas.
"""

import importlib.util
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from micrograph.errors import Conflict, Unavailable
from micrograph.lenses import lead, lens
from micrograph.parts.urls import Urls
from micrograph.web.render_state import RenderState

WAITING = 4
"""Renders that may wait behind the one at work."""
REMEMBERED = 64
TIME_LIMIT = 1800.0
"""Seconds after which a render is given up."""
_WAITING_STATES = ("queued", "running")


@dataclass
class Job:
    """One asked-for unit. `state` is "queued", "running", "done" or "failed"."""

    model: str
    node: str
    unit: int
    state: str = "queued"
    message: str = ""


def render_command(job: Job, folder: Path) -> list[str]:
    """What is run for a job: the command a person would type, for every view of the lens.

    `--orphan-stops` ends it when its standard input closes, so it never outlives the site.
    """
    return [
        sys.executable,
        "-m",
        "micrograph",
        "render",
        job.model,
        "--node",
        job.node,
        "--units",
        str(job.unit),
        "--preset",
        "standard",
        "--atlas",
        str(folder),
        "--orphan-stops",
        *(word for view in lens(lead()[0]).words.views for word in ("--variant", view.variant)),
    ]


class Live:
    """One render at a time and a short queue. `folder` is where pictures go; None: nowhere."""

    def __init__(
        self,
        folder: Path | None,
        urls: Urls,
        command: Callable[[Job, Path], list[str]] = render_command,
    ) -> None:
        self.folder, self.urls, self.command = folder, urls, command
        self._jobs: OrderedDict[tuple[str, str, int], Job] = OrderedDict()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._worker: threading.Thread | None = None
        self._closed = False

    @property
    def reason(self) -> str:
        """Why nothing can be rendered from here, or "" when it can."""
        if self.folder is None:
            return "this site shows its atlases read-only"
        if self.command is render_command and importlib.util.find_spec("torch") is None:
            return "rendering needs torch, which is not installed here: pip install torch"
        place = self.folder
        while not os.path.exists(place) and place != place.parent:
            place = place.parent
        if not os.access(place, os.W_OK):
            return f"the site may not write in {self.folder}"
        return ""

    def state(self, model: str, node: str, unit: int) -> RenderState:
        """What the page of a unit says about rendering it."""
        with self._lock:
            job = self._jobs.get((model, node, unit))
            return RenderState(
                not self.reason,
                self.reason,
                job.state if job else "none",
                job.message if job else "",
                self.urls.render(model, node, unit),
            )

    def ask(self, model: str, node: str, unit: int) -> RenderState:
        """Queue a unit, unless it waits already. Raises Unavailable, or Conflict when full."""
        if self.reason:
            raise Unavailable(self.reason)
        key = (model, node, unit)
        with self._lock:
            known = self._jobs.get(key)
            if known is None or known.state not in _WAITING_STATES:
                waiting = sum(job.state in _WAITING_STATES for job in self._jobs.values())
                if waiting > WAITING:
                    raise Conflict(
                        f"{waiting} units wait to be rendered already; try again in a minute"
                    )
                self._jobs[key] = Job(model, node, unit)
                self._jobs.move_to_end(key)
                self._forget()
                if self._worker is None or not self._worker.is_alive():
                    self._worker = threading.Thread(target=self._work, daemon=True)
                    self._worker.start()
        return self.state(model, node, unit)

    def close(self) -> None:
        """End the render at work; what it finished before is in the atlas."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            if process.poll() is None:
                process.kill()

    def _forget(self) -> None:
        over = [k for k, job in self._jobs.items() if job.state not in _WAITING_STATES]
        for key in over[: max(0, len(self._jobs) - REMEMBERED)]:
            del self._jobs[key]

    def _work(self) -> None:
        """Run queued jobs until none is left."""
        while True:
            with self._lock:
                queued = [job for job in self._jobs.values() if job.state == "queued"]
                if not queued or self._closed:
                    self._worker = None
                    return
                job = queued[0]
                job.state = "running"
            try:
                problem = self._run(job)
            except OSError as error:
                problem = f"the render could not be started: {error}"
            with self._lock:
                job.state, job.message = ("failed", problem) if problem else ("done", "")

    def _run(self, job: Job) -> str:
        """Render; "" when it went well, else one line for the reader."""
        assert self.folder is not None
        lifeline, held = os.pipe()
        try:
            process = subprocess.Popen(
                self.command(job, self.folder),
                stdin=lifeline,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError:
            os.close(held)
            raise
        finally:
            os.close(lifeline)
        with self._lock:
            self._process = process
            if self._closed:
                process.terminate()
        if hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, 10)
        try:
            _, said = process.communicate(timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return f"the render took longer than {TIME_LIMIT / 60:.0f} minutes and was ended"
        finally:
            os.close(held)
            with self._lock:
                self._process = None
        if process.returncode == 0:
            return ""
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        if any("being written by another process" in line for line in lines):
            return (
                "another render is writing this model's atlas; "
                "its pictures appear here by themselves, ask again when it is done"
            )
        if not lines:
            return f"the render ended with status {process.returncode}"
        return lines[-1].removeprefix("error: ")[:400]
