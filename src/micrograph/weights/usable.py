"""Whether a torch module is one that can be put under the microscope: with all of its values here,
in Python code, and such that gradients flow through it."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from micrograph.errors import BadInput, short

_INTEGER_LAYERS = ("quantized", "bitsandbytes", "torchao")
"""Parts of the names of the Python modules in which layers that compute in integers are defined."""

_PLAIN = (Tensor, nn.Parameter, nn.Buffer)


def usable(module: object, name: str) -> nn.Module:
    """`module` itself, or the one that a wrapper for compiling or for several devices holds.

    Raises BadInput, in one line that says what to give instead, for anything that is no network
    whose values and gradients can be had.
    """
    if not isinstance(module, nn.Module):
        raise BadInput(f"{short(name)}: {_kind(module)} given, expected a torch.nn.Module")
    module = _unwrapped(module)
    if problem := next(_problems(module), ""):
        raise BadInput(f"{short(name)} cannot be put under the microscope: {problem}")
    try:
        module.eval()
    except Exception as error:  # somebody else's code, as of torch.export's modules
        raise BadInput(
            f"{short(name)} cannot be switched to eval mode ({_first_line(error)}); give the "
            "Python module that it was made from"
        ) from None
    return module


def as_float32(module: nn.Module, name: str) -> nn.Module:
    """`module` itself if its numbers are float32, else a copy in which they are.

    The module that was given keeps its precision. Raises BadInput for one that cannot be copied.
    """
    numbers = [*module.parameters()] or [*module.buffers()]
    others = {t.dtype for t in numbers if t.is_floating_point()} - {torch.float32}
    if not others:
        return module
    try:
        return copy.deepcopy(module).float()
    except Exception as error:  # what a module holds may be of any kind
        kinds = ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in others))
        raise BadInput(
            f"{short(name)} is in {kinds} and cannot be copied to float32 "
            f"({_first_line(error)}); give module.float()"
        ) from None


def _kind(given: object) -> str:
    """What was given, for an error, and what is meant perhaps."""
    if isinstance(given, type) and issubclass(given, nn.Module):
        return f"the class {given.__name__}, not a network of it: {given.__name__}(...),"
    if isinstance(given, str):
        return f"the name {short(given)} (micrograph.load takes names)"
    if isinstance(given, dict) and any(isinstance(value, Tensor) for value in given.values()):
        return "a dict of tensors, which are weights without their network,"
    return "None" if given is None else f"something of type {type(given).__name__}"


def _unwrapped(module: nn.Module) -> nn.Module:
    """What torch.compile, DataParallel and DistributedDataParallel wrapped."""
    parallel = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while True:
        inner = dict(module.named_children()).get("_orig_mod")
        if isinstance(module, parallel):
            inner = module.module
        if inner is None:
            return module
        module = inner


def _problems(module: nn.Module) -> Iterator[str]:
    """Why it cannot be used, each reason with its place."""
    for path, part in module.named_modules():
        where = f"{path or 'it'} is a {type(part).__name__}"
        if isinstance(part, torch.jit.ScriptModule):
            yield f"{where}, compiled by TorchScript; give the Python module that it was made from"
        if any(word in type(part).__module__.split(".") for word in _INTEGER_LAYERS):
            yield f"{where}, quantized: no gradients pass it; give the network in floating point"
        if getattr(part, "_compiled_call_impl", None) is not None or hasattr(part, "_orig_mod"):
            yield f"{where}, compiled by torch.compile; give the module as it was before"
        own = (*part._parameters.items(), *part._buffers.items())
        for name, tensor in own:
            if tensor is not None and (problem := _tensor_problem(tensor)):
                yield f"its tensor {f'{path}.{name}'.lstrip('.')} {problem}"


def _tensor_problem(tensor: Tensor) -> str:
    if is_lazy(tensor):
        return "has no shape yet; run the network once on a picture, then give it (and its weights)"
    if tensor.is_meta:
        return 'is on the device "meta", without values; load its weights on a real device first'
    if tensor.is_quantized:
        return "is quantized: no gradients pass it; give the network in floating point"
    if type(tensor) not in _PLAIN:
        return f"is a {type(tensor).__name__}; expected plain tensors of torch"
    return ""


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:160]
