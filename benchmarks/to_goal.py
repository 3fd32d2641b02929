"""How long a build of Micrograph takes to drive units to given activations, as lines of JSON.

    echo '{"node": "4c", "units": [0, 64], "goals": [312, 305]}' | python benchmarks/to_goal.py

What benchmarks/against_lucent.py runs in processes of their own, for this checkout and for an older
one (PYTHONPATH says which): pictures of 224 px of BVLC GoogLeNet, the channel objective, settings
as they are by default, `batch` units at a time. Each line that it reads is one question: with
`goals`, after how many steps each unit is there, looked at on the way; with `steps`, how long one
run of that many takes, by the clock and in time of processors.
"""

import contextlib
import json
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
    model = load("inceptionv1_caffe")
    for line in sys.stdin:
        asked = json.loads(line)
        torch.set_num_threads(asked.get("threads", torch.get_num_threads()))
        node, wanted, batch = model.node(asked["node"]).id, asked["units"], asked.get("batch", 8)
        if "goals" in asked:
            goals = asked["goals"]
            found = {"needed": steps_needed(model, node, wanted, goals, asked.get("every", 2))}
        else:
            others = [u for u in range(model.nodes[node].units) if u not in wanted]
            units = (wanted + others[:: max(1, len(others) // batch)])[: max(batch, len(wanted))]
            started = time.perf_counter(), time.process_time()
            climb(model, node, units, asked["steps"])
            each = asked["steps"] * len(units)
            found = {
                "step_s": (time.perf_counter() - started[0]) / each,
                "step_cpu_s": (time.process_time() - started[1]) / each,
            }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
