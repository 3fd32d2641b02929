"""Pictures as they stand while work goes on, small enough to be told with a step."""

import base64
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from micrograph.errors import BadInput, short
from micrograph.events import Step
from micrograph.steps import StepHook, StepState, Watch

SHOWN = 4
"""Pictures of a batch that a frame shows, side by side."""
SIDE = 256
"""Height of a frame in pixels, at most."""
MOST = 65536
"""Characters of a frame, at most."""


def step_hook(tell: Callable[[Step], None], every: int = 0) -> StepHook:
    """A hook that tells of each step; with a frame whenever `every` more steps are done, and after
    the last. 0 is never, and then no picture is rendered on the way."""
    if not every:
        return lambda step, steps: tell(Step(step, steps))
    before = 0

    def onward(state: StepState) -> None:
        nonlocal before
        due = state.step // every > before // every or state.step == state.steps
        before = state.step
        pictures = state.pictures() if due else None
        tell(Step(state.step, state.steps, None if pictures is None else frame(pictures)))

    return Watch(onward)


def frame(pictures: np.ndarray, side: int = SIDE, most: int = MOST, quality: int = 80) -> str:
    """The first `SHOWN` of the pictures uint8 [batch, y, x, 3] side by side, as a data URL.

    Larger ones are reduced to a height of `side`, and further where it takes more than `most`
    characters.
    """
    image = Image.fromarray(np.concatenate(list(pictures[:SHOWN]), axis=1))
    height = min(side, image.height)
    while len(url := _data_url(_reduced(image, height), quality)) > most:
        height //= 2
    return url


def checked_frames(every: object) -> int:
    """How often frames are asked for. Raises BadInput for what is no number of steps."""
    if isinstance(every, int) and not isinstance(every, bool) and every >= 0:
        return every
    raise BadInput(
        f"frames {short(every)} is not usable; expected a number of steps, or 0 for none"
    )


def _reduced(image: Image.Image, height: int) -> Image.Image:
    if height == image.height:
        return image
    return image.resize((max(1, image.width * height // image.height), height))


def _data_url(image: Image.Image, quality: int) -> str:
    packed = BytesIO()
    image.save(packed, "WEBP", quality=quality)
    return "data:image/webp;base64," + base64.b64encode(packed.getvalue()).decode()
