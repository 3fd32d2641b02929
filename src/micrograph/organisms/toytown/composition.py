"""What every class is composed of: the ground truth for labels, circuits and claims."""

from __future__ import annotations

COMPOSED: dict[str, frozenset[str]] = {
    name: frozenset(parts.split())
    for name, parts in {
        "car": "body cabin window door lamp wheel",
        "bus": "body window door lamp wheel",
        "tram": "body window door lamp wheel roof pole",
        "van": "body window door lamp wheel cargo",
        "lorry": "cabin window door lamp wheel cargo frame",
        "bicycle": "wheel frame",
        "tractor": "body cabin window roof chimney lamp wheel",
        "locomotive": "body cabin window roof chimney lamp wheel frame",
        "boat": "hull mast sail",
        "balloon": "envelope basket",
        "house": "wall roof window door chimney",
        "church": "wall roof window door cross",
        "castle": "wall window door battlement",
        "windmill": "wall roof window door blade",
        "lighthouse": "wall roof window door lamp",
        "face": "head hair ear eye nose mouth neck torso",
        "cat": "head ear eye nose mouth whisker",
        "fox": "head ear eye nose",
        "owl": "head torso ear eye beak wing leg",
        "rabbit": "head ear eye nose mouth whisker",
        "zebra": "torso leg tail mane neck ear head nose eye",
        "giraffe": "torso leg tail mane neck ear head nose eye antenna",
        "fish": "torso head fin eye mouth",
        "butterfly": "wing torso head antenna",
        "flower": "stem leaf petal disc",
        "tree": "trunk foliage",
        "palm": "trunk leaf",
        "pine": "trunk foliage",
        "mushroom": "stem cap",
        "clock": "rim dial hand",
    }.items()
}
"""Parts that every picture of a class contains, unless something stands in front of them."""


def classes_with(part: str) -> tuple[str, ...]:
    """The classes that always have this part, in the order of `scenes.CLASSES`."""
    return tuple(name for name, parts in COMPOSED.items() if part in parts)
