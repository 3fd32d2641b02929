"""What a network takes: said by the user in a few words, or by the library that it comes from.

The words of `--input`, with commas between them: a number, the side in pixels; a range `0..1`,
`0..255`, `-1..1`; or `imagenet`, `clip` (their mean and standard deviation); `mean=R/G/B` and
`std=R/G/B`, in the network's channel order and in the range given; `RGB`, `BGR` or `L`;
`resize=PX`; `nearest`, `bilinear`, `bicubic` or `lanczos`; `crop`, `squash` or `border`, for pictures
that are not square. What is left out is what the library
says, or else 0..1, RGB, bilinear, and no border around the middle.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from micrograph.cards.preprocessing import FITS, Preprocessing
from micrograph.errors import BadInput, short

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of ImageNet's training pictures in 0..1, as torchvision states."""

CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
"""Those of CLIP's training pictures (openai/CLIP, clip.py)."""

EXAMPLE = "e.g. --input 224,imagenet or --input 64,-1..1"
_SIDES = range(8, 2049)
_NAMED = {"imagenet": IMAGENET, "clip": CLIP}
_METHODS = ("nearest", "nearest-exact", "bilinear", "bicubic", "lanczos")
_ORDERS = ("RGB", "BGR", "L")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)")


def chosen_input(
    given: str | Preprocessing | Mapping[str, Any] | None, known: Preprocessing | None, name: str, hint: str = ""
) -> Preprocessing:
    """The preprocessing of the model `name`: as given, in what that leaves open as `known`.

    Raises BadInput if neither says it, with `hint` and what to give, and for words that make no
    sense.
    """
    if isinstance(given, Preprocessing):
        return given
    if isinstance(given, Mapping):
        given = from_constant(given, name)
        assert given is not None
        return given
    if given is not None and not isinstance(given, str):
        raise BadInput(
            f"preprocessing of type {type(given).__name__} given; expected a Preprocessing, its fields "
            "in a dict, or words such as '224,imagenet'"
        )
    if given:
        return read(given, known)
    if known is None:
        raise BadInput(
            f"what {short(name, 200)} takes as input cannot be known (size, range, mean and "
            f"standard deviation); {hint}say it: {EXAMPLE}"
        )
    return known


def read(text: str, known: Preprocessing | None = None) -> Preprocessing:
    """Preprocessing from the words of `--input`. Raises BadInput."""
    said: dict[str, Any] = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        said |= _word(word, text)
    if known is None and "size" not in said:
        raise BadInput(f"--input {short(text)} says no size; {EXAMPLE}")
    start = known or Preprocessing(size=said["size"], resize=said["size"])
    if known and "size" in said and "resize" not in said:  # the border keeps its share
        said["resize"] = round(known.resize / known.size * said["size"])
    if "scale" in said:  # another range: what was known of mean and deviation is void
        said = {"mean": (0.0,) * 3, "std": (1.0,) * 3} | said
    found = replace(start, **said)
    if found.channel_order == "L" and len({*found.mean}) == len({*found.std}) == 1:
        found = replace(found, mean=found.mean[:1], std=found.std[:1])
    try:
        return checked(found)
    except BadInput as error:
        raise BadInput(f"--input {short(text)}: {error}") from None


def _word(word: str, text: str) -> dict[str, Any]:
    name, equals, value = word.partition("=")
    if word.isascii() and word.isdigit():
        return {"size": int(word)}
    if word.lower() in _NAMED:
        mean, std = _NAMED[word.lower()]
        return {"scale": 1.0, "mean": mean, "std": std}
    if found := _RANGE.fullmatch(word):
        low, high = float(found[1]), float(found[2])
        if low < high:
            return {"scale": high - low} | ({"mean": (-low,) * 3} if low else {})
    if word.upper() in _ORDERS:
        return {"channel_order": word.upper()}
    if word.lower() in _METHODS:
        return {"interpolation": word.lower()}
    if word.lower() in FITS:
        return {"fit": word.lower()}
    if equals and name in ("mean", "std"):
        return {name: _numbers(value, text)}
    if equals and name == "resize" and value.isascii() and value.isdigit():
        return {"resize": int(value)}
    raise BadInput(f"{short(word)} in --input {short(text)} is not understood; {EXAMPLE}")


def _numbers(value: str, text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in value.split("/"))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 3):
        raise BadInput(f"{short(value)} in --input {short(text)}: expected one number or R/G/B")
    return numbers * (3 // len(numbers))


def checked(p: Preprocessing) -> Preprocessing:
    """`p` itself. Raises BadInput, saying which field, if a network could not work with it."""
    problem = ""
    channels = len(p.channel_order) if isinstance(p.channel_order, str) else 0
    if p.size not in _SIDES or p.resize not in range(p.size, 4 * _SIDES.stop):
        problem = (
            f"size {p.size!r} and resize {p.resize!r}; expected {_SIDES[0]} to {_SIDES[-1]} "
            "px, resize at least the size"
        )
    elif p.channel_order not in _ORDERS:
        problem = f"channel_order {p.channel_order!r}; expected {', '.join(_ORDERS)}"
    elif p.interpolation not in _METHODS:
        problem = f"interpolation {p.interpolation!r}; expected {', '.join(_METHODS)}"
    elif p.fit not in FITS:
        problem = f"fit {p.fit!r}; expected {', '.join(FITS)}"
    elif not (len(p.mean) in (1, channels) and len(p.std) in (1, channels)):
        problem = f"{len(p.mean)} means and {len(p.std)} deviations for {p.channel_order}"
    elif not all(map(math.isfinite, (*p.mean, *p.std, p.scale))) or min(*p.std, p.scale) <= 0:
        problem = "scale and std must be above 0, and all numbers finite"
    if problem:
        raise BadInput(problem)
    return p


def from_constant(value: Any, where: str) -> Preprocessing | None:
    """What a file's `PREPROCESSING` says: a Preprocessing, its fields in a dict, or words."""
    try:
        if value is None:
            return None
        if isinstance(value, str):
            return read(value)
        if isinstance(value, Mapping):
            known = {field.name for field in fields(Preprocessing)}
            if unknown := sorted(map(str, value.keys() - known)):
                raise BadInput(f"{', '.join(unknown)} is no field of it; expected {sorted(known)}")
            value = Preprocessing(**{"resize": value.get("size"), **value})
        if isinstance(value, Preprocessing):
            given = asdict(value)
            exact = {"mean": tuple(map(float, value.mean)), "std": tuple(map(float, value.std))}
            return checked(Preprocessing(**(given | exact)))
        raise BadInput("expected a Preprocessing, its fields in a dict, or words as of --input")
    except (BadInput, TypeError, ValueError) as error:
        raise BadInput(f"PREPROCESSING in {short(where, 200)}: {error}") from None
