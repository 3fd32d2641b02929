import hashlib
import json
import pickle
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from micrograph import recipe as recipes
from micrograph.atlas import Atlas, bundled_gallery
from micrograph.errors import BadInput, not_found
from micrograph.recipe import StoredRecipe, canonical, digest, indented

OLDER = [
    *sorted(bundled_gallery().glob("*.atlas")),
    *sorted((Path(__file__).parent / "twins" / "atlases").glob("*.atlas")),
]
RECIPE = {"technique": "maco", "view": "channel", "seed": 3, "steps": 64}


def test_order_and_container_do_not_matter() -> None:
    a = {"b": (1, 2), "a": {"y": 0.1, "x": True}}
    b = {"a": {"x": True, "y": 0.1}, "b": [1, 2]}
    assert canonical(a) == canonical(b)
    assert digest(a) == digest(b)
    assert digest(json.loads(canonical(a))) == digest(a)


@pytest.mark.parametrize("other", [{"a": 2}, {"a": 1.5}, {"a": "1"}, {"a": 1, "b": None}, {}])
def test_every_change_shows(other: dict) -> None:
    assert digest(other) != digest({"a": 1})


def test_values_without_a_text_of_their_own_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        digest({"a": float("nan")})


def test_a_variant_has_a_name_that_decides_nothing() -> None:
    bare = {key: value for key, value in RECIPE.items() if key != "view"}
    for other in (bare, RECIPE | {"view": "neuron"}):
        assert digest(other) == digest(RECIPE)
    for other in (RECIPE | {"seed": 4}, RECIPE | {"sign": {"view": 1}}):
        assert digest(other) != digest(RECIPE)


def test_what_a_recipe_says() -> None:
    asked = (recipes.technique(RECIPE), recipes.variant(RECIPE), recipes.seed(RECIPE))
    assert asked == ("maco", "channel", 3)


@pytest.mark.parametrize("value", [None, True, 1.5, ["x"]])
def test_a_recipe_that_does_not_say_it_is_refused(value: object) -> None:
    for ask in (recipes.technique, recipes.variant, recipes.seed):
        for recipe in ({}, {"technique": value, "view": value, "seed": value}):
            with pytest.raises(BadInput, match="every recipe needs one") as told:
                ask(recipe)
            assert "\n" not in str(told.value)


@pytest.mark.parametrize("path", OLDER, ids=lambda path: path.stem)
def test_digests_in_older_atlases_are_those_of_the_recipes_read_from_them(path) -> None:
    """They were written before recipes named their variant: nothing is rendered anew."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        stored = connection.execute(
            "SELECT r.digest, r.technique, r.variant, r.seed, r.json, n.name, v.unit "
            "FROM recipe r JOIN visualization v ON v.recipe = r.id JOIN node n ON n.id = v.node "
            "GROUP BY r.id"
        ).fetchall()
    assert stored
    atlas = Atlas.open(path)
    for key, technique, variant, seed, text, node, unit in stored:
        assert hashlib.sha256(text.encode()).digest() == key, "the text is what was digested"
        found = atlas.visualizations(node, None if unit < 0 else unit)
        found += [v for one in atlas.subjects(node) for v in atlas.about(one)]
        (v,) = [v for v in found if digest(v.recipe) == key.hex()]
        assert (v.technique, v.variant, v.seed) == (technique, variant, seed)
        assert canonical(v.recipe) == text


def test_a_stored_recipe_is_that_recipe_and_stays_so() -> None:
    stored = StoredRecipe(RECIPE)
    assert stored == RECIPE
    assert (canonical(stored), digest(stored)) == (canonical(RECIPE), digest(RECIPE))
    assert indented(stored) == indented(RECIPE) == json.dumps(RECIPE, indent=2)
    assert json.loads(json.dumps(stored)) == RECIPE
    assert pickle.loads(pickle.dumps(stored)) == RECIPE
    with pytest.raises(TypeError, match="does not change"):
        stored["seed"] = 4
    assert digest({**stored, "seed": 4}) != digest(stored)


def test_unknown_names_say_what_is_near() -> None:
    error = not_found("model", "toytwon", ["toytown", "squeezenet1_1"])
    assert error.nearest[0] == "toytown"
    assert "did you mean 'toytown'" in str(error)
    assert "known: b" in str(not_found("model", "zzz", ["b"]))
    assert "none yet" in str(not_found("model", "a", []))
