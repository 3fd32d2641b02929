"""Verdicts on feature visualizations, on results whose quality is known."""

import dataclasses
from typing import Any

import pytest
import web_samples

from micrograph.atlas import Visualization
from micrograph.lenses.feature_vis.quality import (
    CAREFUL,
    DISTRUSTED,
    TRUSTED,
    UNCHECKED,
    Quality,
    qualities,
)

UNIT = 3
ALIKE = [[3, 9.0], [5, 4.0], [8, 3.0], [1, 2.0]]


def picture(
    score: float, seed: int = 0, variant: str = "channel", company: Any = ALIKE, **recipe: Any
) -> Visualization:
    made = web_samples.visualization("mixed1a", UNIT, variant, seed)
    return dataclasses.replace(
        made, score=score, data={"company": company}, recipe={**made.recipe, **recipe}
    )


def examples(
    mean: float = 2.0, most: float = 10.0, name: str = "town", **more: Any
) -> Visualization:
    def quantiles(top: float) -> dict[str, float]:
        return {"0.5": 0.1 * top, "0.9": 0.5 * top, "0.99": 0.9 * top, "1": top}

    data = {
        "dataset": "cd" * 32,
        "picture_max": quantiles(most),
        "picture_mean": quantiles(mean),
    } | more
    recipe = {"technique": "dataset_examples", "view": name, "seed": 0}
    return Visualization("mixed1a", UNIT, recipe, most, None, data)


def judged(*found: Visualization, variant: str = "channel") -> Quality:
    return qualities(found)[variant]


def repeats(*companies: Any, scores: tuple[float, ...] = (5, 5, 5)) -> list[Visualization]:
    return [
        picture(score, seed, company=company)
        for seed, (company, score) in enumerate(zip(companies, scores, strict=False))
    ]


def test_a_strong_picture_whose_repeats_agree_is_trusted() -> None:
    found = judged(*repeats(ALIKE, ALIKE, [[3, 1.0], [5, 4.1], [8, 2.9], [1, 2.0]]), examples())
    assert found.verdict == TRUSTED
    assert found.reasons == [
        "It drives the unit 2.50 times the largest mean over a picture of town.",
        "3 repeats agree.",
    ]
    assert (found.share, found.exceeds, found.repeats, found.spread) == (2.5, 1.0, 3, 0)
    assert found.agreement == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize(
    ("variant", "score", "verdict", "exceeds"),
    [
        ("channel", 3.0, TRUSTED, 1),
        ("channel", 2.2, CAREFUL, 1),
        ("channel", 1.9, DISTRUSTED, 0.99),
        ("channel", 0.0, DISTRUSTED, 0),
        ("neuron", 11.0, TRUSTED, 1),
        ("neuron", 9.5, CAREFUL, 0.99),
        ("neuron", 4.0, DISTRUSTED, 0.5),
        ("neuron-at-0-1", 4.0, DISTRUSTED, 0.5),
    ],
)
def test_a_channel_is_measured_by_means_and_a_neuron_by_maxima(
    variant: str, score: float, verdict: str, exceeds: float
) -> None:
    found = judged(picture(score, variant=variant), examples(), variant=variant)
    assert (found.verdict, found.exceeds) == (verdict, exceeds)
    assert found.share == pytest.approx(score / (2 if variant == "channel" else 10))
    assert ("failed" in found.reasons[0]) == (verdict == DISTRUSTED)


def test_repeats_that_drive_different_units_are_several_meanings() -> None:
    other = [[3, 9.0], [11, 4.0], [12, 3.0]]
    found = judged(*repeats(ALIKE, other, ALIKE), examples())
    assert found.verdict == CAREFUL
    assert found.agreement == pytest.approx(1 / 3), "two of three pairs share nothing else"
    assert "several meanings" in found.reasons[0]


def test_the_unit_itself_does_not_count_as_agreement() -> None:
    found = judged(*repeats([[3, 9.0], [5, 1.0]], [[3, 9.0], [6, 1.0]]), examples())
    assert found.agreement == 0


def test_repeats_of_unlike_strength_are_told() -> None:
    found = judged(*repeats(ALIKE, ALIKE, ALIKE, scores=(5, 2, 5)), examples())
    assert (found.verdict, found.spread) == (CAREFUL, 0.6)


def test_pictures_made_in_another_way_are_no_repeats() -> None:
    found = judged(picture(5), picture(5, 1, company=[[7, 1.0]], steps=4), examples())
    assert (found.repeats, found.agreement, found.verdict) == (1, None, TRUSTED)
    assert "made once" in found.reasons[-1]


def test_a_dead_unit_has_no_trusted_picture() -> None:
    dead = examples(0.0, 0.0)
    found = judged(*repeats(ALIKE, ALIKE), dead)
    assert (found.verdict, found.share) == (DISTRUSTED, None)
    assert found.reasons[0] == "None of the pictures in town excites this unit: it may be dead."


def test_a_nearly_silent_unit_is_read_with_care() -> None:
    silent = examples(picture_max={"0.5": 0, "0.9": 0, "0.99": 0, "1": 10})
    assert judged(picture(5), silent).verdict == CAREFUL


def test_the_dataset_that_drives_it_most_counts() -> None:
    found = judged(picture(5), examples(name="town"), examples(mean=4.5, name="photos"))
    assert (found.dataset, found.verdict) == ("photos", CAREFUL)


def test_nothing_to_compare_with_is_said() -> None:
    alone = judged(picture(5))
    assert (alone.verdict, alone.share, alone.dataset) == (UNCHECKED, None, "")
    assert "No dataset was swept" in alone.reasons[0]
    assert (
        judged(
            picture(-5, variant="neuron-negative"), examples(), variant="neuron-negative"
        ).verdict
        == UNCHECKED
    )
    never = examples(-1.0, -2.0)
    assert judged(picture(5), never).verdict == UNCHECKED, "logits may be negative without dying"


@pytest.mark.parametrize(
    "bad",
    [
        {"picture_mean": None},
        {"picture_mean": {"1": "x"}},
        {"picture_mean": {"one": 1}},
        {"picture_mean": {"1": float("nan")}},
        {"picture_mean": [1]},
        {"picture_mean": {"7": 1}},
    ],
)
def test_foreign_data_does_no_harm(bad: dict[str, Any]) -> None:
    found = judged(*repeats(ALIKE, "x", [["a", 1], [3], None, [5, float("nan")]]), examples(**bad))
    assert (found.verdict, found.share) == (UNCHECKED, None)


FOREIGN = {
    "cd" * 32: "town is of another world than the model's: its labels name 4 of the 30 classes"
}


def test_a_dataset_of_another_world_is_no_judge() -> None:
    for score in (1.0, 5.0):
        found = qualities([*repeats(ALIKE, ALIKE, scores=(score, score)), examples()], FOREIGN)
        judged = found["channel"]
        assert (judged.verdict, judged.foreign) == (UNCHECKED, True)
        assert judged.reasons == ["2 repeats agree.", f"Not judged: {FOREIGN['cd' * 32]}."]
    dead = examples(mean=0, most=0, picture_max={"1": 0}, picture_mean={"1": 0})
    assert qualities([picture(5), dead], FOREIGN)["channel"].verdict == UNCHECKED


def test_a_dataset_of_the_models_own_world_comes_before_others() -> None:
    own = examples(mean=4, name="photos", dataset="ef" * 32)
    found = qualities([picture(2), examples(mean=9), own], FOREIGN)["channel"]
    assert (found.dataset, found.share, found.verdict) == ("photos", 0.5, DISTRUSTED)


def test_repeats_that_disagree_need_no_dataset() -> None:
    unlike = repeats([[3, 9.0], [5, 4.0]], [[3, 9.0], [8, 4.0]])
    assert qualities([*unlike, examples()], FOREIGN)["channel"].verdict == CAREFUL
