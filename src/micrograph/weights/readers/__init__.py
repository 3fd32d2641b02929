"""Reading weights files of every form as data. Nothing in a file is ever run.

A reader takes bytes and gives tensors by the file's own names, in its own layouts. Every length in
a file is checked against the file, so that memory and time stay in proportion to its size.
"""

import re
from pathlib import Path
from typing import Any

from micrograph.weights.formats import (
    LONGEST_HEADER,
    WeightsError,
    parse_safetensors,
    read_bytes,
)
from micrograph.weights.readers import (
    archives,
    caffemodel,
    clip,
    npy,
    npz,
    tf_checkpoint,
    tf_graph,
    torch_file,
)
from micrograph.weights.readers.common import Beside, Damaged, Tensors, check_names, starts_with
from micrograph.weights.readers.sets import first_object, tensor_sets
from micrograph.weights.readers.zips import Zip
from micrograph.weights.tensors import to_torch

__all__ = ["KNOWN", "Tensors", "read_any", "read_sets"]

KNOWN = (
    "safetensors, .npz, a PyTorch state dict, .caffemodel, a frozen TensorFlow graph (.pb), a "
    "TensorFlow checkpoint, .npy with a dict of arrays, or CLIP's archive"
)
_SHARD = re.compile(r"\.data-\d{5}-of-\d{5}$")


def read_any(path: Path, member: str = "") -> tuple[str, Tensors]:
    """(form, tensors) of a weights file that holds one set of them: see `read_sets`."""
    form, sets = read_sets(path, member)
    if len(sets) > 1 and "state_dict" not in sets:
        named = ", ".join(repr(place[:60]) for place in list(sets)[:6])
        raise WeightsError(f"{path} holds several sets of tensors: {named}; expected one")
    return form, sets["state_dict"] if "state_dict" in sets else next(iter(sets.values()), {})


def read_sets(path: Path, member: str = "") -> tuple[str, dict[str, Tensors]]:
    """The form of a weights file, told by its content, and its tensors: one set, under "", or those
    of a training checkpoint, by the keys under which they stand there.

    Forms: "safetensors", "npz", "torch", "clip", "caffemodel", "tf-graph", "tf-checkpoint", "npy".
    A TensorFlow checkpoint may be named by its prefix or any of its files. In a zip or tar archive,
    `member` is read, or the only file that looks like weights. Raises WeightsError for a file that
    is damaged, of another form or would have to run code; Unavailable if it cannot be read.
    """
    path = _index_of(path)

    def beside(name: str) -> memoryview:
        return memoryview(read_bytes(path.with_name(name)))

    try:
        data, name, near = _opened(memoryview(read_bytes(path)), path.name, beside, member)
        if _is_safetensors(data):
            raw = parse_safetensors(data, path)
            return "safetensors", {"": {n: to_torch(tensor) for n, tensor in raw.items()}}
        form, content = _read(data, name, near)
        sets = _sets(content) if form == "torch" else {"": content}
        check_names({f"{place}.{name}": 0 for place, own in sets.items() for name in own})
        return form, sets
    except Damaged as error:
        raise WeightsError(
            f"{path} cannot be used: {error}; get the file again or check its source"
        ) from None


def _index_of(path: Path) -> Path:
    """The index of a TensorFlow checkpoint that is named otherwise."""
    prefix = _SHARD.sub("", path.name)
    index = path.with_name(prefix + ".index")
    return index if (prefix != path.name or not path.exists()) and index.is_file() else path


def _opened(
    data: memoryview, name: str, beside: Beside, member: str
) -> tuple[memoryview, str, Beside]:
    """The weights file itself, if `data` is an archive that holds it among others."""
    if starts_with(data, archives.GZIP):
        data, name = memoryview(archives.unzipped(data)), name.removesuffix(".gz")
    if archives.is_tar(data):
        members = archives.tar_members(data)
    elif starts_with(data, b"PK") and _form_of_zip(Zip(data)) == "":
        members = archives.zip_members(Zip(data))
    else:
        return data, name, beside
    chosen = archives.choose(members, member)
    folder, slash, name = chosen.rpartition("/")

    def in_archive(other: str) -> memoryview:
        if folder + slash + other not in members:
            raise Damaged(f"the archive lacks {other[:80]!r}")
        return members[folder + slash + other]

    return members[chosen], name, in_archive


def _form_of_zip(archive: Zip) -> str:
    """The form of weights that are a zip archive themselves; "" for an archive of files."""
    if clip.is_one(archive):
        return "clip"
    if archive.names and all(n.endswith(".npy") for n in archive.names):
        return "npz"
    if any(n.rpartition("/")[2] == "data.pkl" for n in archive.names):
        return "torch"
    return ""


def _is_safetensors(data: memoryview) -> bool:
    return starts_with(data, b"{", 8) and int.from_bytes(data[:8], "little") < LONGEST_HEADER


def _sets(content: Any) -> dict[str, Tensors]:
    """The tensors of what `torch.save` wrote."""
    found = tensor_sets(content)
    if not found:
        kind = first_object(content)
        note = f" ({kind[:60]} in it was not made, nothing in it was run)" if kind else ""
        raise Damaged(f"it holds a {type(content).__name__}, expected a dict of tensors{note}")
    return {
        place: {name: tensor.detach() for name, tensor in tensors.items()}
        for place, tensors in found.items()
    }


def _read(data: memoryview, name: str, beside: Beside) -> tuple[str, Any]:
    """A weights file of another form than safetensors: its tensors, or what `torch.save` wrote.
    `beside` finds a checkpoint's shards."""
    if starts_with(data, b"PK"):
        archive = Zip(data)
        form = _form_of_zip(archive)
        if form == "clip":
            return form, clip.read(archive)
        if form:
            return form, (npz if form == "npz" else torch_file).read(data)
    if starts_with(data, b"\x80"):  # a pickle, as torch.save wrote them before 1.6
        return "torch", torch_file.read(data)
    if starts_with(data, b"\x93NUMPY"):
        return "npy", npy.read(data)
    if tf_checkpoint.looks_like_it(data):
        stem = name.removesuffix(".index")
        return "tf-checkpoint", tf_checkpoint.read(
            data, lambda shard, shards: beside(f"{stem}.data-{shard:05}-of-{shards:05}")
        )
    if caffemodel.looks_like_it(data):
        return "caffemodel", caffemodel.read(data)
    if tf_graph.looks_like_it(data):
        return "tf-graph", tf_graph.read(data)
    raise Damaged(f"it is of no form that we know; expected {KNOWN}")
