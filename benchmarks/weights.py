"""Weights between two blocks of BVLC GoogLeNet, against plain autograd unit by unit.

    python benchmarks/weights.py

Prints the table of docs/benchmarks.md, in seconds of one core. Both sides work on one linearized network, that of
`micrograph.weights`, so that the ratio is about how kernels are taken from it, and their kernels are
compared. Plain autograd is what one would write: the picture goes through the network up to the
target, one value of the unit is taken, its gradient at the source is the kernel.
"""

import itertools
import resource
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

import micrograph
from micrograph.models.linear import weights as ours
from micrograph.models.linear.route import Route
from micrograph.models.model import Model

SOURCE, TARGET = "inception_4b", "inception_4c"
SOME = range(0, 512, 64)
"""Units that plain autograd is timed at; all of them would take it minutes."""


def seconds(work: Callable[[], object], times: int) -> float:
    """The median of some calls, in time of the processor: others may use the machine, too."""
    found = []
    for _ in range(times):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return statistics.median(found)


def afresh(model: Model, **asked: object) -> micrograph.Weights:
    """As somebody's first question about these nodes: nothing is remembered."""
    ours._KNOWN.pop(model, None)
    return micrograph.weights(model, SOURCE, TARGET, **asked)  # type: ignore[arg-type]


class Plain:
    """Autograd unit by unit, over the map of the network's own size."""

    def __init__(self, model: Model) -> None:
        size = model.preprocessing.size
        pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
        nodes = model.node(SOURCE), model.node(TARGET)
        self.route = Route(model, *nodes, model.preprocessing.apply(pixels))
        self.passed = self.route.passed()

    def kernel(self, unit: int, *, again: bool) -> Tensor:
        """[source, y, x]; with `again` the pass is made for it, else one pass serves all units."""
        passed = self.route.passed() if again else self.passed
        assert passed.target is not None
        value = passed.target[unit, 7, 7]
        (found,) = torch.autograd.grad(value, passed.source, retain_graph=not again)
        return found[:, 5:10, 5:10]


def main() -> None:
    torch.set_num_threads(1)
    model = micrograph.load("inceptionv1_caffe")
    model.passes  # noqa: B018 - found when a model runs first
    plain = Plain(model)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = afresh(model)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    for unit in SOME:
        kernel = plain.kernel(unit, again=False)
        difference = (kernel - found.kernels[unit]).norm() / kernel.norm()
        assert difference < 1e-5, f"unit {unit}: kernels differ by {difference}"
    every = seconds(lambda: afresh(model), 3)
    one = seconds(lambda: afresh(model, units=447).strongest(447, 50), 3)
    next_one = seconds(lambda: micrograph.weights(model, SOURCE, TARGET, units=3).strongest(3), 3)
    units = itertools.cycle(SOME)
    whole = seconds(lambda: plain.kernel(next(units), again=True), len(SOME))
    kept = seconds(lambda: plain.kernel(next(units), again=False), len(SOME))
    n = len(found.units)
    print("| what | seconds | plain autograd, a pass each | ratio | one pass for all | ratio |")
    print("|---|---|---|---|---|---|")
    for name, own, count in (
        (f"all {n} x {len(found.sources)} kernels", every, n),
        ("50 strongest inputs of one unit, asked first", one, 1),
        ("... of another unit", next_one, 1),
    ):
        a, b = whole * count, kept * count
        print(f"| {name} | {own:.3g} | {a:.3g} | {a / own:.3g}x | {b:.3g} | {b / own:.2g}x |")
    print(f"\nMore memory at the peak: {memory:.0f} MB, of which the kernels are 26 MB.")


if __name__ == "__main__":
    main()
