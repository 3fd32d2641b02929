"""The transformer: its attention against torch's own, its token nodes, and the shipped weights."""

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F

from micrograph import optimize as opt
from micrograph.models import cards, load
from micrograph.organisms import toytown_vit
from micrograph.organisms.toytown import measure
from micrograph.organisms.toytown.scenes import HELD_OUT, PictureBatch, batch
from micrograph.organisms.toytown_vit.network import GRID, HEADS, WIDTH, Attention

FOLDER = Path(toytown_vit.__file__).parent


@cache
def held_out() -> PictureBatch:
    """Seeds that neither the training nor its own judging has used."""
    return batch(range(HELD_OUT + 7_000_000, HELD_OUT + 7_000_150))


def test_attention_equals_torchs() -> None:
    torch.manual_seed(0)
    ours, theirs = Attention(), torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight)
        theirs.in_proj_bias.copy_(ours.qkv.bias)
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.copy_(ours.out.bias)
    x = torch.randn(2, 9, WIDTH)
    torch.testing.assert_close(ours(x), theirs(x, x, x)[0], atol=1e-5, rtol=1e-5)


def test_token_nodes_are_maps_of_patches_and_a_class_token() -> None:
    model = load("toytown_vit")
    assert model.node("blocks.2").shape == (GRID, GRID)
    assert model.node("blocks.2.class").shape == ()
    assert model.node("blocks.2.mlp.act").units == 384
    images = torch.rand(2, 3, 96, 96)
    raw: list[torch.Tensor] = []
    hook = model.module.get_submodule("blocks.2").register_forward_hook(
        lambda _m, _i, out: raw.append(out)
    )
    found = model.run(images, ["blocks.2", "blocks.2.class", "logits"])
    hook.remove()
    patches = raw[0][:, 1:].unflatten(1, (GRID, GRID)).permute(0, 3, 1, 2)
    assert torch.equal(found["blocks.2"], patches)
    assert torch.equal(found["blocks.2.class"], raw[0][:, 0])
    ends = F.layer_norm(
        model.run(images, ["blocks.5.class"])["blocks.5.class"],
        (WIDTH,),
        model.module.norm.weight,
        model.module.norm.bias,
    )
    torch.testing.assert_close(model.module.logits(ends), found["logits"], atol=1e-4, rtol=1e-4)


def test_pictures_of_other_sizes_have_other_grids() -> None:
    found = load("toytown_vit").run(torch.rand(1, 3, 128, 64), ["blocks.1", "logits"])
    assert found["blocks.1"].shape == (1, WIDTH, 16, 8)
    assert found["logits"].isfinite().all()


def test_the_card_fits_the_file() -> None:
    assert (FOLDER / "weights.safetensors").stat().st_size <= 1_600_000
    model = load("toytown_vit")
    assert cards()["toytown_vit"].digest == model.digest
    assert model.card.parameters == sum(p.numel() for p in model.module.parameters())


def test_it_knows_pictures_it_never_saw() -> None:
    """Measured: 97 % of 2,000; with 150 pictures 93 % is three standard errors below."""
    assert measure.accuracy(load("toytown_vit").module, held_out()) >= 0.93


def test_a_class_logit_s_picture_is_recognized() -> None:
    """The network names its own feature visualizations, also after they were moved by 4 px."""
    model = load("toytown_vit")
    units = [0, 9, 18, 27]
    settings = opt.Settings(size=96, steps=24, precision="fp32")
    pictures = opt.optimize(
        model, opt.channel("logits", units), settings, seeds=[(0, u) for u in units]
    )
    moved = pictures.images.roll((4, -4), (2, 3))
    assert model.run(moved, ["logits"])["logits"].argmax(1).tolist() == units
