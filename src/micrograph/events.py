"""What a worker tells on its way, as plain data: one JSON object on a line for each event.

A line has one of the keys `step`, `waiting`, `stored`, `error` and `answer`, which says what kind
of event it is. `from_json` is the one place where a line that another process wrote is checked. A
worker that answers several questions at a time puts `of`, the number of the question, before it.
"""

import json
from dataclasses import dataclass
from typing import Any

from micrograph.errors import BadInput, short


@dataclass(frozen=True)
class Step:
    """Step `step` of `steps` is done (0: it has begun). `frame` is the picture as it stands, as a
    data URL, where the worker hands it out."""

    step: int
    steps: int
    frame: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        data = {"step": self.step, "steps": self.steps}
        return data if self.frame is None else data | {"frame": self.frame}


@dataclass(frozen=True)
class Waiting:
    """Nothing is done yet. `ahead` questions begin before this one. Where the worker gets ready,
    it has done so for `seconds`, of `about` as many as the last one took, where that is known;
    else they are None."""

    ahead: int = 0
    seconds: float | None = None
    about: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"waiting": self.ahead, "seconds": self.seconds, "about": self.about}


@dataclass(frozen=True)
class Stored:
    """A result is in the atlas. `subject` is its address in the model: "node/unit" or "node"."""

    subject: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"stored": self.subject}


@dataclass(frozen=True)
class Failed:
    """There will be no answer. `reason` is one line for the reader, `status` its HTTP status."""

    reason: str
    status: int = 503

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"error": self.reason, "status": self.status}


@dataclass(frozen=True)
class Answer:
    """What was asked for, as plain JSON; the last event of a question."""

    value: Any

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"answer": self.value}


Event = Step | Waiting | Stored | Failed | Answer


def from_json(data: Any) -> Event:
    """The event that a decoded JSON value describes. Raises BadInput for anything else."""
    if not isinstance(data, dict):
        raise _no_event(data)
    match data:
        case {"answer": value, **others} if not others:
            return Answer(value)
        case {"error": str(reason), **others} if others.keys() <= {"status"}:
            status = others.get("status", 503)
            if _is_count(status) and 400 <= status <= 599:
                return Failed(reason, status)
        case {"stored": str(subject), **others} if not others and subject:
            return Stored(subject)
        case {"waiting": ahead, "seconds": seconds, "about": about, **others} if not others:
            times = [one for one in (seconds, about) if one is not None]
            if _is_count(ahead) and ahead >= 0 and all(map(_is_time, times)):
                return Waiting(ahead, seconds, about)
        case {"step": step, "steps": steps, **others} if others.keys() <= {"frame"}:
            frame = others.get("frame")
            counts = _is_count(step) and _is_count(steps) and 0 <= step <= steps
            if counts and (frame is None or (isinstance(frame, str) and frame[:5] == "data:")):
                return Step(step, steps, frame)
    raise _no_event(data)


def from_line(line: str | bytes) -> Event:
    """The event on a line of text. Raises BadInput where there is none."""
    try:
        return from_json(json.loads(line))
    except ValueError:  # no JSON, or bytes that are no text
        raise _no_event(line) from None


def to_line(event: Event, of: int | None = None) -> str:
    """The event as a line of text, which ends with a line break; `of` is the number of the question
    that it belongs to, where several are answered at a time."""
    numbered = {} if of is None else {"of": of}
    return json.dumps(numbered | event.to_json()) + "\n"


def from_numbered_line(line: str | bytes) -> tuple[int | None, Event]:
    """The event on a line of text, and the question that it is of; None for none. Raises BadInput
    where there is no event."""
    try:
        data = json.loads(line)
    except ValueError:
        raise _no_event(line) from None
    of = data.pop("of", None) if isinstance(data, dict) else None
    if of is not None and not _is_count(of):
        raise _no_event(line)
    return of, from_json(data)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9


def _no_event(given: Any) -> BadInput:
    return BadInput(
        f"{short(given)} is no event; expected a JSON object with answer, error, stored, step or "
        "waiting"
    )
