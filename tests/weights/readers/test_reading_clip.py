"""TorchScript archives read without TorchScript: the same state dict as the module's own."""

import io
import os
import pickle
import warnings
import zipfile

import pytest
import torch
from torch import Tensor, nn

from micrograph.weights.formats import WeightsError
from micrograph.weights.readers import read_any


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(4, 4)
        self.positional_embedding = nn.Parameter(torch.randn(5, 4))
        self.heads = 2

    def forward(self, x: Tensor) -> Tensor:
        return self.q_proj(x) + self.positional_embedding[0]


class Pair(nn.Module):
    """Nested modules, buffers, halves, views of one storage, a scalar, an empty tensor."""

    def __init__(self):
        super().__init__()
        conv = nn.Conv2d(3, 4, 3, bias=False)
        self.visual = nn.Sequential(conv, nn.BatchNorm2d(4), nn.ReLU()).half()
        self.layers = nn.ModuleList([Attention(), Attention()])
        self.logit_scale = nn.Parameter(torch.tensor(2.5))
        both = torch.arange(12.0).reshape(3, 4)
        self.register_buffer("turned", both.t())
        self.register_buffer("row", both[1])
        self.register_buffer("mask", torch.tensor([True, False]))
        self.register_buffer("none", torch.zeros(0, 3))
        self.register_buffer("small", torch.arange(3, dtype=torch.bfloat16))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x * self.logit_scale


@pytest.fixture(scope="module")
def saved():
    torch.manual_seed(0)
    module = Pair().eval()
    content = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        torch.jit.save(torch.jit.script(module), content)
    return module.state_dict(), content.getvalue()


def put(tmp_path, content):
    path = tmp_path / "RN50.pt"
    path.write_bytes(content)
    return path


def changed(content, changes):
    """The archive with other content of its files: name without folder -> bytes, None to drop."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            folder, _, rest = name.partition("/")
            data = changes.get(rest, old.read(name))
            if data is not None:
                new.writestr(f"{folder}/{rest}", data)
    return out.getvalue()


def refused(tmp_path, content, message):
    path = put(tmp_path, content)
    with pytest.raises(WeightsError) as caught:
        read_any(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_state_dict(saved, tmp_path):
    state, content = saved
    form, tensors = read_any(put(tmp_path, content))
    assert form == "clip"
    assert tensors.keys() == state.keys()
    for name, tensor in state.items():
        assert tensors[name].dtype == tensor.dtype, name
        assert torch.equal(tensors[name], tensor), name
    assert tensors["visual.0.weight"].dtype == torch.float16


def test_its_program_is_not_looked_at(saved, tmp_path):
    state, content = saved
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        code = [n.partition("/")[2] for n in archive.namelist() if "/code/" in n]
    nonsense = changed(content, dict.fromkeys(code, b"this is no program (") | {"version": b"x"})
    with warnings.catch_warnings(action="ignore"), pytest.raises(RuntimeError):
        torch.jit.load(io.BytesIO(nonsense))
    tensors = read_any(put(tmp_path, nonsense))[1]
    assert all(torch.equal(tensors[name], tensor) for name, tensor in state.items())


class Evil:
    def __init__(self, victim):
        self.victim = str(victim)

    def __reduce__(self):
        return os.mkdir, (self.victim,)


def test_calls_in_its_pickle_are_not_made(saved, tmp_path):
    victim = tmp_path / "victim"
    refused(
        tmp_path, changed(saved[1], {"data.pkl": pickle.dumps(Evil(victim), 2)}), "holds no module"
    )
    inner = (
        b"\x80\x02c__torch__\nNet\n)\x81}U\x04evil" + pickle.dumps(Evil(victim), 2)[2:-1] + b"sb."
    )
    assert read_any(put(tmp_path, changed(saved[1], {"data.pkl": inner}))) == ("clip", {})
    assert not victim.exists()


def test_missing_and_short_parts(saved, tmp_path):
    content = saved[1]
    refused(tmp_path, changed(content, {"data/0": None}), "the archive lacks")
    refused(tmp_path, changed(content, {"data/0": b"12"}), "has 2 bytes for")
    refused(tmp_path, changed(content, {"data.pkl": None}), "it has 0 data.pkl")
    refused(tmp_path, changed(content, {"byteorder": b"big"}), "big-endian")
    refused(tmp_path, content[: len(content) // 2], "damaged archive")


def tensor_pickle(
    storage=b"U\7storagectorch\nFloatStorage\nU\x010U\3cpuK\4", args=b"K\0K\4\x85K\1\x85"
):
    return (
        b"\x80\x02c__torch__\nNet\n)\x81}U\1xctorch._utils\n_rebuild_tensor_v2\n(("
        + storage
        + b"tQ"
        + args
        + b"\x89}tRsb."
    )


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"args": b"K\1K\4\x85K\1\x85"}, "outside its storage"),
        ({"args": b"K\0K\4\x85K\2\x85"}, "outside its storage"),
        ({"args": b"K\0K\4\x85)"}, "an unknown way"),
        ({"args": b"K\0J\xff\xff\xff\xff\x85K\1\x85"}, "an unknown way"),
        ({"args": b"K\0NK\1\x85"}, "an unknown way"),
        ({"args": b"K\0(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ftK\0K\0\x86"}, "claims the shape"),
        ({"storage": b"U\7storageccodecs\nopen\nU\x010U\3cpuK\4"}, "an unknown way"),
        ({"storage": b"U\7storagectorch\nFloatStorage\nU\x08../0/../U\3cpuK\4"}, "archive lacks"),
        ({"storage": b"U\7storagectorch\nFloatStorage\nU\x010U\3cpuK\5"}, "for 5 torch.float32"),
    ],
)
def test_tensors_that_do_not_fit(saved, tmp_path, how, message):
    def archive(**how):
        return changed(saved[1], {"data.pkl": tensor_pickle(**how), "data/0": bytes(16)})

    tensors = read_any(put(tmp_path, archive()))[1]
    assert torch.equal(tensors["x"], torch.zeros(4))
    refused(tmp_path, archive(**how), message)


def test_modules_in_a_ring(saved, tmp_path):
    ring = b"\x80\x02c__torch__\nNet\n)\x81q\1}U\1ah\1sb."
    refused(tmp_path, changed(saved[1], {"data.pkl": ring}), "nested without end")


def test_a_state_dict_is_none(tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "x.pt")
    assert read_any(tmp_path / "x.pt")[0] == "torch"
