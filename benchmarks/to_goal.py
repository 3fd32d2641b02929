"""How long a build of Micrograph takes to drive units to given activations, as JSON.

    python benchmarks/to_goal.py '{"node": "4c", "units": [0, 64], "goals": [312, 305]}'

What benchmarks/against_lucent.py runs in a process of its own, for this checkout and for older ones
(PYTHONPATH says which): pictures of 224 px of BVLC GoogLeNet, the channel objective, settings as
they are by default, `batch` units at a time. One run looks at the pictures on the way; others of
the same length are timed. Without `goals` it says what is reached after `steps` steps.
"""

import contextlib
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph import optimize as opt
from micrograph.models import load
from micrograph.models.model import Model

SIZE, MOST = 224, 128


@torch.no_grad()
def evaluate(model: Model, node: str, images: Tensor, units: list[int]) -> list[float]:
    """The neutral evaluator: pictures [batch, 3, y, x] in 8 bits, resized to 224 px, fp32, each
    unit's mean over the map."""
    images = (images * 255).round() / 255
    if images.shape[-1] != SIZE:
        images = F.interpolate(images, size=SIZE, mode="bilinear", antialias=True)
    maps = model.run(images, [node])[node].mean((2, 3))
    return [maps[i, unit].item() for i, unit in enumerate(units)]


def climb(model: Model, node: str, units: list[int], steps: int, look=None) -> None:
    """A run of that many steps; `look(step, pictures)` may raise StopIteration."""
    now: list[Tensor] = []

    class Watched(opt.FourierImage):
        def image(self, params: Tensor) -> Tensor:
            now[:] = [params]
            return super().image(params)

    canvas = Watched(SIZE)

    def on_step(step: int, steps: int) -> None:
        if look is not None:
            with torch.no_grad():
                look(step, opt.FourierImage.image(canvas, now[0]))

    with contextlib.suppress(StopIteration):
        opt.optimize(
            model,
            opt.channel(node, units),
            opt.Settings(size=SIZE, steps=steps),
            seeds=[(0, unit) for unit in units],
            parameterization=canvas,
            on_step=on_step,
        )


def steps_needed(model: Model, node: str, units: list[int], goals: list[float], every: int):
    """The first step, of every `every`-th, at which each of the first units is at its goal; None
    where `MOST` steps do not lead there."""
    needed: list[int | None] = [None] * len(goals)

    def look(step: int, pictures: Tensor) -> None:
        if step % every:
            return
        scores = evaluate(model, node, pictures[: len(goals)], units)
        for i, (score, goal) in enumerate(zip(scores, goals, strict=False)):
            if score >= goal and needed[i] is None:
                needed[i] = step
        if None not in needed:
            raise StopIteration

    climb(model, node, units, MOST, look)
    return needed


def main() -> None:
    asked = json.loads(sys.argv[1])
    torch.set_num_threads(asked.get("threads", torch.get_num_threads()))
    model = load("inceptionv1_caffe")
    node, wanted = model.node(asked["node"]).id, asked["units"]
    others = [u for u in range(model.nodes[node].units) if u not in wanted]
    batch = asked.get("batch", 16)
    units = (wanted + others[:: max(1, len(others) // batch)])[: max(batch, len(wanted))]
    if "goals" not in asked:
        found: list[float] = []

        def look(step: int, pictures: Tensor) -> None:
            if step == asked["steps"]:
                found[:] = evaluate(model, node, pictures[: len(wanted)], wanted)
                raise StopIteration

        climb(model, node, units, MOST, look)
        print(json.dumps({"goals": found}))
        return
    needed = steps_needed(model, node, units, asked["goals"], asked.get("every", 2))
    length = max(step or MOST for step in needed)
    wall, cpu = [], []
    for _ in range(asked.get("runs", 3)):
        started = time.perf_counter(), time.process_time()
        climb(model, node, units, length)
        wall.append(time.perf_counter() - started[0])
        cpu.append(time.process_time() - started[1])
    each = length * len(units)
    result = {
        "needed": needed,
        "batch": len(units),
        "step_s": statistics.median(wall) / each,
        "step_cpu_s": statistics.median(cpu) / each,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
