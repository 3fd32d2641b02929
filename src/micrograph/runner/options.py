"""Options on their way to the techniques: which has which, and values of the kind it expects."""

import inspect
import math
from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from micrograph.errors import BadInput, NotFound, short
from micrograph.lenses.engines.base import Job, Sweep, Technique

Lens = Technique | Sweep


def options_of(chosen: Sequence[Lens], options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The options that each technique has, by its name; a text where it wants several is one.

    Raises BadInput for an option that none has, and for a value of another kind than the
    technique's signature says.
    """
    taken = {t.name: {o: v for o, v in options.items() if _takes(t, o)} for t in chosen}
    for option in options:
        if not any(option in own for own in taken.values()):
            known = {p for t in chosen for p in inspect.signature(t.jobs).parameters} - {"model"}
            raise BadInput(
                f"{' and '.join(taken)} has no option {option!r}; its options are: "
                f"{', '.join(sorted(known)) or 'none'}"
            )
    return {t.name: {o: _checked(t, o, v) for o, v in taken[t.name].items()} for t in chosen}


def jobs_of(chosen: Sequence[Lens], model: Any, options: dict[str, Any]) -> list[tuple[Lens, Job]]:
    """What the techniques are to do under these options. Raises as they do."""
    own = options_of(chosen, options)
    jobs: list[tuple[Lens, Job]] = []
    for technique in chosen:
        try:
            jobs += [(technique, job) for job in technique.jobs(model, **own[technique.name])]
        except (NotFound, BadInput) as error:
            if "variants" in own[technique.name] and len(chosen) > 1:
                error.args = (f"{error}; variants go to every lens named: name one lens at a time",)
            raise
    return jobs


def _takes(technique: Lens, option: str) -> bool:
    parameters = inspect.signature(technique.jobs).parameters
    return option in parameters or any(
        p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()
    )


def _checked(technique: Lens, option: str, value: Any) -> Any:
    try:
        expected = get_type_hints(technique.jobs).get(option, Any)
    except NameError:  # names that only type checkers import
        return value
    parameter = inspect.signature(technique.jobs).parameters.get(option)
    kinds = get_args(expected) if get_origin(expected) in (UnionType, Union) else (expected,)
    if Sequence[str] in kinds and isinstance(value, str):
        value = (value,)
    if not all(kind in _KINDS for kind in kinds):
        return value
    fits = any(_KINDS[kind][0](value) for kind in kinds)
    if fits and value in ([], ()) and parameter is not None and parameter.default not in ([], ()):
        fits = False
    if not fits:
        words = " or ".join(_KINDS[kind][1] for kind in kinds if kind is not type(None))
        raise BadInput(
            f"{option} {short(value)} of {technique.name} is not usable; expected {words}"
        )
    return value


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)


_KINDS: dict[Any, tuple[Callable[[Any], bool], str]] = {
    bool: (lambda v: isinstance(v, bool), "true or false"),
    int: (lambda v: isinstance(v, int) and not isinstance(v, bool), "a whole number"),
    float: (
        lambda v: isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v),
        "a number",
    ),
    str: (lambda v: isinstance(v, str), "a text"),
    Sequence[str]: (_is_texts, "one text or more"),
    type(None): (lambda v: v is None, "nothing"),
}
"""What is checked of a value that is to be of some type, and what that is called."""
