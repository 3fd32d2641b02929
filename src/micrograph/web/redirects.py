"""Redirects to pages from other spellings of their addresses."""

from dataclasses import dataclass

from micrograph.errors import NotFound
from micrograph.resolve import resolve
from micrograph.web.context import Context
from micrograph.web.locations import Location, locate
from micrograph.web.old_links import is_old, page_of
from micrograph.web.targets import LocationTarget

TEMPORARY = 307
"""The status of a redirect that may lead elsewhere another day: an atlas that comes may give the
name to another node."""
SEE_OTHER = 303
"""The status of a redirect that is the answer."""


@dataclass(frozen=True)
class Redirect:
    """The page is at `url`; `status` is the HTTP status that says so."""

    url: str
    status: int = TEMPORARY


def located(context: Context, target: LocationTarget) -> Location | Redirect:
    """What the target is about, or the way there: to its canonical spelling, or to where an address
    of OpenAI Microscope's leads.

    Raises BadInput for a malformed address, NotFound (with close names) for one that leads nowhere.
    """
    if is_old(target.query) and (elsewhere := _redirect_of_old_link(context, target)):
        return elsewhere
    try:
        found = locate(context.library, target.location, context.urls)
    except NotFound:
        if elsewhere := _redirect_of_old_link(context, target):
            return elsewhere
        raise
    if found.url == context.urls.own(target.path):
        return found
    url = context.urls.twin(found.url) if target.twin else found.url
    return Redirect(url + (f"?{target.query}" if target.query else ""))


def _redirect_of_old_link(context: Context, target: LocationTarget) -> Redirect | None:
    """The redirect of an old link, None where it leads to the requested page itself."""
    answer = resolve(f"{target.path}?{target.query}", context.library)
    url = page_of(answer, context.library, context.urls)
    if not url or url == context.urls.own(target.path):
        return None
    return Redirect(context.urls.twin(url.partition("#")[0]) if target.twin else url)
