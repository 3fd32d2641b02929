"""Networks of transformers that give something else than logits: each tensor has its name."""

from argparse import Namespace

import pytest
import torch

from micrograph import load
from micrograph.errors import BadInput
from micrograph.models.outputs import named_tensors
from micrograph.weights.formats import WeightsError

VIT = {
    "hidden_size": 16,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 64,
    "patch_size": 16,
}


@pytest.fixture
def networks(peer):
    hf = peer("transformers")
    torch.manual_seed(0)
    resnet = hf.ResNetConfig(
        embedding_size=8, hidden_sizes=[8] * 4, depths=[1] * 4, out_features=["stage2", "stage4"]
    )
    depth = hf.DPTConfig(
        **VIT, backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8] * 4, fusion_hidden_size=8
    )
    return {
        "backbone": hf.ResNetBackbone(resnet),
        "tokens": hf.Dinov2Backbone(
            hf.Dinov2Config(**{**VIT, "mlp_ratio": 2}, out_features=["stage2"])
        ),
        "masked": hf.ViTForMaskedImageModeling(hf.ViTConfig(**VIT)),
        "depth": hf.DPTForDepthEstimation(depth),
        "segmenter": hf.SegformerForSemanticSegmentation(
            hf.SegformerConfig(
                hidden_sizes=[8] * 4,
                depths=[1] * 4,
                num_attention_heads=[1] * 4,
                decoder_hidden_size=8,
                num_labels=5,
            )
        ),
    }


GIVEN = {
    "backbone": ("feature_maps.0", "feature_maps.1"),
    "tokens": ("feature_maps.0",),
    "masked": ("reconstruction",),
    "depth": (),  # [batch, y, x]: a map without units is no node
    "segmenter": (),  # its logits are the output itself
}


@pytest.mark.parametrize("name", GIVEN)
def test_what_a_network_gives_is_found_by_its_name(name, networks, tmp_path):
    net = networks[name].eval()
    net.save_pretrained(tmp_path / "net")
    model = load(f"hf:{tmp_path / 'net'}", preprocessing="64,-1..1")
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        given = named_tensors(net(pixel_values=pictures * 2 - 1).to_tuple())
        whole = net(pixel_values=pictures * 2 - 1)
    assert given
    for output in GIVEN[name]:
        found = model.run(pictures, f"output.{output}")[f"output.{output}"]
        torch.testing.assert_close(found, named_tensors(whole)[output], rtol=1e-4, atol=1e-5)
    if name == "segmenter":
        last = list(model.nodes)[-1]
        torch.testing.assert_close(
            model.run(pictures, last)[last], whole.logits, rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("prefix", ["", "module.", "model."])
def test_a_training_checkpoint_of_a_network_of_transformers(prefix, peer, tmp_path):
    hf = peer("transformers")
    config = hf.ViTConfig(**VIT, num_labels=5)
    hf.ViTForImageClassification(config).save_pretrained(tmp_path / "vit")
    trained = hf.ViTForImageClassification(config)
    state = {prefix + name: tensor for name, tensor in trained.state_dict().items()}
    torch.save({"state_dict": state, "args": Namespace(lr=0.1)}, tmp_path / "c.pth")
    spec = f"hf:{tmp_path / 'vit'}"
    model = load(spec, weights=tmp_path / "c.pth", preprocessing="64,-1..1")
    for name, tensor in trained.state_dict().items():
        assert model.module.net.state_dict()[name].equal(tensor), name
    torch.save({"state_dict": state, "ema": state}, tmp_path / "c.pth")
    with pytest.raises(WeightsError, match="2 sets of tensors that fit"):
        load(spec, weights=tmp_path / "c.pth", preprocessing="64,-1..1")
    other = {f"backbone.{name}": tensor for name, tensor in state.items()}
    few = dict(list(other.items())[:3]) | {"unlike": torch.ones(2)}
    torch.save(few, tmp_path / "c.pth")
    with pytest.raises(WeightsError, match="is not for hf:"):
        load(spec, weights=tmp_path / "c.pth", preprocessing="64,-1..1")


def test_a_network_that_needs_more_than_pictures_is_refused(peer, tmp_path):
    hf = peer("transformers")
    tower = {k: VIT[k] for k in ("hidden_size", "num_hidden_layers", "num_attention_heads")}
    config = hf.ViltConfig(**tower, intermediate_size=32, vocab_size=50, image_size=64)
    config.architectures = ["ViltModel"]
    config.save_pretrained(tmp_path / "vilt")
    with pytest.raises(BadInput, match="no model of transformers that takes pictures") as caught:
        load(f"hf:{tmp_path / 'vilt'}", weights="random", preprocessing="64,-1..1")
    assert "\n" not in str(caught.value)
