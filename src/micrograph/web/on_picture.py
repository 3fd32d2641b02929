"""Asking the worker what a unit is made of on a picture, or what changes with it."""

import base64
import re
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from micrograph.circuits.graph import AttributionGraph
from micrograph.circuits.steered import Steered
from micrograph.errors import BadInput, NotFound, Unavailable, short
from micrograph.lenses import lenses
from micrograph.parts.parts import Choice
from micrograph.pictures import shipped
from micrograph.steps import StepHook
from micrograph.web.choices import check_choice
from micrograph.web.context import Context
from micrograph.web.lens_traits import EXAMPLES
from micrograph.web.locations import Location
from micrograph.web.pages.on_picture import OnPicturePage, on_picture_page
from micrograph.web.reader import Reader
from micrograph.web.steered_group import group_in, groups_offered
from micrograph.web.targets import OnPictureTarget

if TYPE_CHECKING:
    from PIL import Image

QUESTIONS = ("graph", "steer")
WAYS = ("silence", "halve", "double", "add")
STRONGEST = 6
"""Pictures of the unit's strongest that can be chosen."""


@dataclass(frozen=True)
class UnitQuestion:
    """What is asked about a unit: one of `QUESTIONS`; to steer it `how`, and with which `units` of
    its node, as an address says it."""

    question: str = QUESTIONS[0]
    how: str = WAYS[0]
    units: str = ""

    def check(self) -> None:
        """Raises BadInput for what cannot be asked."""
        check_choice("question", self.question, QUESTIONS)
        check_choice("how", self.how, WAYS)
        if self.units and self.question != "steer":
            raise BadInput("units= was given; a group can only be steered: add question=steer")

    @property
    def view(self) -> dict[str, str]:
        """As options of an address, without the group."""
        steered = self.question == "steer" and self.how != WAYS[0]
        return {"question": self.question, **({"how": self.how} if steered else {})}


@dataclass(frozen=True)
class PictureHere:
    """A picture, with its `name` for people and the `view` of the address that names it: none for
    a reader's own. `digest` stands for a stored one."""

    name: str
    image: "Image.Image"
    view: dict[str, str]
    digest: str = ""


def found_picture(context: Context, here: Location, target: OnPictureTarget) -> PictureHere:
    """The picture that an address means. Raises BadInput and NotFound."""
    if target.picture and target.dataset:
        raise BadInput("picture and dataset given; expected one of them")
    if target.number and not target.dataset:
        raise BadInput(f"number {short(target.number)} given without the dataset that it is of")
    given = target.number
    counts = given.isascii() and given.isdecimal() and len(given) <= 9
    if target.dataset and not counts:
        raise BadInput(f"number {short(given)} given; expected one of the dataset's")
    if target.picture:
        return _shipped(target.picture)
    if target.dataset:
        return _stored(here, target.dataset, int(target.number))
    strongest = _strongest(here)
    return _stored(here, *strongest[0][:2]) if strongest else _shipped(shipped()[0])


def asked(
    context: Context,
    here: Location,
    wanted: UnitQuestion,
    picture: PictureHere,
    on_step: StepHook | None = None,
    reader: Reader | None = None,
) -> OnPicturePage:
    """The page with the worker's answer. Answers about pictures that are here are remembered.

    Raises BadInput for another question, way or group, and what the worker raises.
    """
    wanted.check()
    question, how = wanted.question, wanted.how
    atlas, node, unit = here.atlas, here.node, here.unit
    assert node is not None
    assert unit is not None
    group = group_in(context, here, wanted.units)
    if reason := context.obstacle(atlas.model.id):
        raise Unavailable(reason)
    request: dict[str, Any] = {"ask": question, "node": node.id, "unit": unit, "how": how}
    if len(group) > 1:
        request["units"] = list(group)
    look, model = context.site.look, atlas.model

    def ask() -> Any:
        return look.ask(model.id, model.digest, request, picture.image, on_step, reader)

    key = (question, model.id, model.digest, node.id, group, *sorted(picture.view.items()))
    seen = (
        look.remembered((*key, how if question == "steer" else ""), ask) if picture.view else ask()
    )
    return on_picture_page(
        atlas,
        node,
        unit,
        context.urls,
        question=question,
        how=how,
        picture=picture.name,
        view=picture.view,
        source=_small(picture.image),
        choices=_choices(context, here, wanted, group, picture),
        ways=_ways(context, here, how, group, picture) if question == "steer" else [],
        units=group,
        groups=groups_offered(context, here, group, {**wanted.view, **picture.view})
        if question == "steer" and picture.view
        else [],
        graph=replace(AttributionGraph.from_json(seen), picture=picture.name)
        if question == "graph"
        else None,
        steered=replace(Steered.from_json(seen), picture=picture.name)
        if question == "steer"
        else None,
    )


def _shipped(name: str) -> PictureHere:
    from micrograph.pictures import open_shipped

    return PictureHere(name, open_shipped(name), {"picture": name})


def _stored(here: Location, dataset: str, number: int) -> PictureHere:
    from micrograph.pictures import decode

    atlas = here.atlas
    if not re.fullmatch("[0-9a-f]{64}", dataset):
        raise BadInput(f"dataset {short(dataset)} is no digest; expected 64 hex digits")
    sample = atlas.samples(dataset, [number]).get(number)
    stored = atlas.picture(sample.picture.digest) if sample and sample.picture else None
    if sample is None or stored is None:
        raise NotFound(
            f"picture {number} of this dataset is not kept in the atlas of {atlas.model.id}"
        )
    view = {"dataset": dataset, "number": str(number)}
    image = decode(stored.data, f"{number} of the dataset")
    return PictureHere(sample.name or str(number), image, view, stored.digest)


def _strongest(here: Location) -> list[tuple[str, int, str]]:
    """Dataset, number and name of the kept pictures on which the unit is strongest."""
    assert here.node is not None
    for row in here.atlas.visualizations(here.node.id, here.unit, EXAMPLES):
        result: Any = lenses()[EXAMPLES].result.from_json(row.data, {})
        numbers = [number for number, *_ in result.top]
        try:
            samples = here.atlas.samples(result.dataset, numbers)
        except ValueError:
            continue
        kept = [n for n in dict.fromkeys(numbers) if (one := samples.get(n)) and one.picture]
        if kept:
            names = {n: samples[n].name or str(n) for n in kept}
            return [(result.dataset, n, names[n]) for n in kept[:STRONGEST]]
    return []


def _choices(
    context: Context,
    here: Location,
    wanted: UnitQuestion,
    group: tuple[int, ...],
    picture: PictureHere,
) -> list[Choice]:
    """The pictures that are here: the unit's strongest, then those that ship."""
    views = [({"dataset": d, "number": str(n)}, name) for d, n, name in _strongest(here)]
    views += [({"picture": name}, name) for name in shipped()]
    return [
        Choice(
            "/".join(view.values()),
            name,
            _url(context, here, group, **wanted.view, **view),
            view == picture.view,
        )
        for view, name in views
    ]


def _ways(
    context: Context, here: Location, how: str, group: tuple[int, ...], picture: PictureHere
) -> list[Choice]:
    if not picture.view:
        return []
    return [
        Choice(
            way,
            way,
            _url(context, here, group, question="steer", how=way, **picture.view),
            way == how,
        )
        for way in WAYS
    ]


def _url(context: Context, here: Location, group: tuple[int, ...], **view: str) -> str:
    if len(group) > 1:
        view["units"] = ",".join(map(str, group))
    assert here.node is not None
    assert here.unit is not None
    return context.urls.on_picture(here.atlas.model.id, here.node.id, here.unit, **view)


def _small(image: "Image.Image") -> str:
    """The picture as a data URL, as a page shows it small."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side)).resize((132, 132))
    packed = BytesIO()
    square.save(packed, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(packed.getvalue()).decode()
