"""Places in words, as papers, threads and people write them."""

import re
from pathlib import Path

import pytest

TOYTOWN = "toytown/mixed4a/3"
GOOGLENET = "inceptionv1_caffe/inception_4c/447"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("toytown/mixed4a/3", TOYTOWN),
        ("toytown/4a/3", TOYTOWN),
        ("toytown/4a:3", TOYTOWN),
        ("toytown:4a:3", TOYTOWN),
        ("Toytown 4a:3", TOYTOWN),
        ("toytown mixed4a_0 3", TOYTOWN),
        ("toytown mixed4a:0 3", TOYTOWN),
        ("toytown/mixed4a:0/3", TOYTOWN),
        ("toytown / mixed4a / 3", TOYTOWN),
        ("toytown > mixed4a > 3", TOYTOWN),
        ("toytown, mixed4a, 3", TOYTOWN),
        ("unit 3 of 4a in Toytown", TOYTOWN),
        ("Toytown unit 3 in layer mixed4a", TOYTOWN),
        ("channel 3 of mixed4a (toytown)", TOYTOWN),
        ("Toytown mixed4a, neuron #3", TOYTOWN),
        ("the 3rd channel of 4a in toytown", TOYTOWN),
        ("toytown mixed4a unit3", TOYTOWN),
        ("toytown mixed4a#3", TOYTOWN),
        ("In Toytown, 4a:3 fires on wheels.", TOYTOWN),
        ("`toytown/mixed4a/3`", TOYTOWN),
        ("“toytown 4a:3”", TOYTOWN),
        ("  toytown\n4a:3\t", TOYTOWN),
        ("toytown's 4a:3", TOYTOWN),
        ("toytown/4a/3?lens=tuning", TOYTOWN),
        ("toytown/4a/3#tuning", TOYTOWN),
        ("toytown/4a/#3", TOYTOWN),
        ("toytown 4a:03", TOYTOWN),
        ("toytown import/mixed4a:0 3", TOYTOWN),
        ("toytown mixed4a:0", "toytown/mixed4a/0"),
        ("toytown 4a:0", "toytown/mixed4a/0"),
        ("toytown mixed4a", "toytown/mixed4a"),
        ("toytown/mixed4a_0", "toytown/mixed4a"),
        ("node mixed4a of toytown", "toytown/mixed4a"),
        ("toytown", "toytown"),
        ("the Toytown model", "toytown"),
        ("Toytown.", "toytown"),
        ("toytown/", "toytown"),
        ("InceptionV1 (Caffe) 4c:447", GOOGLENET),
        ("inceptionv1_caffe mixed4c 447", GOOGLENET),
        ("BVLC GoogLeNet, 4c:447", GOOGLENET),
        ("GoogLeNet (BVLC) mixed4c:447", GOOGLENET),
        ("Inception v1 Caffe inception_4c/output:0 447", GOOGLENET),
        ("inceptionv1_caffe/inception_4c/output:0", "inceptionv1_caffe/inception_4c"),
        ("squeezenet1_1 fire9:5", "squeezenet1_1/fire9/5"),
        ("SqueezeNet 1.1 fire9:5", "squeezenet1_1/fire9/5"),
        ("fire9:5", "squeezenet1_1/fire9/5"),
    ],
)
def test_ways_to_write_a_place(ask, text, address):
    answer = ask(text)
    assert answer.address == address, answer
    assert answer.url == f"/models/{address}"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("InceptionV1 4c:447", "inceptionv1/mixed4c/447"),
        ("mixed4c:447", "inceptionv1/mixed4c/447"),
        ("4c:447", "inceptionv1/mixed4c/447"),
        ("inceptionv1/mixed4c/447", "inceptionv1/mixed4c/447"),
        ("inceptionv1 mixed4c_0 447", "inceptionv1/mixed4c/447"),
        ("mixed4c_0/447", "inceptionv1/mixed4c/447"),
        ("unit 447 of 4c in InceptionV1", "inceptionv1/mixed4c/447"),
        ("conv2d2:32", "inceptionv1/conv2d2/32"),
        ("4a:436", "inceptionv1/mixed4a/436"),
        ("InceptionV1 (GoogLeNet) mixed3b:379", "inceptionv1/mixed3b/379"),
        ("inception5h mixed3b:379", "inceptionv1/mixed3b/379"),
        ("mixed4a_5x5_0/3", "inceptionv1/mixed4a_5x5/3"),
        ("mixed3a_3x3_bottleneck_0 7", "inceptionv1/mixed3a_3x3_bottleneck/7"),
        ("InceptionV1 (Places) 4c:447", "inceptionv1_caffe_places365/inception_4c/447"),
        ("AlexNet conv3:5", "alexnet/conv3/5"),
        ("AlexNet (Places365) conv3:5", "alexnet_caffe_places365/conv3/5"),
        ("VGG19 conv5_4:4", "vgg19_caffe/conv5_4/4"),
        ("VGG-19 conv4_1/conv4_1:0 17", "vgg19_caffe/conv4_1/17"),
        ("conv4_1_conv4_1_0/17", "vgg19_caffe/conv4_1/17"),
        ("ResNet v2 50 block2.unit1.conv2 41", "resnetv2_50_slim/block2.unit1.conv2/41"),
        (
            "resnet_v2_50/block2/unit_1/bottleneck_v2/conv2/Relu:0 41",
            "resnetv2_50_slim/block2.unit1.conv2/41",
        ),
        ("Inception V3 Mixed_5d 79", "inceptionv3_slim/Mixed_5d/79"),
        ("InceptionV3/InceptionV3/Mixed_5d/concat:0", "inceptionv3_slim/Mixed_5d"),
        ("InceptionV4 Mixed_6c:100", "inceptionv4_slim/Mixed_6c/100"),
        ("CLIP RN50x4 image_block_4/5/Add_6:0 89", "contrastive_4x/layer4.5.sum/89"),
        ("CLIP RN50x4 layer4.5.sum 2364", "contrastive_4x/layer4.5.sum/2364"),
        ("contrastive_4x image_block_4_5_Add_6_0/89", "contrastive_4x/layer4.5.sum/89"),
        ("CLIP RN50", "contrastive_rn50"),
        ("CLIP ResNet-101", "contrastive_v2"),
        ("RN50x16", "contrastive_16x"),
        ("CLIP RN50 layer4.1.sum:7", "contrastive_rn50/layer4.1.sum/7"),
    ],
)
def test_what_the_literature_writes(ask, text, address):
    assert ask(text).address == address


def test_a_text_without_a_model_says_who_else_has_it(ask):
    answer = ask("4c:447")
    assert "also in" in answer.note
    assert GOOGLENET in answer.nearest
    answer = ask("mixed4a:3")
    assert TOYTOWN in answer.nearest


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("toytown/mixed4a/152", "toytown/mixed4a/151"),
        ("toytown 4a:999", "toytown/mixed4a/151"),
        ("4c:512", "inceptionv1/mixed4c/511"),
        ("toytown/mixd4a/3", "toytown/mixed4a"),
        ("toytown mixd4a:3", "toytown/mixed4a"),
        ("mixd4c:447", "inceptionv1/mixed4c"),
        ("toytwn/mixed4a/3", "toytown"),
        ("toytwn", "toytown"),
        ("torchvision toytown 4a:3", TOYTOWN),
        ("GoogLeNet 4c:447", "inceptionv1"),
        ("toytown 4a:3 or 4a:4", TOYTOWN),
        ("toytown 4a:3 and 4b:4", TOYTOWN),
        ("toytown and squeezenet1_1 4a:3", "toytown"),
        ("toytown units 3 4 of 4a", "toytown/mixed4a"),
        ("toytown 4a:3-7", "toytown"),
        ("toytown 4a:3,7", "toytown"),
        ("toytown unit 3", "toytown"),
        ("toytown v2 4a:3", TOYTOWN),
        ("toytown 4a:-3", "toytown"),
        ("toytown 4a 3.5", "toytown/mixed4a"),
        ("toytown is nice", "toytown"),
        ("toytown-big 4a:3", "toytown"),
    ],
)
def test_what_is_unclear_is_not_guessed(ask, text, near):
    answer = ask(text)
    assert (answer.address, answer.url, answer.unit) == (None, None, None), answer
    assert near in answer.nearest, answer
    assert answer.note


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "/",
        "hello",
        "a car",
        "4:3",
        "12:30",
        "1/2",
        "resnet152 4c:447",
        "resnet152/layer4/5",
        "mymodel 4c:447",
        "the ratio 4a 3 of 5",
        "timm:inception_v3 4c:1",
        "section 4c 12 of the report",
        "4c：447？？",
        "447",
        "unit 447",
        "://",
        "\0",
        "models",
        "%00%ff",
        "💥",
        "x" * 300,
        "../../etc/passwd",
        "SELECT 1",
        "torchvision's googlenet inception4c 447",
        "4c:447 and 4c:448",
        "4c:४",
    ],
)
def test_nonsense_is_nowhere(ask, text):
    answer = ask(text)
    assert (answer.address, answer.url, answer.model, answer.unit) == (None,) * 4, answer
    assert answer.note.endswith(".")


def test_words_about_lost_models(ask):
    answer = ask("CLIP contrastive_v1 image_block_4_1_add_1_0 154")
    assert answer.address == "contrastive_v1"
    assert "contrastive_rn50" in answer.nearest


def test_the_examples_of_the_docs(ask):
    text = (Path(__file__).parents[2] / "docs/links.md").read_text("utf-8")
    for row in ("addresses", "words", "without a model", "tensors"):
        (line,) = re.findall(rf"^\| {row} \| (.*) \|$", text, re.M)
        examples = [e for e in re.findall("`([^`]+)`", line) if re.search("[0-9]", e)]
        assert len(examples) >= 2
        for example in examples:
            assert ask(example).address, example
