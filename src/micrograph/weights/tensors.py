"""Between torch tensors and their stored form."""

import io
from collections.abc import Iterator, Mapping

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
    "U16": torch.uint16,
    "U32": torch.uint32,
    "U64": torch.uint64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "C64": torch.complex64,
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def to_torch(raw: RawTensor) -> Tensor:
    """A tensor of its own memory, in the stored dtype."""
    if not raw.data:
        return torch.empty(raw.shape, dtype=_DTYPES[raw.dtype])
    return torch.frombuffer(bytearray(raw.data), dtype=_DTYPES[raw.dtype]).reshape(raw.shape)


def to_raw(tensor: Tensor) -> RawTensor:
    """The stored form. Raises BadInput for dtypes that a weights file does not hold."""
    if tensor.layout is not torch.strided:
        kind = str(tensor.layout).removeprefix("torch.")
        raise BadInput(f"tensors of layout {kind} cannot be stored; expected dense ones")
    if tensor.dtype not in _NAMES:
        known = ", ".join(_DTYPES)
        raise BadInput(f"tensors of dtype {tensor.dtype} cannot be stored; expected {known}")
    return RawTensor(_NAMES[tensor.dtype], tuple(tensor.shape), _content(tensor))


def _content(tensor: Tensor) -> bytes:
    """The elements of a dense tensor in C order."""
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """The tensors of a module's state dict, without what else a module may put there."""
    return {name: t for name, t in module.state_dict().items() if isinstance(t, Tensor)}


def extra_state(module: nn.Module) -> list[str]:
    """The modules that keep something else than tensors in the state dict."""
    state = module.state_dict()
    names = [name for name, value in state.items() if not isinstance(value, Tensor)]
    return [name.removesuffix("_extra_state").rstrip(".") or "the network" for name in names]


def module_digest(module: nn.Module, names: Mapping[str, str] | None = None) -> str:
    """The digest of the content of a module's state dict, as `formats.digest_of` defines it.

    `names` are those of its tensors in a file, where they are others. Of state that is no tensor,
    numbers and texts count, by their names in it; of a sparse tensor, its places and values.
    """
    called = names or {}
    parts: dict[str, RawTensor] = {}
    for name, value in module.state_dict().items():
        parts.update(_parts(called.get(name, name), value))
    return digest_of(parts)


def _parts(name: str, value: object) -> Iterator[tuple[str, RawTensor]]:
    """What a digest is made of, for any value in a state dict; nothing of objects."""
    if isinstance(value, Tensor):
        if value.layout is not torch.strided:
            sparse = value.detach().to_dense().to_sparse().coalesce()
            yield from _parts(f"{name}.indices", sparse.indices())
            yield from _parts(f"{name}.values", sparse.values())
            yield from _parts(f"{name}.shape", tuple(value.shape))
        else:
            dtype = _NAMES.get(value.dtype, str(value.dtype))
            yield name, RawTensor(dtype, tuple(value.shape), _content(value))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _parts(f"{name}.{key}", inner)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _parts(f"{name}.{place}", inner)
    elif isinstance(value, str | bytes | int | float | complex | torch.dtype | io.BytesIO | None):
        text = value.getvalue() if isinstance(value, io.BytesIO) else repr(value).encode()
        yield name, RawTensor("U8", (len(text),), text)
