"""Claims about a network whose weights say what is built from what."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from micrograph import claim, load
from micrograph.atlas import AtlasWriter, ModelRecord, NodeRecord
from micrograph.circuits.claims.answers import look
from micrograph.circuits.claims.evidence import (
    CONTRADICTS,
    MISSING,
    NEUTRAL,
    SUPPORTS,
    not_enough,
    overall,
    reading,
)
from micrograph.circuits.claims.evidence import line as made
from micrograph.circuits.claims.judge import Evidence, checked
from micrograph.circuits.claims.silencing import Replaying
from micrograph.claims import Claim
from micrograph.cli import main
from micrograph.datasets import open_dataset
from micrograph.errors import BadInput, Conflict, NotFound
from micrograph.models.model import Model


class Built(nn.Module):
    """Unit 0 of `after` is built from unit 3 of `before`, which unit 7 holds back."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.before = nn.Sequential(nn.Conv2d(3, 40, 5, stride=2), nn.ReLU(inplace=True))
        self.side = nn.Sequential(nn.Conv2d(3, 6, 5, stride=2), nn.ReLU())
        self.after = nn.Sequential(nn.Conv2d(46, 24, 3), nn.ReLU(inplace=True))
        with torch.no_grad():
            weight = self.after[0].weight
            weight.mul_(0.3)
            weight[0] = 0
            weight[0, 3], weight[0, 7] = 0.5, -0.4

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(torch.cat([self.before(x), self.side(x)], 1))


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.of(Built(), id="built", preprocessing="32,-1..1")


@pytest.fixture(scope="module")
def found(model: Model) -> Evidence:
    return claim(model, "built/after/0 <- before/3 - before/7", "toytown:60", pictures=60)


def of(evidence: Evidence, line: str) -> dict[str, str]:
    (one,) = [one for one in evidence.lines if one.name == line]
    return {r.source: r.verdict for r in one.readings}


def test_what_the_weights_say_is_found(found: Evidence) -> None:
    assert of(found, "weights") == {"before/3": SUPPORTS, "before/7": SUPPORTS}
    assert of(found, "ablation")["before/3"] == SUPPORTS
    assert found.verdict in (SUPPORTS, NEUTRAL)
    assert found.strength > 0


def test_kernels_and_numbers_are_those_of_the_network(model: Model, found: Evidence) -> None:
    weight = model.module.after[0].weight[0]
    assert np.allclose(found.kernels["before/3"], weight[3].numpy(), atol=1e-5)
    (line,) = [one for one in found.lines if one.name == "weights"]
    share = {r.source: r.numbers["share"] for r in line.readings}
    size = weight[:40].abs().sum((1, 2))
    assert share["before/3"] == pytest.approx(float(size[3] / size.sum()), rel=1e-4)


def test_the_opposite_claim_is_contradicted(model: Model) -> None:
    turned = claim(model, "built/after/0 <- before/7", "toytown:60", pictures=60)
    assert turned.verdict == CONTRADICTS
    assert of(turned, "weights")["before/7"] == CONTRADICTS


def test_silencing_is_what_a_hook_gives(model: Model) -> None:
    answers = look(model, open_dataset("toytown:12"), {"before": [0], "after": [0]}, pictures=12)
    images = answers.images(model, range(6))
    runs = Replaying(model, images, "before", "after")
    assert runs._known  # the side branch is answered from memory
    positions = torch.tensor([0, 5, 9, 20, 33, 7])
    rest = torch.full((40,), 0.25)
    made_here = runs.silenced([[3], [7, 9]], rest, positions)
    for k, units in enumerate(([3], [7, 9])):

        def silence(m: nn.Module, i: object, out: torch.Tensor, units=units) -> torch.Tensor:
            out = out.clone()
            out[:, units] = 0.25
            return out

        handle = model.module.before.register_forward_hook(silence)
        seen: list[torch.Tensor] = []
        other = model.module.after[0].register_forward_hook(
            lambda m, i, out, seen=seen: seen.append(out.clone())
        )
        with torch.no_grad():
            model.module(model.preprocessing.apply(images))
        handle.remove()
        other.remove()
        wanted = seen[0].flatten(2)[torch.arange(6), :, positions]
        assert torch.allclose(made_here[k], wanted, atol=1e-5)
    assert not model.module.before._forward_hooks


def test_evidence_is_plain_json_and_says_the_rule(found: Evidence) -> None:
    data = found.to_json()
    assert Claim.from_json(data["claim"]) == found.claim
    assert data["verdict"] == found.verdict
    assert len(data["rule"]) >= 4
    for one in data["lines"]:
        assert one["verdict"] in (SUPPORTS, NEUTRAL, CONTRADICTS)
        assert all(r["controls"] for r in one["readings"])


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("built/after/0 <- before/40", NotFound, "out of range"),
        ("built/after/24 <- before/1", NotFound, "out of range"),
        ("built/after/0 <- nowhere/1", NotFound, "unknown node"),
        ("built/before/0 <- after/1", BadInput, "lies behind the target"),
        ("built/after/0 <- after/1", BadInput, "in the node of the target"),
        ("built/before/0 <- side/1", BadInput, "no path leads"),
        ("other/after/0 <- before/1", BadInput, "the claim is about 'other'"),
        ("built/after/0", BadInput, "no '<-'"),
    ],
)
def test_claims_that_cannot_be_are_refused(
    model: Model, text: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        claim(model, text)


def test_a_claim_about_other_weights_is_refused(model: Model) -> None:
    named = replace(Claim.parse("built/after/0 <- before/3"), weights="0" * 64)
    with pytest.raises(Conflict, match="is about weights 000000000000"):
        checked(model, named)


@pytest.mark.parametrize(("name", "value"), [("pictures", 0), ("controls", True)])
def test_options_out_of_range_are_refused(model: Model, name: str, value: int) -> None:
    with pytest.raises(BadInput, match=name):
        claim(model, "built/after/0 <- before/3", **{name: value})


def test_too_little_is_said_with_the_command(model: Model) -> None:
    bare = claim(model, "built/after/0 <- before/3")
    assert bare.verdict == MISSING
    assert all("--dataset" in one.command and one.missing for one in bare.lines)
    few = claim(model, "built/after/0 <- before/3", "toytown:9")
    assert few.verdict == MISSING
    assert "9 were shown" in few.lines[0].missing


def verdicts(**given: str) -> str:
    ps = {SUPPORTS: 0.01, NEUTRAL: 0.5, CONTRADICTS: 0.99}
    lines = [
        not_enough(name, "x")
        if verdict == MISSING
        else made(name, "", "", [reading("s", 1.0, ps[verdict])])
        for name, verdict in given.items()
    ]
    return overall(lines)


def test_the_rule() -> None:
    yes, no, maybe = SUPPORTS, CONTRADICTS, NEUTRAL
    assert verdicts(ablation=yes, coactivation=yes, weights=yes, synthesis=maybe) == yes
    assert verdicts(ablation=yes, coactivation=yes, weights=maybe, synthesis=maybe) == maybe
    assert verdicts(ablation=maybe, coactivation=yes, weights=yes, synthesis=yes) == maybe
    assert verdicts(ablation=yes, coactivation=yes, weights=yes, synthesis=no) == maybe
    assert verdicts(ablation=no, coactivation=yes, weights=yes, synthesis=yes) == no
    assert verdicts(ablation=maybe, coactivation=no, weights=no, synthesis=yes) == no
    assert verdicts(ablation=MISSING, coactivation=yes, weights=yes) == MISSING


def test_an_interval_below_the_usual_control_contradicts() -> None:
    assert reading("s", 0.0, 0.6, interval=(-0.1, 0.01), usual=0.02).verdict == CONTRADICTS
    assert reading("s", 0.0, 0.6, interval=(-0.1, 0.03), usual=0.02).verdict == NEUTRAL
    assert reading("s", 0.1, 0.01, interval=(-0.1, 0.3)).verdict == NEUTRAL


@pytest.mark.parametrize(
    "words",
    [
        ["toytown/mixed4b/3 <- mixed5a/1"],
        ["toytown/mixed4b/3 <- mixed4a/999"],
        ["toytown/mixed4b/3"],
        ["toytown/mixed4b/3 <- mixed4a/1", "--preset", "best"],
        ["nomodel/mixed4b/3 <- mixed4a/1"],
        ["toytown/mixed4b/3 <- mixed4a/1", "--dataset", "/nowhere"],
    ],
)
def test_the_command_refuses_in_one_line_and_writes_nothing(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claim", *words, "--atlas", str(tmp_path / "a")]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert not said.out
    assert not (tmp_path / "a").exists()


def test_an_atlas_of_other_weights_is_refused_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = ModelRecord("toytown", "Toytown", digest="ab" * 32)
    node = NodeRecord("conv", 0, "conv", 4, (8, 8), 3, 1, -1, "exact", (), ())
    AtlasWriter.open(tmp_path / "toytown.atlas", record, [node]).close()
    words = ["toytown/mixed4b/3 <- mixed4a/1", "--dataset", "toytown:60", "--atlas", str(tmp_path)]
    assert main(["claim", *words]) == 2
    said = capsys.readouterr().err
    assert "was made from weights abababababab" in said
    assert said.count("\n") == 1


def test_a_dictionary_can_be_a_source() -> None:
    toytown = load("toytown")
    named = checked(toytown, Claim.parse("toytown/mixed4b/3 <- mixed4a.sae/1"))
    assert str(named.sources[0].unit) == "mixed4a.sae/1"
