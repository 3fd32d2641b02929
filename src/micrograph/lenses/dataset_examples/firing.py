"""On how many pictures of a dataset a unit fires, as far as its result tells, and in words."""

from dataclasses import dataclass

from micrograph.lenses.dataset_examples.lens import ExamplesResult, Found, LevelBand

_LEAST = ((0.5, "half"), (0.9, "1 in 10"), (0.99, "1 in 100"))
"""Quantiles of the pictures' maxima: where one is above 0, at least that share of them fires."""


@dataclass(frozen=True)
class Firing:
    """`pictures` is how many the unit was shown (0: unknown), `on` on how many of them it fires;
    None where that was not counted."""

    on: int | None
    pictures: int
    text: str


def is_silent_at_zero(result: ExamplesResult) -> bool:
    """Whether the unit's values end at 0, as those of a ReLU and of most dictionaries do: then 0
    on a picture means that it does not fire there. Others are hardly ever exactly 0."""
    found = result.histogram
    return (
        result.min >= 0
        or (found is not None and "before" in found.of)
        or any(value == 0 for _, _, value in result.top)
    )


def strongest(result: ExamplesResult) -> list[Found]:
    """Of its largest pictures those on which the unit fires; of units that have values below 0,
    all."""
    if not is_silent_at_zero(result):
        return list(result.top)
    return [found for found in result.top if found[2] > 0]


def least(result: ExamplesResult) -> list[Found]:
    """Its smallest pictures; of those that do not move it at all none is the least."""
    return [found for found in result.bottom if found[2] != 0 or not is_silent_at_zero(result)]


def bands_with_fire(result: ExamplesResult) -> list[LevelBand]:
    """Its bands but those of pictures on which it is silent."""
    silent = is_silent_at_zero(result)
    return [
        band
        for band in result.bands
        if not silent or any(value > 0 for _, _, value in band.examples)
    ]


def firing(result: ExamplesResult, pictures: int) -> Firing | None:
    """None for a unit that is never silent. `pictures` is how many it was shown, 0: unknown."""
    if not is_silent_at_zero(result):
        return None
    among = f"of {_number(pictures)} pictures" if pictures else "of the pictures"
    on = _count(result)
    if on is not None:
        return Firing(on, pictures, f"Fires on {_number(on) if on else 'none'} {among}.")
    for quantile, share in _LEAST:
        if result.picture_max.get(f"{quantile:g}", 0) > 0:
            return Firing(None, pictures, f"Fires on about {share} {among} or more.")
    return Firing(None, pictures, f"Fires on at least {len(strongest(result))} {among}.")


def _count(result: ExamplesResult) -> int | None:
    """Exact, or None: a list of the largest that ends in silence names all that fire."""
    if result.fires is not None:
        return result.fires
    shown = strongest(result)
    return len(shown) if len(shown) < len(result.top) else None


def _number(value: int) -> str:
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
