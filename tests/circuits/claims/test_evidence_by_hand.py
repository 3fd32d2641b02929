"""The numbers of evidence, worked out again with plain tensors, by brute force."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from test_evidence import Built

from micrograph import claim
from micrograph.circuits.claims.evidence import SourceReading
from micrograph.circuits.claims.judge import Evidence
from micrograph.datasets import open_dataset
from micrograph.datasets.reading import picture
from micrograph.models.model import Model

DATASET, COUNT, EXAMPLES = "toytown:60", 60, 12
SOURCES = {3: 1, 11: 1, 7: -1}
"""Units of `before`, and whether they are said to drive `after/0` or to hold it back."""


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.of(Built(), id="built", preprocessing="32,-1..1")


@pytest.fixture(scope="module")
def found(model: Model) -> Evidence:
    text = "built/after/0 <- before/3 + before/11 - before/7"
    return claim(model, text, DATASET, pictures=COUNT)


@pytest.fixture(scope="module")
def values(model: Model) -> dict[str, torch.Tensor]:
    """What the nodes have on all pictures: `last` is the target's before its ReLU."""
    dataset = open_dataset(DATASET)
    read = [picture(dataset, model.preprocessing, n) for n in range(COUNT)]
    x = torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).float() / 255
    net = model.module
    with torch.no_grad():
        x = model.preprocessing.apply(x)
        before, side = net.before(x), net.side(x)
        last = net.after[0](torch.cat([before, side], 1))
    return {"before": before, "side": side, "last": last, "after": F.relu(last)}


def of(evidence: Evidence, line: str, unit: int) -> SourceReading:
    (one,) = [one for one in evidence.lines if one.name == line]
    return next(r for r in one.readings if r.source == f"before/{unit}")


def p_of(value: float, others: np.ndarray) -> float:
    """Of a permutation test, by counting; ties are shared."""
    above = sum(1.0 if o > value else 0.5 if o == value else 0.0 for o in others)
    return (0.5 + above) / (1 + len(others))


def falls(model: Model, values: dict[str, torch.Tensor], unit: int, sign: int) -> dict[str, Any]:
    """What all units of the target's node lose [silenced unit, picture, unit] on the pictures that
    tell, and what they have there."""
    before, last = values["before"], values["last"]
    shown = (values["after"][:, 0] if sign > 0 else before[:, unit]).amax((1, 2)).numpy()
    places = [n for n in np.argsort(-shown, kind="stable")[:EXAMPLES] if shown[n] > 0]
    rows, columns = last.shape[2:]
    at = []
    for n in places:
        of_map = last[n, 0] if sign > 0 else before[n, unit]
        y, x = divmod(int(of_map.argmax()), of_map.shape[1])
        high, wide = of_map.shape
        at.append((int((y + 0.5) / high * rows), int((x + 0.5) / wide * columns)))
    base = torch.stack([last[n, :, y, x] for n, (y, x) in zip(places, at, strict=True)])
    lost = []
    for other in range(before.shape[1]):
        silent = before[places].clone()
        silent[:, other] = 0
        with torch.no_grad():
            out = model.module.after[0](torch.cat([silent, values["side"][places]], 1))
        left = torch.stack([out[k, :, y, x] for k, (y, x) in enumerate(at)])
        lost.append((base - left).numpy())
    active = before[places].transpose(0, 1).flatten(1).mean(1).numpy()
    others = [n for n in range(before.shape[1]) if n not in SOURCES]
    others.sort(key=lambda n: abs(active[n] - active[unit]))
    return {"lost": np.stack(lost), "base": base.numpy(), "others": others}


@pytest.mark.parametrize(("unit", "sign"), SOURCES.items())
def test_ablation_is_what_is_lost_by_silencing(
    model: Model, found: Evidence, values: dict[str, torch.Tensor], unit: int, sign: int
) -> None:
    seen, reading = falls(model, values, unit, sign), of(found, "ablation", unit)
    strong = np.quantile(values["after"][:, 0].amax((1, 2)).numpy(), 0.95)
    scale = seen["base"][:, 0] if sign > 0 else strong
    effects = sign * seen["lost"][:, :, 0] / scale
    controls = effects[seen["others"]].mean(1)
    assert reading.effect == pytest.approx(effects[unit].mean(), abs=1e-5)
    assert sorted(reading.controls) == pytest.approx(sorted(controls), abs=1e-5)
    assert reading.p == pytest.approx(p_of(effects[unit].mean(), controls))
    assert reading.low is not None
    assert reading.high is not None
    spread = effects[unit].std() / len(effects[unit]) ** 0.5
    assert reading.high - reading.low == pytest.approx(2 * 1.96 * spread, rel=0.15, abs=1e-6)


@pytest.mark.parametrize(("unit", "sign"), SOURCES.items())
def test_specificity_compares_with_all_units_of_the_target(
    model: Model, found: Evidence, values: dict[str, torch.Tensor], unit: int, sign: int
) -> None:
    seen, reading = falls(model, values, unit, sign), of(found, "specificity", unit)
    lost = sign * seen["lost"].mean(1)
    controls = lost[seen["others"]]
    spread = controls.std(0, ddof=1)
    z = (lost[unit] - controls.mean(0)) / np.maximum(spread, 0.1 * np.median(spread))
    assert reading.effect == pytest.approx(z[0], rel=0.02, abs=1e-4)
    assert reading.numbers["rank"] == 1 + (z[1:] > z[0]).sum()
    assert reading.p == pytest.approx(p_of(z[0], z[1:]))


@pytest.mark.parametrize(("unit", "sign"), SOURCES.items())
def test_lift_and_partial_correlation(
    found: Evidence, values: dict[str, torch.Tensor], unit: int, sign: int
) -> None:
    before = values["before"].amax((2, 3)).numpy()
    target = values["after"][:, 0].amax((1, 2)).numpy()
    numbers = of(found, "coactivation", unit).numbers
    fires = before[:, unit] > np.quantile(before[:, unit], 0.9)
    wanted = target > np.quantile(target, 0.9)
    together = sum(a and b for a, b in zip(fires, wanted, strict=True)) * COUNT
    assert numbers["lift"] == pytest.approx(together / (fires.sum() * wanted.sum()))

    def ranks(v: np.ndarray) -> np.ndarray:
        return np.array([((v < x).sum() + ((v == x).sum() - 1) / 2) / (len(v) - 1) for x in v])

    x = np.stack([ranks(column) for column in before.T], 1)
    busy = (x.sum(1) - x[:, unit]) / (x.shape[1] - 1)
    basis = np.column_stack([np.ones(COUNT), busy])

    def rest(v: np.ndarray) -> np.ndarray:
        return v - basis @ np.linalg.lstsq(basis, v, rcond=None)[0]

    r = np.corrcoef(rest(x[:, unit]), rest(ranks(target)))[0, 1]
    assert numbers["partial_correlation"] == pytest.approx(sign * r, abs=1e-6)
