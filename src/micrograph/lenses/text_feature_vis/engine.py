"""Text feature visualization: which words would this unit go with?

In a contrastive pair a unit's way to the picture's vector is also a way to texts: the unit adds a
direction to the vector, and texts can be sought that lie in it. Every word is ranked exactly, then
whole texts are climbed to. Goh et al., "Multimodal Neurons in Artificial Neural Networks", Distill
2021, whose linear path this follows.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.cards.text import TextTower
from micrograph.errors import BadInput
from micrograph.lenses.engines import common
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, StepHook
from micrograph.lenses.engines.source_pictures import source_pictures
from micrograph.lenses.text_feature_vis.lens import LENS, TextParams, TextResult
from micrograph.lenses.text_feature_vis.text_path import directions
from micrograph.lenses.text_feature_vis.text_search import Search, Texts, climb
from micrograph.models.model import Model
from micrograph.organisms.toytown.scenes import HELD_OUT, scene

FIRST_SCENE = HELD_OUT + 700_000_000
"""Seed of the first of the typical pictures."""

MOST_TOKENS = 24
FEWEST_TOKENS = 8
"""Words kept from the top and from the bottom of the ranking."""

PENALTY = 0.005
"""Weight of a text's surprise. Goh et al. have 0.0025, for another score and language model; that
leaves toytown_clip's texts long lists."""


class TextContext:
    """What the jobs of one run share: the pictures of the path, and directions once computed."""

    def __init__(self, model: Model, tower: TextTower, pictures: Tensor | int) -> None:
        self.model = model
        self.tower = tower
        self._given = pictures
        self._directions: dict[str, Tensor] = {}

    @cached_property
    def texts(self) -> Texts:
        """The tower with its words embedded."""
        return Texts(self.tower)

    @cached_property
    def pictures(self) -> Tensor:
        """RGB [picture, 3, y, x] in 0..1; so many toytown scenes where none were given."""
        if isinstance(self._given, Tensor):
            return self._given
        size = self.model.preprocessing.size
        drawn = [scene(FIRST_SCENE + i, size=size).image for i in range(self._given)]
        return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).float() / 255

    def directions(self, node: str) -> Tensor:
        """[unit, dimension] of that node."""
        if node not in self._directions:
            self._directions = {node: directions(self.model, node, self.pictures)}
        return self._directions[node]


class TextFeatureVisEngine(BatchEngine[TextParams]):
    """The engine of the search for texts."""

    lens = LENS

    def plan(self, model: Model, params: TextParams) -> list[Job]:
        """One job. `penalty` is by default 0.005 where the tower has a language model, else 0.

        The path is averaged over toytown scenes, or over pictures where they are given. Raises
        BadInput for models without a text tower and for what does not fit the tower.
        """
        tower = model.text
        if tower is None:
            raise BadInput(
                f"{model.id} has no text tower, so no text can be sought for its units; "
                "try toytown_clip"
            )
        common.in_range("length", params.length, 1, tower.limit)
        known = tower.surprise(tower.words[0]) is not None
        penalty = params.penalty
        if penalty is None:
            penalty = PENALTY if known else 0.0
        if penalty and not known:
            raise BadInput(f"penalty {penalty} given, but {model.id} has no language model; use 0")
        found = source_pictures(params.images, model) if params.images else []
        search = Search(
            params.steps, params.proposals, params.restarts, params.length, float(penalty)
        )
        drawn = {"toytown": params.inputs, "first": FIRST_SCENE}
        made = {**asdict(search), "inputs": [p.digest for p in found] or drawn}
        pictures = torch.cat([p.tensor() for p in found]) if found else params.inputs
        recipe = self.recipe(model, "search", params.seed, **made)
        return [Job(recipe, TextContext(model, tower, pictures))]

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        """Units share the texts that they try; more at a time would only show results later."""
        return 16

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """Scores are the cosine of the best text with the unit's direction."""
        node = model.node(node).id
        started = time.perf_counter()
        reading: TextContext = job.context
        chosen = F.normalize(reading.directions(node)[list(units)], dim=1)
        search = Search(**{name: job.recipe[name] for name in asdict(Search())})
        keys = [common.key(job.seed, node, unit) for unit in units]
        ends = climb(reading.texts, chosen, keys, search, on_step)
        by_word = chosen @ reading.texts.vectors.T
        seconds = (time.perf_counter() - started) / len(units)
        for unit, direction, cosines, texts in zip(units, chosen, by_word, ends, strict=True):
            fits = reading.tower.embed(texts) @ direction
            found = sorted(zip(fits.tolist(), texts, strict=True), reverse=True)
            order = cosines.argsort(descending=True, stable=True).tolist()
            ranked = [(_short(cosines[i]), reading.texts.words[i]) for i in order]
            kept = TextResult(
                texts=tuple((_short(fit), text) for fit, text in found),
                tokens=tuple(ranked[:MOST_TOKENS]),
                least=tuple(ranked[: -FEWEST_TOKENS - 1 : -1]),
                count=len(ranked),
                mean=_short(cosines.mean()),
                sd=_short(cosines.std(correction=0)),
            )
            yield Rendered(node, unit, None, found[0][0], seconds, kept)


def _short(value: Tensor | float) -> float:
    return round(float(value), 4)


ENGINE = TextFeatureVisEngine()
