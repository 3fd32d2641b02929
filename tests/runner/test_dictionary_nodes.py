"""Every lens on the node of a dictionary; recipes and atlases that know which one it was."""

import numpy as np
import pytest
import torch

from micrograph import lenses as techniques
from micrograph import runner
from micrograph.atlas import Atlas
from micrograph.errors import BadInput, Conflict, NotFound
from micrograph.models import load
from micrograph.models.dictionaries.reading import of_tensors
from micrograph.runner import parts

NODE = "mixed4a.tiny"
LENSES = {
    "feature_vis": {"variants": ["channel", "neuron-negative"]},
    "diversity": {"facets": 4},
    "maco": {},
    "deepdream": {},
    "joint": {"partner": "mixed4a.tiny:3"},
    "caricature": {"images": ["owl"]},
    "activation_grid": {"images": ["owl"]},
    "neuron_groups": {"images": ["owl"]},
    "attribution": {"images": ["owl"]},
    "unit_map": {},
    "similar": {},
    "tuning": {"variants": ["rings"]},
    "dataset_examples": {},
}


@pytest.fixture(scope="module")
def model():
    return attached(seed=0)


def attached(seed):
    """toytown with eight latents over mixed4a that fire on some of what there is."""
    model = load("toytown")
    units = model.node("mixed4a").units
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(8, units, generator=generator)
    tensors = {
        "encoder": rows,
        "decoder": rows / rows.norm(dim=1, keepdim=True),
        "threshold": torch.full((8,), 0.1),
    }
    model.attach("mixed4a", of_tensors(tensors, units, activation="jumprelu"), "tiny")
    return model


def options(lens):
    given = dict(LENSES[lens])
    known = {option.name for option in techniques.lens(lens).params.options()}
    if "steps" in known:
        given |= {"steps": 2, "preset": "draft"}
    if "dataset" in known:
        given["dataset"] = "toytown:40"
    return given


@pytest.mark.parametrize("lens", LENSES)
def test_every_lens_works_on_latents(model, tmp_path, lens):
    done = runner.render(
        model, tmp_path, technique=[lens], nodes=[NODE], units="0-1", **options(lens)
    )
    assert done.rendered >= 1
    assert not done.skipped
    atlas = Atlas.open(done.path)
    digest = model.attached(NODE).dictionary.digest
    unit = None if techniques.get(lens).level == "node" else 0
    found = atlas.visualizations(NODE, unit, lens)
    assert found
    assert {v.recipe["dictionary"] for v in found} == {digest}
    assert atlas.dictionaries[NODE].digest == digest
    again = runner.render(
        model, tmp_path, technique=[lens], nodes=[NODE], units="0-1", **options(lens)
    )
    assert again.rendered == 0


def test_recipes_of_the_network_s_own_nodes_stay_as_they_were(model, tmp_path):
    path = runner.render(model, tmp_path, nodes=["mixed3a", NODE], units="0", steps=1).path
    atlas = Atlas.open(path)
    (own,) = atlas.visualizations("mixed3a", 0)
    (made,) = atlas.visualizations(NODE, 0)
    assert dict(made.recipe) == {**own.recipe, "dictionary": made.recipe["dictionary"]}
    assert "dictionary" not in own.recipe


def test_another_dictionary_under_the_same_name_is_refused(model, tmp_path):
    path = runner.render(model, tmp_path, nodes=[NODE], units="0", steps=1).path
    other = attached(seed=1)
    with pytest.raises(Conflict) as caught:
        runner.render(other, tmp_path, nodes=[NODE], units="0", steps=1)
    for one in (model, other):
        assert one.attached(NODE).dictionary.digest[:12] in str(caught.value)
    # without the dictionary the atlas can be gone on with
    runner.render(load("toytown"), tmp_path, nodes=["mixed3a"], units="0", steps=1)
    assert len(Atlas.open(path).visualizations(NODE, 0)) == 1


def test_a_node_whose_file_was_not_given_says_what_is_needed(tmp_path):
    with pytest.raises(NotFound, match=r"--dictionary mixed4a\.tiny=FILE"):
        runner.render(load("toytown"), tmp_path, nodes=[NODE])
    assert not list(tmp_path.iterdir())


def test_a_node_that_another_lens_names_is_in_its_recipe(model, tmp_path):
    path = runner.render(
        model,
        tmp_path,
        technique=["attribution"],
        nodes=["mixed4b"],
        units="3",
        images=["owl"],
        upstream=[NODE],
    ).path
    (found,) = Atlas.open(path).visualizations("mixed4b", 3, "attribution")
    assert found.recipe["dictionaries"] == {NODE: model.attached(NODE).dictionary.digest}
    shares = found.data["nodes"][0]
    assert shares["node"] == NODE
    # What the latents carried and what is left without them is all there is.
    assert shares["total"] + shares["baseline"] == pytest.approx(found.data["target"], rel=0.05)


def test_nodes_worth_seeing_are_the_same_ones_and_the_new_one(model):
    plain = [n.id for n in runner.select.choose_nodes(load("toytown").nodes, None)]
    assert [n.id for n in runner.select.choose_nodes(model.nodes, None)] == [*plain, NODE]


def test_a_sweep_in_parts_is_that_of_one_dictionary(model, tmp_path):
    for shard in (1, 2):
        parts.sweep_part(
            model,
            tmp_path / f"part{shard}",
            dataset="toytown:64",
            shard=(shard, 2),
            nodes=[NODE],
            k=4,
        )
    files = [tmp_path / "part1", tmp_path / "part2"]
    whole, source = parts.merged(files)
    with pytest.raises(BadInput, match="parts of different sweeps"):
        parts.store(attached(seed=1), whole, tmp_path / "other", dataset=source)
    stored = Atlas.open(parts.store(model, whole, tmp_path / "a", dataset=source).path)
    done = runner.render(
        model,
        tmp_path / "b",
        technique=["dataset_examples"],
        nodes=[NODE],
        k=4,
        dataset="toytown:64",
    )
    at_once = Atlas.open(done.path)
    for unit in range(8):
        (one,) = stored.visualizations(NODE, unit)
        (two,) = at_once.visualizations(NODE, unit)
        assert one.recipe == two.recipe
        assert one.data == two.data
    with pytest.raises(BadInput, match="in parts of their own"):
        parts.sweep_part(model, tmp_path / "mixed", dataset="toytown:64", nodes=["mixed4a", NODE])


def test_examples_are_those_of_the_largest_latents(model, tmp_path):
    path = runner.render(
        model, tmp_path, technique=["dataset_examples"], nodes=[NODE], dataset="toytown:32", k=3
    ).path
    from micrograph.datasets import batches, open_dataset

    (batch,) = batches(open_dataset("toytown:32"), model.preprocessing, 32, [0])
    base = model.run(batch.images(), ["mixed4a"])["mixed4a"].permute(0, 2, 3, 1).double()
    tensors = model.attached(NODE).dictionary
    pre = base @ tensors.encoder.T.double()
    best = torch.where(pre > 0.1, pre, 0).flatten(1, 2).amax(1)
    for unit in range(8):
        (found,) = Atlas.open(path).visualizations(NODE, unit)
        assert found.data["max"] == pytest.approx(best[:, unit].max().item(), rel=1e-4)
    assert np.isfinite(best.numpy()).all()
