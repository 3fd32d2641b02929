"""A configuration of which every key is accounted for: honoured, harmless, or refused."""

import math
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from micrograph.errors import BadInput, short

_MISSING = object()

HARMLESS = (  # how it was trained, on what, and by whom: nothing of it changes what latents are
    "*checkpoint*",
    "*dataset*",
    "*learning_rate*",
    "*loss*",
    "*seed*",
    "*version*",
    "*wandb*",
    "*warm*",
    "adam*",
    "aux*",
    "author*",
    "batch_size",
    "beta*",
    "buffer*",
    "comment*",
    "commit",
    "created*",
    "date*",
    "dead_*",
    "decay*",
    "description",
    "doi",
    "device*",
    "dtype*",
    "_device",
    "_dtype",
    "epochs",
    "eval*",
    "feature_sampling*",
    "grad*",
    "init*",
    "l0_*",
    "l1_*",
    "lib",
    "licence",
    "license",
    "log_*",
    "logger*",
    "lp_norm",
    "lr*",
    "max_grad*",
    "n_batches*",
    "n_reinit*",
    "name",
    "notes",
    "noise*",
    "num_epochs",
    "num_workers",
    "optimizer*",
    "output_path",
    "resample*",
    "run_*",
    "save_*",
    "scheduler*",
    "source",
    "sparsity_coeff*",
    "steps",
    "store_*",
    "target_l0",
    "title",
    "train_*",
    "training_*",
    "url",
    "use_ghost_grads",
    "verbose",
    "weight_decay",
)
"""Patterns of keys that no library uses when it encodes. A format adds its own."""


def finite(value: Any, name: str) -> float:
    """`value` as a number. Raises BadInput."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise BadInput(f"{name} {short(value)} is no number") from None
    if not math.isfinite(found):
        raise BadInput(f"{name} {found} is out of range; expected a finite number")
    return found


def whole(value: Any, name: str) -> int:
    """`value` as a whole number. Raises BadInput."""
    found = finite(value, name)
    if found != int(found):
        raise BadInput(f"{name} {found} is no whole number")
    return int(found)


class Keys:
    """The settings of a file. What nobody asked for by the end is refused by name.

    Options that were given by hand win over it; `ignore` among them names keys to pass over.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        where: str,
        options: Mapping[str, Any] | None = None,
        harmless: Iterable[str] = (),
    ) -> None:
        self._given = {**given, **(options or {})}
        self._where = where
        self._harmless = (*HARMLESS, *harmless)
        self._used = {"ignore"}

    def get(self, *names: str, default: Any = None) -> Any:
        """The value of the first of these names that has one; all of them are understood."""
        self._used.update(names)
        found = (self._given[n] for n in names if self._given.get(n) is not None)
        return next(found, default)

    def __contains__(self, name: str) -> bool:
        return self._given.get(name) is not None

    def text(self, *names: str, default: str = "") -> str:
        """As a text in lower case without what surrounds it."""
        return str(self.get(*names, default=default)).strip().lower()

    def number(self, *names: str, default: float) -> float:
        """As a number. Raises BadInput."""
        return finite(self.get(*names, default=default), names[0])

    def whole(self, *names: str, default: int = 0) -> int:
        """As a whole number. Raises BadInput."""
        return whole(self.get(*names, default=default), names[0])

    def flag(self, *names: str, default: bool) -> bool:
        """As yes or no, which texts may say. Raises BadInput."""
        value = self.get(*names, default=default)
        if isinstance(value, bool):
            return value
        text = str(value).strip().lower()
        if text in ("true", "1", "yes"):
            return True
        if text in ("false", "0", "no"):
            return False
        raise BadInput(f"{names[0]} {short(value)} is neither true nor false")

    def refuse(self, *names: str, why: str, unless: Iterable[Any] = (False,)) -> None:
        """Raises BadInput where one of these has another value than none and `unless`."""
        self._used.update(names)
        for name in names:
            value = self._given.get(name)
            if value is not None and value not in (*unless, "", [], {}):
                raise BadInput(f"{self._where} says {name} = {short(value)}: {why}")

    def check_all_known(self) -> None:
        """Raises BadInput, naming the first key that nobody asked for and that may matter."""
        ignored = {name.strip() for name in str(self._given.get("ignore") or "").split(",")}
        for name, value in self._given.items():
            known = name in self._used or name in ignored
            if known or value is None or value in ("", [], {}):
                continue
            if not any(fnmatchcase(name.lower(), pattern) for pattern in self._harmless):
                raise BadInput(
                    f"{self._where} says {name} = {short(value)}, which is not understood; if it "
                    f"does not change the latents, say ignore={name}"
                )
