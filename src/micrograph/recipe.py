"""Recipes: everything that decides a result, as plain JSON data, and its digest.

A recipe holds the technique, every parameter, the seed, the model's id and weights digest and the
revision of the code that renders. Equal recipes at equal subjects give equal results (on one kind
of device), so the digest is the key under which an atlas keeps them.

It also holds its variant, the name of the view for people and URLs. Two recipes that differ in
nothing else give the same result, so the variant is no part of the digest.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from micrograph.errors import BadInput, short

Recipe = Mapping[str, Any]

_VARIANT_DECIDES = frozenset({"similar", "unit_map"})
"""Techniques whose variant was a parameter from the start, and so is part of their digests."""


def canonical(recipe: Recipe) -> str:
    """What decides the result, as JSON with sorted keys and no spaces; floats in their shortest
    exact form.

    >>> canonical({"technique": "maco", "variant": "channel", "seed": 0, "steps": 64})
    '{"seed":0,"steps":64,"technique":"maco"}'

    Raises ValueError for NaN and infinities, TypeError for what is no JSON.
    """
    if recipe.get("technique") not in _VARIANT_DECIDES:
        recipe = {key: value for key, value in recipe.items() if key != "variant"}
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(recipe: Recipe) -> str:
    """SHA-256 of the canonical text, as 64 hex digits. Raises what `canonical` raises."""
    return hashlib.sha256(canonical(recipe).encode()).hexdigest()


def technique(recipe: Recipe) -> str:
    """The lens that the recipe is for. Raises BadInput where it does not say."""
    return _text(recipe, "technique")


def variant(recipe: Recipe) -> str:
    """The name of the view, e.g. "channel-negative". Raises BadInput where there is none."""
    return _text(recipe, "variant")


def seed(recipe: Recipe) -> int:
    """The seed. Raises BadInput where there is none."""
    found = recipe.get("seed")
    if type(found) is not int:
        raise BadInput(
            f"seed {short(found)} of a recipe is no whole number; every recipe needs one"
        )
    return found


def _text(recipe: Recipe, key: str) -> str:
    found = recipe.get(key)
    if not isinstance(found, str) or not found:
        raise BadInput(f"{key} {short(found)} of a recipe is no name; every recipe needs one")
    return found
