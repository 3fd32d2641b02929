"""What all requests share."""

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable

from micrograph.atlas import Library
from micrograph.parts.urls import Urls
from micrograph.web.html import Html
from micrograph.web.incoming import IncomingPictures
from micrograph.web.kept_pages import KeptPages
from micrograph.web.known import Known
from micrograph.web.live import Live
from micrograph.web.microscope import Microscope
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.quick_looks import QuickLooks
from micrograph.web.turns import Turns

PREFIXES = 4
"""Paths of proxies that are known at a time."""


class Site:
    """The library, the URLs, the templates, live renders and pictures, and questions about
    readers' pictures.

    `known` says whether the model of an id can be run here; an atlas may be all there is of it.
    """

    def __init__(
        self,
        library: Library,
        live: Live,
        urls: Urls,
        version: str,
        look: PictureQuestions,
        known: Callable[[str], Known] = lambda model: Known(),
        microscope: Microscope | None = None,
    ) -> None:
        self.library, self.live, self.urls, self.version = library, live, urls, version
        self.look, self.known = look, known
        self.microscope = microscope or Microscope(live.folder)
        self.html, self.pages, self.incoming = Html(urls), KeptPages(), IncomingPictures()
        self.turns, self.looks = Turns(), QuickLooks()
        self._under: OrderedDict[str, Site] = OrderedDict()
        self._lock = threading.Lock()

    def under(self, prefix: str) -> "Site":
        """The same site with other addresses: a proxy shows it under a path of its own."""
        if prefix == self.urls.prefix:
            return self
        with self._lock:
            if prefix not in self._under:
                self._under[prefix] = other = copy.copy(self)
                other.urls = self.urls.under(prefix)
                other.html = Html(other.urls)
            self._under.move_to_end(prefix)
            while len(self._under) > PREFIXES:
                self._under.popitem(last=False)
            return self._under[prefix]
