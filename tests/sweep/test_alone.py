"""Sweeps of networks through which pictures go one at a time."""

import nets
import numpy as np
import torch
from torch import nn

from micrograph.sweep.look import Look


def test_what_is_seen_of_a_picture_is_what_is_seen_of_it_alone() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nets.conv(), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU(), nets.conv(4)
    )
    model = nets.under_microscope(net)
    assert model.passes.alone
    look = Look(model, [model.nodes["2"], model.nodes["3"]])
    pictures = torch.rand(3, 3, 32, 32) * torch.tensor([1.0, 0.1, 0.5]).view(-1, 1, 1, 1)
    seen = look(pictures, 0, True)
    with torch.no_grad():
        values = [net[:3](pictures[k : k + 1])[0].flatten(1) for k in range(3)]
        last = [net(pictures[k : k + 1])[0].flatten(1) for k in range(3)]
    for k in range(3):
        both = torch.cat([values[k], last[k]])
        assert np.allclose(seen.top[k], both.amax(1), atol=1e-5)
        assert np.allclose(seen.low[k], both.amin(1), atol=1e-5)
        assert np.allclose(seen.mean[k], both.mean(1), atol=1e-5)
