"""Downloads with several files in them, and what is of no known form."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import weights_writers as w

from micrograph.errors import Unavailable
from micrograph.weights.formats import WeightsError
from micrograph.weights.readers import read_any

TENSORS = {"w": np.float32([1, 2, 3])}
GRAPH = w.graph_def({"w": w.tensor_proto(TENSORS["w"])})
V1 = w.checkpoint_v1(TENSORS)
INDEX, (SHARD,) = w.checkpoint_v2(TENSORS)


def tar(files, mode="w:gz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def read(tmp_path, content, member="", name="download"):
    path = tmp_path / name
    path.write_bytes(content)
    form, tensors = read_any(path, member)
    assert {n: t.tolist() for n, t in tensors.items()} == {"w": [1, 2, 3]}
    return form


def refused(tmp_path, content, message, member=""):
    with pytest.raises(WeightsError) as caught:
        read(tmp_path, content, member)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_checkpoint_in_a_tarball(tmp_path, mode):
    assert read(tmp_path, tar({"inception_v3.ckpt": V1}, mode)) == "tf-checkpoint"
    others = {"./net.ckpt": V1, "./train.graph": b"text", "./eval.graph": b"text"}
    assert read(tmp_path, tar(others, mode)) == "tf-checkpoint"
    bundle = {"a/m.ckpt.index": INDEX, "a/m.ckpt.data-00000-of-00001": SHARD, "a/m.ckpt.meta": b"x"}
    assert read(tmp_path, tar(bundle, mode)) == "tf-checkpoint"


def test_a_graph_in_a_zip(tmp_path):
    files = {"LICENSE": b"text", "tensorflow_inception_graph.pb": GRAPH, "labels.txt": b"dog"}
    assert read(tmp_path, zipped(files)) == "tf-graph"
    files["__MACOSX/._tensorflow_inception_graph.pb"] = b"x"
    assert read(tmp_path, zipped(files)) == "tf-graph"
    refused(tmp_path, zipped(files | {"other.pb": GRAPH}), "it has 2 such")
    assert read(tmp_path, zipped(files | {"other.pb": GRAPH}), "other.pb") == "tf-graph"
    refused(tmp_path, zipped(files), "should hold 'no.pb'", member="no.pb")


def test_gzip_of_one_file(tmp_path):
    assert read(tmp_path, gzip.compress(GRAPH)) == "tf-graph"
    index = gzip.compress(INDEX)
    (tmp_path / "m.data-00000-of-00001").write_bytes(SHARD)
    assert read(tmp_path, index, name="m.index.gz") == "tf-checkpoint"


def test_a_shard_that_the_archive_lacks(tmp_path):
    refused(tmp_path, tar({"m.ckpt.index": INDEX}), "lacks 'm.ckpt.data-00000-of-00001'")
    escape = {"m.ckpt.index": INDEX, "../m.ckpt.data-00000-of-00001": SHARD}
    refused(tmp_path, tar(escape), "lacks 'm.ckpt.data-00000-of-00001'")


def test_links_in_a_tarball_are_not_followed(tmp_path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("m.ckpt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    refused(tmp_path, out.getvalue(), "it has 0 such")


def test_archives_that_unpack_without_end(tmp_path):
    zeros = bytes(2**26 + 2**24)
    refused(tmp_path, gzip.compress(zeros, 9), "would unpack to more than")
    refused(tmp_path, zipped({"x.pb": zeros}), "would unpack to")


@pytest.mark.parametrize("content", [tar({"m.ckpt": V1}), zipped({"m.pb": GRAPH})])
def test_truncated_archives(tmp_path, content):
    for end in range(1, len(content) - 1, 7):
        refused(tmp_path, content[:end], "cannot be used")


def test_encrypted_and_odd_archives(tmp_path):
    content = bytearray(zipped({"m.pb": GRAPH}))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + at] |= 1  # "encrypted"
    refused(tmp_path, bytes(content), "encrypted")
    refused(tmp_path, zipped({}), "it has 0 such")


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"<html>404</html>", b"\x89HDF\r\n\x1a\n", bytes(99)]
)
def test_what_is_no_weights_file_names_the_forms_that_are(tmp_path, content):
    refused(tmp_path, content, "a TensorFlow checkpoint")


def test_folders_and_absent_files(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(Unavailable, match="cannot read"):
            read_any(Path(path))
