"""What an image processor of transformers does with pictures, as a `Preprocessing`.

Its fields say it, by rules that differ from class to class. So what was read from them is compared
with what the processor itself makes of a picture: where the two differ, or a field is switched on
that no rule knows, the processor is refused by the names of these fields.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput

if TYPE_CHECKING:
    import numpy as np

_METHODS = {0: "nearest-exact", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""Pillow's numbers."""

_KNOWN = frozenset(
    "size crop_size crop_pct resample do_resize do_center_crop do_rescale rescale_factor do_normalize "
    "image_mean image_std do_flip_channel_order rescale_offset include_top default_to_square do_pad "
    "pad_size size_divisor size_divisibility keep_aspect_ratio ensure_multiple_of".split()
)
_SUSPECT = ("do_flip_channel_order", "size_divisor", "size_divisibility", "do_pad", "do_center_crop")
_HARMLESS = frozenset(
    "do_convert_rgb do_reduce_labels reduce_labels ignore_index num_labels data_format "
    "input_data_format device return_tensors disable_grouping image_seq_length processor_class "
    "feature_extractor_type image_processor_type image_processor_class auto_map use_fast backend "
    "format do_convert_annotations class_info_file metadata repo_path num_text task_seq_length "
    "max_seq_length apply_ocr ocr_lang tesseract_config model_input_names valid_kwargs mask_size "
    "mask_pad_size num_channels".split()
)
"""What concerns labels, masks, texts, and the form in which arrays are handed over."""

_CONVNEXT_WHOLE = 384
"""From this size on ConvNeXt's processor squashes, and cuts nothing off."""

_CLOSE = 0.6
"""Mean distance between two ways of resizing one picture, in steps of a byte, and the largest."""
_FARTHEST = 6.0


def preprocessing_of(said: Any, config: Any = None) -> Preprocessing | None:
    """What an image processor, or the fields of one, says of pictures; None unless it is all that a
    network needs: size, range, mean and std.

    Raises BadInput, naming the fields, for one that does something else besides.
    """
    fields = said if isinstance(said, Mapping) else vars(said)
    processor = None if isinstance(said, Mapping) else said
    kind = type(said).__name__ if processor is not None else str(fields.get("image_processor_type"))
    found = _of_fields(fields, kind, config)
    if found is None:
        return None
    unknown = _switched_on(fields, found)
    asked = None if processor is None else _processed(processor, _plain((9, 9, 9), found.size))
    if asked is not None:  # it makes something of a picture and no more
        if (made := _as_made(processor, fields, found)) is not None:
            return made
        unknown = unknown or [f for f in _SUSPECT if _is_on(fields.get(f))] or ["size, crop_size"]
    if unknown:
        whose = "the image processor" if processor is None else f"the image processor {kind}"
        raise BadInput(
            f"{whose} does with pictures what is not known here (see {', '.join(unknown)})"
        )
    return found


def _of_fields(fields: Mapping[str, Any], kind: str, config: Any) -> Preprocessing | None:
    normalize = fields.get("do_normalize", True)
    mean, std = fields.get("image_mean"), fields.get("image_std")
    if normalize and not (mean and std):
        return None
    resizes = fields.get("do_resize", True)
    edge, whole = _side(fields.get("size") if resizes else None, fields, "size")
    crop, _ = _side(fields.get("crop_size") if fields.get("do_center_crop") else None, fields, "crop")
    size = crop or edge or _side(getattr(config, "image_size", None), {}, "size")[0]
    if not size:
        return None
    resize, fit = edge or size, "squash" if whole and resizes else "crop"
    if fields.get("keep_aspect_ratio"):
        fit = "crop"
    share = fields.get("crop_pct")
    if kind.startswith("LevitImageProcessor") and not whole:
        resize = int(256 / 224 * resize)
    elif share and crop:  # PoolFormer's
        resize, fit = int(resize / share), "crop"
    elif share and size < _CONVNEXT_WHOLE:
        resize, fit = int(size / share), "crop"
    elif share:
        fit = "squash"
    scale, mean, std = _colours(fields, mean if normalize else None, std if normalize else None)
    order = "BGR" if fields.get("do_flip_channel_order") else "RGB"
    return Preprocessing(
        size=size,
        resize=resize,
        scale=scale,
        mean=mean[::-1] if order == "BGR" else mean,
        std=std[::-1] if order == "BGR" else std,
        channel_order=order,
        interpolation=_method(fields.get("resample")),
        fit=fit,
    )


Numbers = tuple[float, ...]


def _colours(fields: Mapping[str, Any], mean: Any, std: Any) -> tuple[float, Numbers, Numbers]:
    """Scale, mean and std of RGB in 0..1."""
    factor = fields.get("rescale_factor") or 1 / 255
    scale = 255 * factor if fields.get("do_rescale", True) else 255.0
    scale = 1.0 if abs(scale - 1) < 1e-6 else scale
    mean, std = (
        (float(given),) * 3 if isinstance(given, int | float) else tuple(given or (usual,) * 3)
        for given, usual in ((mean, 0.0), (std, 1.0))
    )
    if fields.get("rescale_offset") and fields.get("do_rescale", True):
        mean = tuple(m + 1 for m in mean)
    if fields.get("include_top"):  # EfficientNet's: divided by the deviation once more
        again = fields.get("image_std") or std
        std = tuple(one * float(more) for one, more in zip(std, again, strict=True))
    return scale, mean, std


def _method(resample: Any) -> str:
    number = 2 if resample is None else int(resample)
    if number not in _METHODS:
        raise BadInput(
            f"the image processor resizes by method {number} of Pillow (resample); expected one of "
            f"{', '.join(f'{n} ({name})' for n, name in _METHODS.items())}"
        )
    return _METHODS[number]


def _side(size: Any, fields: Mapping[str, Any], what: str) -> tuple[int | None, bool]:
    """Of a size as image processors write it: the side, and whether both sides are meant."""
    if size is None:
        return None, False
    if isinstance(size, int):
        return size, what == "crop" or bool(fields.get("default_to_square", True))
    if isinstance(size, (list, tuple)):
        size = {"height": size[0], "width": size[-1]}
    sides = {name: value for name, value in dict(size).items() if value}
    if short := sides.get("shortest_edge"):
        return int(short), False
    if "longest_edge" in sides and not {"height", "width"} <= sides.keys():
        raise BadInput(
            f"the image processor makes pictures of several forms ({what}: {sides}); expected square "
            "ones"
        )
    height, width = sides.get("height"), sides.get("width")
    if height != width:
        raise BadInput(
            f"the image processor makes pictures of {height} x {width} px; expected square ones"
        )
    return (int(height), True) if height else (None, False)


def _switched_on(fields: Mapping[str, Any], found: Preprocessing) -> list[str]:
    """The fields that do something which no rule here knows."""
    names = [
        name
        for name, value in fields.items()
        if not name.startswith("_") and name not in _KNOWN | _HARMLESS and _is_on(value)
    ]
    divisor = fields.get("size_divisor") or fields.get("size_divisibility")
    pads = fields.get("do_pad")
    if pads and fields.get("pad_size") is not None:
        side, _ = _side(fields["pad_size"], {}, "crop")
        names += ["pad_size"] if side != found.size else []
    unsized = fields.get("size") is None and fields.get("do_resize", True)
    if divisor and pads is not False and (unsized or found.size % int(divisor)):
        names.append("size_divisor")
    if not fields.get("do_resize", True) and fields.get("do_center_crop"):
        names.append("do_resize")
    multiple = fields.get("ensure_multiple_of")
    if multiple and found.size % int(multiple):
        names.append("ensure_multiple_of")
    return names


def _is_on(value: Any) -> bool:
    if isinstance(value, str | Mapping | list | tuple):
        return len(value) > 0
    return value is not None and value is not False and value != 0


def _as_made(processor: Any, fields: Mapping[str, Any], found: Preprocessing) -> Preprocessing | None:
    """`found`, or what is like it but for size of border and colours, if the processor itself makes
    the same of a picture; None if it does not, or cannot be asked."""
    import numpy as np
    from PIL import Image

    colours = _measured_colours(processor, found)
    if colours is None:
        return None
    for wide in (True, False):
        pixels = _picture(found.resize, wide)
        made = _one(_processed(processor, pixels))
        if made is not None and made.shape[1:] == (found.size, found.size):
            break
    else:
        return None
    from micrograph.pictures.fitting import fitted

    for candidate in _candidates(colours, fields):
        mine = np.asarray(fitted(Image.fromarray(pixels), candidate), np.float32) / 255
        channels = [mine[..., "RGB".index(channel)] for channel in candidate.channel_order]
        off = 0.0
        for channel, got, mean, std in zip(
            channels, made, candidate.mean, candidate.std, strict=True
        ):
            expected = (channel * candidate.scale - mean) / std
            apart = np.abs(expected - got) * std / candidate.scale * 255
            off = max(off, float(apart.mean()) / _CLOSE, float(apart.max()) / _FARTHEST)
        if off < 1:
            return candidate
    return None


def _candidates(found: Preprocessing, fields: Mapping[str, Any]) -> Iterator[Preprocessing]:
    """What the fields say first, then other usual ways from a picture to a square."""
    yield found
    share = fields.get("crop_pct") or 224 / 256
    edges = dict.fromkeys(
        (found.resize, found.size, int(256 / 224 * found.resize), int(found.size / share))
    )
    for resize in edges:
        for fit in ("crop", "squash"):
            for rounding in ("down", "even"):
                yield replace(found, resize=resize, fit=fit, rounding=rounding)
    if found.interpolation == "nearest-exact":
        yield replace(found, interpolation="nearest")


def _measured_colours(processor: Any, found: Preprocessing) -> Preprocessing | None:
    """`found` with what the processor does to colours, where the fields say it otherwise; None if
    that is nothing a `Preprocessing` could say."""
    import numpy as np

    answers = []
    for colour in ((0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)):
        made = _one(_processed(processor, _plain(colour, found.size)))
        if made is None or len(made) != 3:
            return None
        answers.append(made[:, made.shape[1] // 2, made.shape[2] // 2].astype(np.float64))
    black, *pure = answers
    slopes = np.stack([answer - black for answer in pure], 1)  # [channel that comes, of RGB]
    if _explains(found, black, slopes):
        return found
    strongest = np.abs(slopes).argmax(1)
    order = "".join("RGB"[number] for number in strongest)
    own = slopes[np.arange(3), strongest]
    if order not in ("RGB", "BGR") or own.min() <= 0:
        return None
    measured = replace(
        found,
        scale=1.0,
        mean=tuple(float(-b / a) for a, b in zip(own, black, strict=True)),
        std=tuple(float(1 / a) for a in own),
        channel_order=order,
    )
    return measured if _explains(measured, black, slopes) else None


def _explains(p: Preprocessing, black: "np.ndarray", slopes: "np.ndarray") -> bool:
    import numpy as np

    expected = np.zeros((3, 3))
    for row, channel in enumerate(p.channel_order):
        expected[row, "RGB".index(channel)] = p.scale / p.std[row]
    zero = np.array([-m / s for m, s in zip(p.mean, p.std, strict=True)])
    step = 0.01 / 255 * np.abs(expected).max()
    return bool(np.abs(expected - slopes).max() < 255 * step and np.abs(zero - black).max() < 255 * step)


def _processed(processor: Any, pixels: "np.ndarray") -> "np.ndarray | None":
    """What the processor makes of a picture; None where it needs more than that."""
    import numpy as np
    from PIL import Image

    try:
        made = processor(images=Image.fromarray(pixels), return_tensors="np")["pixel_values"]
        return np.asarray(made)
    except Exception:  # whatever it misses: a text, a mask, a library
        return None


def _one(made: "np.ndarray | None") -> "np.ndarray | None":
    """The one picture [channel, y, x] in what a processor made; None if there is another form."""
    return made[0] if made is not None and made.ndim == 4 and len(made) == 1 else None


def _plain(colour: tuple[int, int, int], size: int) -> "np.ndarray":
    import numpy as np

    return np.full((size, size, 3), colour, np.uint8)


def _picture(side: int, wide: bool) -> "np.ndarray":
    """A smooth picture of its own colours in every place, uint8 [y, x, 3]."""
    import numpy as np

    height, width = round(1.3 * side), round((1.8 if wide else 1.3) * side) + 1
    y, x = np.mgrid[0:height, 0:width] / side
    waves = [
        np.sin(math.tau * (a * x + b * y + phase))
        for a, b, phase in ((2.1, 0.7, 0.0), (-1.3, 1.9, 0.3), (0.4, -2.6, 0.6))
    ]
    return (127.5 + 120 * np.stack(waves, -1)).round().astype(np.uint8)
