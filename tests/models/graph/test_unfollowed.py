"""What is said of modules that have no node."""

import torch
from nets import SIZE, Tokens, conv, under_microscope
from torch import Tensor, nn

from micrograph.atlas import Atlas, Outline
from micrograph.runner import render
from micrograph.runner.describe import model_record, node_records


class Lost(nn.Module):
    """Behind a part whose axes nobody can follow come two matrices."""

    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.rfft(x, dim=2).real.contiguous()

    def __init__(self) -> None:
        super().__init__()
        self.first, self.odd, self.drop = conv(3, 6), Lost.Odd(), nn.Dropout()
        self.table = nn.Embedding(3, 6)
        self.a, self.b, self.head = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.odd(self.first(x).flatten(2)).transpose(1, 2)
        x = self.b(self.drop(self.a(x)))
        return self.head(x.mean(1) + self.table(torch.tensor([1])))


def test_modules_without_a_node_are_counted_with_the_reason(tmp_path) -> None:
    model = under_microscope(Lost())
    coverage = model.coverage
    assert set(model.nodes) == {"first", "head"}
    # A table read by a number has nothing of the picture, and what drops nothing hands it through.
    assert (coverage.modules, coverage.without) == (5, ("odd", "a", "b"))
    (lost,) = coverage.lost
    assert (lost.first, lost.modules) == ("odd", 3)
    assert lost.reason == "lost at fft_r2c in odd"
    said = "3 of 5 modules have no node: odd and 2 more (lost at fft_r2c in odd)"
    assert str(coverage) == said

    done = render(model, tmp_path, nodes="first", units="0", size=SIZE, steps=1)
    assert said in str(done)
    with Atlas.open(done.path) as atlas:
        assert atlas.model.coverage == coverage
        assert "coverage" not in atlas.model.preprocessing
    outline = Outline(model_record(model), node_records(model))
    assert Outline.load(outline.dump()).model.coverage == coverage
    again = render(model, tmp_path, nodes="first", units="0", size=SIZE, steps=1)
    assert (again.rendered, again.there) == (0, 1)


def test_nothing_is_said_where_all_is_there(tmp_path) -> None:
    model = under_microscope(Tokens())
    assert model.coverage.modules == sum(not list(m.children()) for m in model.module.modules())
    assert str(model.coverage) == ""
    assert model_record(model).coverage is None
    done = render(model, tmp_path, nodes="head", units="0", size=SIZE, steps=1)
    assert "modules" not in str(done)
    with Atlas.open(done.path) as atlas:
        assert atlas.model.coverage is None
