"""Other people's libraries, imported when a model of theirs is asked for, and not before."""

import importlib
import importlib.util
import warnings
from contextlib import suppress
from types import ModuleType
from typing import Any

from micrograph.errors import Unavailable, install_line

_EXTRAS = {"transformers": "hf"}

_stand_ins: list[Any] = []


def library(name: str) -> ModuleType:
    """The library of that name. Raises Unavailable, saying what to install, without it."""
    if importlib.util.find_spec(name) is None:
        extra = _EXTRAS.get(name, name)
        raise Unavailable(f"{name} is not installed: {install_line(extra)}")
    try:
        with warnings.catch_warnings(action="ignore"):
            if name == "transformers":
                _prepare_torchvision()
            return _imported(name)
    except Exception as error:  # a broken installation fails in any way
        raise Unavailable(
            f"{name} is installed but cannot be imported: {one_line(error)}; install the versions "
            "of it, of torch and of torchvision that fit each other"
        ) from None


def _prepare_torchvision() -> None:
    """Import torchvision, if it is there: transformers does so later, when a name of it is first
    used, and what fails then cannot be mended here."""
    if importlib.util.find_spec("torchvision") is not None:
        with suppress(Exception):  # a broken one is no concern of networks that do without
            _imported("torchvision")


def _imported(name: str) -> ModuleType:
    """All of them import torchvision, and some builds of that lack their compiled operators. Its
    import needs no more than their names, and no classifier calls them."""
    try:
        return importlib.import_module(name)
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
    import torch

    names = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        with suppress(RuntimeError):  # it is there
            schema = f"{operator}(Tensor dets, Tensor scores, float iou) -> Tensor"
            names.define(schema)  # type: ignore[no-untyped-call]
    _stand_ins.append(names)  # operators live as long as it does
    return importlib.import_module(name)


def one_line(error: BaseException, limit: int = 240) -> str:
    """Kind and first line of somebody else's error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text if len(text) <= limit else text[: limit - 3] + "..."


def not_loaded(spec: str, error: BaseException) -> Unavailable:
    """The error for pretrained weights that a library did not give."""
    return Unavailable(
        f"the pretrained weights of {spec} cannot be had here ({one_line(error)}); give a file "
        "with --weights FILE, or --weights random for the untrained network"
    )
