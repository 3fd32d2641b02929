"""What each thing is recognized by, and which of its parts do not matter: the ground truth."""

from __future__ import annotations

_TABLE = {
    "car": "body wheel window / door cabin",
    "bus": "body wheel window / door",
    "tram": "window door wheel / body roof pole",
    "van": "wheel cargo window / body door",
    "lorry": "cargo wheel cabin / frame door window",
    "bicycle": "wheel frame",
    "tractor": "wheel body cabin / window roof",
    "locomotive": "wheel body chimney / cabin frame window roof",
    "boat": "hull sail / mast",
    "balloon": "envelope basket",
    "house": "roof window door / wall chimney",
    "church": "wall roof window / door",
    "castle": "battlement door / wall window",
    "windmill": "blade wall / roof door",
    "lighthouse": "wall lamp / roof door",
    "face": "head hair eye / torso ear",
    "cat": "ear eye whisker / head",
    "fox": "head ear / eye",
    "owl": "wing eye / head torso ear leg",
    "rabbit": "head ear / eye whisker",
    "zebra": "torso leg neck / head",
    "giraffe": "leg neck / torso head",
    "fish": "fin torso / head eye",
    "butterfly": "wing torso",
    "flower": "petal leaf / disc",
    "tree": "foliage trunk",
    "palm": "leaf trunk",
    "pine": "foliage trunk",
    "mushroom": "cap stem",
    "clock": "dial hand / rim",
}

NEEDED: dict[str, frozenset[str]] = {
    thing: frozenset(parts.partition("/")[0].split()) for thing, parts in _TABLE.items()
}
"""Without any one of these a thing is none: a car needs a body, wheels and windows."""

IDLE: dict[str, frozenset[str]] = {
    thing: frozenset(parts.partition("/")[2].split()) for thing, parts in _TABLE.items()
}
"""Parts of comparable size that a thing has, and stays what it is without: a car's doors."""
