"""A network in a Python file of the user's: `path/net.py:build`.

The file is run, as `python net.py` would run it (but not as `__main__`): it is the user's own code.
Its function is called without arguments but those that the spec names; a class or a module that is
there already will do as well. The file may say what the network takes (`PREPROCESSING`) and what
its classes are (`LABELS`).
"""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from micrograph.cards.inputs import chosen_input, from_constant
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.spec import ModelSpec
from micrograph.errors import BadInput, MicrographError, NotFound, not_found, short
from micrograph.networks.adapters.libraries import one_line
from micrograph.networks.adapters.untrained import not_random

if TYPE_CHECKING:
    from torch import nn

_HINT = (
    "add PREPROCESSING = micrograph.Preprocessing(size=.., resize=.., mean=.., std=..) to the "
    "file, or "
)


def card(spec: ModelSpec, given: str | Preprocessing | None) -> ModelCard:
    """The card of the network that a file makes.

    Raises NotFound for a file or function that is not there, BadInput for a file that cannot be run
    and for a function that cannot be called.
    """
    path, name = spec.path, spec.function
    if not path.is_file():
        raise NotFound(f"there is no file {short(path, 200)}; expected FILE.py:FUNCTION")
    module = _run(path)
    known = [key for key, value in vars(module).items() if _makes(value, module)]
    if not hasattr(module, name):
        raise not_found("function", name, known, str(path))
    maker = getattr(module, name)
    _check(maker, spec)

    def build() -> "nn.Module":
        from torch import nn

        from micrograph.weights.usable import usable

        if isinstance(maker, nn.Module):
            return usable(maker, spec.name)
        with _beside(path), _in_one_line(path, f"{name}()"):
            made = maker(**spec.options)
        if not isinstance(made, nn.Module):
            raise BadInput(f"{spec.name} gave {_kind(made)}, expected a torch.nn.Module")
        return usable(made, spec.name)

    said = from_constant(
        getattr(maker, "preprocessing", None) or getattr(module, "PREPROCESSING", None), str(path)
    )
    return ModelCard(
        id=spec.id,
        title=spec.id,
        summary=(inspect.getdoc(module) or "").partition("\n\n")[0].replace("\n", " "),
        build=build,
        pretrained=lambda: not_random(build, spec.name),
        preprocessing=chosen_input(given, said, spec.text, _HINT),
        labels=_labels(getattr(module, "LABELS", ()), path),
        lineage=f"made by {name} in {path.name}",
    )


def _run(path: Path) -> ModuleType:
    from torch import default_generator
    from torch.random import fork_rng

    name = f"micrograph_own_{abs(hash(path.resolve()))}"
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses and pickles look their module up
    try:
        with _beside(path), _in_one_line(path, "it"), fork_rng(devices=[]):
            default_generator.manual_seed(0)  # a network may be made while the file is read
            found.loader.exec_module(module)
    except MicrographError:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """With the file's folder among those that imports look into."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


@contextmanager
def _in_one_line(path: Path, what: str) -> Iterator[None]:
    """What the user's code raises, as an error of one line that names the place in the file."""
    try:
        yield
    except MicrographError:
        raise
    except SyntaxError as error:
        place = f"{error.filename or path}, line {error.lineno}"
        raise BadInput(f"{place}: {type(error).__name__}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f.lineno for f in frames if Path(f.filename).resolve() == path.resolve()]
        line = f", line {own[-1]}" if own else ""
        raise BadInput(f"{path}{line}: {what} failed: {one_line(error)}") from None


def _check(maker: Any, spec: ModelSpec) -> None:
    """Raises BadInput unless it can be called with the spec's options."""
    from torch import nn

    if isinstance(maker, nn.Module):
        return
    if not callable(maker):
        raise BadInput(
            f"{spec.name} is {_kind(maker)}, expected a function that gives a torch.nn.Module"
        )
    try:
        inspect.signature(maker).bind(**spec.options)
    except TypeError as error:
        raise BadInput(
            f"{spec.name} cannot be called so ({error}); give what it needs behind the name, "
            f"e.g. {spec.name},width=64"
        ) from None
    except ValueError:  # written in C: it has no signature
        pass


def _makes(value: Any, module: ModuleType) -> bool:
    """True for what the file itself defines and a network could come of."""
    return callable(value) and getattr(value, "__module__", None) == module.__name__


def _labels(labels: Any, path: Path) -> tuple[str, ...]:
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        raise BadInput(f"LABELS in {path}: expected a list of names")
    return tuple(labels)


def _kind(value: object) -> str:
    return "None" if value is None else f"something of type {type(value).__name__}"
