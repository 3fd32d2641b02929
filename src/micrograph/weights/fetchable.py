"""Which weights can be fetched, and what to type for those that are not here. Without torch."""

import re
from urllib.parse import urlsplit

from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.weights.downloading import Unreachable, check_address


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
