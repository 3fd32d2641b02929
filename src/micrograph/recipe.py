"""Recipes: everything that decides a result, as plain JSON data, and its digest.

A recipe holds the lens ("technique"), every parameter, the seed, the model's id and weights digest
and the revision of the code that renders. Equal recipes at equal addresses give equal results (on
one kind of device), so the digest is the key under which an atlas keeps them.

It also says what its variant is called ("view"). That is a name for people and URLs, which what the
recipe decides does not depend on: the digest leaves it out, as recipes had none before.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

Recipe = Mapping[str, Any]

VIEW = "view"
"""The key under which a recipe names its variant."""


def canonical(recipe: Recipe) -> str:
    """The recipe as JSON with sorted keys and no spaces; floats in their shortest exact form."""
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(recipe: Recipe) -> str:
    """SHA-256 of the canonical text of all but the variant's name, as 64 hex digits."""
    decisive = {key: value for key, value in recipe.items() if key != VIEW}
    return hashlib.sha256(canonical(decisive).encode()).hexdigest()


def technique(recipe: Recipe) -> str:
    """The name of the lens."""
    return str(recipe["technique"])


def variant(recipe: Recipe) -> str:
    """What the view of the lens is called in atlases and URLs."""
    return str(recipe[VIEW])


def seed(recipe: Recipe) -> int:
    """The random seed, 0 for lenses without chance."""
    return int(recipe["seed"])
