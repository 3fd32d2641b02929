"""The tables of forced_choice.py: shares with intervals, as Markdown."""

from collections.abc import Mapping, Sequence

import numpy as np

DRAWS = 10_000
TITLES = {
    "examples": "dataset examples (8)",
    "example": "dataset example (1)",
    "prototype": "`prototype`",
    "feature_vis": "`feature_vis`",
    "diversity": "`diversity` (4)",
    "maco": "`maco`",
    "another unit": "another unit's `feature_vis`",
}
"""What observers are shown, in the order of the rows."""

Shares = Mapping[tuple[str, str], np.ndarray]
"""By what is shown and by column: the share of right choices of each unit."""


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean over units, by drawing units anew (bootstrap)."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (DRAWS, len(values)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def cell(values: np.ndarray) -> str:
    """ "71.2 (68.0 to 74.1)", in percent."""
    low, high = interval(values)
    return f"{100 * values.mean():.1f} ({100 * low:.1f} to {100 * high:.1f})"


def difference(values: np.ndarray) -> str:
    """ "+3.1 (-0.2 to +6.0)", in points of percent."""
    low, high = interval(values)
    return f"{100 * values.mean():+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def table(shares: Shares, columns: Sequence[str]) -> str:
    """Right choices in percent; then how much more than for feature_vis, unit by unit."""
    shown = [kind for kind in TITLES if (kind, columns[0]) in shares]
    lines = [f"| shown | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    for kind in shown:
        cells = [cell(shares[kind, column]) for column in columns]
        lines.append(f"| {TITLES[kind]} | {' | '.join(cells)} |")
    lines += ["", f"| more than `feature_vis` | {' | '.join(columns)} |"]
    lines.append("|---|" + "---|" * len(columns))
    for kind in shown:
        if kind != "feature_vis":
            cells = [
                difference(shares[kind, column] - shares["feature_vis", column])
                for column in columns
            ]
            lines.append(f"| {TITLES[kind]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def by_node(shares: Shares, column: str, nodes: Sequence[str]) -> str:
    """The means of one column for the units of each node; `nodes` is that of each unit."""
    names = list(dict.fromkeys(nodes))
    at = np.array(nodes)
    lines = [f"| {column} | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for kind in TITLES:
        if (kind, column) in shares:
            means = [f"{100 * shares[kind, column][at == name].mean():.0f}" for name in names]
            lines.append(f"| {TITLES[kind]} | {' | '.join(means)} |")
    return "\n".join(lines)
