"""Recipes: everything that decides a result, as plain JSON data, and its digest.

A recipe holds the lens ("technique"), every parameter, the seed, the model's id and weights digest
and the revision of the code that renders. Equal recipes at equal subjects give equal results (on
one kind of device), so the digest is the key under which an atlas keeps them.

It also says what its variant is called ("view"). That is a name for people and URLs, which what the
recipe decides does not depend on: the digest leaves it out, as recipes had none before.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from micrograph.errors import BadInput, short

Recipe = Mapping[str, Any]

VIEW = "view"
"""The key under which a recipe names its variant."""


def canonical(recipe: Recipe) -> str:
    """What decides the result, as JSON with sorted keys and no spaces; floats in their shortest
    exact form.

    >>> canonical({"technique": "maco", "view": "channel", "seed": 0, "steps": 64})
    '{"seed":0,"steps":64,"technique":"maco"}'

    Raises ValueError for NaN and infinities, TypeError for what is no JSON.
    """
    if isinstance(recipe, StoredRecipe):
        return recipe.canonical_text
    return _canonical(recipe)


def _canonical(recipe: Recipe) -> str:
    decisive = {key: value for key, value in recipe.items() if key != VIEW}
    return json.dumps(decisive, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(recipe: Recipe) -> str:
    """SHA-256 of the canonical text, as 64 hex digits. Raises what `canonical` raises."""
    if isinstance(recipe, StoredRecipe):
        return recipe.canonical_digest
    return hashlib.sha256(canonical(recipe).encode()).hexdigest()


def indented(data: Mapping[str, Any]) -> str:
    """JSON for people: indented, but short lists of numbers on one line."""
    return data.indented_text if isinstance(data, StoredRecipe) else _indented(data)


def _indented(data: Mapping[str, Any]) -> str:
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return re.sub(r"\[[\s\d.,eE+-]*\]", lambda m: " ".join(m[0].split()), text)


class StoredRecipe(dict[str, Any]):
    """A recipe that many results share, with what follows from it. Nobody may change it."""

    @cached_property
    def canonical_text(self) -> str:
        return _canonical(self)

    @cached_property
    def canonical_digest(self) -> str:
        return hashlib.sha256(self.canonical_text.encode()).hexdigest()

    @cached_property
    def indented_text(self) -> str:
        return _indented(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredRecipe, (dict(self),)

    def __setitem__(self, key: str, value: Any) -> None:
        raise TypeError("a stored recipe does not change; make a dict of it")


def technique(recipe: Recipe) -> str:
    """The name of the lens. Raises BadInput where there is none."""
    return _name(recipe, "technique")


def variant(recipe: Recipe) -> str:
    """What the view of the lens is called in atlases and URLs, e.g. "channel-negative". Raises
    BadInput where there is none."""
    return _name(recipe, VIEW)


def seed(recipe: Recipe) -> int:
    """The random seed, 0 for lenses without chance. Raises BadInput where there is none."""
    found = recipe.get("seed")
    if type(found) is not int:
        raise BadInput(f"seed {short(found)} of a recipe is no number; every recipe needs one")
    return found


def _name(recipe: Recipe, key: str) -> str:
    found = recipe.get(key)
    if not isinstance(found, str):
        raise BadInput(f"{key} {short(found)} of a recipe is no name; every recipe needs one")
    return found


class FromRecipe:
    """What carries a `recipe`, and is called by the lens, variant and seed that it names.

    All three raise BadInput where the recipe does not say.
    """

    recipe: Recipe

    @property
    def technique(self) -> str:
        """The name of the lens."""
        return technique(self.recipe)

    @property
    def variant(self) -> str:
        """The view of the lens in words for people and URLs: "channel", "channel-negative", ..."""
        return variant(self.recipe)

    @property
    def seed(self) -> int:
        """The random seed, 0 for lenses without chance."""
        return seed(self.recipe)
