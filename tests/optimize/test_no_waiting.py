"""Nothing of a step is fetched from the device, which would keep it waiting for its next work."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from micrograph import optimize as opt
from micrograph.models import load

FETCHES = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default}


class Fetches(TorchDispatchMode):
    """Counts what on a device would have to wait for it, but for copies."""

    count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.count += func in FETCHES
        return func(*args, **(kwargs or {}))


def fetched(steps: int, monkeypatch: pytest.MonkeyPatch) -> int:
    model, copies = load("toytown"), 0
    to_cpu = torch.Tensor.cpu

    def counted(self: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        nonlocal copies
        copies += 1
        return to_cpu(self, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "cpu", counted)
    settings = opt.Settings(size=32, steps=steps, redirect_steps=0, precision="fp32")
    with Fetches() as found:
        done = opt.optimize(model, opt.channel("conv1", [1, 2]), settings, seeds=[(0,), (1,)])
    monkeypatch.undo()
    assert done.history.shape == (steps, 2)
    assert done.history.device.type == "cpu"
    return found.count + copies


def test_more_steps_fetch_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    few = fetched(2, monkeypatch)
    assert few == fetched(6, monkeypatch)
    assert few > 0, "the pictures themselves are fetched"
