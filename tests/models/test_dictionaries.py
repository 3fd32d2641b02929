"""Dictionaries against plain restatements: latents, spellings, gradients, what is refused."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, Conflict, NotFound
from micrograph.models.dictionaries.dictionary import straight_through
from micrograph.models.dictionaries.reading import directions, of_tensors, read
from micrograph.models.model import Model
from micrograph.models.replacing import replaced
from micrograph.weights.formats import WeightsError

UNITS, LATENTS = 5, 12
SIZES = {"bias": (LATENTS,), "decoder_bias": (UNITS,)}


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def tensors():
    return {
        "encoder": random(LATENTS, UNITS, seed=1),
        "decoder": random(LATENTS, UNITS, seed=2),
        "bias": random(LATENTS, seed=3),
        "decoder_bias": random(UNITS, seed=4),
    }


def restated(t, x, activation, k=0, threshold=0.0, scale=1.0, subtract=True, layer_norm=False):
    """Latents of one vector, number by number."""
    x = x.double()
    if layer_norm:
        x = (x - x.mean()) / ((x - x.mean()).square().mean().sqrt() + 1e-5)
    x = x * scale
    if subtract:
        x = x - t["decoder_bias"].double()
    pre = [
        sum(float(w) * float(v) for w, v in zip(row, x, strict=True)) + float(b)
        for row, b in zip(t["encoder"], t["bias"], strict=True)
    ]
    if activation == "topk":
        last = sorted(pre, reverse=True)[k - 1]
        return [max(p, 0.0) if p >= last else 0.0 for p in pre]
    if activation == "jumprelu":
        return [p if p > threshold else 0.0 for p in pre]
    return [max(p, 0.0) for p in pre] if activation == "relu" else pre


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"activation": "relu"}, {"activation": "relu"}),
        ({"activation": "none"}, {"activation": "none"}),
        ({"activation": "relu", "subtract": "false"}, {"activation": "relu", "subtract": False}),
        ({"activation": "topk", "k": "3"}, {"activation": "topk", "k": 3}),
        ({"activation": "relu", "scale": 2.5}, {"activation": "relu", "scale": 2.5}),
        (
            {"activation": "relu", "normalize": "layer_norm"},
            {"activation": "relu", "layer_norm": True},
        ),
    ],
    ids=str,
)
def test_latents_are_what_the_formula_says_at_every_place(tensors, settings, expected):
    dictionary = of_tensors(tensors, UNITS, **settings)
    x = random(2, UNITS, 3, 4, seed=5)
    found = dictionary.values(x)
    assert found.shape == (2, LATENTS, 3, 4)
    for b, i, j in ((0, 0, 0), (1, 2, 3), (0, 1, 2)):
        by_hand = torch.tensor(restated(tensors, x[b, :, i, j], **expected))
        torch.testing.assert_close(found[b, :, i, j], by_hand, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(dictionary.values(x[:, :, 1, 2]), found[:, :, 1, 2])


def test_jumprelu_has_a_threshold_for_each_latent(tensors):
    tensors["threshold"] = torch.rand(LATENTS)
    dictionary = of_tensors(tensors, UNITS, subtract=True)
    assert dictionary.activation == "jumprelu"
    x = random(50, UNITS, seed=6)
    pre, found = dictionary.values(x, before=True), dictionary.values(x)
    assert torch.equal(found, pre * (pre > tensors["threshold"]))
    assert ((pre > 0) & (found == 0)).any()


@pytest.mark.parametrize("k", [1, 4, LATENTS])
def test_topk_is_torchs(tensors, k):
    dictionary = of_tensors(tensors, UNITS, activation="topk", k=k)
    x = random(40, UNITS, seed=7)
    top = dictionary.values(x, before=True).topk(k)
    expected = torch.zeros(40, LATENTS).scatter(1, top.indices, top.values.relu())
    assert torch.equal(dictionary.values(x), expected)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_decoding_undoes_what_was_done_to_the_inputs(tensors, scale):
    # As many latents as units, each other's inverse: nothing is lost.
    mix = random(UNITS, UNITS, seed=8)
    tensors |= {"encoder": mix, "decoder": mix.inverse().T, "bias": torch.zeros(UNITS)}
    x = random(2, UNITS, 3, 3, seed=9)
    for settings in ({"scale": scale}, {"normalize": "layer_norm", "scale": scale}):
        dictionary = of_tensors(tensors, UNITS, activation="none", **settings)
        back = dictionary.decode(dictionary.values(x), like=x)
        torch.testing.assert_close(back, x, rtol=1e-3, atol=1e-4)


def test_one_that_normalizes_cannot_decode_without_what_it_encoded(tensors):
    dictionary = of_tensors(tensors, UNITS, activation="relu", normalize="layer_norm")
    with pytest.raises(BadInput, match="`like`"):
        dictionary.decode(torch.ones(1, LATENTS))


def spelled(t, form):
    """The same dictionary as others write it."""
    if form == "saelens":
        return {
            "W_enc": t["encoder"].T,
            "W_dec": t["decoder"],
            "b_enc": t["bias"],
            "b_dec": t["decoder_bias"],
        }, {"activation": "relu", "subtract": "true"}  # others with these names do neither
    if form == "openai":
        return {
            "encoder.weight": t["encoder"],
            "decoder.weight": t["decoder"].T,
            "latent_bias": t["bias"],
            "pre_bias": t["decoder_bias"],
        }, {"activation": "relu"}
    if form == "dictionary_learning":
        return {
            "encoder.weight": t["encoder"],
            "encoder.bias": t["bias"],
            "decoder.weight": t["decoder"].T,
            "bias": t["decoder_bias"],
        }, {}
    return {
        "encoder.weight": t["encoder"],
        "encoder.bias": t["bias"],
        "W_dec": t["decoder"],
        "b_dec": t["decoder_bias"],
    }, {"activation": "relu"}


@pytest.mark.parametrize("form", ["saelens", "openai", "dictionary_learning", "sparsify"])
def test_spellings_of_others_mean_the_same(tensors, form, tmp_path):
    theirs, said = spelled(tensors, form)
    path = tmp_path / "sae.safetensors"
    save_file({n: t.contiguous() for n, t in theirs.items()}, path, metadata=said)
    ours = of_tensors(tensors, UNITS, activation="relu")
    found = read(path, UNITS)
    x = random(6, UNITS, 2, 2, seed=5)
    torch.testing.assert_close(found.values(x), ours.values(x))
    torch.testing.assert_close(found.decode(found.values(x)), ours.decode(ours.values(x)))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"architecture": "standard", "apply_b_dec_to_input": True}, ("relu", 0)),
        ({"architecture": "topk", "activation_fn_kwargs": {"k": 4}}, ("topk", 4)),
        ({"activation_fn_str": "topk", "k": 2}, ("topk", 2)),
        ({"k": 3}, ("topk", 3)),
        ({}, ("relu", 0)),
    ],
    ids=str,
)
def test_a_config_beside_the_file_is_heard(tensors, tmp_path, config, expected):
    path = tmp_path / "sae_weights.safetensors"
    save_file({n: t.contiguous() for n, t in spelled(tensors, "saelens")[0].items()}, path)
    path.with_name("cfg.json").write_text(json.dumps(config))
    found = read(path, UNITS)
    assert (found.activation, found.k) == expected


def test_directions_are_projections_and_put_back_by_the_smallest_change():
    rows = random(3, UNITS, seed=1)
    dictionary = directions(rows, UNITS)
    assert (dictionary.kind, dictionary.activation) == ("directions", "none")
    x = random(4, UNITS, seed=2)
    torch.testing.assert_close(dictionary.values(x), x @ rows.T)
    change = dictionary.change(torch.eye(3))
    torch.testing.assert_close(change @ rows.T, torch.eye(3), atol=1e-5, rtol=0)


def test_the_digest_is_of_numbers_and_settings_not_of_titles(tensors, tmp_path):
    def digest(**said):
        return of_tensors(tensors, UNITS, activation="relu", **said).digest

    assert digest() == digest(title="curves", l0="4") == digest(subtract="true")
    others = {digest(scale=2.0), digest(subtract=False), digest()}
    tensors["bias"][0] += 1
    assert len({*others, digest()}) == 4


REFUSED = {
    "another width": ({"encoder": (LATENTS, 7), "decoder": (LATENTS, 7)}, {}, r"\[12, 7\].* 5 "),
    "square": ({"W_enc": (UNITS, UNITS), "W_dec": (UNITS, UNITS)}, {}, "rename the tensors"),
    "latents differ": ({"encoder": (4, UNITS), "decoder": (6, UNITS)}, {}, "4 latents .* 6"),
    "no dictionary": ({"conv.weight": (3, 3)}, {}, "expected `directions`"),
    "gated": ({"W_enc": (UNITS, 9), "W_dec": (9, UNITS), "r_mag": (9,)}, {}, "gated"),
    "more": ({"encoder": (9, UNITS), "decoder": (9, UNITS), "W_skip": (5, 5)}, {}, "W_skip"),
    "unsaid": ({"encoder.weight": (9, UNITS), "W_dec": (9, UNITS)}, {}, "is not said"),
    "unknown": (
        {"encoder": (9, UNITS), "decoder": (9, UNITS)},
        {"activation": "softmax"},
        "none, relu, topk, jumprelu",
    ),
    "k": (
        {"encoder": (9, UNITS), "decoder": (9, UNITS)},
        {"activation": "topk", "k": "10"},
        "1 to 9",
    ),
    "no k": ({"encoder": (9, UNITS), "decoder": (9, UNITS)}, {"activation": "topk"}, "k 0"),
    "k is a word": ({"encoder": (9, UNITS), "decoder": (9, UNITS)}, {"k": "many"}, "no number"),
    "scaled": (
        {"encoder": (9, UNITS), "decoder": (9, UNITS)},
        {"normalize_activations": "expected_average_only_in"},
        "scale=",
    ),
    "normalized": (
        {"encoder": (9, UNITS), "decoder": (9, UNITS)},
        {"normalize": "batch"},
        "layer_norm",
    ),
    "scale": ({"encoder": (9, UNITS), "decoder": (9, UNITS)}, {"scale": "0"}, "above 0"),
    "bias": ({"encoder": (9, UNITS), "decoder": (9, UNITS), "bias": (8,)}, {}, "bias"),
    "empty": ({"encoder": (0, UNITS), "decoder": (0, UNITS)}, {}, "nothing to show"),
    "negative threshold": (
        {"encoder": (9, UNITS), "decoder": (9, UNITS), "threshold": (9,)},
        {},
        "negative",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_meant_is_refused_in_one_line(what, tmp_path):
    shapes, said, words = REFUSED[what]
    path = tmp_path / "sae.safetensors"
    save_file({name: -torch.ones(shape) for name, shape in shapes.items()}, path, metadata=said)
    with pytest.raises(WeightsError, match=words) as caught:
        read(path, UNITS)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["encoder", "decoder", "bias", "decoder_bias"])
def test_numbers_that_are_none_are_refused(tensors, name):
    tensors[name].view(-1)[3] = float("nan")
    with pytest.raises(BadInput, match="not finite"):
        of_tensors(tensors, UNITS, activation="relu")


class Net(nn.Module):
    """A map of five units, and what reads it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, UNITS, 3, padding=1)
        self.act = nn.ReLU()
        self.head = nn.Linear(UNITS, 4)

    def forward(self, x):
        return self.head(self.act(self.conv(x)).mean((2, 3)))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Model.of(Net(), id="net", preprocessing=Preprocessing(size=8, resize=8))


def test_an_attached_node_has_its_place_behind_all_others(model, tensors):
    before = dict(model.nodes)
    node = model.attach("act", of_tensors(tensors, UNITS, activation="relu"))
    assert (node.id, node.kind, node.units, node.parents) == (
        "act.sae",
        "dictionary",
        LATENTS,
        ("act",),
    )
    assert (node.shape, node.receptive_field) == (
        before["act"].shape,
        before["act"].receptive_field,
    )
    assert list(model.nodes) == [*before, "act.sae"]
    assert {id: model.nodes[id] for id in before} == before
    assert [n.index for n in model.nodes.values()] == list(range(len(before) + 1))
    assert model.attached("act") is None


def test_its_values_are_the_latents_of_its_base(model, tensors):
    dictionary = of_tensors(tensors, UNITS, activation="relu")
    model.attach("act", dictionary)
    images = torch.rand(2, 3, 8, 8)
    found = model.run(images, ["act.sae", "head", "act"])
    assert torch.equal(found["act.sae"], dictionary.values(found["act"]))
    # Before their activation is not before that of the node under them.
    before = model.run(images, ["act.sae"], pre_relu=True)["act.sae"]
    torch.testing.assert_close(before, dictionary.values(found["act"], before=True))
    assert (before < 0).any()


def test_gradients_are_those_of_the_formula(model, tensors):
    tensors["threshold"] = torch.full((LATENTS,), 0.2)
    dictionary = of_tensors(tensors, UNITS, subtract=True)
    model.attach("act", dictionary)
    images = torch.rand(1, 3, 8, 8, requires_grad=True)
    (found,) = torch.autograd.grad(model.run(images, ["act.sae"])["act.sae"].sum(), images)
    net = model.module
    x = torch.relu(net.conv(images))
    pre = torch.einsum(
        "lu,buyx->blyx", tensors["encoder"], x - tensors["decoder_bias"].view(1, -1, 1, 1)
    ) + tensors["bias"].view(1, -1, 1, 1)
    on = pre > 0.2
    assert on.any()
    assert (~on).any()
    (expected,) = torch.autograd.grad(pre[on].sum(), images)
    torch.testing.assert_close(found, expected)


def test_straight_through_changes_gradients_alone(tensors):
    dictionary = of_tensors(tensors, UNITS, activation="topk", k=2)
    x = random(3, UNITS, seed=5).requires_grad_(True)
    plain = dictionary.values(x)
    with straight_through():
        passed = dictionary.values(x)
    torch.testing.assert_close(plain, passed)
    off = int((plain == 0).all(0).nonzero()[0])
    (none,) = torch.autograd.grad(plain[:, off].sum(), x)
    (through,) = torch.autograd.grad(passed[:, off].sum(), x)
    assert not none.any()
    torch.testing.assert_close(through, tensors["encoder"][off].expand(3, -1))


def test_replacing_latents_moves_the_node_under_them_and_keeps_the_rest(model, tensors):
    dictionary = of_tensors(tensors, UNITS, activation="relu")
    model.attach("act", dictionary)
    images = torch.rand(1, 3, 8, 8)
    before = model.run(images, ["act", "act.sae", "head"])
    with replaced(model, "act.sae", before["act.sae"]):
        same = model.run(images, ["head"])["head"]
    torch.testing.assert_close(same, before["head"])
    latents = before["act.sae"].repeat(3, 1, 1, 1)
    latents[1] = 0
    latents[2, 4] += 1
    with replaced(model, "act.sae", latents):
        moved = model.run(images, ["head"])["head"]
    left = before["act"] - dictionary.decode(before["act.sae"])  # what is not explained
    for number in (1, 2):
        values = dictionary.decode(latents[number : number + 1]) + left
        torch.testing.assert_close(moved[number], model.module.head(values.mean((2, 3)))[0])


def test_attaching_again_is_nothing_and_something_else_is_refused(model, tensors):
    first = of_tensors(tensors, UNITS, activation="relu")
    assert model.attach("act", first) == model.attach("act", first)
    with pytest.raises(Conflict, match="another name"):
        model.attach("act", of_tensors(tensors, UNITS, activation="none"))
    model.attach("act", of_tensors(tensors, UNITS, activation="none"), "linear")
    assert list(model.nodes)[-2:] == ["act.sae", "act.linear"]
    with pytest.raises(BadInput, match="of the network"):
        model.attach("act.sae", random(2, LATENTS))
    with pytest.raises(NotFound):
        model.attach("acts", random(2, UNITS))
    with pytest.raises(BadInput, match="address"):
        model.attach("act", random(2, UNITS), "a b")
    with pytest.raises(BadInput, match="5 units does not fit head, which has 4"):
        model.attach("head", first)


def test_a_flat_node_takes_a_matrix_of_directions(model):
    rows = random(2, 4, seed=1)
    node = model.attach("head", rows, "pc")
    images = torch.rand(3, 3, 8, 8)
    found = model.run(images, [node.id, "head"])
    assert node.shape == ()
    torch.testing.assert_close(found["head.pc"], found["head"] @ rows.T)


def test_the_one_that_ships_comes_when_it_is_asked_for():
    from micrograph.models import load

    model = load("toytown")
    plain = dict(model.nodes)
    assert not any(name.endswith(".sae") for name in plain)
    assert model.node("4a.sae").id == "mixed4a.sae"
    assert model.node("mixed4a.sae").units == model.attached("mixed4a.sae").dictionary.latents
    with pytest.raises(NotFound):
        model.node("mixed4b.sae")
    assert list(model.nodes) == [*plain, "mixed4a.sae"]
