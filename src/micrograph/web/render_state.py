"""What a page says about rendering its unit from here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RenderState:
    """Whether the site can render this unit itself, and how far that is.

    `state` is "none", "queued", "running", "done" or "failed"; `reason` says why it cannot.
    `stored` counts what a render has finished.
    """

    available: bool
    reason: str
    state: str
    message: str
    url: str
    stored: int = 0


NOWHERE = RenderState(False, "", "none", "", "")
"""Where nobody said."""
