"""Where a source fires around the place where the target fires: above, around, inside..."""

from typing import Any

import torch
from torch import Tensor

from micrograph.circuits.claims.bench import Bench
from micrograph.circuits.claims.statistics import share_at_least
from micrograph.claims import Claim, ClaimSource

PICTURES = 48
WINDOW = 0.5
"""The window around the target's place, as a share of the source's map to each side, unless the
target sees less."""
FLIPS = 500


def around(bench: Bench, claim: Claim, source: ClaimSource) -> Tensor | None:
    """The source's maps [picture, y, x] in a window with the target's place in the middle, on the
    pictures where the target fires most; None where a map has no places."""
    places = list(bench.strongest(claim.target, PICTURES))
    target = bench.of(claim.target).map_of(claim.target.unit)[places]
    maps = bench.of(source.unit).map_of(source.unit.unit)[places]
    rows, columns = maps.shape[1:]
    if min(rows, columns) < 3 or target[0].numel() < 4:
        return None
    reach = max(1, int(WINDOW * min(rows, columns)))
    padded = torch.nn.functional.pad(maps, (reach,) * 4)
    found = []
    for one, where in zip(padded, target.flatten(1).argmax(1).tolist(), strict=True):
        y, x = divmod(where, target.shape[2])
        y = int((y + 0.5) / target.shape[1] * rows)
        x = int((x + 0.5) / target.shape[2] * columns)
        found.append(one[y : y + 2 * reach + 1, x : x + 2 * reach + 1])
    return torch.stack(found)


def placed(bench: Bench, claim: Claim, source: ClaimSource) -> dict[str, Any] | None:
    """How far the source lies where the claim says, from -1 to 1, and its p: how often it would if
    each picture were turned over at random (for around and inside, if the source's maps were moved
    about at random)."""
    windows = around(bench, claim, source)
    if windows is None:
        return None
    windows = windows.clamp(min=0)
    total = windows.flatten(1).sum(1)
    windows, total = windows[total > 0], total[total > 0]
    if len(windows) < 6:
        return None
    side = windows.shape[1]
    at = torch.arange(side) - side // 2
    y, x = at[:, None].expand(side, side), at[None, :].expand(side, side)
    draw = torch.Generator().manual_seed(0)
    if source.relation in ("around", "inside"):
        near = ((y.abs() <= side // 6) & (x.abs() <= side // 6)).float()
        share = (windows * near).flatten(1).sum(1) / total
        moved = [float(_moved(windows, near, total, draw)) for _ in range(100)]
        sign = 1 if source.relation == "inside" else -1
        observed = sign * float(share.mean())
        p = share_at_least(observed, [sign * one for one in moved])
        return {"place": observed, "p_relation": p, "window": side}
    weight = {"above": -y.sign(), "below": y.sign(), "left": -x.sign(), "right": x.sign()}
    lean = (windows * weight[source.relation]).flatten(1).sum(1) / total
    flips = torch.randint(0, 2, (FLIPS, len(lean)), generator=draw) * 2 - 1
    chance = (flips * lean).mean(1).tolist()
    p = share_at_least(float(lean.mean()), chance)
    return {"place": float(lean.mean()), "p_relation": p, "window": side}


def _moved(windows: Tensor, near: Tensor, total: Tensor, draw: torch.Generator) -> Tensor:
    """The mean share near the middle if each window is rolled by a random shift."""
    side = windows.shape[1]
    shifts = torch.randint(0, side, (len(windows), 2), generator=draw).tolist()
    rolled = torch.stack([w.roll(s, (0, 1)) for w, s in zip(windows, shifts, strict=True)])
    return ((rolled * near).flatten(1).sum(1) / total).mean()
