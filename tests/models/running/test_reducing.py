"""Less than the values of nodes, taken out of a pass while it runs."""

import gc

import pytest
import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef

from micrograph.models import load
from micrograph.models.model import Model
from micrograph.models.running import reducing


def largest(node: str, values: Tensor) -> tuple[Tensor, ...]:
    return (values.flatten(2).amax(2) if values.ndim > 2 else values.clone(),)


def test_it_is_what_whole_values_give() -> None:
    model = load("toytown")
    model.attach("mixed4a", torch.eye(152)[:5], name="axes")
    images = torch.rand(3, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    names = ["conv0", "mixed4a", "mixed4a.axes", "logits"]
    with torch.no_grad():
        found = model.reduced(images, names, largest)
        whole = model.run(images, names)
    for name in names:
        assert torch.equal(found[name][0], largest(name, whole[name])[0])


def test_latents_are_worked_out_for_few_pictures_at_a_time(monkeypatch) -> None:
    monkeypatch.setattr(reducing, "LATENTS", 1)
    monkeypatch.setattr("micrograph.models.model.LATENTS", 1)
    model = load("toytown")
    model.attach("mixed4a", torch.eye(152)[:5], name="axes")
    sizes: list[int] = []

    def noted(node: str, values: Tensor) -> tuple[Tensor, ...]:
        sizes.append(len(values))
        return largest(node, values)

    images = torch.rand(3, 3, 96, 96)
    with torch.no_grad():
        (found,) = model.reduced(images, ["mixed4a.axes"], noted)["mixed4a.axes"]
        whole = model.run(images, "mixed4a.axes")["mixed4a.axes"].amax((2, 3))
    assert sizes == [1, 1, 1]
    assert torch.allclose(found, whole)


class OneByOne(nn.Module):
    """Of a picture it makes something else beside others."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x - x.mean())


def test_pictures_that_go_through_alone_are_put_together() -> None:
    model = Model.of(OneByOne(), id="alone", preprocessing="16,0..1")
    assert model.passes.alone
    images = torch.rand(3, 3, 16, 16)
    with torch.no_grad():
        (found,) = model.reduced(images, ["conv"], largest)["conv"]
        assert torch.equal(found, model.run(images, "conv")["conv"].amax((2, 3)))


class Chain(nn.Module):
    """Forgets each value as soon as the next is there, and counts those that live."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3, 3, 1) for _ in range(12))
        self.most = 0

    def forward(self, x: Tensor) -> Tensor:
        made: list[StorageWeakRef] = []
        for layer in self.layers:
            x = layer(x)
            made.append(StorageWeakRef(x.untyped_storage()))
            self.most = max(self.most, sum(not one.expired() for one in made))
        return x


@pytest.mark.parametrize("watched", [True, False])
def test_values_are_let_go_on_the_way(watched: bool) -> None:
    """Those of a pass that is watched, and those that were reduced."""
    module = Chain().eval()
    model = Model.of(module, id="chain", preprocessing="16,0..1")
    gc.disable()
    try:
        names = list(model.nodes)
        if not watched:
            model.passes  # noqa: B018 - looked at once, before
            module.most = 0
            with torch.no_grad():
                model.reduced(torch.rand(2, 3, 16, 16), names, largest)
    finally:
        gc.enable()
    assert len(names) == 12
    assert module.most <= 3


def test_how_many_go_together_depends_on_the_largest_node(monkeypatch) -> None:
    model = Model.of(Chain(), id="chain", preprocessing="16,0..1")
    assert model.together(16) == 16
    monkeypatch.setattr(reducing, "LARGEST", 3 * 3 * 16 * 16)
    assert model.together(16) == 3
    monkeypatch.setattr(reducing, "LARGEST", 1)
    assert model.together(16) == 1
