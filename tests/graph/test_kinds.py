"""What the kinds of nodes say of themselves, in groups written down here once more."""

import pytest

from micrograph.graph import NodeKind

ENGINE = """
    conv linear pool norm activation flatten attention mlp scale inception fire block add cat mul
    rectified embedding logits token dictionary directions other
"""
"""As the engine writes them."""

TRUE_OF = {
    "has_weights": "conv linear",
    "passes_on": "input pool norm flatten dropout identity pad softmax scale rectified",
    "is_rearrangement": "input pool norm flatten dropout identity pad softmax",
    "is_scaling": "scale dropout identity",
    "keeps_weights": "pool norm flatten dropout identity activation relu",
    "is_activation": "activation relu",
    "is_attention": "attention",
    "is_join": "add cat mul",
    "may_add": "add block activation relu",
    "may_multiply": "mul",
    "is_attached": "dictionary directions",
    "is_token": "token",
    "is_drawn_small": "pool norm relu dropout softmax flatten pad identity scale token",
}


@pytest.mark.parametrize("text", ENGINE.split())
def test_the_texts_in_atlases_stay(text: str) -> None:
    assert NodeKind.of(text) == text
    assert str(NodeKind.of(text)) == text


@pytest.mark.parametrize("name", TRUE_OF)
def test_what_is_true_of_which(name: str) -> None:
    assert {kind.value for kind in NodeKind if getattr(kind, name)} == set(TRUE_OF[name].split())


@pytest.mark.parametrize("kind", NodeKind)
def test_units_are_own_or_passed_on(kind: NodeKind) -> None:
    assert kind.has_own_units is not kind.passes_on


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Pool", NodeKind.POOL),
        ("maxpool2d", NodeKind.POOL),
        ("LRN", NodeKind.NORM),
        ("batch_norm", NodeKind.NORM),
        ("leaky_relu", NodeKind.RELU),
        ("concat", NodeKind.OTHER),
        ("dense", NodeKind.OTHER),
        ("", NodeKind.OTHER),
        ("ﬀ\n\0", NodeKind.OTHER),
    ],
)
def test_words_of_others(text: str, kind: NodeKind) -> None:
    assert NodeKind.of(text) is kind
