"""What the study of `claims.py` found, as the tables of docs/claims.md.

python benchmarks/claims_summary.py claims.json
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from micrograph.circuits.claims.evidence import LINES, SUPPORTS
from micrograph.circuits.claims.statistics import area_under_curve, score, share_interval

HALF = 0.5
"""The share of an answer that has to go with a part for the part to be needed."""
CARRIED = 0.05
"""The share of the target's answer that a part takes by way of one source, from which that source
carries it; its interval over scenes must be above 0 too."""
HALVES = ("tuning", "held out")

Row = dict[str, Any]
"""A claim of the study with what became of it."""


def is_carried(found: tuple[float, float] | None) -> bool:
    """Whether a source takes a part to a target."""
    return found is not None and found[0] >= CARRIED and found[1] > 0


TRUTHS: dict[str, Callable[[Row], bool]] = {
    "shown": lambda row: row["plain"],
    "needed": lambda row: row["plain"] and row["fall"] is not None and row["fall"] >= HALF,
    "carried": lambda row: is_carried(row["carried"]),
}
"""Which true claims (with their controls) are true in which sense."""


def summary(rows: list[Row], half: str) -> dict[str, Any]:
    """Area under the curve by each truth, and how many claims of each kind are supported."""
    rows = [row for row in rows if half in ("both", row["half"])]
    found: dict[str, Any] = {}
    for name, holds in TRUTHS.items():
        true = [r for r in rows if r["kind"] == "true" and holds(r)]
        found[name] = _supported(true)
        for kind in ("control", "idle", "random"):
            others = [r for r in rows if r["kind"] == kind and (kind != "control" or holds(r))]
            found[name][kind] = _supported(others) | _ranked(true, others)
    return found


def _supported(rows: list[Row]) -> dict[str, Any]:
    hits = sum(r["verdict"] == SUPPORTS for r in rows)
    return {
        "claims": len(rows),
        "supported": hits,
        "interval": share_interval(hits, max(1, len(rows))),
        "contradicted": sum(r["verdict"] == "contradicts" for r in rows),
    }


def _ranked(true: list[Row], others: list[Row]) -> dict[str, Any]:
    """How true claims rank over others; the interval draws targets with replacement, because
    claims about one target are not independent."""
    a, b = ([r for r in some if r["ps"]] for some in (true, others))
    if len(a) < 3 or len(b) < 3:
        return {}
    draw = np.random.default_rng(0)
    sides = [_by_target(a), _by_target(b)]
    again = []
    for _ in range(500):
        x, y = (
            np.concatenate([some[k] for k in draw.integers(0, len(some), len(some))])
            for some in sides
        )
        again.append(area_under_curve(x.tolist(), y.tolist()))
    return {
        "auc": area_under_curve([r["strength"] for r in a], [r["strength"] for r in b]),
        "auc_interval": np.quantile(again, [0.025, 0.975]).tolist(),
        "lines": {
            name: area_under_curve(
                [score(r["ps"][name]) for r in a], [score(r["ps"][name]) for r in b]
            )
            for name in LINES
        },
    }


def _by_target(rows: list[Row]) -> list[np.ndarray]:
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["claim"].split(" <- ")[0], []).append(row["strength"])
    return [np.array(some) for some in found.values()]


HEADS = (
    *("network", "truth", "true claims", "over controls", "held out", "over idle", "over random"),
    *("true supported", "controls", "random"),
)
OTHERS = ("control", "idle", "random")


def table(studies: dict[str, Any]) -> str:
    """AUC of strength over other claims, and how many are supported; then AUC line by line."""
    lines = [
        "| " + " | ".join(HEADS) + " |",
        "|---" * len(HEADS) + "|",
    ]
    by_line = [
        "",
        "| network | truth | " + " | ".join(LINES) + " |",
        "|---" * (2 + len(LINES)) + "|",
    ]
    for network, study in studies.items():
        both, held = (summary(study["rows"], half) for half in ("both", "held out"))
        for name, found in both.items():
            ranked = [_auc(found[kind]) for kind in OTHERS]
            ranked.insert(1, _auc(held[name]["control"]))
            shares = [_share(found), _share(found["control"]), _share(found["random"])]
            cells = [network, name, str(found["claims"]), *ranked, *shares]
            lines.append("| " + " | ".join(cells) + " |")
            if "lines" in found["control"]:
                told = [f"{value:.2f}" for value in found["control"]["lines"].values()]
                by_line.append("| " + " | ".join([network, name, *told]) + " |")
    hits = [r["verdict"] == SUPPORTS for s in studies.values() for r in s["rows"] if _random(r)]
    low, high = share_interval(sum(hits), max(1, len(hits)))
    told = f"Random claims supported: {sum(hits)} of {len(hits)} ({low:.1%} to {high:.1%})"
    return "\n".join([*lines, *by_line, "", told])


def _random(row: Row) -> bool:
    found: bool = row["kind"] == "random"
    return found


def _auc(found: dict[str, Any]) -> str:
    if "auc" not in found:
        return "–"
    low, high = found["auc_interval"]
    return f"{found['auc']:.2f} ({low:.2f}–{high:.2f})"


def _share(found: dict[str, Any]) -> str:
    return f"{found['supported']} of {found['claims']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", type=Path, nargs="+")
    args = parser.parse_args()
    studies: dict[str, Any] = {}
    for file in args.studies:
        studies |= json.loads(file.read_text())
    print(table(studies))


if __name__ == "__main__":
    main()
