"""How commands name models that are in no registry, and what they say of their input."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from micrograph.cards.adapters import parse
from micrograph.cards.inputs import IMAGENET, checked, chosen_input, from_constant, read
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput
from micrograph.networks.adapters.hf import preprocessing_of as of_processor
from micrograph.networks.adapters.timm import labels_of

SPECS = {
    "timm:resnet18": ("timm", "resnet18", {}, "timm-resnet18"),
    "timm:resnet18,num_classes=10": ("timm", "resnet18", {"num_classes": 10}, "timm-resnet18"),
    "torchvision:vgg11/IMAGENET1K_V1": (
        "torchvision",
        "vgg11/IMAGENET1K_V1",
        {},
        "torchvision-vgg11-IMAGENET1K_V1",
    ),
    "open_clip:RN50/openai": ("open_clip", "RN50/openai", {}, "open_clip-RN50-openai"),
    "hf:facebook/dinov2-small": (
        "hf",
        "facebook/dinov2-small",
        {},
        "hf-facebook-dinov2-small",
    ),
    "some dir/my net.py:build,width=8,kind=wide,bias=false": (
        "file",
        "some dir/my net.py:build",
        {"width": 8, "kind": "wide", "bias": False},
        "my-net",
    ),
    "net.py:Net": ("file", "net.py:Net", {}, "net"),
}


@pytest.mark.parametrize("text", SPECS)
def test_a_spec_says_library_name_options_and_id(text):
    spec = parse(text)
    assert (spec.library, spec.name, dict(spec.options), spec.id) == SPECS[text]


@pytest.mark.parametrize("text", ["toytown", "inceptionv1/mixed4c/447", "net.pyc", "caffe:net", ""])
def test_other_texts_are_no_specs(text):
    assert parse(text) is None


@pytest.mark.parametrize("text", ["timm:", "net.py", "net.py:", "net.py:a b", "net.py:f(3)"])
def test_half_a_spec_is_refused(text):
    with pytest.raises(BadInput, match=r"names no (model|function)"):
        parse(text)


def test_a_files_spec_holds_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse("net.py:f,n=1").absolute() == f"{tmp_path}/net.py:f,n=1"
    assert parse("timm:resnet18").absolute() == "timm:resnet18"
    (tmp_path / "vit").mkdir()
    assert parse("hf:vit").absolute() == f"hf:{tmp_path}/vit"
    assert parse("hf:./vit").id == "hf-vit"


WORDS = {
    "28,L,mean=0.5": Preprocessing(28, 28, mean=(0.5,), std=(1.0,), channel_order="L"),
    "64": Preprocessing(64, 64),
    "64,-1..1": Preprocessing(64, 64, scale=2.0, mean=(1.0,) * 3),
    "224,imagenet": Preprocessing(224, 224, mean=IMAGENET[0], std=IMAGENET[1]),
    "32,0..255,BGR,mean=104/117/123,resize=40": Preprocessing(
        32, 40, scale=255.0, mean=(104.0, 117.0, 123.0), channel_order="BGR"
    ),
    "32, mean=0.5, std=0.25, bicubic": Preprocessing(
        32, 32, mean=(0.5,) * 3, std=(0.25,) * 3, interpolation="bicubic"
    ),
}


@pytest.mark.parametrize("words", WORDS)
def test_words_say_what_a_network_takes(words):
    assert read(words) == WORDS[words]


def test_a_range_is_what_the_network_then_gets():
    ends = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 1, 1)
    for low, high in ((0, 1), (-1, 1), (0, 255), (-0.5, 0.5)):
        got = read(f"8,{low}..{high}").apply(ends)[:, 0].flatten()
        assert got.tolist() == [low, high]


def test_words_change_what_is_known_and_leave_the_rest():
    known = Preprocessing(224, 256, mean=IMAGENET[0], std=IMAGENET[1], interpolation="bicubic")
    assert read("112", known) == replace(known, size=112, resize=128)
    assert read("BGR", known) == replace(known, channel_order="BGR")
    back = read("0..1", known)
    assert (back.mean, back.std, back.size) == ((0.0,) * 3, (1.0,) * 3, 224)
    assert chosen_input(None, known, "net") is known
    assert chosen_input(known, None, "net") is known


@pytest.mark.parametrize(
    "words",
    [
        "imagenet",
        "64,1..0",
        "64,frog",
        "64,mean=1/2",
        "64,std=0",
        "64,mean=a/b/c",
        "4",
        "9999",
        "64,resize=8",
        "64,scale=3",
        "64,mean=nan",
    ],
)
def test_words_that_make_no_sense_are_refused(words):
    with pytest.raises(BadInput) as caught:
        read(words)
    assert "\n" not in str(caught.value)


@given(st.text("0123456789.-,/=abcdegimnorstzBGRL ", max_size=24))
def test_any_words_are_read_or_refused(words):
    try:
        found = read(words)
    except BadInput:
        return
    assert checked(found) == found


def test_nothing_known_is_told_with_what_to_do():
    with pytest.raises(BadInput, match=r"what 'net' takes as input cannot be known.*--input 224"):
        chosen_input(None, None, "net")


@pytest.mark.parametrize(
    "value", [{"size": 8, "mena": 3}, {"mean": 0.5}, 7, {"size": "8"}, {"size": 8, "std": [0] * 3}]
)
def test_a_constant_that_makes_no_sense_is_refused(value):
    with pytest.raises(BadInput, match=r"PREPROCESSING in 'net.py': \w"):
        from_constant(value, "net.py")


def test_constants_of_all_kinds():
    plain = Preprocessing(32, 32, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert from_constant(plain, "") == plain
    assert from_constant({"size": 32, "mean": [0.5] * 3, "std": [0.5] * 3}, "") == plain
    assert from_constant("32,mean=0.5,std=0.5", "") == plain
    assert from_constant(None, "") is None


def test_image_processors_say_size_and_range():
    half = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    assert of_processor({"size": {"height": 96, "width": 96}, **half}) == Preprocessing(
        96, 96, mean=(0.5,) * 3, std=(0.5,) * 3, fit="squash"
    )
    clip = of_processor(
        {
            "size": {"shortest_edge": 256},
            "do_center_crop": True,
            "resample": 3,
            "crop_size": {"height": 224, "width": 224},
            **half,
        }
    )
    assert (clip.size, clip.resize, clip.interpolation) == (224, 256, "bicubic")
    convnext = of_processor({"size": {"shortest_edge": 224}, "crop_pct": 0.875, **half})
    assert (convnext.size, convnext.resize) == (224, 256)
    raw = of_processor({"size": 64, "do_rescale": False, "do_normalize": False})
    assert raw.apply(torch.ones(1, 3, 1, 1)).flatten().tolist() == [255.0] * 3
    assert of_processor({"size": 64}) is None
    assert of_processor({**half}, SimpleNamespace(image_size=48)).size == 48
    assert of_processor(half) is None


SWITCHED_ON = {
    "do_color_quantize": {"do_color_quantize": True},
    "offset": {"offset": 1},
    "patch_size": {"patch_size": {"height": 4}},
    "pad_size": {"do_pad": True, "pad_size": {"height": 80, "width": 80}},
    "size_divisor": {"size_divisor": 48},
    "do_resize": {"do_resize": False, "do_center_crop": True, "crop_size": 64},
    "64 x 32 px": {"size": {"height": 64, "width": 32}},
    "several forms": {"size": {"longest_edge": 64}},
    "by method 5": {"resample": 5},
}


@pytest.mark.parametrize("name", SWITCHED_ON)
def test_what_no_rule_knows_of_an_image_processor_is_refused_by_name(name):
    plain = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"height": 64, "width": 64}}
    with pytest.raises(BadInput, match=name) as caught:
        of_processor(plain | SWITCHED_ON[name])
    assert "\n" not in str(caught.value)
    off = {key: False for key in SWITCHED_ON[name] if key in ("do_color_quantize", "offset")}
    labels = {"do_reduce_labels": True, "num_labels": 150, "ignore_index": 255, "do_pad": True}
    assert of_processor(plain | off | labels) == of_processor(plain)


@pytest.mark.parametrize(
    ("tag", "classes", "has"),
    [
        ("a1_in1k", 1000, True),
        ("augreg_in21k_ft_in1k", 1000, True),
        ("augreg_in21k", 21843, False),
        ("in1k", 10, False),
        ("openai_ft_in12k", 11821, False),
        ("in1k_ft_inat", 1000, False),
        ("lvd142m", 0, False),
        ("", 1000, False),
    ],
)
def test_imagenet_labels_only_where_timm_says_so(tag, classes, has):
    found = labels_of(SimpleNamespace(tag=tag, num_classes=classes))
    assert bool(found) == has
    assert len(found) in (0, 1000)
