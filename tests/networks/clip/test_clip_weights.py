"""Original CLIP files: names, both towers or one, half precision, what is refused."""

import hashlib
import re
import warnings
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_clip import as_file, card, shaken, tokenizer
from torch import nn

from micrograph.cards import registry
from micrograph.cards.zoo import _clip_names as names
from micrograph.errors import Unavailable
from micrograph.models import cards, load
from micrograph.models.loading import untrained
from micrograph.networks.clip import vocabulary
from micrograph.weights.conversion import Given
from micrograph.weights.formats import WeightsError
from micrograph.weights.importing import import_weights


@pytest.fixture
def small(no_weights, monkeypatch):
    """A registered small relative."""
    made = card()
    monkeypatch.setitem(registry._cards, made.id, made)
    return made


def openai_file(path, half: bool, **more: torch.Tensor) -> dict[str, torch.Tensor]:
    """What OpenAI's state dict holds, with counters and numbers; gives our tensors."""
    ours = shaken().module.state_dict()
    if half:
        ours = {n: t.half().float() for n, t in ours.items()}
    theirs = {names.openai(n): (t.half() if half else t) for n, t in ours.items()}
    theirs |= {
        n.replace("running_mean", "num_batches_tracked"): torch.tensor(5)
        for n in theirs
        if n.endswith("running_mean")
    }
    for name, value in (("input_resolution", 64), ("context_length", 77), ("vocab_size", 49408)):
        theirs[name] = torch.tensor(value)
    save_file({n: t.contiguous() for n, t in (theirs | more).items()}, path)
    return ours


def as_module(tensors: dict[str, torch.Tensor]) -> nn.Module:
    """Modules in modules, with these tensors by their names."""
    top = nn.Identity()
    for name, tensor in tensors.items():
        *path, leaf = name.split(".")
        place = top
        for part in path:
            if part not in dict(place.named_children()):
                place.add_module(part, nn.Identity())
            place = place.get_submodule(part)
        place.register_buffer(leaf, tensor)
    return top


def test_archive_as_openai_released_it(small, tmp_path):
    """TorchScript, half precision, with numbers that are no weights."""
    expected = openai_file(tmp_path / "clip.safetensors", True)
    with warnings.catch_warnings(action="ignore"):  # TorchScript is on its way out
        scripted = torch.jit.script(as_module(load_file(tmp_path / "clip.safetensors")))
        torch.jit.save(scripted, tmp_path / "small.pt")
    done = import_weights(small.id, tmp_path / "small.pt")
    assert (done.form, done.converted) == ("clip", True)
    state = load(small.id).module.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(t, expected[n]) for n, t in state.items())


@pytest.mark.parametrize("half", [False, True])
def test_both_towers(small, tmp_path, half):
    expected = openai_file(tmp_path / "clip.safetensors", half)
    import_weights(small.id, tmp_path / "clip.safetensors")
    state = load(small.id).module.state_dict()
    assert state.keys() == expected.keys()
    for name, tensor in state.items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, expected[name]), name


def test_what_was_imported_can_be_imported_again(small, tmp_path):
    openai_file(tmp_path / "clip.safetensors", False)
    done = import_weights(small.id, tmp_path / "clip.safetensors")
    again = tmp_path / "again.safetensors"
    again.write_bytes(done.path.read_bytes())
    before = load(small.id).digest
    import_weights(small.id, again)
    assert load(small.id).digest == before


def test_image_tower_of_timm(small, tmp_path):
    ours = {n: t for n, t in shaken().module.state_dict().items() if not n.startswith("text.")}
    theirs = {names.timm(n): t.contiguous() for n, t in ours.items()}
    assert "stages.1.0.shortcut.conv.bn.weight" in theirs
    save_file(theirs, tmp_path / "timm.safetensors")
    import_weights(small.id, tmp_path / "timm.safetensors")
    model = load(small.id)
    assert model.text is None
    assert {n: t.shape for n, t in model.module.state_dict().items()} == {
        n: t.shape for n, t in ours.items()
    }
    assert model.run(torch.rand(1, 3, 64, 64), ["embedding"])["embedding"].shape == (1, 12)


def test_half_a_text_tower_is_refused(small, tmp_path):
    state = {names.openai(n): t for n, t in shaken().module.state_dict().items()}
    del state["ln_final.bias"]
    save_file({n: t.contiguous() for n, t in state.items()}, tmp_path / "cut.safetensors")
    with pytest.raises(WeightsError, match=r"lacks the tensor 'ln_final.bias'"):
        import_weights(small.id, tmp_path / "cut.safetensors")


def test_what_has_no_place_is_refused(small, tmp_path):
    openai_file(tmp_path / "x.safetensors", False, **{"visual.proj": torch.zeros(3)})
    with pytest.raises(WeightsError, match=r"visual\.proj"):
        import_weights(small.id, tmp_path / "x.safetensors")


def test_another_size_is_refused(small, tmp_path):
    openai_file(
        tmp_path / "x.safetensors",
        False,
        **{"visual.attnpool.positional_embedding": torch.zeros(10, 256)},
    )
    with pytest.raises(WeightsError, match=r"has shape \[10, 256\], expected \[5, 256\]"):
        import_weights(small.id, tmp_path / "x.safetensors")


NAMES = """stem.conv2.weight                   visual.conv2.weight
stem.bn3.running_var                visual.bn3.running_var
layer3.5.bn2.bias                   visual.layer3.5.bn2.bias
layer2.0.downsample.conv.weight     visual.layer2.0.downsample.0.weight
layer2.0.downsample.bn.running_mean visual.layer2.0.downsample.1.running_mean
pooled.positions                    visual.attnpool.positional_embedding
pooled.query.weight                 visual.attnpool.q_proj.weight
pooled.key.bias                     visual.attnpool.k_proj.bias
pooled.value.weight                 visual.attnpool.v_proj.weight
embedding.bias                      visual.attnpool.c_proj.bias
text.tokens.weight                  token_embedding.weight
text.places                         positional_embedding
text.blocks.11.before_attention.bias transformer.resblocks.11.ln_1.bias
text.blocks.0.attention.weight      transformer.resblocks.0.attn.in_proj_weight
text.blocks.0.output.bias           transformer.resblocks.0.attn.out_proj.bias
text.blocks.0.before_rest.weight    transformer.resblocks.0.ln_2.weight
text.blocks.0.widen.weight          transformer.resblocks.0.mlp.c_fc.weight
text.blocks.0.narrow.bias           transformer.resblocks.0.mlp.c_proj.bias
text.last.weight                    ln_final.weight
text.output                         text_projection
text.log_scale                      logit_scale"""


@pytest.mark.parametrize(("ours", "theirs"), [line.split() for line in NAMES.splitlines()])
def test_openais_names(ours, theirs):
    assert names.openai(ours) == theirs


def test_conversions_name_every_tensor_once(tmp_path):
    made = card()
    state = untrained(made).module.state_dict()
    assert len({names.openai(n) for n in state}) == len(state)
    for conversion in made.conversions:
        called = names.openai if conversion.sign.startswith("visual") else names.timm
        given = Given({called(n): t for n, t in state.items()}, tmp_path / "file")
        assert conversion.sign in given
        taken = conversion.convert(given)
        assert all(torch.equal(t, state[n]) for n, t in taken.items())
        assert {n for n in state if n not in taken} <= {n for n in state if n.startswith("text.")}
    forms = [(c.form, c.sign.partition(".")[0]) for c in made.conversions]
    assert ("clip", "visual") in forms
    assert ("safetensors", "head") in forms


def test_text_tower_needs_the_tokenizers_file(monkeypatch, tmp_path):
    model = shaken()

    def nowhere():
        raise Unavailable("the tokenizer of CLIP's text towers needs a file")

    monkeypatch.setattr(vocabulary, "find", nowhere)
    assert model.nodes["embedding"].units == 12  # pictures work without
    with pytest.raises(Unavailable, match="tokenizer"):
        _ = model.text
    file = tmp_path / vocabulary.NAME
    file.write_bytes(as_file())
    monkeypatch.setattr(vocabulary, "find", lambda: file)
    with pytest.raises(WeightsError):
        _ = model.text
    monkeypatch.setattr(
        vocabulary,
        "VOCABULARY",
        SimpleNamespace(sha256=hashlib.sha256(as_file()).hexdigest(), url=""),
    )
    assert model.text.words == tuple(tokenizer().words())


@pytest.mark.parametrize("name", ["contrastive_v1", "lm_v1"])
def test_never_released(name, tmp_path):
    found = cards()[name]
    assert "never released" in found.unreleased
    for do in (lambda: untrained(found), lambda: import_weights(name, tmp_path / "any")):
        with pytest.raises(Unavailable, match="never released"):
            do()


def test_sources():
    for found in cards().values():
        if found.id.startswith("contrastive") and not found.unreleased:
            original = found.sources[0]
            assert re.fullmatch("[0-9a-f]{64}", original.sha256)
            assert original.url.endswith(f"/{original.sha256}/{found.title.split()[1]}.pt")
            assert found.extras == (vocabulary.VOCABULARY,)
