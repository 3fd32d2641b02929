"""Nodes of dictionaries in an atlas: added later, refused when they are of another one."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from older_atlases import rewrite

from micrograph.atlas import Atlas, AtlasWriter, DictionaryRecord, Library, ModelRecord, NodeRecord
from micrograph.errors import BadInput, Conflict

MODEL = ModelRecord("tiny", "Tiny", "ab" * 32, labels=("cat", "dog"))
BASE = NodeRecord("conv", 0, "conv", 4, (3, 3), 5, 1, 0, "exact", (), ())
OUT = NodeRecord("logits", 1, "logits", 2, (), 0, 0, 0, "whole input", ("conv",), ())
LATENTS = replace(
    BASE, id="conv.sae", index=2, kind="dictionary", units=2, shape=(), parents=("conv",)
)
FIRST = DictionaryRecord("conv.sae", "11" * 32, {"activation": "relu", "l0": 3.5})
OTHER = replace(FIRST, digest="22" * 32)


def write(path, *nodes, dictionaries=()):
    AtlasWriter.open(path, MODEL, [BASE, OUT, *nodes], dictionaries).close()
    return path


def test_a_dictionary_comes_later_and_stays(tmp_path):
    path = write(tmp_path / "tiny.atlas")
    assert Atlas.open(path).dictionaries == {}
    write(path, LATENTS, dictionaries=[FIRST])
    found = Atlas.open(path)
    assert found.dictionaries == {"conv.sae": FIRST}
    assert list(found.nodes) == ["conv", "logits", "conv.sae"]
    write(path)  # a render without it
    assert Atlas.open(path).dictionaries == {"conv.sae": FIRST}


def test_it_is_found_also_after_the_model_was_described_anew(tmp_path):
    path = write(tmp_path / "tiny.atlas", LATENTS, dictionaries=[FIRST])
    AtlasWriter.open(path, replace(MODEL, summary="new"), [BASE, OUT]).close()
    assert [hit.node for hit in Atlas.open(path).search("sae")] == ["conv.sae"]


def test_labels_are_those_of_the_network_not_of_as_many_latents(tmp_path):
    path = write(tmp_path / "tiny.atlas", LATENTS, dictionaries=[FIRST])
    (hit,) = Atlas.open(path).search("dog")
    assert (hit.node, hit.unit) == ("logits", 1)


def test_what_is_known_of_it_is_brought_up_to_date(tmp_path):
    path = write(tmp_path / "tiny.atlas", LATENTS, dictionaries=[FIRST])
    titled = replace(FIRST, about={"title": "curves"})
    write(path, LATENTS, dictionaries=[titled])
    assert Atlas.open(path).dictionaries == {"conv.sae": titled}


@pytest.mark.parametrize(
    ("first", "then"),
    [([FIRST], [OTHER]), ([FIRST], []), ([], [FIRST])],
    ids=["another", "none", "one where the network had a node"],
)
def test_another_dictionary_under_the_same_name_is_refused(tmp_path, first, then):
    path = write(tmp_path / "tiny.atlas", LATENTS, dictionaries=first)
    before = path.read_bytes()
    with pytest.raises(Conflict, match=r"conv\.sae") as caught:
        write(path, LATENTS, dictionaries=then)
    for record in (*first, *then):
        assert record.digest[:12] in str(caught.value)
    assert Atlas.open(path).dictionaries == {d.node: d for d in first}
    assert path.read_bytes()[100:] == before[100:]


def test_atlases_of_two_dictionaries_are_not_mixed(tmp_path):
    folders = [tmp_path / name for name in "abc"]
    for folder, made in zip(folders, [[FIRST], [OTHER], []], strict=True):
        folder.mkdir()
        nodes = [LATENTS] if made else []
        write(folder / "tiny.atlas", *nodes, dictionaries=made)
    library = Library(folders)
    assert library.model("tiny").dictionaries == {"conv.sae": FIRST}
    (problem,) = library.problems
    assert problem.path == folders[1] / "tiny.atlas"
    assert "conv.sae" in problem.message
    assert str(folders[0]) in problem.message


def test_nonsense_in_the_table_is_a_damaged_file(tmp_path):
    path = write(tmp_path / "tiny.atlas", LATENTS, dictionaries=[FIRST])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE dictionary SET json = '[1]'")
    with pytest.raises(BadInput, match="damaged"):
        Atlas.open(path)


def test_an_atlas_from_before_there_were_dictionaries_takes_one(tmp_path):
    path = rewrite(write(tmp_path / "tiny.atlas"), "2")
    assert Atlas.open(path).dictionaries == {}
    write(path)
    write(path, LATENTS, dictionaries=[FIRST])
    assert Atlas.open(path).dictionaries == {"conv.sae": FIRST}
