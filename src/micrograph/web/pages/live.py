"""The page of an experiment: a unit under the live microscope, with the controls as its address
says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.atlas import NodeRecord, Reading
from micrograph.lenses import live
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import LookState, ModelRef, NodeFacts, Thumb, model_ref, node_facts
from micrograph.parts.urls import Urls
from micrograph.web.experiments import USUAL, ExperimentOptions
from micrograph.web.render_state import RenderState


@dataclass(frozen=True, kw_only=True)
class LivePicture:
    """A finished picture, `frame` as a data URL; `recipe` makes it again."""

    frame: str
    step: int
    score: float
    seconds: float
    recipe: Mapping[str, Any]
    recipe_digest: str


@dataclass(frozen=True, kw_only=True)
class LivePage:
    """`/models/<model>/<node>/<unit>/live`. `controls` are the options as the address has them;
    `picture` the last one by these, None where there is none yet; `portrait` the unit's stored
    picture. `command` makes the same and keeps it."""

    kind: str
    title: str
    address: str
    model: ModelRef
    node: str
    node_facts: NodeFacts
    unit: int
    unit_url: str
    controls: ExperimentOptions
    picture: LivePicture | None
    portrait: Thumb | None
    look: LookState
    render: RenderState
    command: str


def live_page(
    atlas: Reading,
    node: NodeRecord,
    unit: int,
    urls: Urls,
    look: LookState,
    *,
    render: RenderState,
    controls: ExperimentOptions,
    made: Mapping[str, Any] | None,
) -> LivePage:
    """`made` is what the worker told of the finished picture."""
    model = atlas.model
    address = f"{model.id}/{node.id}/{unit}"
    scene = Scene(atlas, node, unit, urls, [], {}, ())
    return LivePage(
        kind="live",
        title=f"{address.replace('/', ' / ')} live",
        address=address,
        model=model_ref(model, urls),
        node=node.id,
        node_facts=node_facts(model, node, urls, atlas.dictionaries.get(node.id)),
        unit=unit,
        unit_url=urls.unit(model.id, node.id, unit),
        controls=controls,
        picture=None if made is None else _picture(made),
        portrait=scene.thumb(node.id, unit),
        look=look,
        render=render,
        command=command_of(atlas, node, unit, urls, controls),
    )


def command_of(
    atlas: Reading, node: NodeRecord, unit: int, urls: Urls, controls: ExperimentOptions
) -> str:
    """What a person types to have the same picture in an atlas."""
    given = {**controls.read(), "size": controls.shown("size") or None}
    words = [
        f"-o {name}={value}"
        for name, value in given.items()
        if (value not in (None, "") and str(value) != USUAL[name]) or name == "steps"
    ]
    return urls.commands.render(
        atlas.model, node.id, unit, technique=live(), options=" ".join(words)
    )


def _picture(made: Mapping[str, Any]) -> LivePicture:
    names = LivePicture.__dataclass_fields__
    return LivePicture(**{name: made[name] for name in names})
