"""What one request sees."""

import re
from dataclasses import dataclass, field, replace
from functools import cached_property

from micrograph.atlas import Snapshot
from micrograph.errors import Unavailable
from micrograph.parts.parts import LookState, look_state
from micrograph.parts.urls import Urls
from micrograph.web.known import Known, never_released
from micrograph.web.live import ALL
from micrograph.web.locations import Location
from micrograph.web.reader import Reader
from micrograph.web.render_state import RenderState
from micrograph.web.site import Site

CONNECTIONS = "connections"
"""The lens that circuits are drawn from."""


@dataclass(frozen=True)
class Context:
    """The site as one request sees it, from its first question to its last. `origin`
    ("http://host:port", or "") is what makes a path of the site an address for everybody;
    `site` is the one under the path that the request was sent to; `reader` who waits for work
    that is done for it."""

    site: Site
    origin: str = ""
    reader: Reader | None = field(default=None, repr=False, compare=False)
    _known: dict[str, Known] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def library(self) -> Snapshot:
        """The library as it was when it was first asked for."""
        return self.site.library.snapshot()

    def see(self, library: Snapshot) -> None:
        """Take a snapshot that is as new as one that would be taken now."""
        self.__dict__["library"] = library

    @property
    def urls(self) -> Urls:
        return self.site.urls

    def known(self, model: str) -> Known:
        """Whether a model can be run here."""
        if model not in self._known:
            self._known[model] = self._ask_known(model)
        return self._known[model]

    def _ask_known(self, model: str) -> Known:
        outline = self.library.outlines.get(model)
        if outline and outline.unreleased:
            return never_released(outline)
        known = self.site.known(model)
        if not known.commands:
            return known
        return replace(known, commands=[self.urls.commands.here(one) for one in known.commands])

    def obstacle(self, model: str) -> str:
        """Why nothing can be asked of a model, or "" where it can be run here."""
        return self.known(model).reason(model)

    def look_state(self, here: Location) -> LookState:
        """Whether a picture of the reader's own can be looked at there."""
        model, node = here.atlas.model, here.node.id if here.node else ""
        reason = self.obstacle(model.id) or self.site.look.reason
        return look_state(model, reason, self.urls, node, here.unit)

    def render_state(self, here: Location) -> RenderState:
        """Whether a unit can be rendered here, and how far that is."""
        model, node, unit = _unit(here)
        state = self._here(self.site.live.state(model, node, unit), here)
        reason = self.obstacle(model)
        return replace(state, available=False, reason=reason) if reason else state

    def ask_for_render(self, here: Location) -> RenderState:
        """Queue a unit. Raises Unavailable where it cannot be rendered here, Conflict where too
        many wait."""
        model, node, unit = _unit(here)
        if reason := self.obstacle(model):
            raise Unavailable(reason)
        return self._here(self.site.live.ask(model, node, unit), here)

    def rest_state(self, here: Location, units: str = ALL) -> RenderState:
        """Whether all that a node or a model lacks can be rendered here, and how far that is."""
        model, node = here.atlas.model.id, here.node.id if here.node else ""
        state = self.site.live.state(model, node, 0, units=units)
        reason = self.obstacle(model) or self.site.live.reason
        state = replace(state, url=here.url + "/render")
        return replace(state, available=False, reason=reason) if reason else state

    def connections_state(self, model: str) -> RenderState:
        """Whether connections of all nodes of a model can be worked out here, and how far that
        is."""
        state = self._connections(self.site.live.state(model, "", 0, CONNECTIONS), model)
        reason = self.obstacle(model)
        return replace(state, available=False, reason=reason) if reason else state

    def ask_for_connections(self, model: str) -> RenderState:
        """Queue them. Raises as `ask_for_render`."""
        if reason := self.obstacle(model):
            raise Unavailable(reason)
        return self._connections(self.site.live.ask(model, "", 0, CONNECTIONS), model)

    def _connections(self, state: RenderState, model: str) -> RenderState:
        return replace(state, url=self.urls.connections(model))

    def without_prefix(self, text: str) -> str:
        """A text in which links to this very site are as they were without its prefix."""
        prefix = re.escape(self.urls.prefix)
        own = (
            rf"(?P<before>https?://[^/\s]{{1,300}}|(?<!\S)){prefix}(?=/(?:models|claims|circuits))"
        )
        return re.sub(own, r"\g<before>", text) if prefix else text

    def _here(self, state: RenderState, here: Location) -> RenderState:
        """A state with the address that this site has for asking."""
        return replace(state, url=self.urls.render(*_unit(here)))


def _unit(here: Location) -> tuple[str, str, int]:
    assert here.node is not None
    assert here.unit is not None
    return here.atlas.model.id, here.node.id, here.unit
