"""What the pictures show that stand for pages where links to them are shared."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from micrograph import pictures
from micrograph.errors import MicrographError
from micrograph.lenses.dataset_examples.page import DatasetExamples, Example
from micrograph.parts.crops import Box
from micrograph.parts.numbers import number
from micrograph.parts.parts import Image as Shown
from micrograph.parts.parts import Thumb
from micrograph.web.context import Context
from micrograph.web.pages.claim import ClaimPage
from micrograph.web.pages.compare import ComparePage
from micrograph.web.pages.model import ModelPage
from micrograph.web.pages.node import NodePage
from micrograph.web.pages.unit import UnitPage
from micrograph.web.share_card import ShareCard, drawn

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST = 16


def unit_preview(context: Context, page: UnitPage) -> bytes:
    """The portrait, what the unit fires on, and its strongest examples."""
    model = page.model.id
    first = next((v for v in page.visualizations if v.image), None)
    portrait = _picture(context, model, first.image) if first else None
    examples = next((one for one in page.sections if isinstance(one, DatasetExamples)), None)
    top: Sequence[Example] = examples.top if examples else ()
    crops = [one for e in top if (one := _part(context, model, e.image, e.window)) is not None]
    if portrait is None and crops:
        portrait = crops[0]
    words = [f"Class: {page.label}"] if page.label else []
    if examples:
        words += _fires_on(examples)
    card = ShareCard(f"{page.node} / {page.unit}", page.model.title, words, [portrait], crops[:4])
    return drawn(card)


def _fires_on(examples: DatasetExamples) -> list[str]:
    classes = list(dict.fromkeys(e.cls for e in examples.top if e.cls))[:3]
    found = [f"Most on {', '.join(classes)}"] if classes else []
    if examples.firing is not None:
        found.append(examples.firing.text)
    return found


def node_preview(context: Context, page: NodePage) -> bytes:
    """Units of the node, those that the page shows first."""
    facts = page.node
    words = [f"{number(facts.units)} units", facts.sees]
    shown = _spread(context, page.model.id, page.units)
    return drawn(ShareCard(facts.id, page.model.title, words, shown))


def model_preview(context: Context, page: ModelPage) -> bytes:
    """A unit of each of its nodes."""
    thumbs = [node.thumbs[0] for node in page.graph.nodes if node.thumbs]
    words = [
        f"{number(page.pictured)} of {number(page.units)} units pictured",
        page.summary,
    ]
    shown = _spread(context, page.model.id, thumbs)
    return drawn(ShareCard(page.model.title, page.model.id, words, shown))


def compare_preview(context: Context, page: ComparePage) -> bytes:
    """Units of both models, a row of each in turn."""
    sides = []
    for side in ("here", "there"):
        thumbs = [t for row in page.rows for t in getattr(row, side).thumbs[:2]]
        sides.append(_spread(context, getattr(page, side).model.id, thumbs, 8))
    rows = [sides[k % 2][4 * (k // 2) : 4 * (k // 2) + 4] for k in range(4)]
    shown = [one for row in rows for one in row] if all(len(row) == 4 for row in rows) else []
    a, b = page.here.model.title, page.there.model.title
    return drawn(ShareCard(f"{a} and {b}", "Two models side by side", [], shown))


def claim_preview(context: Context, page: ClaimPage) -> bytes:
    """The target and its sources, and the verdict."""
    model = page.model.id
    target, *sources = (
        _of_thumb(context, model, one.thumb) for one in (page.target, *page.sources)
    )
    verdict = page.verdict if page.verdict != "untested" else "not tested yet"
    words = [page.says or page.text, f"Evidence: {verdict}"]
    title = f"{page.target.thumb.address.partition('/')[2].replace('/', ' / ')}"
    strip = [one for one in sources if one is not None]
    return drawn(ShareCard(title, f"A claim about {page.model.title}", words, [target], strip))


def _spread(
    context: Context, model: str, thumbs: Iterable[Thumb], most: int = _MOST
) -> "list[Image | None]":
    """Pictures of at most so many units, evenly chosen of those that have one."""
    there = [one for one in thumbs if one.image is not None]
    if len(there) > most:
        there = [there[k * len(there) // most] for k in range(most)]
    return [_of_thumb(context, model, one) for one in there]


def _of_thumb(context: Context, model: str, one: Thumb) -> "Image | None":
    return _part(context, model, one.image, one.window)


def _part(context: Context, model: str, shown: Shown | None, part: Box | None) -> "Image | None":
    picture = _picture(context, model, shown.url) if shown is not None else None
    if picture is None or part is None:
        return picture
    width, height = picture.size
    left, top = part.left * width, part.top * height
    return picture.crop(
        (
            round(left),
            round(top),
            round(left + part.width * width),
            round(top + part.height * height),
        )
    )


def _picture(context: Context, model: str, url: str) -> "Image | None":
    """A picture that a page shows; None where it is not there any more or is damaged."""
    digest = url.rpartition("/")[2].partition(".")[0]
    try:
        found = context.library.model(model).picture(digest)
        return pictures.decode(found.data, digest) if found else None
    except MicrographError:
        return None
