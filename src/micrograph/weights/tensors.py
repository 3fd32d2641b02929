"""Between torch tensors and their stored form."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from micrograph.errors import BadInput
from micrograph.weights.formats import RawTensor, digest_of

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def to_torch(raw: RawTensor) -> Tensor:
    """A tensor of its own memory, in the stored dtype."""
    if not raw.data:
        return torch.empty(raw.shape, dtype=_DTYPES[raw.dtype])
    return torch.frombuffer(bytearray(raw.data), dtype=_DTYPES[raw.dtype]).reshape(raw.shape)


def to_raw(tensor: Tensor) -> RawTensor:
    """The stored form. Raises BadInput for dtypes that a weights file does not hold."""
    if tensor.dtype not in _NAMES:
        known = ", ".join(_DTYPES)
        raise BadInput(f"tensors of dtype {tensor.dtype} cannot be stored; expected {known}")
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    data = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return RawTensor(_NAMES[tensor.dtype], tuple(tensor.shape), data)


def module_digest(module: nn.Module, names: Mapping[str, str] | None = None) -> str:
    """The digest of the content of a module's state dict, as `formats.digest_of` defines it.

    `names` are those of its tensors in a file, where they are others.
    """
    called = names or {}
    state = module.state_dict()
    return digest_of({called.get(name, name): to_raw(tensor) for name, tensor in state.items()})
