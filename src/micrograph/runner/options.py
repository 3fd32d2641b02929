"""Options on their way to the lenses: which lens has which."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from micrograph.errors import BadInput, NotFound
from micrograph.lenses import lenses
from micrograph.lenses.engines.base import Engine, Job, StoredExamples


def plain(value: Any) -> Any:
    """An option as recipes hold it: paths as texts, numbers of numpy and torch as Python's, and
    what goes through several values as a list of them."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return [plain(one) for one in value]
    return value


def options_of(chosen: Sequence[Engine[Any]], options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The options that each lens has, by its name. Raises BadInput for one that none has."""
    known = {one.name: [o.name for o in one.lens.params.options()] for one in chosen}
    for option in options:
        if not any(option in own for own in known.values()):
            every = sorted({o.spelled for one in chosen for o in one.lens.params.options()})
            raise BadInput(
                f"{' and '.join(known)} has no option {option!r}{_flag(option)}; its options are: "
                f"{', '.join(every) or 'none'}"
            )
    return {name: {o: v for o, v in options.items() if o in own} for name, own in known.items()}


def _flag(option: str) -> str:
    """How the command line spells an option that some other lens has, where not by its name."""
    every = (o for one in lenses().values() for o in one.params.options() if o.name == option)
    return next((f" ({o.flag})" for o in every if o.flag), "")


def jobs_of(
    chosen: Sequence[Engine[Any]],
    model: Any,
    options: dict[str, Any],
    stored: StoredExamples | None = None,
) -> list[tuple[Any, Job]]:
    """What the lenses are to do under these options, each job with its engine and with what is
    `stored` already. Raises as they do."""
    own = options_of(chosen, options)
    jobs: list[tuple[Any, Job]] = []
    for engine in chosen:
        try:
            made = engine.jobs(model, **own[engine.name])
            jobs += [(engine, replace(job, stored=stored)) for job in made]
        except (NotFound, BadInput) as error:
            if "variants" in own[engine.name] and len(chosen) > 1:
                error.args = (f"{error}; variants go to every lens named: name one lens at a time",)
            raise
    return jobs
