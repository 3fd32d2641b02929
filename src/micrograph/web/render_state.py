"""What a page says about rendering its unit from here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RenderState:
    """Whether the site can render this unit itself, and how far that is.

    `state` is "none", "queued", "running", "done" or "failed"; `reason` says why it cannot.
    """

    available: bool
    reason: str
    state: str
    message: str
    url: str
