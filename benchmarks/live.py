"""The live microscope: how soon a picture is there, how soon it ends, and pages beside it.

    python benchmarks/live.py [--write] [--rounds 5] [--model inceptionv1_caffe/inception_4c]
        [--goals FILE]

Starts `micrograph serve` over copies of the bundled atlases and asks it over loopback as a browser
does; under three minutes. Everything is measured in one run, in rounds that take turns:

- the first frame of a worker that is not there yet: by the clock, and in seconds of a processor,
  which other work on the machine does not change;
- first frame, ten frames, and 64 steps at 128 px, by a worker that has the model; of as many
  different units as there are rounds, and the same beside a render of a whole model in the
  background, as the demo has it;
- the steps that are still made after the reader closed the connection: the same picture is asked
  for again, and says where it goes on;
- the time of unit pages, each made anew, while nothing is watched, while one picture is, and while
  the queue is full: 16 readers from as many addresses;
- with `--goals`, what benchmarks/against_lucent.py keeps with its `--work` (activations that Lucent
  reaches in its 512 steps): the time from the click until the frame that reaches it, of as many
  seeds as there are rounds. The activation is that of the frame as the reader gets it, compressed,
  in fp32, the mean over the map on the picture at its own size, where Lucent's was enlarged.

`--write` puts the table into docs/benchmarks.md.
"""

import argparse
import base64
import contextlib
import http.client
import io
import itertools
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sites import free_port, wait_for

from micrograph.atlas import bundled_gallery
from micrograph.cards import card
from micrograph.models import load
from micrograph.weights import store

HERE = Path(__file__).parent.parent
DOCS = HERE / "docs" / "benchmarks.md"
START, END = "<!-- benchmarks/live.py -->\n", "<!-- end -->\n"
STEPS, SIZE = 64, 128
READERS = 16
PAGES = 60
"""Unit pages in a round."""
OWN = {"accept": "text/event-stream", "sec-fetch-site": "same-origin", "host": "localhost"}


class Watched:
    """A picture that is made while somebody reads its events, until `leave`."""

    def __init__(self, port: int, path: str, client: str = "") -> None:
        more = {"x-forwarded-for": client} if client else {}
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.started = time.perf_counter()
        self._link.request("GET", path, headers={**OWN, **more})
        self._answer = self._link.getresponse()

    def events(self) -> Iterator[tuple[float, str, dict[str, object]]]:
        """Seconds since it was asked for, the name of each event and its data."""
        name = ""
        for line in self._answer:
            if line.startswith(b"event: "):
                name = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                yield time.perf_counter() - self.started, name, json.loads(line[6:])

    def leave(self) -> None:
        """Close the connection, as a browser does."""
        if self._link.sock is not None:
            self._link.sock.close()
        self._answer.close()
        self._link.close()


@contextlib.contextmanager
def site() -> Iterator[tuple[int, int]]:
    """Port and process of a site over copies of the bundled atlases, which it may write beside."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        for atlas in bundled_gallery().glob("*.atlas"):
            shutil.copy(atlas, folder)
        command = [sys.executable, "-m", "micrograph", "serve", "--atlas", folder]
        env = {**os.environ, "PYTHONPATH": str(HERE / "src")}
        env.pop("OMP_NUM_THREADS", None)  # workers take all processors, as they do for everybody
        with subprocess.Popen(
            [*command, "--port", str(port)], env=env, stdout=subprocess.DEVNULL
        ) as process:
            try:
                wait_for(port, process)
                yield port, process.pid
            finally:
                process.terminate()


class Bench:
    """The measurements, on units of one node that no other measurement takes."""

    def __init__(self, port: int, process: int, node: str) -> None:
        self.port, self.process, self.node = port, process, node
        self.units = itertools.count(0)
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        link.request("GET", f"/models/{node}.json", headers={"host": "localhost"})
        self.pages = itertools.cycle(range(json.load(link.getresponse())["node"]["units"]))
        link.close()

    def path(self, steps: int, unit: int | None = None, seed: int = 0) -> str:
        unit = next(self.units) if unit is None else unit
        return f"/models/{self.node}/{unit}/live?steps={steps}&size={SIZE}&seed={seed}"

    def picture(self) -> dict[str, float]:
        """Seconds until the first frame, the tenth and the end."""
        watched, frames, found = Watched(self.port, self.path(STEPS)), 0, {}
        for at, name, data in watched.events():
            if name == "failed":
                raise RuntimeError(str(data["message"]))
            if name == "frame":
                frames += 1
                found.setdefault("first frame", at)
                if frames == 10:
                    found["ten frames"] = at
                if data.get("done"):
                    found[f"{STEPS} steps"] = at
        watched.leave()
        found.setdefault("ten frames", found[f"{STEPS} steps"])
        return found

    def cold(self) -> tuple[float, float]:
        """Seconds until the first frame where no worker is there, and those that the worker had a
        processor until then."""
        watched = Watched(self.port, self.path(2000))
        at = next(at for at, name, _ in watched.events() if name == "frame")
        spent = self.processor_seconds()
        watched.leave()
        return at, spent

    def processor_seconds(self) -> float:
        """What the site's workers of live pictures have used so far, in seconds of a processor."""
        ticks = 0
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                told = (process / "stat").read_text().rpartition(")")[2].split()
                if words[2:4] == [b"micrograph", b"live"] and int(told[1]) == self.process:
                    ticks += int(told[11]) + int(told[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def frames(self, unit: int, seed: int) -> list[tuple[float, float, str]]:
        """Each frame of a picture: when it came, what processor time the worker had used for it
        until then, and the frame itself."""
        before = self.processor_seconds()
        watched = Watched(self.port, self.path(STEPS, unit, seed))
        found = [
            (at, self.processor_seconds() - before, str(data["frame"]))
            for at, name, data in watched.events()
            if name == "frame"
        ]
        watched.leave()
        return found

    def steps_after_leaving(self) -> float:
        """Steps that are made after the reader has left."""
        path = self.path(2000)
        watched, seen = Watched(self.port, path), 0
        for at, _, data in watched.events():
            seen = int(str(data["step"]))
            if at > 0.5 and seen > 3:
                break
        watched.leave()
        time.sleep(1)
        again = Watched(self.port, path)
        first = next(int(str(data["step"])) for _, _, data in again.events() if data["step"])
        again.leave()
        return first - 1 - seen

    def page_times(self) -> list[float]:
        """Milliseconds of unit pages that were not made before."""
        link, times = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), []
        for _ in range(PAGES):
            path = f"/models/{self.node}/{next(self.pages)}"
            started = time.perf_counter()
            link.request("GET", path, headers={"host": "localhost", "accept-encoding": "gzip"})
            link.getresponse().read()
            times.append(1000 * (time.perf_counter() - started))
        link.close()
        return times

    @contextlib.contextmanager
    def watching(self, readers: int) -> Iterator[None]:
        """While so many readers watch long pictures."""
        watched = [Watched(self.port, self.path(2000), f"10.0.0.{k + 1}") for k in range(readers)]
        threads = [threading.Thread(target=_drain, args=(one,), daemon=True) for one in watched]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        try:
            yield
        finally:
            for one in watched:
                one.leave()
            time.sleep(0.5)

    @contextlib.contextmanager
    def rendering(self, model: str) -> Iterator[None]:
        """While a whole model is rendered in the background."""
        self._post(f"/models/{model}/render", "start")
        end = time.perf_counter() + 60
        while self._post(f"/models/{model}/render", "state") < 1 and time.perf_counter() < end:
            time.sleep(0.5)
        try:
            yield
        finally:
            self._post(f"/models/{model}/render", "stop")

    def _post(self, path: str, what: str) -> int:
        """Results stored so far."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {**OWN, "accept": "application/json", "content-type": "application/json"}
        link.request("POST", path, json.dumps({"do": what}), headers)
        told = json.loads(link.getresponse().read())
        link.close()
        return int(told["render"]["stored"])


def goals_of(file: Path | None, node: str) -> dict[int, float]:
    """The activations that are to be reached, of units of a node."""
    told = json.loads(file.read_text()) if file is not None else {}
    last = node.rpartition("/")[2]
    goals = {}
    for place, value in told.items():
        named, _, unit = place.rpartition("/")
        if named == last:
            goals[int(unit)] = float(value["goal"] if isinstance(value, dict) else value)
    return goals


def reached(bench: Bench, goals: dict[int, float], rounds: int) -> list[str]:
    """A table: when frames reach what Lucent reaches."""
    lines = [
        "| unit | activation that Lucent reaches | frame that reaches it, s | of a processor, s |",
        "|---|---|---|---|",
    ]
    told = {unit: [bench.frames(unit, seed) for seed in range(rounds)] for unit in goals}
    model, node = load(bench.node.partition("/")[0]), bench.node.rpartition("/")[2]
    for unit, goal in goals.items():
        found = []
        for frames in told[unit]:
            pictures = torch.stack([_decoded(frame) for *_, frame in frames])
            with torch.no_grad():
                values = model.run(pictures, [node])[node][:, unit].mean((1, 2)).tolist()
            there = [one for one, value in zip(frames, values, strict=True) if value >= goal]
            found.append(there[0][:2] if there else (math.inf, math.inf))
        clock, spent = (statistics.median(times) for times in zip(*found, strict=True))
        said = f"{clock:.2f} | {spent:.2f}" if clock < math.inf else f"not in {STEPS} steps | "
        lines.append(f"| {node}/{unit} | {goal:.0f} | {said} |")
    return lines


def _decoded(frame: str) -> torch.Tensor:
    """A frame as [3, y, x] in 0..1."""
    picture = Image.open(io.BytesIO(base64.b64decode(frame.partition(",")[2]))).convert("RGB")
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255


def _drain(watched: Watched) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
        for _ in watched.events():
            pass


def medians(measure: Callable[[], dict[str, float]], rounds: int) -> dict[str, float]:
    """The median of each number over rounds."""
    found = [measure() for _ in range(rounds)]
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def p99(times: list[float]) -> float:
    return sorted(times)[math.ceil(0.99 * len(times)) - 1]


def measured(node: str, rounds: int, goals: dict[int, float]) -> str:
    """The tables."""
    chosen = card(node.partition("/")[0])
    with site() as (port, process):
        bench = Bench(port, process, node)
        cold, spent = bench.cold()
        to_goals = reached(bench, goals, rounds) if goals else []
        alone = medians(bench.picture, rounds)
        left = statistics.median(bench.steps_after_leaving() for _ in range(rounds))
        pages: dict[int, list[float]] = {0: [], 1: [], READERS: []}
        bench.page_times()
        for _ in range(rounds):
            for readers, times in pages.items():
                with bench.watching(readers) if readers else contextlib.nullcontext():
                    times += bench.page_times()
        with bench.rendering("toytown"):
            beside = medians(bench.picture, rounds)
    lines = [
        f"{_machine()}; {chosen.id}, {node.rpartition('/')[2]}, {SIZE} px, medians of {rounds}:",
        "",
        "| | alone, s | beside a render of a whole model, s | ratio |",
        "|---|---|---|---|",
        f"| first frame, worker not started ({spent:.1f} s of a processor) | {cold:.2f} | | |",
        *(_row(name, alone[name], beside[name]) for name in alone),
        "",
        f"Steps made after the reader left: {left:.0f}.",
        "",
        "| unit pages, made anew, while | p50, ms | p99, ms | p99 to that of an idle site |",
        "|---|---|---|---|",
    ]
    words = {0: "nothing is watched", 1: "one picture is watched", READERS: "16 readers watch"}
    for readers, times in pages.items():
        p50, ratio = statistics.median(times), p99(times) / p99(pages[0])
        lines.append(f"| {words[readers]} | {p50:.1f} | {p99(times):.1f} | {ratio:.2f} |")
    lines += ["", *to_goals] if to_goals else []
    return "\n".join(lines) + "\n"


def _row(name: str, alone: float, beside: float) -> str:
    return f"| {name} | {alone:.2f} | {beside:.2f} | {beside / alone:.2f} |"


def _machine() -> str:
    name = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    amx = "with AMX" if "amx_bf16" in Path("/proc/cpuinfo").read_text() else "no AMX"
    return f"{os.cpu_count()} cores, {name} ({amx}), torch {torch.__version__}"


def write(table: str) -> None:
    """Put the tables into the documentation, in the place of the last ones."""
    text = DOCS.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    DOCS.write_text(f"{before}{START}{table}{END}{after}", encoding="utf-8")


def usual_node() -> str:
    """A node of the real GoogLeNet where its weights are, of the small network else."""
    here = store.status(card("inceptionv1_caffe")).path is not None
    return "inceptionv1_caffe/inception_4c" if here else "toytown/mixed4a"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the tables into the docs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default=usual_node(), help="a node, as MODEL/NODE")
    parser.add_argument("--goals", type=Path, help="activations that Lucent reaches, as JSON")
    given = parser.parse_args()
    table = measured(given.model, given.rounds, goals_of(given.goals, given.model))
    print(table)
    if given.write:
        write(table)


if __name__ == "__main__":
    main()
