"""Fetching a model's weights: the card's sources in turn, verified and converted once."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.cards.registry import card as card_of
from micrograph.errors import Unavailable
from micrograph.files import remove_abandoned
from micrograph.steps import StepHook
from micrograph.weights import store
from micrograph.weights.downloading import Unreachable, download, forget_partial
from micrograph.weights.fetchable import file_name as file_name
from micrograph.weights.fetchable import reason_not_fetched as reason_not_fetched
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
    remove_abandoned(store.data_folder())
    if here:
        _forget(card)  # what was killed between its last two steps left the original
    found = Fetched(here) if here else _from_any(card, keep, allow_http, begin, pause)
    missing = [s for s in card.extras if not _has_extra(s)]
    extras = tuple(_extra(card, source, begin, pause) for source in missing)
    return replace(found, extras=extras)


def _from_any(card: ModelCard, keep: bool, allow_http: bool, begin: Begin, pause: float) -> Fetched:
    from micrograph.weights.importing import import_weights

    reasons = []
    for source in card.sources:
        reason = reason_not_fetched(source, allow_http)
        if not reason:
            try:
                original = _downloads() / card.id / file_name(source.url)
                file = download(
                    source,
                    original if original.is_file() else _coming(card, source),
                    pause=pause,
                    on_step=begin(source),
                    allow_http=allow_http or bool(source.sha256),
                )
                kept = import_weights(card.id, file, source.member)
            except (Unreachable, WeightsError) as error:
                reason = str(error)
            else:
                if keep:
                    original.parent.mkdir(parents=True, exist_ok=True)
                    file.replace(original)
                elif file == original:
                    original.unlink(missing_ok=True)
                    _remove_if_empty(original.parent)
                _forget(card)
                kept_at = original if keep else None
                return Fetched(kept.path, source, kept.form, kept.digest, kept_at)
        reasons.append(f"{source.title}: {reason}")
    reasons_text = "; ".join(reasons) or "the card names no source"
    raise Unavailable(f"cannot fetch the weights of {card.id} ({reasons_text}). {by_hand(card)}")


def _downloads() -> Path:
    return store.data_folder() / "downloads"


def _coming(card: ModelCard, source: WeightsSource) -> Path:
    """Where the original of a source lies until it is converted."""
    return _downloads() / f".{card.id}" / file_name(source.url)


def _forget(card: ModelCard) -> None:
    """Remove what there is of the originals of a model that are not to be kept."""
    for source in card.sources:
        if file_name(source.url):
            coming = _coming(card, source)
            forget_partial(coming)
            coming.unlink(missing_ok=True)
            _remove_if_empty(coming.parent)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # other downloads lie there
        folder.rmdir()


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
