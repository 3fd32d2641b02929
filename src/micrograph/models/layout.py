"""From a module's output to the map `[batch, unit, y, x]` that is shown, and back."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from micrograph.models.blocks import Blocks

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class OutputLayout:
    """What the axes of a module's output mean.

    `axes` has a letter per axis: b(atch), u(nit), y, x, t(okens: the positions of a map row by row,
    `prefix` others before them and `suffix` behind). With `token` the node is that one token of all
    (counted from the end if negative), a flat node. If the output's axes are cut in pieces and
    mixed, `blocks` says how, and `axes` is the form in which they are whole.
    """

    axes: str = "bu"
    prefix: int = 0
    token: int | None = None
    suffix: int = 0
    blocks: Blocks | None = None

    @property
    def as_given(self) -> bool:
        """Whether the output is already in the form that is shown."""
        return self.axes in ("bu", "buyx") and self.blocks is None

    def of_token(self, number: int) -> "OutputLayout":
        """That of one token, counted among those before and behind the positions."""
        behind = number >= self.prefix
        return replace(self, token=number - self.prefix - self.suffix if behind else number)

    @property
    def _whole(self) -> "OutputLayout":
        return replace(self, blocks=None)

    def pictures(self, raw: "Tensor") -> int:
        """How many pictures `raw` has values of."""
        if self.blocks is not None:
            return self.blocks.pictures(raw)
        return raw.shape[self.axes.index("b")]

    def positions(self, raw: "Tensor") -> int:
        """How many positions the tokens of `raw` have, without those before and behind them."""
        count = self.blocks.size("t") if self.blocks else raw.shape[self.axes.index("t")]
        return count - self.prefix - self.suffix

    def shown(self, raw: "Tensor", grid: tuple[int, ...] = ()) -> "Tensor":
        """A module's output as [batch, unit, y, x], or [batch, unit] for one token: a view of it
        unless it is cut in blocks.

        `grid` is (y, x) of tokens.
        """
        if self.as_given:
            return raw
        if self.blocks is not None:
            return self._whole.shown(self.blocks.joined(raw, self.axes), grid)
        axes = self.axes
        if "t" in axes:
            t = axes.index("t")
            if self.token is not None:
                raw, axes = raw.select(t, self.token), axes.replace("t", "")
            else:
                raw = raw.narrow(t, self.prefix, self.positions(raw))
                raw = raw.view(*raw.shape[:t], *grid, *raw.shape[t + 1 :])
                axes = axes.replace("t", "yx")
        wanted = "buyx" if "y" in axes else "bu"
        return raw.permute([axes.index(letter) for letter in wanted])

    def given(self, values: "Tensor", raw: "Tensor") -> "Tensor":
        """`raw`, a module's output, with `values`, which are in the form that is shown, in place.

        The batch of `values` may be larger than that of `raw` if the latter is 1.
        """
        import torch

        if self.as_given:
            return values
        if self.blocks is not None:
            whole = self.blocks.joined(raw, self.axes)
            return self.blocks.cut(self._whole.given(values, whole), raw, self.axes)
        if "t" not in self.axes:
            return values.permute(["buyx".index(letter) for letter in self.axes])
        t = self.axes.index("t")
        flat = values[..., None] if self.token is not None else values.flatten(2)
        flat = flat.permute(["but".index(letter) for letter in self.axes])
        first = self.prefix if self.token is None else self.token % raw.shape[t]
        behind = first + flat.shape[t]
        rest = raw.narrow(t, behind, raw.shape[t] - behind)
        sizes = [len(values) if letter == "b" else -1 for letter in self.axes]
        before, after = (
            part.expand(sizes).to(flat.dtype) for part in (raw.narrow(t, 0, first), rest)
        )
        return torch.cat([before, flat, after], t)


AS_GIVEN = OutputLayout()
"""The layout of a module that gives [batch, unit] or [batch, unit, y, x]."""
