"""TensorFlow's graphs and checkpoints: our small files, and some that TensorFlow itself wrote."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import weights_writers as w

from micrograph.errors import Unavailable
from micrograph.weights.formats import WeightsError
from micrograph.weights.readers import read_any

ITS_OWN = Path(__file__).parent / "written_by_tensorflow"
VALUES = {
    "net/conv/weights": np.arange(12, dtype=np.float32).reshape(3, 2, 1, 2) / 8 - 1,
    "net/conv/BatchNorm/moving_mean": np.tile(np.float32([1, 2, 3, 4]), 20),
    "net/half": np.float16([0.5, -2]),
    "global_step": np.array(2**40),
}


def check(found, expected=VALUES):
    form, tensors = found
    assert tensors.keys() == expected.keys()
    for name, array in expected.items():
        assert np.array_equal(tensors[name].numpy(), array), name
        assert tensors[name].numpy().dtype == array.dtype
    return form


def refused(path, message):
    with pytest.raises(WeightsError) as caught:
        read_any(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["version1.ckpt", "version2.ckpt", "version2.ckpt.index"])
def test_checkpoints_of_tensorflow_itself(name):
    assert check(read_any(ITS_OWN / name)) == "tf-checkpoint"


def test_a_shard_stands_for_its_checkpoint():
    assert check(read_any(ITS_OWN / "version2.ckpt.data-00000-of-00001")) == "tf-checkpoint"


def test_graph_of_tensorflow_itself():
    splat = np.full((2, 3), 7.5, np.float32)
    assert check(read_any(ITS_OWN / "graph.pb"), VALUES | {"splat": splat}) == "tf-graph"


@pytest.mark.parametrize("how", ["content", "values"])
def test_constants_of_a_graph(tmp_path, how):
    path = tmp_path / "g.pb"
    protos = {name: w.tensor_proto(array, how) for name, array in VALUES.items()}
    path.write_bytes(w.graph_def(protos))
    assert check(read_any(path)) == "tf-graph"


def test_the_last_value_stands_for_all_that_follow(tmp_path):
    protos = {
        "few": w.tensor_proto(np.float32([1, 2]), "values", shape=(2, 2)),
        "none": w.tensor_proto(np.float32([]), "values", shape=(3,)),
        "whole": w.tensor_proto(np.array([5]), "values", shape=(2,)),
        "many": w.tensor_proto(np.arange(-100, 100) * 10**9, "values"),
    }
    path = tmp_path / "g.pb"
    path.write_bytes(w.graph_def(protos))
    tensors = read_any(path)[1]
    assert tensors["few"].tolist() == [[1, 2], [2, 2]]
    assert tensors["none"].tolist() == [0, 0, 0]
    assert tensors["whole"].tolist() == [5, 5]
    assert tensors["many"].tolist() == [v * 10**9 for v in range(-100, 100)]


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (w.tensor_proto(np.float32([1]), "values", shape=(2**28,)), "far more values"),
        (w.tensor_proto(np.float32([1, 2]), "values", shape=(1,)), "has 2 values"),
        (w.tensor_proto(np.float32([1]), shape=(2,)), "has 4 bytes"),
        (w.tensor_proto(np.float32([1]), shape=(-1,)), "claims the shape [-1]"),
        (w.field(1, w.FLOAT) + w.field(2, w.field(3, 1)), "unknown number of dimensions"),
        (w.field(1, w.FLOAT) + w.field(7, 3), "floats holds whole numbers"),
        (w.field(1, w.FLOAT) + w.field(4, 3), "where its values should be"),
    ],
)
def test_constants_that_do_not_fit_are_refused(tmp_path, proto, message):
    path = tmp_path / "g.pb"
    path.write_bytes(w.graph_def({"c": proto}))
    refused(path, message)


def test_many_splats_have_one_budget(tmp_path):
    one = w.tensor_proto(np.float32([1]), "values", shape=(2**24,))
    path = tmp_path / "g.pb"
    path.write_bytes(w.graph_def({f"c{n}": one for n in range(9)}))
    refused(path, "far more values")


def put_v2(folder, tensors=VALUES, shards=1, **how):
    index, contents = w.checkpoint_v2(tensors, shards=shards, **how)
    for number, content in enumerate(contents):
        (folder / f"m.ckpt.data-{number:05}-of-{shards:05}").write_bytes(content)
    (folder / "m.ckpt.index").write_bytes(index)
    return folder / "m.ckpt"


@pytest.mark.parametrize("pack", [None, w.snappy_literals])
@pytest.mark.parametrize("shards", [1, 3])
def test_version_2(tmp_path, shards, pack):
    assert check(read_any(put_v2(tmp_path, shards=shards, pack=pack))) == "tf-checkpoint"


@pytest.mark.parametrize("pack", [None, w.snappy_literals])
def test_version_1_also_in_slices(tmp_path, pack):
    path = tmp_path / "m.ckpt"
    slices = [("net/conv/weights", 0, 1), ("net/conv/weights", 1, 2)]
    path.write_bytes(w.checkpoint_v1(VALUES, slices, pack=pack))
    assert check(read_any(path)) == "tf-checkpoint"


def test_slices_must_fill_their_tensor(tmp_path):
    path = tmp_path / "m.ckpt"
    for slices in ([(0, 1), (2, 1)], [(0, 2), (1, 1)], [(0, 2), (1, 2)]):
        named = [("net/conv/weights", *s) for s in slices]
        path.write_bytes(w.checkpoint_v1(VALUES, named))
        refused(path, "do not fill it")
    path.write_bytes(w.checkpoint_v1(VALUES, [("net/conv/weights", 2, 5)]))
    refused(path, "outside its tensor")


def test_a_wrong_checksum_is_refused(tmp_path):
    path = put_v2(tmp_path)
    shard = tmp_path / "m.ckpt.data-00000-of-00001"
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    refused(path, "wrong checksum")
    index = path.with_name("m.ckpt.index")
    damaged = bytearray(index.read_bytes())
    damaged[5] ^= 1
    index.write_bytes(damaged)
    refused(path, "wrong checksum")


def test_shards_must_be_there_and_whole(tmp_path):
    path = put_v2(tmp_path, shards=2)
    shard = tmp_path / "m.ckpt.data-00001-of-00002"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1])
    refused(path, "outside its shard")
    shard.unlink()
    with pytest.raises(Unavailable, match=r"m\.ckpt\.data-00001-of-00002"):
        read_any(path)


HEAD = w.field(1, 1)


def bundle(tmp_path, *entries, head=HEAD):
    path = tmp_path / "m.index"
    (tmp_path / "m.data-00000-of-00001").write_bytes(bytes(8))
    path.write_bytes(w.table([(b"", head), *entries]))
    return path


def test_indices_that_do_not_fit_are_refused(tmp_path):
    zeros = w.fixed(6, w.stored_crc(bytes(8)))
    entry = w.field(1, w.FLOAT) + w.field(2, w.tf_shape((2,))) + w.field(5, 8) + zeros
    path = bundle(tmp_path, (b"a", entry))
    assert torch.equal(read_any(path)[1]["a"], torch.zeros(2))
    refused(bundle(tmp_path, (b"a", entry), (b"b", entry)), "'b' overlaps another tensor")
    refused(bundle(tmp_path, (b"a", entry + w.field(3, 1))), "in shard 1 of 1")
    refused(bundle(tmp_path, (b"a", entry), head=w.field(2, 1)), "big-endian")
    refused(bundle(tmp_path, (b"\0a", b"")), "saved in slices")
    refused(bundle(tmp_path, (b"\xff", entry)), "not UTF-8")
    path.write_bytes(w.table([(b"a", entry)]))
    refused(path, "lacks the entry that describes a checkpoint")


def test_a_table_that_repeats_its_blocks_is_refused(tmp_path):
    """An index whose thousand entries all name one large block must not cost a thousand reads."""
    block = w.table_block([(b"", w.field(1, 1))])
    content = block + b"\0" + w.stored_crc(block + b"\0")
    handle = w.varint(0) + w.varint(len(block))
    index = w.table_block([(b"%d" % n, handle) for n in range(2)])
    at = len(content)
    content += index + b"\0" + w.stored_crc(index + b"\0")
    footer = handle + w.varint(at) + w.varint(len(index))
    path = tmp_path / "x.index"
    path.write_bytes(content + footer.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db"))
    refused(path, "overlap")


def test_a_copied_prefix_needs_all_its_files(tmp_path):
    shutil.copy(ITS_OWN / "version2.ckpt.data-00000-of-00001", tmp_path)
    refused(tmp_path / "version2.ckpt.data-00000-of-00001", "no form that we know")
