"""What drawings of units have in common: the picture of a unit, and short words beside it."""

from markupsafe import Markup

from micrograph.parts.plots.svg import place


def tile(
    x: float, y: float, side: float, found: tuple[str, str] | None, *, rounded: bool = False
) -> Markup:
    """The square picture of a unit: where it is, and its mean colour until it is there; a grey
    square for none."""
    box = Markup('<rect x="{}" y="{}" width="{}" height="{}"{} fill="{}"{}/>').format(
        place(x),
        place(y),
        place(side),
        place(side),
        Markup(' rx="4"') if rounded else "",
        found[1] if found else "currentColor",
        "" if found else Markup(' fill-opacity=".1"'),
    )
    if found:
        box += Markup(
            '<image x="{}" y="{}" width="{}" height="{}" href="{}" '
            'preserveAspectRatio="xMidYMid slice"/>'
        ).format(place(x), place(y), place(side), place(side), found[0])
    return box


def percent(share: float) -> str:
    """A share in whole parts of a hundred, without pretending to be nothing."""
    return "under 1 %" if 0 < share < 0.005 else f"{round(100 * share)} %"


def cut(words: str, most: int) -> str:
    """The end of what is too long."""
    return words if len(words) <= most else "…" + words[1 - most :]
