"""The typical activation of units: what a sweep over a dataset says of them on the whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from micrograph.atlas import Reading
from micrograph.errors import BadInput, Unavailable, short
from micrograph.lenses.dataset_examples.lens import LENS, ExamplesResult


@dataclass(frozen=True)
class Typical:
    """The mean activation of each unit of a node over all positions of all pictures of a dataset,
    which is called `dataset`."""

    node: str
    dataset: str
    digest: str
    units: Mapping[int, float]


def typical_activations(
    atlas: Reading, node: str, units: int, digest: str = "", dataset: str = ""
) -> Typical:
    """Of all units of a node, as a sweep of dataset examples left them in an atlas.

    With several datasets that counts which has most pictures, or the one of that name. `digest` is
    that of the model's weights.

    Raises BadInput for an atlas of other weights, Unavailable where no sweep knows all units, with
    the command that makes one.
    """
    if digest and atlas.model.digest and digest != atlas.model.digest:
        raise BadInput(
            f"the dataset of {atlas.model.id} was swept with other weights "
            f"({atlas.model.digest[:12]}, not {digest[:12]}); sweep it with these"
        )
    variants = {c.variant for c in atlas.counts() if c.technique == LENS.name and c.node == node}
    if dataset and dataset not in variants and variants:
        known = ", ".join(sorted(variants))
        raise BadInput(f"dataset {short(dataset)} given; {node} was swept over: {known}")
    sizes = {record.name: record.pictures for record in atlas.datasets()}
    for name in sorted(variants, key=lambda name: (-sizes.get(name, 0), name)):
        if dataset and name != dataset:
            continue
        results = atlas.results(node, LENS.name, name)
        if all(unit in results for unit in range(units)):
            read = {u: ExamplesResult.from_json(results[u].data, {}) for u in range(units)}
            levels = {unit: mean_activation(result) for unit, result in read.items()}
            return Typical(node, name, read[0].dataset if read else "", levels)
    raise Unavailable(
        f"no sweep over a dataset tells the typical activations of {atlas.model.id}/{node}; run "
        f"`micrograph render {atlas.model.id} -t dataset_examples --node {node} "
        f"--dataset {dataset or 'FOLDER'}`"
    )


def mean_activation(result: ExamplesResult) -> float:
    """The mean over all positions. Where values were kept as they are before a ReLU it is worked
    out from their histogram."""
    counted = result.histogram
    if counted is None or "before" not in counted.of or result.min >= 0:
        return result.mean
    step = (counted.high - counted.low) / len(counted.counts)
    total = sum(counted.counts)
    middles = (counted.low + (n + 0.5) * step for n in range(len(counted.counts)))
    above = sum(n * max(m, 0.0) for n, m in zip(counted.counts, middles, strict=True))
    return above / total if total else 0.0
