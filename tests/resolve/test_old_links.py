"""Links to OpenAI Microscope as they stand in articles, and what became of them on the way."""

import pytest

from micrograph.resolve import resolve

OLD = "https://microscope.openai.com/models/"
EDGE = "http://microscope-azure-edge.openai.com/models/"

REAL = [
    (OLD + "inceptionv1/mixed3b_0/340", "inceptionv1/mixed3b/340"),
    (OLD + "inceptionv1/mixed4a_0/436", "inceptionv1/mixed4a/436"),
    (OLD + "inceptionv1/mixed4a_0/26", "inceptionv1/mixed4a/26"),
    (OLD + "inceptionv1/mixed3b_0/343", "inceptionv1/mixed3b/343"),
    (OLD + "inceptionv1/mixed3a_0/81", "inceptionv1/mixed3a/81"),
    (OLD + "inceptionv1/mixed3a_0/145", "inceptionv1/mixed3a/145"),
    (OLD + "inceptionv1/conv2d2_0/32", "inceptionv1/conv2d2/32"),
    (OLD + "inceptionv1/conv2d2_0/117", "inceptionv1/conv2d2/117"),
    (
        OLD + "inceptionv1_caffe_places365/inception_3b_output_0/385",
        "inceptionv1_caffe_places365/inception_3b/385",
    ),
    (
        OLD + "inceptionv1_caffe_places365/inception_3a_output_0/165",
        "inceptionv1_caffe_places365/inception_3a/165",
    ),
    (OLD + "inceptionv1/mixed4d_0/466", "inceptionv1/mixed4d/466"),
    (OLD + "inceptionv1/mixed3a_0/208", "inceptionv1/mixed3a/208"),
    (EDGE + "contrastive_v2/image_block_4_1_Add_6_0/977", "contrastive_v2/layer4.1.sum/977"),
    (EDGE + "contrastive_v2/image_block_3_1_add_3_0/157", "contrastive_v2/layer3.1.bn2/157"),
    (EDGE + "contrastive_v2/image_block_2_1_add_3_0/18", "contrastive_v2/layer2.1.bn2/18"),
    (EDGE + "contrastive_rn50/image_block_4_1_Add_6_0/1506", "contrastive_rn50/layer4.1.sum/1506"),
    (EDGE + "contrastive_rn50/image_block_3_0_add_1_0/40", "contrastive_rn50/layer3.0.bn1/40"),
    (EDGE + "contrastive_4x/image_block_4_4_Add_6_0/2525", "contrastive_4x/layer4.4.sum/2525"),
    (EDGE + "contrastive_4x/image_block_3_0_add_1_0/211", "contrastive_4x/layer3.0.bn1/211"),
    (EDGE + "contrastive_4x/image_block_2_1_add_3_0/130", "contrastive_4x/layer2.1.bn2/130"),
    (
        OLD + "inceptionv3_slim/InceptionV3_InceptionV3_Conv2d_4a_3x3_Relu_0?models.op.feature_vis."
        "type=channel&models.op.technique=feature_vis",
        "inceptionv3_slim/Conv2d_4a_3x3",
    ),
    (
        OLD + "inceptionv1_caffe_places365/inception_4e_output_0/217",
        "inceptionv1_caffe_places365/inception_4e/217",
    ),
    (OLD + "alexnet_caffe_places365/conv2_Conv2D_0/104", "alexnet_caffe_places365/?/104"),
    (EDGE + "contrastive_v2/image_block_4_2_Add_6_0/679", "contrastive_v2/layer4.2.sum/679"),
    (EDGE + "contrastive_v2/image_block_4_1_Add_6_0/641", "contrastive_v2/layer4.1.sum/641"),
    (EDGE + "contrastive_4x/image_block_4_4_add_3_0/500", "contrastive_4x/layer4.4.bn2/500"),
    (EDGE + "contrastive_4x/image_block_4_0_Add_8_0/871", "contrastive_4x/layer4.0.sum/871"),
    (
        OLD + "resnetv2_50_slim/resnet_v2_50_block2_unit_1_bottleneck_v2_conv2_Relu_0/41",
        "resnetv2_50_slim/block2.unit1.conv2/41",
    ),
    (
        OLD + "inceptionv3_slim/InceptionV3_InceptionV3_Conv2d_4a_3x3_Relu_0/159",
        "inceptionv3_slim/Conv2d_4a_3x3/159",
    ),
    (OLD + "alexnet/Conv2D_2_0/87", "alexnet/?/87"),
    (OLD + "alexnet/Conv2D_2_0/", "alexnet/?"),
]
"""`?` stands for the node that has the link's own name as an alias."""


@pytest.mark.parametrize(("link", "expected"), REAL, ids=[e for _, e in REAL])
def test_links_of_articles(ask, library, link, expected):
    model = expected.partition("/")[0]
    aliases = library.model(model).aliases
    op = link.partition("/models/")[2].split("/")[1].partition("?")[0]
    expected = expected.replace("?", aliases[op])
    answer = ask(link)
    assert answer.address == expected
    assert answer.url == f"/models/{expected}"
    assert answer.model == model
    assert answer.node == aliases[op], "the very tensor, not one with a name like it"
    assert answer.available is False
    assert f"micrograph render {model}" in answer.note
    assert answer.technique == ("feature_vis" if "technique" in link else None)
    assert ask(link.replace("_0/", "/")).address in (expected, None)


LOST = [
    EDGE + "contrastive_v1/image_block_2_3_Add_6_0/76",
    EDGE + "contrastive_v1/image_block_4_1_add_1_0/154",
    EDGE + "contrastive_v1/image_block_2_1_add_3_0/101",
    EDGE + "lm_v1/fp32_storage_image_image_block_4_4_Add_6_0/183",
    EDGE + "lm_v1/fp32_storage_image_image_block_4_3_Add_6_0/2062",
    EDGE + "lm_v1/fp32_storage_image_image_block_4_2_Add_6_0/1068",
    EDGE + "lm_v1/fp32_storage_image_image_block_3_1_add_3_0/33",
]


@pytest.mark.parametrize("link", LOST)
def test_links_to_what_was_never_released_lead_to_the_model_and_its_relative(ask, link):
    answer = ask(link)
    model = link.split("/")[4]
    assert (answer.address, answer.model, answer.node, answer.unit) == (model, model, None, None)
    assert "never" in answer.note
    assert "contrastive_rn50" in answer.note
    assert answer.nearest[-1] == "contrastive_rn50"
    assert all(near.count("/") <= 1 for near in answer.nearest), "units of others are others"


@pytest.mark.parametrize(
    "link",
    [
        "https://microscope.openai.com/models",
        "http://microscope.openai.com/models/",
        "microscope.openai.com",
        "https://microscope.openai.com/",
        "/models",
        "/models/",
    ],
)
def test_the_index(ask, link):
    answer = ask(link)
    assert (answer.url, answer.address, answer.model) == ("/models", None, None)


LINK = "microscope.openai.com/models/toytown/mixed4a_0/3"


@pytest.mark.parametrize(
    "text",
    [
        "https://" + LINK,
        "http://" + LINK,
        LINK,
        "www." + LINK,
        "https://www." + LINK + "/",
        "http://microscope-azure-edge.openai.com/models/toytown/mixed4a_0/3",
        "https://microscope-azure.openai.com/models/toytown/mixed4a_0/3",
        "HTTPS://Microscope.OpenAI.com/models/ToyTown/Mixed4a_0/3",
        f"See https://{LINK}, which fires on wheels.",
        f"(https://{LINK})",
        f"<https://{LINK}>",
        f"https://{LINK}.",
        f"“https://{LINK}”—so it says",
        f"[4a:3](https://{LINK})",
        f"[4a:999](https://{LINK}) and more",
        f'<a href="https://{LINK}">x</a>',
        f"**https://{LINK}**",
        f"https://{LINK}%22%3Emixed4a",
        f"https://{LINK}%22",
        f"https://{LINK}#fragment",
        f"https://{LINK}?",
        f"https://{LINK}?models.technique=deep_dream",
        f"https://web.archive.org/web/20210301000000*/https://{LINK}",
        f"https://www.google.com/url?q=https%3A%2F%2F{LINK.replace('/', '%2F')}&amp;sa=D",
        f"https://{LINK} https://{LINK}/",
        "https://" + LINK.replace("_0", ":0"),
        "https://" + LINK.replace("mixed4a_0", "mixed4a%3A0"),
        "https://" + LINK.replace("mixed4a_0", "import/mixed4a:0"),
        "//" + LINK,
        "http:/" + LINK,
        "https://microscope.openai.com:443/models/toytown/mixed4a_0/3",
    ],
)
def test_ways_that_a_link_is_written(ask, text):
    assert ask(text).address == "toytown/mixed4a/3"


@pytest.mark.parametrize(
    "text",
    [
        "/models/toytown/mixed4a/3",
        "models/toytown/mixed4a/3",
        "http://localhost:8000/models/toytown/4a/3",
        "http://127.0.0.1:8000/models/toytown/mixed4a/3.json",
        "http://[::1]:8000/models/toytown/4a/3",
        "https://my.lab.org/models/toytown/mixed4a/3/render",
        "[4a:3](/models/toytown/mixed4a/3)",
    ],
)
def test_links_to_a_site_of_ours(ask, text):
    assert ask(text).address == "toytown/mixed4a/3"


KEYS = "models.op.feature_vis.type={}&models.op.technique=feature_vis"


@pytest.mark.parametrize(
    ("query", "view"),
    [
        (KEYS.format("channel"), ("feature_vis", "channel")),
        (KEYS.format("neuron").replace("&", "&amp;"), ("feature_vis", "neuron")),
        ("models.op.feature_vis.type=neuron", ("feature_vis", "neuron")),
        ("models.op.technique=feature_vis", ("feature_vis", None)),
        ("models.op.technique=deep_dream", ("deepdream", None)),
        ("models.op.technique=caricature", ("caricature", None)),
        ("models.op.technique=dataset_examples.", ("dataset_examples", None)),
        ("models.op.technique=synthetic_tuning", ("tuning", None)),
        ("models.op.technique=text_feature_vis", ("text_feature_vis", None)),
        ("models.op.technique=faceted_feature_vis", ("faceted_feature_vis", None)),
        ("models.op.technique=<b>", (None, None)),
        ("models.op.technique=", (None, None)),
        ("lens=tuning&variant=curves", ("tuning", "curves")),
        ("objective=neuron&sign=negative", ("feature_vis", "neuron-negative")),
        ("lens=feature_vis&sign=negative", ("feature_vis", "channel-negative")),
    ],
)
def test_the_lens_is_kept(ask, query, view):
    for place in ("toytown/mixed4a_0/3", "toytown/mixed4a_0", "toytown"):
        answer = ask(f"{OLD}{place}?{query}")
        assert (answer.technique, answer.variant) == view
        assert answer.address == place.replace("_0", "")


def test_the_lens_of_a_model(ask):
    assert ask(OLD + "toytown?models.technique=deep_dream").technique == "deepdream"
    assert ask("http://x/models/toytown/4a/3#tuning").technique == "tuning"


def asset(op="mixed4a%253A0", file="channel-3.png", lens="feature_vis", more="", start=0):
    folder = (
        f"alpha%3DFalse%26negative%3DFalse%26objective%3Dneuron%26op%3D{op}%26repeat%3D0"
        f"%26start%3D{start}%26steps%3D4096%26stop%3D{start + 32}{more}"
    )
    store = "https://openaipublic.blob.core.windows.net/microscopeprod/2020-07-25/2020-07-25"
    return f"{store}/toytown/lucid.{lens}/_{lens}/{folder}/{file}"


def test_pictures_of_the_old_store(ask):
    answer = ask(asset())
    assert (answer.address, answer.technique, answer.variant) == (
        "toytown/mixed4a/3",
        "feature_vis",
        "neuron",
    )
    assert ask(asset(more="%26negative%3DTrue")).variant == "neuron-negative"
    examples = (
        "/toytown/lucid.dataset_examples/_dataset_examples/dataset%3Dimagenet%26op%3D4a%253A0"
    )
    for file in ("channel_3_40.png", "channel-3.json"):
        answer = ask(f"https://x.org{examples}/{file}")
        assert (answer.address, answer.technique) == ("toytown/mixed4a/3", "dataset_examples")
    text = asset(lens="text_feature_vis", file="text_35.json", start=32)
    assert ask(text).address == "toytown/mixed4a/35"
    nested = (
        "/toytown/lucid.feature_vis/_feature_vis/alpha=False&op=import%2Fmixed4a:0/channel-3.png"
    )
    assert ask(nested).address == "toytown/mixed4a/3"


@pytest.mark.parametrize(
    "link",
    [
        asset(start=32),
        asset(file="channel-32.png"),
        asset(file="overview.png"),
        asset(op="nosuch"),
        asset(file="channel-.png"),
        asset(file=""),
    ],
)
def test_pictures_of_the_store_that_make_no_sense(ask, link):
    answer = ask(link)
    assert (answer.unit, answer.address) == (None, None)
    assert answer.note


@pytest.mark.parametrize(
    ("link", "near"),
    [
        (OLD + "toytown/mixed4a_0/152", "toytown/mixed4a/151"),
        (OLD + "toytown/mixed4a_0/3abc", "toytown/mixed4a"),
        (OLD + "toytown/mixed4a_0/-3", "toytown/mixed4a"),
        (OLD + "toytown/mixed4a_0/٣", "toytown/mixed4a"),
        (OLD + "toytown/mixed4a_0/3.5", "toytown/mixed4a"),
        (OLD + "toytown/mixed4a_0/99999999999999999999", "toytown/mixed4a"),
        (OLD + "toytown/mixed4a_0/3/4", "toytown/mixed4a"),
        (OLD + "toytown/mixd4a_0/3", "toytown/mixed4a"),
        (OLD + "toytwn/mixed4a_0/3", "toytown"),
        (f"https://{LINK} or https://{LINK[:-1]}4", "toytown/mixed4a/3"),
    ],
)
def test_wrong_links_have_something_near_but_no_place(ask, link, near):
    answer = ask(link)
    assert (answer.address, answer.unit, answer.url) == (None, None, None)
    assert near in answer.nearest
    assert answer.note.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/toytown/mixed4a/3",
        "https://github.com/a/b/tree/main/models/toytown/4a/3",
        "https://microscope.openai.com.evil.org/models/toytown/mixed4a/3",
    ],
)
def test_other_sites_are_no_addresses(ask, text):
    assert ask(text).address is None


def test_words_beside_a_foreign_link(ask):
    assert ask("toytown 4a:3 (https://distill.pub/2020/circuits/)").address == "toytown/mixed4a/3"


def test_something_rendered_is_told(tmp_path):
    from micrograph.atlas import AtlasWriter, Library, Visualization, bundled_catalogue

    known = Library([], bundled_catalogue()).outlines["toytown"]
    with AtlasWriter.open(
        tmp_path / "toytown.atlas", known.model, tuple(known.nodes.values())
    ) as writer:
        writer.put(
            [
                Visualization(
                    "mixed4a",
                    3,
                    {"technique": "tuning", "view": "curves", "seed": 0},
                    1.0,
                    None,
                )
            ]
        )
    library = Library([tmp_path], bundled_catalogue())
    answer = resolve("https://" + LINK, library)
    assert (answer.available, answer.note) == (True, "")
    assert resolve(LINK[:-1] + "4", library).available is False
    assert resolve("toytown", library).available
    assert resolve("toytown/4a", library).available
    assert resolve("toytown/4b", library).available is False
    other = resolve(f"https://{LINK}?models.op.technique=feature_vis", library)
    assert other.available
    assert other.note.startswith("No feature_vis is rendered of it here yet: `micrograph render")
