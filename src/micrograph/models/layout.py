"""From a module's output to the map `[batch, unit, y, x]` that is shown, and back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class OutputLayout:
    """What the axes of a module's output mean.

    `axes` has a letter per axis: b(atch), u(nit), y, x, t(okens: the positions of a map row by row,
    `prefix` others before them). With `token` the node is that one token of all, a flat node.
    """

    axes: str = "bu"
    prefix: int = 0
    token: int | None = None

    @property
    def as_given(self) -> bool:
        """Whether the output is already in the form that is shown."""
        return self.axes in ("bu", "buyx")

    def positions(self, raw: "Tensor") -> int:
        """How many positions the tokens of `raw` have, without those before them."""
        return raw.shape[self.axes.index("t")] - self.prefix

    def shown(self, raw: "Tensor", grid: tuple[int, ...] = ()) -> "Tensor":
        """A view of a module's output as [batch, unit, y, x], or [batch, unit] for one token.

        `grid` is (y, x) of tokens.
        """
        if self.as_given:
            return raw
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
        if "t" not in self.axes:
            return values.permute(["buyx".index(letter) for letter in self.axes])
        t = self.axes.index("t")
        flat = values[..., None] if self.token is not None else values.flatten(2)
        flat = flat.permute(["but".index(letter) for letter in self.axes])
        first = self.prefix if self.token is None else self.token
        behind = first + flat.shape[t]
        rest = raw.narrow(t, behind, raw.shape[t] - behind)
        sizes = [len(values) if letter == "b" else -1 for letter in self.axes]
        before, after = (
            part.expand(sizes).to(flat.dtype) for part in (raw.narrow(t, 0, first), rest)
        )
        return torch.cat([before, flat, after], t)


AS_GIVEN = OutputLayout()
"""The layout of a module that gives [batch, unit] or [batch, unit, y, x]."""
