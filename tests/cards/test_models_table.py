"""The table of models in docs/models.md says what the cards say."""

import re
from pathlib import Path

import pytest

from micrograph.models import cards
from micrograph.weights.fetching import reason_not_fetched

PAGE = Path(__file__).parents[2] / "docs/models.md"
TABLE = PAGE.read_text(encoding="utf-8").partition("## ")[0]
ROWS = {
    found[1]: [cell.strip() for cell in found[2].split("|")]
    for found in re.finditer(r"^\| `(\w+)` \|(.+)\|$", TABLE, re.M)
}


@pytest.mark.parametrize("card", cards().values(), ids=lambda card: card.id)
def test_its_row(card):
    _, size, classes, _, parameters, weights, licence = ROWS[card.id]
    assert size == f"{card.preprocessing.size} px"
    assert classes == (str(len(card.labels)) if card.labels else "")
    assert parameters == (f"{card.parameters / 1e6:.1f} M" if card.parameters else "")
    fetched = "import" if all(reason_not_fetched(s) for s in card.sources) else "fetch"
    ways = {"never released": card.unreleased, "ships": card.bundled, fetched: True}
    assert weights == next(way for way, fits in ways.items() if fits)
    if licence != "likewise":
        assert bool(licence) == bool(card.licence)
        assert card.licence.startswith(licence.partition(":")[0].partition(",")[0])
