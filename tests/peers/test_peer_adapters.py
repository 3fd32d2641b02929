"""Models of libraries, by the name that a command gives them: loaded, rendered, shown."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from starlette.testclient import TestClient

from micrograph import Model, load
from micrograph.atlas import Atlas, Library
from micrograph.cards import card
from micrograph.cli import main
from micrograph.errors import BadInput, NotFound, Unavailable
from micrograph.networks.adapters import torchvision as tv
from micrograph.web import create_app

SMALL = ("--input", "64", "--steps", "2", "--size", "32", "--units", "0", "--device", "cpu")


@pytest.fixture(autouse=True)
def new_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("MICROGRAPH_WEIGHTS", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hf_models(peer, tmp_path):
    """Folders that transformers wrote itself: `resnet`, `vit`, `clip`, `bare` (no image processor)
    and `bert`."""
    hf = peer("transformers")
    torch.manual_seed(0)
    sides = {"height": 64, "width": 64}
    tower = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    models = {
        "resnet": hf.ResNetForImageClassification(
            hf.ResNetConfig(
                embedding_size=8,
                hidden_sizes=[8, 16],
                depths=[1, 1],
                layer_type="basic",
                id2label={0: "cat", 1: "dog", 2: "cow"},
            )
        ),
        "vit": hf.ViTForImageClassification(
            hf.ViTConfig(**tower, image_size=64, patch_size=16, num_labels=5)
        ),
        "clip": hf.CLIPModel(
            hf.CLIPConfig(
                text_config={**tower, "vocab_size": 50, "bos_token_id": 1, "eos_token_id": 2},
                vision_config={**tower, "image_size": 64, "patch_size": 16},
            )
        ),
        "bare": hf.ResNetModel(
            hf.ResNetConfig(
                embedding_size=8,
                hidden_sizes=[8],
                depths=[1],
                layer_type="basic",
            )
        ),
        "bert": hf.BertModel(hf.BertConfig(**tower, vocab_size=50)),
    }
    for name, model in models.items():
        model.eval().save_pretrained(tmp_path / name)
    hf.ConvNextImageProcessor(size={"shortest_edge": 64}, crop_pct=0.5).save_pretrained(
        tmp_path / "resnet"
    )
    hf.ViTImageProcessor(size=sides).save_pretrained(tmp_path / "vit")
    hf.CLIPImageProcessor(size={"shortest_edge": 64}, crop_size=sides).save_pretrained(
        tmp_path / "clip"
    )
    return models


MODELS = {
    "timm:resnet18": ("timm-resnet18.a1_in1k", "layer1.0"),
    "torchvision:squeezenet1_1": ("torchvision-squeezenet1_1-IMAGENET1K_V1", "features.3"),
    "open_clip:RN50/openai": ("open_clip-RN50-openai", "layer1.0"),
    "hf:resnet": ("hf-resnet", "resnet.encoder.stages.0"),
}


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(s, marks=pytest.mark.nightly if s.startswith("open_clip") else ())
        for s in MODELS
    ],
)
def test_a_unit_is_rendered_and_its_page_is_shown(spec, peer, capsys, request):
    library = spec.partition(":")[0]
    peer({"hf": "transformers"}.get(library, library))
    if library == "hf":
        request.getfixturevalue("hf_models")
    size = SMALL if library != "open_clip" else ("--input", "224", *SMALL[2:])
    id, node = MODELS[spec]
    args = ("render", spec, "--weights", "random", *size, "--node", node, "--atlas", "atlas")
    assert main(list(args)) == 0, capsys.readouterr().err
    with Atlas.open(Path("atlas") / f"{id}.atlas") as atlas:
        assert atlas.model.source == f"{spec} --input {size[1]} --weights random"
        assert atlas.model.lineage.endswith("random weights")
        (made,) = atlas.visualizations(node, 0)
        assert (made.picture.width, made.recipe["weights"]) == (32, atlas.model.digest)
    # From now on the id alone stands for it: the same recipe, which is there already.
    rest = ("--node", node, "--atlas", "atlas", *size[2:])
    assert main(["render", id, *rest]) == 0
    assert "1 were there already" in capsys.readouterr().out
    site = TestClient(create_app(Library([Path("atlas")])))
    page = site.get(f"/models/{id}/{node}/0")
    assert page.status_code == 200
    command = f"micrograph render {spec} --input {size[1]} --weights random --node {node}"
    assert command in page.text


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("timm:resnt18", r"unknown timm model 'resnt18'; did you mean 'resnet18'"),
        ("timm:resnet18.a9", r"unknown weights of timm's resnet18 'a9'; .*a1_in1k"),
        ("torchvision:resnt18", r"unknown torchvision model 'resnt18'; did you mean 'resnet18'"),
        ("torchvision:resnet18/V7", r"weights of torchvision's resnet18 'V7'.*IMAGENET1K_V1"),
        ("open_clip:RN51/openai", r"unknown open_clip model 'RN51'; did you mean 'RN50'"),
        ("open_clip:RN50/opnai", r"weights of open_clip's RN50 'opnai'; did you mean 'openai'"),
    ],
)
def test_wrong_names_give_near_ones(spec, message, peer):
    peer(spec.partition(":")[0])
    with pytest.raises(NotFound, match=message):
        card(spec)


def test_weights_that_cannot_be_fetched_are_told_in_one_line(peer, monkeypatch):
    timm = peer("timm")

    def offline(*args, **kwargs):
        raise OSError("no route to host\nand more")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(Unavailable) as caught:
        load("timm:resnet18")
    text = str(caught.value)
    assert text.startswith("the pretrained weights of timm:resnet18 cannot be had here (OSError: ")
    assert "--weights FILE" in text
    assert "\n" not in text


def test_timm_says_what_its_networks_take(peer):
    timm = peer("timm")
    found = card("timm:resnet18.tv_in1k")
    config = timm.get_pretrained_cfg("resnet18.tv_in1k")
    p = found.preprocessing
    assert (p.mean, p.std, p.size) == (config.mean, config.std, config.input_size[-1])
    assert p.resize == int(224 / config.crop_pct)
    assert len(found.labels) == 1000
    assert card("timm:resnet18,num_classes=7").labels == ()
    net = timm.create_model("mobilenetv3_small_050")
    model = Model.of(net, id="mine")
    assert model.preprocessing == card("timm:mobilenetv3_small_050").preprocessing
    with pytest.raises(BadInput, match="what 'mine' takes as input cannot be known"):
        Model.of(torch.nn.Conv2d(3, 2, 1), id="mine")


def _is_of_timm(timm, name: str) -> bool:
    """Whether timm has a model of that name, and the weights' tag in it."""
    try:
        return timm.models.get_pretrained_cfg(name) is not None
    except (RuntimeError, ValueError):
        return False


def test_deprecated_names_of_timm_are_their_present_ones(peer):
    timm = peer("timm")
    deprecated = timm.models.get_deprecated_models()
    assert len(deprecated) > 200
    for old, present in deprecated.items():
        if not _is_of_timm(timm, present):  # timm itself fails on it
            with pytest.raises(NotFound):
                card(f"timm:{old}")
            continue
        with pytest.warns(UserWarning, match=rf"deprecated model name {old} .* name {present}$"):
            found = card(f"timm:{old}")
        assert found.title == card(f"timm:{present}").title
        assert found.preprocessing == card(f"timm:{present}").preprocessing
    with pytest.warns(UserWarning, match=r"to its current name legacy_xception.tf_in1k$"):
        assert card("timm:xception.tf_in1k").title == "legacy_xception.tf_in1k"
    with pytest.warns(UserWarning, match="vit_tiny_patch16_224_in21k"):
        old = card("timm:vit_tiny_patch16_224_in21k,depth=1")
    assert old.build().num_classes == timm.create_model(old.title).num_classes


def test_a_file_of_timms_own_names_fills_its_network(peer):
    timm = peer("timm")
    torch.manual_seed(3)
    net = timm.create_model("mobilenetv3_small_050", num_classes=4).eval()
    save_file(net.state_dict(), "w.safetensors")
    model = load(
        "timm:mobilenetv3_small_050,num_classes=4", weights="w.safetensors", preprocessing="64"
    )
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = net(model.preprocessing.apply(pictures))
        got = model.run(pictures, ["classifier"])["classifier"]
    torch.testing.assert_close(got, expected)


def test_torchvision_says_what_its_networks_take_and_what_classes_are(peer):
    models = peer("torchvision").models
    weights = models.get_model_weights("efficientnet_b0").DEFAULT
    found = card("torchvision:efficientnet_b0")
    assert found.labels == tuple(weights.meta["categories"])
    picture = torch.rand(3, 256, 256)
    p = found.preprocessing
    assert (p.size, p.resize) == (224, 256)
    inner = picture[:, 16:240, 16:240]
    torch.testing.assert_close(p.apply(inner[None])[0], weights.transforms()(picture))
    # These two take what the others take only if they are told to, as with their weights.
    with torch.no_grad():
        assert load("torchvision:googlenet", weights="random").module.transform_input
    assert card("torchvision:googlenet/IMAGENET1K_V1").preprocessing.mean == p.mean
    detector = models.get_model_weights("retinanet_resnet50_fpn").DEFAULT
    assert tv.preprocessing_of(detector) is None


def test_open_clip_image_tower_is_what_encodes_pictures(peer):
    open_clip = peer("open_clip")
    torch.manual_seed(1)
    clip = open_clip.create_model("RN50", force_quick_gelu=True).eval()
    save_file({n: t.contiguous() for n, t in clip.state_dict().items()}, "clip.safetensors")
    model = load("open_clip:RN50/openai", weights="clip.safetensors")
    pictures = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        given = model.preprocessing.apply(pictures)
        torch.testing.assert_close(model.module(given), clip.encode_image(given))
        stem = clip.visual.act1(clip.visual.bn1(clip.visual.conv1(given)))
        torch.testing.assert_close(model.run(pictures, ["act1"])["act1"], stem)
    mean, std = clip.visual.preprocess_cfg["mean"], clip.visual.preprocess_cfg["std"]
    assert (model.preprocessing.mean, model.preprocessing.std) == (mean, std)


@pytest.mark.parametrize("name", ["resnet", "vit"])
@pytest.mark.parametrize("weights", [None, "model.safetensors"])
def test_a_folder_of_transformers_is_read_by_its_own_code(name, weights, hf_models, peer):
    hf = peer("transformers")
    model = load(f"hf:{name}", weights=weights and f"{name}/{weights}")
    processor = hf.AutoImageProcessor.from_pretrained(name)
    original = hf_models[name]
    picture = torch.rand(3, 64, 64)
    p = model.preprocessing
    by_theirs = processor(picture, return_tensors="pt", do_rescale=False, do_resize=False)
    given = p.apply(picture[None])
    torch.testing.assert_close(given, by_theirs["pixel_values"])
    with torch.no_grad():
        expected = original(pixel_values=given).logits
        last = list(model.nodes)[-1]
        got = model.run(picture[None], [last])[last]
    torch.testing.assert_close(got, expected)
    assert model.labels == (("cat", "dog", "cow") if name == "resnet" else ())
    assert p.resize == (128 if name == "resnet" else 64)


def test_pairs_give_their_image_tower_and_others_are_refused(hf_models):
    model = load("hf:clip")
    theirs = hf_models["clip"].vision_model
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = theirs(pixel_values=model.preprocessing.apply(picture)).pooler_output
        last = list(model.nodes)[-1]
        torch.testing.assert_close(model.run(picture, [last])[last], expected)
    with pytest.raises(BadInput, match=r"'hf:bert' \(BertModel\) is no model.*takes pictures"):
        card("hf:bert")
    with pytest.raises(BadInput, match="no image processor lies beside it; say it"):
        card("hf:bare")
    assert card("hf:bare", preprocessing="64,imagenet").preprocessing.size == 64
    with pytest.raises(Unavailable, match="configuration of 'hf:nothing/there' cannot be had"):
        card("hf:nothing/there")
    (Path("vit") / "model.safetensors").unlink()
    with pytest.raises(Unavailable, match="pretrained weights of hf:vit cannot be had"):
        load("hf:vit")
    assert load("hf:vit", weights="random").labels == ()
