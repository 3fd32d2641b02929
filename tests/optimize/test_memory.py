import pytest
import torch
from torch import nn

from micrograph.models import load
from micrograph.optimize import memory


def test_free_memory_is_that_of_this_machine() -> None:
    free = memory.free_bytes(torch.device("cpu"))
    assert 1 << 24 < free < 1 << 45


def test_batches_shrink_with_the_size_and_never_below_one() -> None:
    model = load("toytown")
    sizes = [memory.batch_size(model, "mixed4a", size) for size in (64, 1024, 2048, 4096)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 16
    assert sizes[-1] >= 1


def test_little_memory_means_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load("toytown")
    monkeypatch.setattr(memory, "free_bytes", lambda device: 200 << 20)
    few = memory.batch_size(model, "mixed4a", 224)
    monkeypatch.setattr(memory, "free_bytes", lambda device: 0)
    assert 1 <= few < 16
    assert memory.batch_size(model, "mixed4a", 224) == 1


def test_the_estimate_covers_what_a_step_takes() -> None:
    """Twice the batch must not take more than the estimate allows; measured by torch itself."""
    from torch.profiler import profile

    from micrograph.optimize import Settings, channel, optimize

    model = load("toytown")
    settings = Settings(size=96, steps=1, precision="fp32")
    model.passes  # noqa: B018 - looked at once, before
    with profile(profile_memory=True) as measured:
        optimize(model, channel("mixed4a", [0, 1]), settings, seeds=[(0,), (1,)])
    peak = running = 0
    for event in measured.profiler.kineto_results.events():
        if event.name() == "[memory]":
            running += event.nbytes()
            peak = max(peak, running)
    free = memory.free_bytes(model.device)
    place, values = model.node("mixed4a"), 3 * 96 * 96
    for node in model.nodes.values():
        if node.index <= place.index:
            values += node.units * (node.shape[0] + 1) * (node.shape[1] + 1)
    assert 0 < peak < 2 * values * 4 * 4
    assert free > peak


def test_real_out_of_memory_errors_are_known() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 55, dtype=torch.uint8)
    assert memory.is_out_of_memory(caught.value)
    assert memory.is_out_of_memory(MemoryError())
    assert not memory.is_out_of_memory(RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError) as other:
        nn.Linear(2, 3)(torch.zeros(1, 5))
    assert not memory.is_out_of_memory(other.value)
