"""How pictures are optimized: numbers that recipes keep."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from micrograph.errors import BadInput
from micrograph.optimize.transforms import STANDARD, Affine

MAX_SIZE = 4096
MAX_STEPS = 100_000
_FIRST_REVISION = {"settle": 0.0, "start": 0.01}


@dataclass(frozen=True)
class Settings:
    """How to optimize.

    size: side of the square pictures in pixels, 16 to 4096; a parameterization that is given has
        its own.
    steps: updates of the picture, 1 to 100,000.
    rate, momentum: Adam's learning rate, above 0 and at most 10, and its beta 1, 0 to below 1.
        Little momentum, because the usual 0.9 carries the picture on where the gradient has long
        turned, and takes almost half as many steps again to the same activation
        (docs/benchmarks.md).
    settle: the share of the steps, at the end, over which the rate falls to nothing, 0 to 1: large
        steps until then leave the picture trembling.
    start: standard deviation of the spectrum at the start, above 0 and at most 10; 0.5 has as much
        contrast as a photograph. From 0.01, faint noise, units that answer to plain grey may never
        leave it.
    transforms: how the picture is moved, turned and scaled before the network sees it, at random.
    redirect_steps: the number of updates, from the first, in which units are driven up also where
        they are off, and ReLUs are redirected for pictures that get no gradient. With 0 there is no
        such help at all, and pictures that are stuck in grey do not begin again either.
    precision: "bf16" (autocast) or "fp32", for the network only; parameters, objective and score
        are always float32.

    Raises BadInput for a value out of its range.

    >>> from micrograph import optimize as opt
    >>> settings = opt.Settings(size=128, steps=40, transforms=opt.NONE)
    >>> settings.rate, settings.precision
    (0.1, 'bf16')
    >>> opt.Settings(steps=0)
    Traceback (most recent call last):
    micrograph.errors.BadInput: steps 0 is out of range; expected 1 to 100000 steps
    """

    size: int = 224
    steps: int = 80
    rate: float = 0.1
    momentum: float = 0.3
    settle: float = 0.25
    start: float = 0.3
    transforms: Affine = field(default=STANDARD)
    redirect_steps: int = 16
    precision: str = "bf16"

    def __post_init__(self) -> None:
        check_whole("size", self.size, 16, MAX_SIZE, "pixels")
        check_whole("steps", self.steps, 1, MAX_STEPS, "steps")
        if not 0 < self.rate <= 10:
            raise BadInput(f"learning rate {self.rate} is not usable; expected above 0, at most 10")
        if not 0 <= self.momentum < 1:
            raise BadInput(f"momentum {self.momentum} is not usable; expected 0 to below 1")
        if not 0 <= self.settle <= 1:
            raise BadInput(f"settle {self.settle} is not usable; expected 0 to 1")
        if not 0 < self.start <= 10:
            raise BadInput(f"start {self.start} is not usable; expected above 0, at most 10")
        check_precision(self.precision)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a recipe.

        >>> from micrograph import optimize as opt
        >>> settings = opt.Settings(size=96)
        >>> opt.Settings.from_dict(settings.as_dict()) == settings
        True
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Settings":
        """Read back what `as_dict` wrote, also after a way through JSON; other keys are passed
        over. Recipes of the first revision have neither `settle` nor `start`, and mean 0 and 0.01.
        Raises KeyError where another one is missing, BadInput for a value out of its range."""
        whole = {**_FIRST_REVISION, **data}
        known = {f.name: whole[f.name] for f in fields(cls)}
        known["transforms"] = Affine.from_dict(known["transforms"])
        return cls(**known)


def check_whole(name: str, value: int, low: int, high: int, unit: str) -> None:
    """Raises BadInput where `value` is no whole number from `low` to `high`."""
    if not isinstance(value, int) or not low <= value <= high:
        raise BadInput(f"{name} {value!r} is out of range; expected {low} to {high} {unit}")


def check_precision(precision: str) -> None:
    """Raises BadInput for a precision that there is not."""
    if precision not in ("bf16", "fp32"):
        raise BadInput(f"precision {precision!r} is unknown; expected 'bf16' or 'fp32'")
