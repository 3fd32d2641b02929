"""Recipes: everything that decides a picture, as plain JSON data, and its digest.

A recipe holds the technique, every parameter, the seed, the model's id and weights digest and the
revision of the code that renders. Equal recipes at equal addresses give equal pictures (on one kind
of device), so the digest is the key under which an atlas keeps them.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

Recipe = Mapping[str, Any]


def canonical(recipe: Recipe) -> str:
    """The recipe as JSON with sorted keys and no spaces; floats in their shortest exact form."""
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(recipe: Recipe) -> str:
    """SHA-256 of the canonical text, as 64 hex digits."""
    return hashlib.sha256(canonical(recipe).encode()).hexdigest()
