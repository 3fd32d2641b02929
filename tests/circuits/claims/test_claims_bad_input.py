"""Claims that there is too little to judge, or that would take for ever."""

import json
from pathlib import Path

import pytest
import torch
from test_evidence import Built
from torch import nn

from micrograph import claim
from micrograph.circuits.claims.evidence import MISSING
from micrograph.claims import Claim
from micrograph.errors import BadInput, Unavailable
from micrograph.models.model import Model


class Narrow(nn.Module):
    """Nodes of a few units, which always fire; `bent` is what no linear operation is near to."""

    def __init__(self, units: int, bent: bool = False) -> None:
        super().__init__()
        self.bent = bent
        self.a = nn.Sequential(nn.Conv2d(3, units, 3), nn.ReLU())
        self.b = nn.Sequential(nn.Conv2d(units, units, 3), nn.ReLU())
        for part in (self.a[0], self.b[0]):
            nn.init.uniform_(part.weight, 0.0, 0.1)
            nn.init.constant_(part.bias, 0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.a(x)
        return self.b(torch.lgamma(x + 2) if self.bent else x)


def narrow(units: int, bent: bool = False) -> Model:
    torch.manual_seed(0)
    return Model.of(Narrow(units, bent), id="net", preprocessing="16,0..1")


def missing(model: Model, text: str) -> dict[str, str]:
    """What each line lacks; all that is found is plain JSON."""
    found = claim(model, text, "toytown:50", pictures=50)
    json.dumps(found.to_json(), allow_nan=False)
    return {line.name: line.missing for line in found.lines if line.verdict == MISSING}


@pytest.mark.parametrize(
    ("units", "text", "controls"),
    [(1, "net/b/0 <- a/0", 0), (2, "net/b/0 <- a/0 + a/1", 0), (3, "net/b/0 <- a/0 - a/1", 1)],
)
def test_nodes_with_few_units_have_too_few_controls(units: int, text: str, controls: int) -> None:
    said = f"controls: {controls} other units in the node of a source, 20 needed"
    assert missing(narrow(units), text) == {"ablation": said, "specificity": said}


def test_many_sources_of_a_small_node_come_to_an_end() -> None:
    """Hardly ever are as many random units as sources all different."""
    model = Model.of(Built(), id="built", preprocessing="32,-1..1")
    text = "built/after/0 <- " + " + ".join(f"before/{n}" for n in range(19))
    found = claim(model, text, "toytown:50", pictures=50)
    (ablation,) = [line for line in found.lines if line.name == "ablation"]
    (together,) = [one for one in ablation.readings if not one.source]
    assert len(together.controls) == 200


def test_where_there_are_no_kernels_the_other_lines_are_judged() -> None:
    lacks = missing(narrow(24, bent=True), "net/b/0 <- a/0")
    assert list(lacks) == ["weights"]
    assert "lgamma" in lacks["weights"]


@pytest.mark.parametrize("controls", [0, 1, 19, 2001, True, 50.0, "50"])
def test_as_many_controls_as_a_line_needs(controls: object) -> None:
    with pytest.raises(BadInput, match=f"controls '{controls}' given; expected a number from 20 to"):
        claim(narrow(3), "net/b/0 <- a/0", controls=controls)  # type: ignore[arg-type]


@pytest.mark.parametrize("sign", ["\0", "\n", "\x1b", "\u202e", "\u2066", "\u2028", "\ud800"])
def test_words_that_nobody_sees_are_refused(sign: str) -> None:
    data = Claim.parse("net/b/0 <- a/0").to_json()
    with pytest.raises(BadInput, match="nobody sees") as refused:
        Claim.from_json({**data, "says": f"a{sign}b"})
    assert "\n" not in str(refused.value)
    fine = Claim.from_json({**data, "says": "דלת, 车 & <b> 👩\u200d🔬"})
    assert fine.says.startswith("דלת")


def test_a_thousand_sources_are_refused() -> None:
    text = "net/b/0 <- " + " + ".join(f"a/{n}" for n in range(1000))
    with pytest.raises(BadInput, match="too long"):
        Claim.parse(text)


def test_nothing_is_written_where_writing_fails(tmp_path: Path) -> None:
    from micrograph.runner.keep_claim import keep_claim

    model = narrow(3)
    found = claim(model, "net/b/0 <- a/0", "toytown:50", pictures=50)
    (tmp_path / "there").write_text("a file, no folder")
    with pytest.raises(Unavailable, match="cannot make the folder"):
        keep_claim(model, found, tmp_path / "there", preset="draft")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
