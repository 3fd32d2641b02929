"""Dataset examples: the real pictures a unit fires on, from strongest to weakest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from micrograph.atlas.records import DatasetRecord, SampleRecord
from micrograph.lenses.pages.base import Lens, Option, Plugin, Scene, dicts, number, pairs, texts
from micrograph.parts.crops import Box, field_box, window
from micrograph.parts.parts import Image, Thumb, image

LENS = Lens(
    technique="dataset_examples",
    title="Dataset examples",
    question="What does it fire on in real pictures?",
    explanation=(
        "Every picture of a dataset is shown to the network once, and each unit keeps those that "
        "moved it most, least, and everything between."
    ),
    reading=(
        "Each tile is what the unit could see where it fired. Compare the strongest with the bands "
        "below: most of a unit's life is spent there."
    ),
    caution="A dataset can only show what is in it, and the top alone makes any unit look clear.",
    options="--dataset <folder>",
)
MARKS = {"0.5": "half", "0.9": "9 of 10", "0.99": "99 of 100", "1": "all"}


@dataclass(frozen=True)
class Example:
    """One picture and where the unit fired on it: `box` is what it saw, `window` the square to show
    as a tile. `image` is None where the atlas does not keep the picture."""

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
class Histogram:
    """Counts of values over equal steps from `low` to `high`; `of` says of which values."""

    low: float
    high: float
    counts: list[float]
    of: str


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
    of the spatial maximum, by share.
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


def section(scene: Scene) -> DatasetExamples | None:
    """The dataset that the query asks for, else the first by name; None without any."""
    found = {v.variant: v for v in scene.of(LENS.technique)}
    if not found:
        return None
    v = found.get(scene.options.get("dataset", "")) or next(iter(found.values()))
    data = v.data
    digest = texts(data, "dataset")
    record = scene.datasets.get(digest)
    bands = dicts(data.get("bands"))
    lists = [pairs(data.get("top"), 3), pairs(data.get("bottom"), 3)]
    lists += [pairs(band.get("examples"), 3) for band in bands]
    numbers = {n for items in lists for n, *_ in items if isinstance(n, int)}
    samples = scene.samples(digest, sorted(numbers))
    top, bottom, *middle = ([*_examples(scene, record, samples, items)] for items in lists)
    return DatasetExamples(
        LENS.technique,
        "dataset_examples",
        digest,
        v.variant,
        record.title if record else v.variant,
        record.licence if record else "",
        record.pictures if record else 0,
        top,
        [
            Band(number(band.get("low")), number(band.get("high")), examples)
            for band, examples in zip(bands, middle, strict=True)
        ],
        bottom,
        _histogram(data.get("histogram")),
        _marks(data.get("picture_max")),
        number(data.get("mean")),
        number(data.get("sd")),
        number(data.get("min")),
        number(data.get("max")),
        number(data.get("share")),
        _classes(scene, record, data),
        list(found),
    )


def _examples(
    scene: Scene,
    dataset: DatasetRecord | None,
    samples: Mapping[int, SampleRecord],
    items: Sequence[Sequence[Any]],
) -> list[Example]:
    return [
        example(scene, dataset, samples.get(n), n, position, number(value))
        for n, position, value, *_ in items
        if isinstance(n, int) and isinstance(position, int) and position >= 0
    ]


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


def _histogram(given: Any) -> Histogram | None:
    if not isinstance(given, dict) or not isinstance(given.get("counts"), list):
        return None
    counts = [max(0.0, number(c)) for c in given["counts"][:1000]]
    low, high = number(given.get("low")), number(given.get("high"))
    return Histogram(low, high, counts, texts(given, "of")) if counts and high > low else None


def _marks(given: Any) -> dict[str, float]:
    if not isinstance(given, dict):
        return {}
    return {share: number(given[share]) for share in MARKS if share in given}


def _classes(
    scene: Scene, dataset: DatasetRecord | None, data: Mapping[str, Any]
) -> list[ClassShare]:
    names = dataset.classes if dataset else ()
    found = []
    for cls, mean, share, *_ in pairs(data.get("classes"), 3):
        known = isinstance(cls, int) and 0 <= cls < len(names)
        name = names[cls] if known else str(cls)[:60]
        found.append(ClassShare(name, number(mean), number(share)))
    return found


def variants(scene: Scene, there: Sequence[str]) -> list[Option]:
    titles = {d.name: d.title for d in scene.datasets.values()}
    return [Option(v, titles.get(v, v)) for v in there]


def tiles(scene: Scene, variant: str, width: int) -> dict[int, Thumb]:
    """Each unit's strongest example, as it saw it."""
    first = {}
    digest = ""
    for unit, v in scene.atlas.results(scene.node.id, LENS.technique, variant).items():
        best = pairs(v.data.get("top"), 3)[:1]
        if unit is not None and best and all(isinstance(n, int) for n in best[0][:2]):
            first[unit] = best[0]
            digest = texts(v.data, "dataset")
    dataset = scene.datasets.get(digest)
    samples = scene.samples(digest, [n for n, *_ in first.values()])
    found = {}
    for unit, (n, position, value, *_) in first.items():
        shown = example(scene, dataset, samples.get(n), n, max(0, position), number(value))
        found[unit] = Thumb(
            unit,
            f"{scene.model}/{scene.node.id}/{unit}",
            scene.urls.unit(scene.model, scene.node.id, unit),
            shown.image,
            shown.value,
            shown.window,
        )
    return found


PLUGIN = Plugin(LENS, section, variants, tiles, sweep=True)
