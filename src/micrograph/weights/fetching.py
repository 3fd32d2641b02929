"""Fetching a model's weights: the card's sources in turn, verified and converted once."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.cards.registry import card as card_of
from micrograph.errors import Unavailable
from micrograph.steps import StepHook
from micrograph.weights import store
from micrograph.weights.downloading import Unreachable, check_address, download
from micrograph.weights.formats import WeightsError

Begin = Callable[[WeightsSource], StepHook | None]
"""Called with each source that is tried; returns a hook for the steps of the download."""


@dataclass(frozen=True)
class Fetched:
    """The weights, where they lie now, their digest, and from which source and form they were
    converted ("" if they were here already). `original` is the file itself if it was kept;
    `extras` are further files that were fetched."""

    path: Path
    source: WeightsSource | None = None
    form: str = ""
    digest: str = ""
    original: Path | None = None
    extras: tuple[Path, ...] = ()


def file_name(url: str) -> str:
    """The last name in an address, safe on any disk; "" if the address is of a page."""
    name = re.sub(r"[^\w.+-]", "_", urlsplit(url).path.rpartition("/")[2]).lstrip(".")
    return name if "." in name else ""


def reason_not_fetched(source: WeightsSource, allow_http: bool = False) -> str:
    """Why a source is not fetched; "" if it is."""
    if not source.url:
        return "it has no address"
    try:
        check_address(source.url, allow_http or bool(source.sha256))
    except Unreachable as error:
        return str(error)
    return "" if file_name(source.url) else "its address is of a page, not of a file"


def command_for(card: ModelCard) -> str:
    """What to type for weights that are not here: they are fetched where that is possible."""
    if any(not reason_not_fetched(source) for source in card.sources):
        return f"micrograph weights fetch {card.id}"
    return f"micrograph weights import {card.id} 'a file of its weights'"


def fetch_weights(
    model_id: str,
    *,
    keep: bool = False,
    allow_http: bool = False,
    begin: Begin = lambda source: None,
    pause: float = 1.0,
) -> Fetched:
    """Fetch, verify and convert the weights of a model, and the further files that it needs.

    What is here already is left as it is. The original is deleted once it is converted, unless
    `keep`. `allow_http` allows plain http, where nothing proves that the file is the right one.
    Raises Unavailable, saying what to do by hand, if no source gives them.
    """
    card = card_of(model_id)
    store.check_released(card)
    here = store.status(card).path
    found = Fetched(here) if here else _from_any(card, keep, allow_http, begin, pause)
    missing = [s for s in card.extras if not _has_extra(s)]
    extras = tuple(_extra(card, source, begin, pause) for source in missing)
    return replace(found, extras=extras)


def _from_any(card: ModelCard, keep: bool, allow_http: bool, begin: Begin, pause: float) -> Fetched:
    from micrograph.weights.importing import import_weights

    folder = store.data_folder() / "downloads" / card.id
    reasons = []
    for source in card.sources:
        reason = reason_not_fetched(source, allow_http)
        if not reason:
            try:
                file = download(
                    source,
                    folder / file_name(source.url),
                    pause=pause,
                    on_step=begin(source),
                    allow_http=allow_http or bool(source.sha256),
                )
                kept = import_weights(card.id, file, source.member)
            except (Unreachable, WeightsError) as error:
                reason = str(error)
            else:
                if not keep:
                    file.unlink()
                    with suppress(OSError):  # other downloads lie there
                        folder.rmdir()
                return Fetched(kept.path, source, kept.form, kept.digest, file if keep else None)
        reasons.append(f"{source.title}: {reason}")
    reasons_text = "; ".join(reasons) or "the card names no source"
    raise Unavailable(f"cannot fetch the weights of {card.id} ({reasons_text}). {by_hand(card)}")


def by_hand(card: ModelCard) -> str:
    """How to get the weights without us, in one sentence."""
    urls = [s.url for s in card.sources if s.url]
    names = [name for url in urls if (name := file_name(url))]
    put = (
        f"put {card.id}.safetensors into {store.data_folder()} or the folder that "
        "MICROGRAPH_WEIGHTS names"
    )
    if not urls:
        return f"By hand: {put}"
    quoted = "'its file'"
    return (
        f"By hand: download {' or '.join(urls)} on any machine and run `micrograph weights import "
        f"{card.id} {names[0] if names else quoted}`, or {put}"
    )


def _has_extra(source: WeightsSource) -> bool:
    return any((folder / file_name(source.url)).is_file() for folder in store.folders())


def _extra(card: ModelCard, source: WeightsSource, begin: Begin, pause: float) -> Path:
    target = store.data_folder() / file_name(source.url)
    try:
        return download(
            source, target, pause=pause, on_step=begin(source), allow_http=bool(source.sha256)
        )
    except (Unreachable, WeightsError) as error:
        raise Unavailable(
            f"the weights of {card.id} are here, but not {target.name} ({source.title}: {error}). "
            f"By hand: put the file from {source.url} into {store.data_folder()}"
        ) from None
