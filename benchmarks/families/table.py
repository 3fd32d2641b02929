"""The rows of the table of families as a document."""

import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Any

Row = dict[str, Any]

LIBRARIES = ("timm", "torchvision", "open_clip", "transformers")
_PACKAGES = {"open_clip": "open_clip_torch"}
_HEADS = "| network | px | nodes | not shown | values | edges | fields | maps | output | pictures |"
_INTRODUCTION = """# Families of networks

How far what Micrograph shows of a network agrees with the network itself, for the smallest network
of every family, with random weights: timm's of every module, and those of torchvision, open_clip
and transformers ({versions}).
Made by `python benchmarks/families --write`.

- **nodes**: how many there are; **not shown**: parts without parts of their own that compute
  something from the picture and have no node, of all such. A value whose axes are not known for
  certain is no node.
- **values**: every node against a plain hook on the module, or for sums and the like against what
  the network's own operations gave; the largest relative difference is {difference:.0e}.
- **edges**: the network is cut at every node; then a gradient reaches just the nodes that a node
  reads. Wrong are edges along which none flows, and nodes that are reached though no path leads
  from them.
- **fields**: the gradient of two positions lies within the stated receptive field.
- **maps**: a bright square moves over the picture, and what changes in a map moves along. Where all
  of a map changes alike, as behind attention with random weights, this says nothing ("?").
- **output**: what the network gives is a node. **pictures**: feature visualization runs for a unit
  in the middle, of a token, and of the last node.
"""


def document(rows: Sequence[Row]) -> str:
    """The whole page."""
    built = [row for row in rows if not row["error"].startswith("not built")]
    versions = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    most = max((row["difference"] for row in built), default=0.0)
    parts = [_INTRODUCTION.format(versions=versions, difference=most), _summary(built)]
    wrong = [row for row in built if _faults(row)]
    if wrong:
        parts.append("## What is wrong\n\n" + "\n".join(map(_told, wrong)))
    for name in LIBRARIES:
        mine = [row for row in built if row["name"].startswith(f"{name}:")]
        parts.append(f"## {name}\n\n{_HEADS}\n{'|---' * 10}|\n" + "\n".join(map(_line, mine)))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _version(name: str) -> str:
    return importlib.metadata.version(_PACKAGES.get(name, name))


def _summary(rows: Sequence[Row]) -> str:
    heads = "| | networks | nodes | parts not shown | values wrong | edges wrong | fields wrong |"
    lines = [f"{heads} maps wrong | output a node | pictures failed |", "|---" * 10 + "|"]
    for name in (*LIBRARIES, "all"):
        mine = [row for row in rows if name == "all" or row["name"].startswith(f"{name}:")]
        edges = _length(mine, "edges_false") + _length(mine, "edges_missing")
        cells = (
            len(mine),
            f"{_sum(mine, 'nodes'):,}",
            f"{_length(mine, 'unseen'):,} of {_sum(mine, 'modules'):,}",
            f"{_length(mine, 'values_wrong')} of {_sum(mine, 'values'):,}",
            f"{edges} of {_sum(mine, 'edges'):,}",
            f"{_length(mine, 'fields_wrong')} of {_sum(mine, 'fields'):,}",
            f"{_length(mine, 'maps_wrong')} of {_sum(mine, 'maps'):,}",
            f"{_sum(mine, 'output')} of {len(mine)}",
            f"{_length(mine, 'pictures_wrong')} of {_sum(mine, 'pictures'):,}",
        )
        lines.append(f"| {name} | " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _sum(rows: Sequence[Row], field: str) -> int:
    return sum(row[field] for row in rows)


def _length(rows: Sequence[Row], field: str) -> int:
    return sum(len(row[field]) for row in rows)


_WRONG: dict[str, Callable[[Row], Any]] = {
    "values": lambda row: row["values_wrong"],
    "edges": lambda row: row["edges_false"] + row["edges_missing"],
    "fields": lambda row: row["fields_wrong"],
    "maps": lambda row: row["maps_wrong"],
    "pictures": lambda row: row["pictures_wrong"],
}


def _faults(row: Row) -> list[str]:
    found = [f"{len(some(row))} {what}" for what, some in _WRONG.items() if some(row)]
    return [row["error"], *found] if row["error"] else found


def _told(row: Row) -> str:
    first = next((some(row)[0] for some in _WRONG.values() if some(row)), "")
    said = "; ".join(_faults(row))
    return f"- `{row['name']}`: {said}" + (f", such as `{first}`" if first else "")


def _line(row: Row) -> str:
    def share(wrong: list[str], of: int) -> str:
        return f"**{len(wrong)} of {of}**" if wrong else str(of)

    maps = share(row["maps_wrong"], row["follows"] + len(row["maps_wrong"]))
    cells = (
        row["name"].partition(":")[2],
        row["size"],
        row["nodes"],
        f"{len(row['unseen'])} of {row['modules']}",
        share(row["values_wrong"], row["values"]),
        share(row["edges_false"] + row["edges_missing"], row["edges"]),
        share(row["fields_wrong"], row["fields"]),
        maps + (f" ({row['spread']}?)" if row["spread"] else ""),
        "yes" if row["output"] else "**no**",
        share(row["pictures_wrong"], row["pictures"]),
    )
    return "| " + " | ".join(map(str, cells)) + " |"
