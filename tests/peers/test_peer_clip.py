"""CLIP's ResNets and their text towers against open_clip and timm, every node, random weights."""

from fnmatch import fnmatch

import pytest
import torch
from torch import nn

from micrograph.cards.zoo import _clip_names as names
from micrograph.models import cards
from micrograph.models.model import Model
from micrograph.weights.building import build, fill
from micrograph.weights.conversion import Given
from micrograph.weights.tensors import to_raw

PAIRS = {
    "contrastive_rn50": "RN50",
    "contrastive_v2": "RN101",
    "contrastive_4x": "RN50x4",
    "contrastive_16x": "RN50x16",
}
LARGE = ("contrastive_v2", "contrastive_4x", "contrastive_16x")
ALL = [pytest.param(n, marks=pytest.mark.nightly if n in LARGE else ()) for n in PAIRS]


def shake(module: nn.Module) -> None:
    """Norms that do something, and none at 0 or 1 where a mistake could hide."""
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif "running_mean" in name or (tensor.ndim == 1 and "bias" in name):
                tensor.normal_(0, 0.1)
            elif tensor.ndim == 1:
                tensor.uniform_(0.5, 1.5)


def converted(name: str, form: str, state: dict[str, torch.Tensor], sign: str, tmp_path) -> Model:
    """Our network with the tensors of another one, through the card's conversion."""
    card = cards()[name]
    (conversion,) = [c for c in card.conversions if (c.form, c.sign) == (form, sign)]
    given = Given(state, tmp_path / "file")
    tensors = conversion.convert(given)
    assert all(any(fnmatch(n, p) for p in conversion.ignore) for n in given.left)
    module = build(card)
    stored = {card.tensor_name(n): to_raw(t) for n, t in tensors.items()}
    fill(module, card, stored, tmp_path / "file")
    return Model(card, module, "")


def outputs(module: nn.Module, paths: dict[str, str], run) -> dict[str, torch.Tensor]:
    """What each module gives while `run` runs; a copy, as some are overwritten in place."""
    found, hooks = {}, []
    for node, path in paths.items():

        def keep(_m, _i, out, node=node):
            found.setdefault(node, out.detach().clone())

        hooks.append(module.get_submodule(path).register_forward_hook(keep))
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    return found


def openai_path(node: str) -> str | None:
    """The module of open_clip whose output a node is; None for sums, which it keeps nowhere."""
    if node.endswith((".sum", "pooled")):
        return None
    if node == "stem":
        return "visual.avgpool"
    if node == "embedding":
        return "visual.attnpool"
    if node.endswith(".out"):
        return "visual." + node.removesuffix(".out")
    if node.endswith(".downsample"):
        return f"visual.{node}"
    return names.openai(f"{node}.weight").removesuffix(".weight")


def timm_path(node: str) -> str | None:
    if node.endswith((".sum", "pooled")):
        return None
    if node == "stem":
        return "stem"
    if node == "embedding":
        return "head"
    if node.endswith(".out"):
        stage, block = node.removeprefix("layer").split(".")[:2]
        return f"stages.{int(stage) - 1}.{block}"
    if node.endswith(".downsample"):
        return names.timm(f"{node}.bn.weight").removesuffix(".bn.weight")
    return names.timm(f"{node}.weight").removesuffix(".weight")


def worst(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> float:
    """Largest difference, in units of the node's largest value, over all nodes."""
    return max(float((ours[n] - theirs[n]).abs().max() / theirs[n].abs().max()) for n in theirs)


def before_relu(theirs: dict[str, torch.Tensor], ours: dict[str, torch.Tensor]) -> None:
    """timm's norms end in the ReLU: ours are brought there, too."""
    for node in theirs:
        if node.endswith((".bn1", ".bn2")) or node.startswith("stem.bn"):
            ours[node] = ours[node].relu()


@pytest.fixture(scope="module", params=ALL)
def pair(peer, request, tmp_path_factory):
    """open_clip's network and ours with its tensors."""
    open_clip = peer("open_clip")
    torch.manual_seed(3)
    theirs = open_clip.create_model(f"{PAIRS[request.param]}-quickgelu").eval()
    shake(theirs)
    sign, folder = "visual.attnpool.positional_embedding", tmp_path_factory.mktemp("clip")
    return theirs, converted(request.param, "safetensors", theirs.state_dict(), sign, folder)


def test_every_node_is_open_clips(pair):
    theirs, model = pair
    size = model.preprocessing.size
    x = torch.randn(1, 3, size, size)
    paths = {n: p for n in model.nodes if (p := openai_path(n))}
    expected = outputs(theirs, paths, lambda: theirs.encode_image(x))
    with torch.no_grad():
        found = model.run(x, list(model.nodes), preprocess=False)
    assert worst(found, expected) < 1e-4
    for node in model.nodes.values():
        if node.kind == "add":
            total = sum(found[p] for p in node.parents)
            assert torch.allclose(found[node.id], total, atol=1e-5)
            out = node.id.replace(".sum", ".out")
            assert torch.equal(found[node.id].relu(), found[out])
    assert found["embedding"].shape == (1, model.nodes["embedding"].units)


def test_texts_are_open_clips(pair, peer):
    theirs, model = pair
    assert float(model.module.text.log_scale) == float(theirs.logit_scale)
    texts = ["a", "a photo of a cat", "", "word " * 75, "Ein Überraschungsei! 🥚"]
    tokens = peer("open_clip").get_tokenizer("RN50")(texts)
    with torch.no_grad():
        expected = theirs.encode_text(tokens)
        raw = model.module.text(tokens)
    assert float((raw - expected).abs().max() / expected.abs().max()) < 1e-4
    vectors = model.text.embed(texts)
    assert torch.allclose(vectors, expected / expected.norm(dim=1, keepdim=True), atol=1e-5)
    short = model.text.embed(texts[:2])  # filled up less, the same vectors
    assert torch.allclose(short, vectors[:2], atol=1e-5)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n == "contrastive_rn50" else pytest.mark.nightly) for n in PAIRS],
)
def test_every_node_is_timms(peer, name, tmp_path):
    timm = peer("timm")
    torch.manual_seed(5)
    theirs = timm.create_model(
        {
            "RN50": "resnet50_clip",
            "RN101": "resnet101_clip",
            "RN50x4": "resnet50x4_clip",
            "RN50x16": "resnet50x16_clip",
        }[PAIRS[name]],
        pretrained=False,
    ).eval()
    shake(theirs)
    model = converted(name, "safetensors", theirs.state_dict(), "head.pos_embed", tmp_path)
    assert model.text is None
    size = model.preprocessing.size
    x = torch.randn(1, 3, size, size)
    paths = {n: p for n in model.nodes if (p := timm_path(n))}
    expected = outputs(theirs, paths, lambda: theirs(x))
    with torch.no_grad():
        found = model.run(x, list(model.nodes), preprocess=False)
    before_relu(expected, found)
    assert worst(found, expected) < 1e-4


def test_preprocessing_is_open_clips_and_timms(peer):
    open_clip, timm = peer("open_clip"), peer("timm")
    for name, theirs in PAIRS.items():
        ours = cards()[name].preprocessing
        config = open_clip.get_model_config(theirs)["vision_cfg"]
        assert ours.size == ours.resize == config["image_size"]
        given = open_clip.get_pretrained_cfg(theirs, "openai")
        assert ours.mean == tuple(given.get("mean", open_clip.OPENAI_DATASET_MEAN))
        assert ours.std == tuple(given.get("std", open_clip.OPENAI_DATASET_STD))
        assert ours.interpolation == given.get("interpolation", "bicubic")
        assert cards()[name].sources[0].url == given["url"]
        assert cards()[name].sources[0].sha256 in given["url"]
    timms = timm.get_pretrained_cfg("resnet50x4_clip.openai")
    ours = cards()["contrastive_4x"].preprocessing
    assert (timms.mean, timms.std, timms.interpolation) == (ours.mean, ours.std, "bicubic")
    assert timms.hf_hub_id in cards()["contrastive_4x"].sources[1].url
