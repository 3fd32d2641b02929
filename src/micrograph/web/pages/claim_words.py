"""What a line of evidence found, in a sentence: its most telling numbers."""

from collections.abc import Callable, Mapping
from typing import Any

from micrograph.web.pages.claim_evidence import ClaimReading

_Numbers = Mapping[str, Any]


def reading_in_words(line: str, reading: ClaimReading) -> str:
    """One sentence, "" for a line that is not known or that lacks a number."""
    say = _SENTENCES.get(line)
    try:
        return say(reading) if say else ""
    except (KeyError, TypeError, ValueError, OverflowError):
        return ""  # anybody may have written it


def _weights(reading: ClaimReading) -> str:
    n = reading.numbers
    return (
        f"Of {n['of']:d} inputs it is the {_nth(n['rank'])} by weight times activation, the "
        f"{_nth(n['rank_by_weight'])} by size of its weights: {_share(n['share'])} of Σ|w|, the "
        f"others have {_share(n['share_of_others'])}."
    )


def _ablation(reading: ClaimReading) -> str:
    n = reading.numbers
    return (
        f"{_share(reading.effect)} of the target's answer goes with it, over {n['pictures']:d} "
        f"pictures; {_share(n['controls_mean'])} with a control on the average, "
        f"{_share(n['controls_largest'])} at most."
    )


def _coactivation(reading: ClaimReading) -> str:
    n = reading.numbers
    where = "" if "p_places" not in n else f"; at the same places, p = {n['p_places']:.3g}"
    return (
        f"Both fire on the same pictures {n['lift']:.2g} times as often as by chance; by its rank "
        f"on the target's pictures it is the {_nth(n['rank'])} of {n['of']:d} units{where}."
    )


def _synthesis(reading: ClaimReading) -> str:
    n = reading.numbers
    back = n.get("target_on_composition")
    other = "" if back is None else f"; the target {back:.2g} times on the picture of what drives it"
    return (
        f"On the picture made for the target it answers {reading.effect:.2g} times as strongly as "
        f"to all but 5 % of photographs{other}."
    )


def _specificity(reading: ClaimReading) -> str:
    n = reading.numbers
    return (
        f"By what it loses, the target is the {_nth(n['rank'])} of {n['of']:d} units of its node; "
        f"of {n['drivers']:d} units that were silenced, this is the {_nth(n['driver_rank'])} by "
        "what the target loses."
    )


_SENTENCES: dict[str, Callable[[ClaimReading], str]] = {
    "weights": _weights,
    "ablation": _ablation,
    "coactivation": _coactivation,
    "synthesis": _synthesis,
    "specificity": _specificity,
}


def _share(value: float) -> str:
    return f"{100 * value:.2g} %"


def _nth(number: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0)
    return f"{number:d}{ending or 'th'}"
