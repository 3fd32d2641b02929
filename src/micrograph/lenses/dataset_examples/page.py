"""Dataset examples as a part of a unit's page, and as the tiles of a node's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from micrograph.atlas.records import DatasetRecord, SampleRecord
from micrograph.lenses.dataset_examples.firing import (
    Firing,
    bands_with_fire,
    firing,
    least,
    strongest,
)
from micrograph.lenses.dataset_examples.lens import (
    LENS,
    ExamplesResult,
    Found,
    Histogram,
    SweptNode,
)
from micrograph.lenses.dataset_examples.photographs import how_to_get, photograph_note
from micrograph.lenses.pages.coverage import LabelCoverage, coverage_of
from micrograph.lenses.pages.page import LensPage, TileChoice
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.crops import Box, boxes
from micrograph.parts.escaping import escaped, markup
from micrograph.parts.markup import crop
from micrograph.parts.numbers import score
from micrograph.parts.parts import Image, Thumb, image
from micrograph.parts.plots import bars, histogram
from micrograph.plain import plain_record

MARKS = {"0.5": "50 %", "0.9": "90 %", "0.99": "99 %", "1": "largest"}


@plain_record
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


@plain_record
class Band:
    """Examples whose values lie between `low` and `high`."""

    low: float
    high: float
    examples: list[Example]


@plain_record
class ClassShare:
    """A class of the dataset: the mean of its pictures' maxima, and its share in the sum."""

    name: str
    mean: float
    share: float


@dataclass(frozen=True)
class DatasetExamples:
    """What one dataset says about a unit. `names` are those of all datasets.

    `top` are pictures on which the unit fires, for `firing` says on how many that is. `fires` is
    the share of positions where it is above 0; `marks` are quantiles over pictures of the spatial
    maximum, by share. `coverage` says whether the model has words for the dataset's classes, `note`
    how to get pictures that are not here, else it is "".
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
    firing: Firing | None
    coverage: LabelCoverage
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

    top, bottom = shown(strongest(result)), shown(least(result))
    ends = [*top, *bottom]
    return DatasetExamples(
        LENS.name,
        "dataset_examples",
        result.dataset,
        v.variant,
        record.title if record else v.variant,
        record.licence if record else "",
        record.pictures if record else 0,
        top,
        [Band(band.low, band.high, shown(band.examples)) for band in bands_with_fire(result)],
        bottom,
        result.histogram if result.sd or result.mean else None,
        {share: result.picture_max[share] for share in MARKS if share in result.picture_max},
        result.mean,
        result.sd,
        result.min,
        result.max,
        result.share,
        _classes(record, result.classes),
        list(found),
        firing(result, _shown_to_it(scene, v.variant, record)),
        coverage_of(scene.atlas, record),
        photograph_note(result.dataset, [e.number for e in ends], all(e.image for e in ends)),
    )


def _shown_to_it(scene: Scene, variant: str, record: DatasetRecord | None) -> int:
    """How many pictures of the dataset the unit was shown; 0 where that is not known."""
    if record is None:
        return 0
    whole = [v for v in scene.whole if (v.technique, v.variant) == (LENS.name, variant)]
    skipped = scene.read(whole[0], SweptNode).skipped if whole else 0
    return max(0, record.pictures - skipped)


def example(
    scene: Scene,
    dataset: DatasetRecord | None,
    sample: SampleRecord | None,
    n: int,
    position: int,
    value: float,
) -> Example:
    """One picture with the place where the unit fired."""
    box, window = boxes(scene.node, position, dataset.size if dataset else 0)
    picture = sample.picture if sample else None
    return Example(
        n,
        sample.name if sample else "",
        class_name(dataset, sample),
        position,
        value,
        image(scene.model, picture, scene.urls) if picture else None,
        box,
        window,
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
    """Each unit's strongest example, as it saw it; no picture of a unit that fires on none."""
    first: dict[int, Found] = {}
    silent: dict[int, Found] = {}
    digest = ""
    stored = scene.atlas.results(scene.node.id, LENS.name, variant, scene.shown)
    for unit, v in stored.items():
        result = scene.read(v, ExamplesResult)
        if unit is not None and result.top:
            best = strongest(result)
            (first if best else silent)[unit] = (best or result.top)[0]
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
    for unit, (_, _, value) in silent.items():
        address = f"{scene.model}/{scene.node.id}/{unit}"
        found[unit] = Thumb(
            unit, address, scene.urls.unit(scene.model, scene.node.id, unit), score=value
        )
    return found


def note(scene: Scene, variant: str, tiles: Mapping[int, Thumb]) -> str:
    """How to get the pictures of a grid's tiles, where they are not here."""
    if not any(tile.text for tile in tiles.values()):
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


def example_tiles(examples: Sequence[Example], eager: int = 0) -> Markup:
    """Examples as items of a list; the pictures of the first few are loaded at once."""
    return markup("".join([_tile(e, k < eager) for k, e in enumerate(examples)]))


def _tile(e: Example, eager: bool = False) -> str:
    """An example in a list of them."""
    value, name, cls = score(e.value), escaped(e.name), escaped(e.cls)
    number = f'<span class="n">{value}</span>'
    if e.image is None:
        named = " named" if e.cls else ""
        return f'<li><span class="blank{named}" title="{name}">{cls}</span>{number}</li>'
    label = f"{name or f'picture {e.number}'}{f', {cls}' if e.cls else ''}: {value}"
    return (
        f'<li><a href="{escaped(e.image.url)}" data-number="{e.number}" data-value="{value}" '
        f'data-name="{name}" data-class="{cls}" aria-label="{label}">'
        f"{crop(e.image, e.window, e.box, eager)}{number}</a></li>"
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
    drawings={
        "histogram_of": histogram_of,
        "classes_of": classes_of,
        "example_tiles": example_tiles,
    },
)
