"""Dataset examples as a part of a unit's page, and as the tiles of a node's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from micrograph.atlas.records import DatasetRecord, SampleRecord
from micrograph.lenses.dataset_examples.lens import LENS, ExamplesResult, Found, Histogram
from micrograph.lenses.pages.page import LensPage, TileChoice
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.crops import Box, field_box, window
from micrograph.parts.parts import Image, Thumb, image
from micrograph.parts.plots import bars, histogram
from micrograph.published import copy_of, listing_by_digest

MARKS = {"0.5": "half", "0.9": "9 of 10", "0.99": "99 of 100", "1": "all"}


@dataclass(frozen=True)
class Example:
    """One picture and where the unit fired on it: `box` is what it saw, `window` the square to show
    as a tile. `image` is None where neither the atlas nor the reader has the picture."""

    number: int
    name: str
    cls: str
    position: int
    value: float
    image: Image | None
    box: Box
    window: Box


@dataclass(frozen=True)
class Band:
    """Examples whose values lie between `low` and `high`."""

    low: float
    high: float
    examples: list[Example]


@dataclass(frozen=True)
class ClassShare:
    """A class of the dataset: the mean of its pictures' maxima, and its share in the sum."""

    name: str
    mean: float
    share: float


@dataclass(frozen=True)
class DatasetExamples:
    """What one dataset says about a unit. `others` are the names of further datasets.

    `fires` is the share of positions where the unit is above 0; `marks` are quantiles over pictures
    of the spatial maximum, by share. `note` says how to get pictures that are not here, else it is
    "".
    """

    technique: str
    form: str
    dataset: str
    name: str
    title: str
    licence: str
    pictures: int
    top: list[Example]
    bands: list[Band]
    bottom: list[Example]
    histogram: Histogram | None
    marks: dict[str, float]
    mean: float
    sd: float
    low: float
    high: float
    fires: float
    classes: list[ClassShare]
    names: list[str]
    note: str = ""


def section(scene: Scene) -> DatasetExamples | None:
    """The dataset that the query asks for, else the first by name; None without any."""
    found = {v.variant: v for v in scene.of(LENS.name)}
    if not found:
        return None
    v = found.get(scene.options.get("dataset", "")) or next(iter(found.values()))
    result = scene.read(v, ExamplesResult)
    record = scene.datasets.get(result.dataset)
    samples = scene.samples(result.dataset, sorted(result.numbers))

    def shown(examples: Sequence[Found]) -> list[Example]:
        return [example(scene, record, samples.get(n), n, at, value) for n, at, value in examples]

    top = shown(result.top)
    return DatasetExamples(
        LENS.name,
        "dataset_examples",
        result.dataset,
        v.variant,
        record.title if record else v.variant,
        record.licence if record else "",
        record.pictures if record else 0,
        top,
        [Band(band.low, band.high, shown(band.examples)) for band in result.bands],
        shown(result.bottom),
        result.histogram,
        {share: result.picture_max[share] for share in MARKS if share in result.picture_max},
        result.mean,
        result.sd,
        result.min,
        result.max,
        result.share,
        _classes(record, result.classes),
        list(found),
        photograph_note(result.dataset, [e.number for e in top], all(e.image for e in top)),
    )


def photograph_note(dataset: str, numbers: Sequence[int], shown: bool) -> str:
    """What a reader should know of pictures of a published set: how to get them where they are not
    shown, and that those of their copy are not the very files that were measured; else ""."""
    listed = listing_by_digest(dataset)
    if listed is None:
        return ""
    if not shown:
        return how_to_get(dataset)
    copy = copy_of(listed)
    if dataset == listed.digest and any(copy.is_other_form(n) for n in numbers):
        return (
            "Your copy has these photographs scaled down. The values are those of the pictures as "
            "they are published, to which a network answers a little differently; "
            f"`{listed.command}` gets those."
        )
    return ""


def how_to_get(dataset: str) -> str:
    """How to get the pictures of a published set, in a sentence with the command in backticks; ""
    for a dataset that is none."""
    listed = listing_by_digest(dataset)
    if listed is None:
        return ""
    return (
        "These photographs are not ours to pass on: each tile names what is on its picture. "
        f"`{listed.command}` gets your own copy of all {len(listed):,} "
        f"({listed.size / 1e6:.0f} MB); then they are shown here."
    )


def example(
    scene: Scene,
    dataset: DatasetRecord | None,
    sample: SampleRecord | None,
    n: int,
    position: int,
    value: float,
) -> Example:
    """One picture with the place where the unit fired."""
    size = dataset.size if dataset else 0
    picture = sample.picture if sample else None
    return Example(
        n,
        sample.name if sample else "",
        class_name(dataset, sample),
        position,
        value,
        image(scene.model, picture, scene.urls) if picture else None,
        field_box(scene.node, position, size),
        window(scene.node, position, size),
    )


def class_name(dataset: DatasetRecord | None, sample: SampleRecord | None) -> str:
    if dataset and sample and 0 <= sample.cls < len(dataset.classes):
        return dataset.classes[sample.cls]
    return ""


def _classes(
    dataset: DatasetRecord | None, given: Sequence[tuple[Any, float, float]]
) -> list[ClassShare]:
    names = dataset.classes if dataset else ()
    found = []
    for cls, mean, share in given:
        known = isinstance(cls, int) and 0 <= cls < len(names)
        found.append(ClassShare(names[cls] if known else str(cls)[:60], mean, share))
    return found


def variants(scene: Scene, there: Sequence[str]) -> list[TileChoice]:
    titles = {d.name: d.title for d in scene.datasets.values()}
    return [TileChoice(v, titles.get(v, v)) for v in there]


def tiles(scene: Scene, variant: str, width: int) -> dict[int, Thumb]:
    """Each unit's strongest example, as it saw it."""
    first: dict[int, Found] = {}
    digest = ""
    for unit, v in scene.atlas.results(scene.node.id, LENS.name, variant).items():
        result = scene.read(v, ExamplesResult)
        if unit is not None and result.top:
            first[unit] = result.top[0]
            digest = result.dataset
    dataset = scene.datasets.get(digest)
    samples = scene.samples(digest, [n for n, *_ in first.values()])
    found = {}
    for unit, (n, position, value) in first.items():
        shown = example(scene, dataset, samples.get(n), n, position, value)
        found[unit] = Thumb(
            unit,
            f"{scene.model}/{scene.node.id}/{unit}",
            scene.urls.unit(scene.model, scene.node.id, unit),
            shown.image,
            shown.value,
            shown.window,
            "" if shown.image else shown.cls,
        )
    return found


def note(scene: Scene, variant: str, tiles: Mapping[int, Thumb]) -> str:
    """How to get the pictures of a grid's tiles, where they are not here."""
    if all(tile.image for tile in tiles.values()):
        return ""
    dataset = next((d for d in scene.datasets.values() if d.name == variant), None)
    return how_to_get(dataset.digest) if dataset else ""


def histogram_of(section: DatasetExamples) -> Markup:
    """How often the unit takes which values, with the pictures' maxima marked."""
    found = section.histogram
    if found is None:
        return Markup("")
    marks = [(value, MARKS[share]) for share, value in section.marks.items()]
    return histogram(
        found.counts,
        found.low,
        found.high,
        marks,
        title="How strongly, how often",
        x_title=found.of,
    )


def classes_of(section: DatasetExamples) -> Markup:
    """The classes whose pictures move the unit most."""
    return bars([(c.name, c.mean, "") for c in section.classes], title="Which classes")


PAGE = LensPage(
    part=DatasetExamples,
    section=section,
    variants=variants,
    tiles=tiles,
    note=note,
    drawings={"histogram_of": histogram_of, "classes_of": classes_of},
)
