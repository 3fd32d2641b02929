"""Links to the weight explorer, to DeepDream's galleries and to Distill's own pages."""

import pytest

EXPLORER = "https://storage.googleapis.com/distill-circuits/inceptionv1-weight-explorer/"
DEEPDREAM = "http://storage.googleapis.com/deepdream/visualz/"
DISTILL = "https://distill.pub/"
APPENDIX = DISTILL + "2017/feature-visualization/appendix/"
QUOTED = EXPLORER.replace(":", "%3A").replace("/", "%2F")

PLACES = [
    (EXPLORER + "mixed3b_379.html", "mixed3b/379"),
    (EXPLORER + "conv2d2_89.html", "conv2d2/89"),
    (EXPLORER + "mixed3b_0.html", "mixed3b/0"),
    (EXPLORER + "mixed4d_5x5_12.html", "mixed4d_5x5/12"),
    (EXPLORER + "mixed4d_5x5_bottleneck_3.html", "mixed4d_5x5_bottleneck/3"),
    (EXPLORER + "mixed3b.html", "mixed3b"),
    (EXPLORER + "index.html", ""),
    (EXPLORER, ""),
    (EXPLORER + "mixed3b_379", "mixed3b/379"),
    (EXPLORER + "mixed3b_379.html#top", "mixed3b/379"),
    (EXPLORER + "mixed3b_379.html?hl=en#a", "mixed3b/379"),
    (EXPLORER + "mixed3b%5F379%2Ehtml", "mixed3b/379"),
    (EXPLORER + "mixed3b_379.html%22%3Ehere", "mixed3b/379"),
    (EXPLORER + "mixed3b_379.htmlLinks to an external site.", "mixed3b/379"),
    ((EXPLORER + "mixed3b_379.html").upper(), "mixed3b/379"),
    (EXPLORER.replace("https", "http") + "mixed3b_379.htm", "mixed3b/379"),
    (EXPLORER.replace("distill-circuits/", "") + "mixed3a_4.html", "mixed3a/4"),
    ("gs://distill-circuits/inceptionv1-weight-explorer/mixed3b_379.html", "mixed3b/379"),
    (f"see [this unit]({EXPLORER}mixed3b_379.html).", "mixed3b/379"),
    (f'<a href="{EXPLORER}mixed3b_379.html">a curve</a>', "mixed3b/379"),
    (f"https://web.archive.org/web/2021/{EXPLORER}mixed3b_379.html", "mixed3b/379"),
    (f"https://www.google.com/url?q={QUOTED}mixed3b_379.html&sa=D", "mixed3b/379"),
    (f"https://a.org/?u={QUOTED.replace('%', '%25')}mixed3b_379.html", "mixed3b/379"),
    (DEEPDREAM + "tensorflow_inception/mixed4d_5x5_pre_relu.html", "mixed4d_5x5"),
    (
        DEEPDREAM + "tensorflow_inception/mixed4d_3x3_bottleneck_pre_relu.html",
        "mixed4d_3x3_bottleneck",
    ),
    (DEEPDREAM + "tensorflow_inception/index.html", ""),
    (DEEPDREAM + "Tensorflow_Inception/", ""),
    (APPENDIX, ""),
    (APPENDIX + "googlenet/4d.html", "mixed4d"),
    (APPENDIX + "googlenet/4d.html#4d-3", "mixed4d/3"),
    (DISTILL + "2020/circuits/early-vision/#conv2d0", "conv2d0"),
    (DISTILL + "2020/circuits/early-vision/#group_mixed3a_high_low_frequency", "mixed3a"),
    (DISTILL + "2020/circuits/early-vision#group_conv2d1_complex_gabor", "conv2d1"),
    (DISTILL + "2020/circuits/curve-circuits/#mixed3b-379", "mixed3b/379"),
    ("www.distill.pub/2020/circuits/early-vision/#Mixed3b_379", "mixed3b/379"),
    ("https://microscope.openai.com/models/inceptionv1%2Fmixed3b_0%2F379", "mixed3b/379"),
    ("https://microscope.openai.com/models/inceptionv1/mixed3b_0/379.html", "mixed3b/379"),
]


@pytest.mark.parametrize(("text", "place"), PLACES)
def test_a_link_leads_to_its_place(text, place, ask):
    answer = ask(text)
    address = f"inceptionv1/{place}".rstrip("/")
    assert (answer.address, answer.url) == (address, f"/models/{address}")


NOWHERE = [
    (EXPLORER + "mixed3b_480.html", "out of range", "inceptionv1/mixed3b/479"),
    (EXPLORER + "mixed3b_379_2.html", "no node called", "inceptionv1"),
    (EXPLORER + "nothing.html", "no node called", "inceptionv1"),
    (DEEPDREAM + "vgg16/conv1_1.html", "no model called 'vgg16'", "vgg19_caffe"),
    (
        DEEPDREAM + "tensorflow_inception/mixed4d_5x5_pre_relu/12.png",
        "names no unit",
        "inceptionv1/mixed4d_5x5",
    ),
    (
        f"{EXPLORER}mixed3b_379.html or {EXPLORER}mixed3b_380.html",
        "several places",
        "inceptionv1/mixed3b/379",
    ),
    ("mixed3b_379", "names no model, node or unit", "inceptionv1/mixed3b/379"),
    ("mixed3b_379.html", "names no model, node or unit", "inceptionv1/mixed3b/379"),
    (DISTILL + "2020/circuits/curve-detectors/", "nothing", None),
    (DISTILL + "2017/feature-visualization/#enemy", "nothing", None),
]


@pytest.mark.parametrize(("text", "note", "near"), NOWHERE)
def test_what_names_no_unit_gets_what_is_near(text, note, near, ask):
    answer = ask(text)
    assert (answer.address, answer.url) == (None, None)
    assert note in answer.note
    assert near in answer.nearest if near else not answer.nearest
