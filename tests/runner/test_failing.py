"""What goes wrong with one node costs that node, in sweeps as well."""

from pathlib import Path

import nets
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from micrograph.errors import BadInput, MicrographError, Unavailable
from micrograph.models.model import Model
from micrograph.runner import render
from micrograph.runner.failing import Listener, by_reason, in_one_line, unusable
from micrograph.steps import StepState, Watch, tell

QUICK = {"size": 32, "steps": 2, "units": "0"}


class Folding(nn.Module):
    """Its node `odd` gives one row for two pictures, once it was watched."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.odd, self.last = nets.conv(), nets.conv(4), nets.conv(4)
        self.folds = False

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        if self.folds:
            raise_for(x)
        return self.last(x) + self.odd(x).mean()


def raise_for(x: Tensor) -> None:
    raise RuntimeError("the middle broke")


def test_a_sweep_goes_on_without_the_nodes_that_break(tmp_path: Path) -> None:
    model = nets.under_microscope(Folding())
    assert {"first", "odd", "last"} <= set(model.nodes)
    model.passes  # noqa: B018 - found while it is whole
    model.module.folds = True
    assert set(unusable(model, ["first", "odd", "last"])) == {"odd", "last"}
    done = render(
        model, tmp_path, technique=["tuning"], nodes=["first", "odd", "last"], variants=["rings"]
    )
    assert done.rendered == 1
    assert set(done.failed) == {"odd", "last"}
    assert "2 nodes could not be rendered (last, odd: RuntimeError: the middle broke)" in str(done)


def test_a_detached_node_costs_no_other(tmp_path: Path) -> None:
    class Detached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nets.conv(), nets.conv(4)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.first(x).detach())

    model = nets.under_microscope(Detached())
    done = render(model, tmp_path, nodes=["first", "last"], **QUICK)
    assert (done.rendered, list(done.failed)) == (1, ["last"])
    assert "no gradient leads from last" in str(done)
    with pytest.raises(BadInput, match="no gradient leads from last of net to the picture"):
        render(model, tmp_path / "other", nodes=["last"], **QUICK)


def test_options_that_fit_some_nodes_cost_the_others_only(tmp_path: Path) -> None:
    net = nn.Sequential(nets.conv(), nn.ReLU(), nets.conv(4), nn.ReLU(), nets.conv(4))
    model = nets.under_microscope(net)
    asked = {"technique": ["accentuate"], "below": "2", "images": ["owl"], "units": "0", "steps": 2}
    done = render(model, tmp_path, nodes=["1", "4"], **asked)
    assert (done.rendered, list(done.failed)) == (1, ["1"])
    with pytest.raises(BadInput, match="2 is not below 1"):
        render(model, tmp_path, nodes=["1"], **asked)


def test_the_same_sweep_whatever_is_beside_a_picture(tmp_path: Path) -> None:
    """Live statistics: the responses to each stimulus are those to it alone."""
    net = nn.Sequential(nets.conv(), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU())
    model = nets.under_microscope(net)
    from micrograph import lenses
    from micrograph.lenses.engines.base import Rendered

    lens = lenses.get("tuning")
    (job,) = lens.jobs(model, variants=["rings"])
    made = lens.sweep(model, {"2": [0]}, job, tmp_path)
    (found,) = [one for one in made if isinstance(one, Rendered)]
    responses = found.result.responses.reshape(4, -1)
    stimuli = job.context
    for number in (0, 5, len(stimuli) - 1):
        pixels = torch.from_numpy(stimuli.picture(number)).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad():
            values = net(pixels)[0]
        at = found.result.position
        expected = values.flatten(1)[:, at].numpy()
        assert np.allclose(responses[:, number], expected, atol=2e-3)


def test_a_network_without_nodes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Model, "nodes", property(lambda model: {}))
    with pytest.raises(BadInput, match="net has no nodes"):
        render(nets.under_microscope(nets.Residual()), tmp_path)
    assert not list(tmp_path.iterdir())


def test_whoever_listens_may_stop_the_work() -> None:
    def stop(step: int, steps: int) -> None:
        raise KeyError("enough")

    listener = Listener(stop)
    with pytest.raises(KeyError):
        tell(listener.hook, StepState(1, 2))
    assert listener.raised
    heard: list[StepState] = []
    quiet = Listener(Watch(heard.append))
    quiet.hook(1, 2)
    assert heard == [StepState(1, 2)]
    assert not quiet.raised


def test_reasons_are_one_line_each() -> None:
    told = in_one_line(ValueError("first\nsecond"))
    assert str(told) == "ValueError: first"
    assert str(in_one_line(KeyError())) == "KeyError"
    own = Unavailable("no room")
    assert in_one_line(own) is own
    failed: dict[str, MicrographError] = dict.fromkeys("abcde", told) | {"z": own}
    assert by_reason(failed) == ["a, b, c and 2 more: ValueError: first", "z: no room"]


def test_models_that_fail_elsewhere_are_usable() -> None:
    model = nets.under_microscope(nets.Residual())
    assert isinstance(model, Model)
    assert unusable(model, list(model.nodes)) == {}
