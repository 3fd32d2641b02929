"""The address that says which place a text means."""

from dataclasses import replace

from fastapi import FastAPI
from starlette.requests import Request

from micrograph.resolve import Resolved, resolve
from micrograph.web.described import FAILURES
from micrograph.web.requests import context_of
from micrograph.web.site import Site


def add_resolve_route(app: FastAPI, site: Site) -> None:
    """`/resolve?q=`: JSON for programs; `/search?q=` takes people to the same place."""

    @app.get("/resolve", responses=FAILURES)
    def answer(request: Request, q: str = "") -> Resolved:
        """Which place a text or a link means: an address, a link to OpenAI Microscope or to a site
        like this, `InceptionV1 4c:447`, a claim. Where there is none, `address` is null and `note`
        says why.
        """
        context = context_of(site, request)
        found = resolve(
            context.without_prefix(q),
            context.library,
            lambda model: context.known(model).first,
            context.urls.commands.here,
        )
        return replace(found, url=context.urls.own(found.url)) if found.url else found
