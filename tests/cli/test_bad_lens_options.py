"""Absurd options of every lens: one line that says what is wrong, and nothing is left behind."""

import pytest

BAD = {
    "feature_vis --variant neuron-at-99-0": "position 99-0 is outside the map of conv0",
    "feature_vis --variant neuron-at-Y-X": "unknown variant 'neuron-at-Y-X'",
    "feature_vis -o variants=[]": "variants '[]' of feature_vis is not usable",
    "feature_vis -o technique=maco": "--option technique is no option of a lens",
    "feature_vis -o nodes=conv0": "--option nodes is no option of a lens",
    "feature_vis -o k=3": "feature_vis has no option 'k'",
    "feature_vis --image owl": "has no option 'images' (--image); its options are: preset, repeats, "
    "seed, size, steps, variants (--variant)",
    "caricature --variant node": "caricature has no option 'variants' (--variant)",
    "nonsense --help": "unknown technique 'nonsense'",
    "tuning -t featurevis --help": "unknown technique 'featurevis'",
    "feature_vis -o =3": "--option '=3' is not understood",
    "feature_vis -o preset=[1]": "preset '[1]' of feature_vis is not usable; expected a text",
    "feature_vis -o steps=true": "steps 'True' of feature_vis is not usable",
    "diversity -o facets=0": "facets 0 make no mosaic; expected one of (4, 6, 9, 12, 16)",
    "diversity -o facets=1000000": "facets 1000000 make no mosaic",
    "diversity -o weight=-1": "weight -1 is out of range",
    "diversity -o weight=NaN": "weight 'nan' of diversity is not usable; expected a number",
    "maco -o crops=0": "crops 0 is out of range",
    "maco --size 3": "size 3 is out of range",
    "joint": "the joint lens needs a second unit",
    "joint -o partner=nonsense": "partner 'nonsense' is not understood; expected NODE:UNIT",
    "joint -o partner=nonsense:3": "unknown node 'nonsense'",
    "joint -o partner=conv0:9999": "has units 0-",
    "deepdream --steps 0": "steps 0 is out of range",
    "caricature --image absent.jpg": "cannot read the picture 'absent.jpg': No such file",
    "caricature --image absent": "unknown picture 'absent'",
    "caricature --image .": "it is no regular file",
    "caricature --image empty.jpg": "cannot read the picture 'empty.jpg': it is empty",
    "caricature --image text.jpg": "no format that is known here",
    "caricature --image pipe.jpg": "it is no regular file",
    "caricature -o cosine_power=-1": "cosine_power -1 is out of range",
    "dataset_examples -o k=-1": "k -1 is out of range; expected 1 to 256",
    "dataset_examples -o k=1e9": "expected a whole number",
    "dataset_examples -o pictures=3": "expected true or false",
    "dataset_examples --dataset absent": "dataset 'absent' is not there",
    "dataset_examples --dataset toytown:0": "dataset toytown:'0' is not understood",
    "dataset_examples --dataset text.tar": "no plain tar file",
    "dataset_examples --dataset zero.tar": "zero.tar",
    "dataset_examples --dataset folder.tar": "folder.tar",
    "dataset_examples --dataset pipe.tar": "pipe.tar",
    "dataset_examples --dataset x-{0..9}.tar": "lacks the file 'x-0.tar'",
    "dataset_examples --dataset x-*.tar": "fits no file",
    "dataset_examples --dataset nothing": "has no pictures; expected jpg",
    "dataset_examples --dataset text.jpg": "dataset 'text.jpg' is not there",
    "tuning --variant nonsense": "unknown",
    "similar -o nearest=0": "nearest 0 is out of range",
    "similar -o nearest=3.5": "expected a whole number",
    "unit_map -o pictures=1": "pictures 1 is out of range",
    "unit_map --dataset toytown:3": "3 pictures that can be used; a map of units needs at least 16",
    "unit_map --seed -1": "seed -1 is out of range",
    "activation_grid --image absent": "unknown picture 'absent'",
    "activation_grid --preset nonsense": "unknown preset 'nonsense'",
    "neuron_groups -o groups=0": "groups 0 is out of range; expected 1 to 32",
    "neuron_groups --seed 99999999999": "seed 99999999999 is out of range",
    "attribution -o path=0": "path 0 is out of range",
    "attribution -o upstream=nonsense": "unknown node 'nonsense'",
    "attribution -o upstream=3": "upstream '3' of attribution is not usable; expected one text",
    "text_feature_vis": "toytown has no text tower",
    "faceted_feature_vis --variant nonsense": "unknown variant 'nonsense'",
    "faceted_feature_vis -o scenes=-5": "scenes -5 is out of range",
    "faceted_feature_vis -o probes=absent.safetensors": "there is no file absent.safetensors",
    "faceted_feature_vis -o probes=text.jpg": "text.jpg",
    "faceted_feature_vis -o strength=Infinity": "expected a number",
    "feature_vis -t maco --variant alpha": "name one lens at a time",
}
"""What follows `--technique`, and what the line says."""


@pytest.fixture(autouse=True)
def odd_files(tmp_path):
    import os

    (tmp_path / "empty.jpg").write_text("")
    for name in ("text.jpg", "text.tar"):
        (tmp_path / name).write_text("this is neither a picture nor an archive\n" * 40)
    (tmp_path / "zero.tar").write_text("")
    (tmp_path / "folder.tar").mkdir()
    (tmp_path / "nothing").mkdir()
    for name in ("pipe.jpg", "pipe.tar"):
        os.mkfifo(tmp_path / name)


@pytest.mark.parametrize("asked", BAD)
def test_absurd_options_are_refused_in_one_line(refused, tmp_path, asked):
    words = ("render", "toytown", "--node", "conv0", "--units", "0", "--atlas", tmp_path / "new")
    assert BAD[asked] in refused(*words, "--technique", *asked.split())
    assert not (tmp_path / "new").exists()


def test_text_search_for_a_model_with_a_tower(refused, tmp_path):
    for option, says in {
        "length=0": "length 0 is out of range",
        "length=99999": "length 99999 is out of range",
        "penalty=2": "penalty 2 is out of range",
        "inputs=-1": "inputs -1 is out of range",
        "restarts=1e3": "expected a whole number",
        "proposals=0": "proposals 0 is out of range",
    }.items():
        words = ("render", "toytown_clip", "--technique", "text_feature_vis", "-o", option)
        assert says in refused(*words, "--atlas", tmp_path / "new")
    assert not (tmp_path / "new").exists()
