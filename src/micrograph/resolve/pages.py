"""From a text or a link to the page that it means: of a claim, of a circuit, or of a place."""

import re
from collections.abc import Callable
from dataclasses import replace

from micrograph.address import NAME
from micrograph.atlas import Library, Snapshot
from micrograph.claims import PATH, Claim, command_to_test
from micrograph.errors import MicrographError, NotFound
from micrograph.resolve.answer import Resolved
from micrograph.resolve.claims import read_claim, stored_evidence
from micrograph.resolve.resolve import resolve_place
from micrograph.resolve.signs import URL

_CLAIMS = re.compile(r"(?:https?://[^\s/]+(?:/[^\s/]+)*)?/claims/?(?:\.json)?", re.I)
_CIRCUIT = re.compile(rf"(?:\A|/)circuits(/{NAME}/{NAME}/[0-9]+(?![\w/]){URL}*)")
_ON_PICTURE = re.compile(rf"(/models/{URL}+?)/on-picture(?:\.json)?(?P<query>\?{URL}*)?(?!\w)", re.I)
_FILE = re.compile(r"(?:\.graph)?\.(?:json|svg|png)\b")
_QUERY = re.compile(r"\?([\w=&/,.%\-]*)")
_WORDS = re.compile(
    r"\A\W*(?:the\s+)?circuit\s+(?:of|for|behind)\s+|\s+circuit\W*\Z", re.I
)


def resolve(
    text: str,
    library: Library | Snapshot,
    first: Callable[[str], str] = lambda model: "",
    here: Callable[[str], str] = lambda command: command,
) -> Resolved:
    """The page in `library` that `text` means. Never raises, and takes a fraction of a second.

    A text that can be read in several ways, or that names what does not exist, has no page: its
    answer says why and what is near. `first` says what to type before a model can be run, such as
    fetching its weights; `here` makes of a command one whose results are shown here.
    """
    there = library if isinstance(library, Snapshot) else library.snapshot()
    if _CLAIMS.fullmatch(text.strip()):
        return Resolved(url=PATH.rstrip("/"), note="The claims that were tested.")
    try:
        claim = read_claim(text, there)
    except MicrographError as error:
        near = error.nearest if isinstance(error, NotFound) else ()
        return Resolved(note=f"{error}.", nearest=tuple(near)[:6])
    if claim is not None:
        return _of_claim(claim, there, first, here)
    for asked in (_asked_circuit, _asked_on_picture):
        if (found := asked(text, there, first, here)) is not None:
            return found
    return resolve_place(text, there, first, here)


def _of_claim(
    claim: Claim, library: Snapshot, first: Callable[[str], str], here: Callable[[str], str]
) -> Resolved:
    """Its model, node and unit are those of the target."""
    tested = stored_evidence(library.model(claim.model), claim) is not None
    test = here(command_to_test(claim))
    before = f"`{needed}`, then " if (needed := first(claim.model)) else ""
    return Resolved(
        claim.model,
        claim.target.node,
        claim.target.unit,
        claim.path.removeprefix(PATH),
        available=tested,
        note="" if tested else f"Nobody tested this claim here yet: {before}`{test}`.",
        url=claim.path,
    )


def _asked_circuit(
    text: str, library: Snapshot, first: Callable[[str], str], here: Callable[[str], str]
) -> Resolved | None:
    """The circuit of a unit, from a link to its page or one of its files, or from words."""
    link = _CIRCUIT.search(text)
    if link is not None:
        query = _QUERY.search(link[1])
        place = "/models" + _FILE.sub("", re.split("[?#]", link[1], maxsplit=1)[0])
    elif "://" not in text and (words := _WORDS.search(text)):
        query, place = None, text[: words.start()] + text[words.end() :]
    else:
        return None
    found = resolve_place(place, library, first, here)
    if found.unit is None or found.address is None:
        return found if link is not None else None
    return replace(
        found,
        technique=None,
        variant=None,
        url=f"/circuits/{found.address}{_options(query)}",
    )


def _asked_on_picture(
    text: str, library: Snapshot, first: Callable[[str], str], here: Callable[[str], str]
) -> Resolved | None:
    """A unit on one picture, from a link to its page."""
    link = _ON_PICTURE.search(text)
    if link is None:
        return None
    found = resolve_place(link[1], library, first, here)
    if found.unit is None or found.url is None:
        return found
    return replace(found, url=f"{found.url}/on-picture{_options(_QUERY.match(link['query'] or ''))}")


def _options(query: "re.Match[str] | None") -> str:
    """The query of a link, without the marks that follow it in a sentence."""
    options = query[1].rstrip(".,") if query else ""
    return f"?{options}" if options else ""
