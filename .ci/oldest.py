"""Constraints of the oldest versions that pyproject.toml allows, one a line; `make oldest`.

    python .ci/oldest.py > oldest.txt

Lower bounds of what the package needs and of the extras named below. torch keeps the version of
constraints.txt: older ones come with gigabytes of CUDA libraries.
"""

import re
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
EXTRAS = ("lenses", "tests")
KEPT = ("torch",)

BOUND = re.compile(r"([A-Za-z0-9_.-]+)>=([0-9.]+)")


def lower_bounds(project: dict) -> list[str]:
    """`name==version` of each dependency; of which each must have a lower bound."""
    wanted = list(project["dependencies"])
    for extra in EXTRAS:
        wanted += project["optional-dependencies"][extra]
    found = []
    for one in wanted:
        match = BOUND.fullmatch(one)
        if match is None:
            raise SystemExit(f"{one!r} in pyproject.toml; expected NAME>=VERSION")
        if match[1] not in KEPT:
            found.append(f"{match[1]}=={match[2]}")
    return found


def kept() -> list[str]:
    """The lines of constraints.txt that stay."""
    lines = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in KEPT]


if __name__ == "__main__":
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    print("\n".join(kept() + lower_bounds(project)))
