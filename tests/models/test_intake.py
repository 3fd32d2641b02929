"""Modules of every sort given to `Model.of`: taken in with right values, or refused in one line."""

import copy
from collections import OrderedDict

import pytest
import torch
from torch import nn

from micrograph import Model
from micrograph.errors import BadInput
from micrograph.weights.formats import digest_of
from micrograph.weights.tensors import to_raw

PICTURES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())


def of(module: object) -> Model:
    return Model.of(module, id="net", preprocessing="16,0..1")


def with_buffer(tensor: torch.Tensor) -> nn.Module:
    net = small()
    net.register_buffer("extra", tensor)
    return net


@pytest.mark.parametrize("kind", ["half", "bfloat16", "double", "mixed"])
def test_other_precisions_run_in_float32_and_the_module_given_keeps_its_own(kind):
    given = small()
    if kind == "mixed":
        given = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 4, 3).half())
    else:
        given = getattr(given, kind)()
    before = {name: (t.dtype, t.clone()) for name, t in given.state_dict().items()}
    model = of(given)
    expected = copy.deepcopy(given).float()[:1](PICTURES)
    found = model.run(PICTURES, ["0"])["0"]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected)
    for name, tensor in given.state_dict().items():
        dtype, values = before[name]
        assert tensor.dtype == dtype
        assert tensor.equal(values)
    assert model.digest == digest_of({n: to_raw(t) for n, (_, t) in before.items()})


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_pictures_of_any_floating_dtype(dtype):
    pictures = PICTURES.to(dtype).requires_grad_(True)
    found = of(small()).run(pictures, ["0"])["0"]
    torch.testing.assert_close(found, small()[0](pictures.detach().float()))
    found.sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.dtype == dtype


STATES = {
    "sparse": lambda value: (value * torch.eye(3)).to_sparse(),
    "compressed": lambda value: (value * torch.eye(3)).to_sparse_csr(),
    "complex": lambda value: torch.full((3,), value, dtype=torch.complex64),
    "conjugated": lambda value: torch.full((3,), value + 2j, dtype=torch.complex128).conj(),
    "uint16": lambda value: torch.full((3,), value, dtype=torch.uint16),
    "float8": lambda value: torch.full((3,), float(value)).to(torch.float8_e4m3fn),
}


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("name", STATES)
def test_buffers_of_any_kind_count_in_the_digest(name):
    models = [of(with_buffer(STATES[name](value))) for value in (1, 1, 2)]
    torch.testing.assert_close(models[0].run(PICTURES, ["0"])["0"], small()[0](PICTURES))
    one, again, other = (model.digest for model in models)
    assert one == again
    assert len({one, other, of(small()).digest}) == 3


def test_state_that_is_no_tensor_counts_in_the_digest():
    class Counted(nn.Sequential):
        def __init__(self, extra: object) -> None:
            super().__init__(*small())
            self.extra = extra

        def get_extra_state(self) -> object:
            return self.extra

        def set_extra_state(self, state: object) -> None:
            self.extra = state

    digests = {
        of(Counted(extra)).digest
        for extra in ({"step": 1}, {"step": 2}, ["a"], {"max": torch.ones(2)}, {"max": None})
    }
    assert len(digests) == 5
    assert of(Counted({"step": 1})).digest in digests
    assert list(of(Counted({"step": object()})).nodes) == ["0", "1"]


def dynamic() -> nn.Module:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))
    return torch.ao.quantization.quantize_dynamic(net, {nn.Linear})


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return small()


class Marked(torch.Tensor):
    """As libraries of quantization and of parallel training have them."""


def of_a_subclass() -> nn.Module:
    net = small()
    net[0].weight = nn.Parameter(net[0].weight.detach().as_subclass(Marked), requires_grad=False)
    return net


def compiled_inside() -> nn.Module:
    net = small()
    net[0].compile()
    return net


REFUSED = {
    "quantized": (dynamic, "3 is a Linear, quantized"),
    "scripted": (lambda: torch.jit.script(small()), "compiled by TorchScript"),
    "traced": (lambda: torch.jit.trace(small(), PICTURES), "compiled by TorchScript"),
    "scripted inside": (
        lambda: nn.Sequential(torch.jit.script(small()), nn.ReLU()),
        "0 is a RecursiveScriptModule, compiled by TorchScript",
    ),
    "compiled inside": (compiled_inside, "0 is a Conv2d, compiled by torch.compile"),
    "meta": (on_meta, 'tensor 0.weight is on the device "meta"'),
    "lazy": (lambda: nn.Sequential(nn.LazyConv2d(4, 3)), "tensor 0.weight has no shape yet"),
    "exported": (
        lambda: torch.export.export(small().eval(), (PICTURES,)).module(),
        "cannot be switched to eval mode",
    ),
    "program": (lambda: torch.export.export(small().eval(), (PICTURES,)), "type ExportedProgram"),
    "subclass": (of_a_subclass, "0.weight is a Marked"),
    "class": (lambda: nn.Conv2d, r"the class Conv2d, not a network of it: Conv2d\(...\)"),
    "name": (lambda: "resnet18", r"the name 'resnet18' \(micrograph.load takes names\)"),
    "weights": (lambda: small().state_dict(), "weights without their network"),
    "none": (lambda: None, "None given, expected a torch.nn.Module"),
    "function": (lambda: small, "something of type function given"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_looked_into_is_refused_in_one_line(name):
    make, said = REFUSED[name]
    with pytest.raises(BadInput, match=said) as caught:
        of(make())
    assert "\n" not in str(caught.value)


def test_wrappers_for_compiling_and_for_devices_are_looked_through():
    plain = small()
    for wrapped in (torch.compile(plain), nn.DataParallel(plain)):
        model = of(wrapped)
        assert list(model.nodes) == ["0", "1"]
        assert model.digest == of(small()).digest


def test_a_module_that_cannot_be_copied_is_not_changed_behind_its_owners_back():
    net = small().double()
    net.kept = (x for x in "a generator cannot be copied")
    with pytest.raises(BadInput, match=r"is in float64 and cannot be copied.*give module.float\(\)"):
        of(net)
    assert net[0].weight.dtype == torch.float64
    assert list(of(net.float()).nodes) == ["0", "1"]


class Giving(nn.Module):
    """Gives what `how` makes of a map and of class scores."""

    def __init__(self, how: object) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head, self.how = nn.Conv2d(3, 4, 3), nn.Linear(4, 5), how

    def forward(self, x: torch.Tensor) -> object:
        found = self.conv(x)
        return self.how(found.relu(), self.head(found.mean((2, 3))))


class Seen:
    def __init__(self, **given: object) -> None:
        self.__dict__.update(given)


OUTPUTS = {
    "dict": (lambda m, s: {"maps": m, "logits": s}, {"output.maps": 0, "output.logits": 1}),
    "ordered": (lambda m, s: OrderedDict(out=m * 2), {"output.out": lambda m, s: m * 2}),
    "tuple": (lambda m, s: (m, s), {"output.0": 0, "output.1": 1}),
    "list": (lambda m, s: [m], {"output.0": 0}),
    "nested": (
        lambda m, s: {"a": [s, {"b": m}], "loss": None, "note": "x"},
        {"output.a.0": 1, "output.a.1.b": 0},
    ),
    "object": (lambda m, s: Seen(maps=m, scores=s * 2), {"output.maps": 0}),
    "nothing": (lambda m, s: None, {}),
    "a tensor": (lambda m, s: s.softmax(1), {"output": lambda m, s: s.softmax(1)}),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_each_tensor_that_a_network_gives_is_found_by_its_name(name):
    how, expected = OUTPUTS[name]
    net = Giving(how)
    model = of(net)
    assert {"conv", "head"} <= model.nodes.keys()
    found = net.conv(PICTURES)
    both = found.relu(), net.head(found.mean((2, 3)))
    for output, place in expected.items():
        wanted = both[place] if isinstance(place, int) else place(*both)
        torch.testing.assert_close(model.run(PICTURES, [output])[output], wanted)
    if "output.logits" in expected:  # given by a module inside, which names the node
        assert model.nodes["head"].kind == "logits"
        assert model.node("output.logits").id == "head"
