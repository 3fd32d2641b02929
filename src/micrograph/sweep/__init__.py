"""A dataset through a network once: what every unit of every node did on it."""

from micrograph.sweep.collecting import collect, shard, specify
from micrograph.sweep.look import Look
from micrograph.sweep.results import node_arrays, referred, unit_data
from micrograph.sweep.tally import Spec, Tally

__all__ = [
    "Look",
    "Spec",
    "Tally",
    "collect",
    "node_arrays",
    "referred",
    "shard",
    "specify",
    "unit_data",
]
