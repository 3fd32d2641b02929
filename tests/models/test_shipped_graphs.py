"""Graphs that atlases were made from must not change under them."""

import hashlib
import json

import pytest

from micrograph.atlas import Atlas, bundled_gallery
from micrograph.cards import card
from micrograph.models.loading import untrained
from micrograph.models.model import Model

SHIPPED = sorted(bundled_gallery().glob("*.atlas"))

DIGESTS = {
    "inceptionv1_caffe": "c4876a852f04b6a7",
    "squeezenet1_1": "e5753e00709bddf3",
    "toytown": "6e56d04add45cef8",
    "toytown_clip": "f8cf2411743e6b6b",
}
"""Of ids, kinds, units, shapes, parents, paths and ReLUs, as `said` writes them."""


def said(model: Model) -> str:
    rows = [
        [n.id, n.kind, n.units, n.shape, n.parents, n.path, n.relus, n.overwritten]
        for n in model.nodes.values()
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


@pytest.mark.parametrize("id", DIGESTS)
def test_graphs_are_as_they_were(id: str) -> None:
    model = untrained(card(id))
    assert said(model) == DIGESTS[id]
    assert not any(n.join or not n.layout.as_given for n in model.nodes.values())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_atlases_fit_their_models(path) -> None:
    atlas = Atlas.open(path)
    nodes = untrained(card(atlas.model.id)).nodes
    assert atlas.nodes
    for stored in atlas.nodes.values():
        node = nodes[stored.id]
        assert (stored.units, stored.shape) == (node.units, node.shape)
        assert (stored.parents, stored.kind) == (node.parents, node.kind)
        field = node.receptive_field
        assert (stored.field_size, stored.field_stride, stored.field_start) == (
            field.size,
            field.stride,
            field.start,
        )
        assert stored.field_status == field.status
