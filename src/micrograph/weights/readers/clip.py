"""OpenAI's CLIP files: TorchScript archives, whose tensors are read without their program.

`torch.jit.load` compiles the code in such an archive. Here only `data.pkl` is read, as data:
modules become their attributes, tensors are found in `data/`. The names are those of
`state_dict()`; tensors that are plain attributes of a module stand among them.
"""

from typing import Any

from micrograph.weights.readers import pickles
from micrograph.weights.readers.common import Damaged, Tensors, add
from micrograph.weights.readers.pickles import Global, Made
from micrograph.weights.readers.storages import TENSOR, Storages
from micrograph.weights.readers.zips import Zip

DEEPEST = 64
MOST_STEPS = 200_000


def is_one(archive: Zip) -> bool:
    """Whether an archive is TorchScript's, rather than a state dict."""
    return any(name.endswith("/constants.pkl") for name in archive.names)


def read(archive: Zip) -> Tensors:
    """Parameters and buffers of the module in the archive."""
    names = [name for name in archive.names if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(names) != 1:
        raise Damaged(f"it has {len(names)} data.pkl, expected one")
    folder = names[0].partition("/")[0]
    if f"{folder}/byteorder" in archive.names and archive.read(f"{folder}/byteorder") != b"little":
        raise Damaged("it was written on a big-endian machine; this reader knows little-endian")
    module = pickles.read(archive.read(names[0]))
    if not _is_module(module):
        raise Damaged("its data.pkl holds no module")
    return _ArchiveWalk(archive, folder).walk(module)


def _is_module(value: object) -> bool:
    """An object of a class that the archive's own code would have defined."""
    return (
        isinstance(value, Made)
        and isinstance(value.what, Global)
        and value.what.path.startswith("__torch__.")
        and isinstance(value.state, dict)
    )


class _ArchiveWalk:
    """From a module and those inside to names. Bounded: modules may refer to each other."""

    def __init__(self, archive: Zip, folder: str) -> None:
        self.storages = Storages(archive, folder)
        self.tensors: Tensors = {}
        self.steps = 0

    def walk(self, module: Any, names: tuple[str, ...] = ()) -> Tensors:
        for name, value in module.state.items():
            self.steps += 1
            if len(names) > DEEPEST or self.steps > MOST_STEPS:
                raise Damaged("its modules are nested without end")
            inner = (*names, str(name))
            if _is_module(value):
                self.walk(value, inner)
            elif isinstance(value, Made) and value.is_of(TENSOR):
                add(self.tensors, ".".join(inner), self.storages.tensor(value))
        return self.tensors
