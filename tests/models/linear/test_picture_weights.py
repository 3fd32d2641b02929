"""The weights by which first layers read the picture, against the modules' own."""

import pytest
import torch
from torch import Tensor, nn

import micrograph
from micrograph import Model, Preprocessing
from micrograph.errors import Unavailable
from micrograph.models.linear.picture_weights import picture_weights

PLAIN = Preprocessing(24, 24)


def test_a_convolution_in_the_order_of_the_picture() -> None:
    net = nn.Sequential(nn.Conv2d(3, 5, 7, stride=2, padding=3), nn.ReLU(), nn.Conv2d(5, 4, 3))
    for order in ("RGB", "BGR"):
        prepared = Preprocessing(24, 24, scale=255.0, mean=(104.0,) * 3, channel_order=order)
        model = Model.of(net, id="first", preprocessing=prepared)
        found = picture_weights(model, "1")
        own = net[0].weight.detach()
        assert found.channels == "RGB"
        assert torch.equal(found.kernels, own if order == "RGB" else own.flip(1))


def test_batch_norm_is_part_of_it() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
    net[1].running_var.copy_(torch.tensor([1.0, 4.0, 9.0, 16.0]))
    found = picture_weights(Model.of(net, id="normed", preprocessing=PLAIN), "2").kernels
    gain = (net[1].running_var + net[1].eps).rsqrt()
    assert torch.allclose(found, net[0].weight.detach() * gain.view(4, 1, 1, 1), atol=1e-6)


def test_one_channel_and_a_matrix_over_all_pixels() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(12 * 12, 6))
    prepared = Preprocessing(12, 12, mean=(0.5,), channel_order="L")
    found = picture_weights(Model.of(net, id="grey", preprocessing=prepared), "1")
    assert found.channels == "L"
    assert torch.equal(found.kernels.flatten(1), net[1].weight.detach())


def test_the_embedding_of_patches() -> None:
    model = micrograph.load("toytown_vit")
    found = picture_weights(model, "patches")
    own = model.module.get_submodule(model.nodes["patches"].path.partition("#")[0])
    assert torch.allclose(found.kernels, own.weight.detach(), atol=1e-7)


class Twice(nn.Module):
    """Two ways from the picture, without anything between that is not linear."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(3, 4, 5, padding=2), nn.Conv2d(3, 4, 1)
        self.last = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.wide(x) + self.narrow(x))


def test_a_sum_of_two_layers() -> None:
    net = Twice()
    found = picture_weights(Model.of(net, id="twice", preprocessing=PLAIN), "output").kernels
    wanted = net.wide.weight.detach().clone()
    wanted[:, :, 2:3, 2:3] += net.narrow.weight.detach()
    assert torch.allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("net", "node", "said"),
    [
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)),
            "2",
            "more than one layer",
        ),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2)), "1", "more than one layer"),
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * 72 * 72, 4)), "1", "at most 64 x 64"),
    ],
)
def test_others_are_refused(net: nn.Module, node: str, said: str) -> None:
    size = 72 if isinstance(net[0], nn.Flatten) else 24
    model = Model.of(net, id="other", preprocessing=Preprocessing(size, size))
    with pytest.raises(Unavailable, match=said):
        picture_weights(model, node)
