"""Following every link of the site, to see where they lead."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from html_document import Document, twin_of

LINKS = (
    "href",
    "src",
    "action",
    "data-look",
    "data-caricature",
    "data-render",
    "data-live",
    "data-examples",
    "data-models",
)


def links_of(text: str) -> Iterator[str]:
    """Every address in a page that is one of this site, without its fragment."""
    for _, attributes in Document(text).tags:
        for name in LINKS:
            url = (attributes.get(name) or "").partition("#")[0]
            if url and not url.startswith(("http://", "https://", "data:")):
                yield url


def paths_in(data: Any) -> Iterator[str]:
    """Every text in a twin that is a path."""
    if isinstance(data, dict):
        for value in data.values():
            yield from paths_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from paths_in(value)
    elif isinstance(data, str) and data.startswith("/"):
        yield data.partition("#")[0]


@contextmanager
def asking(app: Any) -> Iterator[Callable[[str], httpx.Response]]:
    """One client for many requests to an application: making one takes longer than a page."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://site")
    with asyncio.Runner() as runner:
        yield lambda path: runner.run(client.get(path))
        runner.run(client.aclose())


def crawl(
    get: Callable[[str], httpx.Response], first: str, prefix: str, follow: Callable[[str], bool]
) -> list[str]:
    """Ask for all that can be reached from `first`, each page with its twin; gives the addresses.

    Fails for a link, an address in a twin or a redirect that leaves `prefix`, and for what is not
    there. Where `follow` is false of an address below the prefix, it is not asked for.
    """
    seen, todo = {first}, [first]

    def meet(url: str, page: str) -> None:
        path = urlsplit(url).path
        assert path == prefix or path.startswith(prefix + "/"), f"{page} leads to {url}"
        if path.endswith("/on-picture"):
            return  # asks a model that need not be here
        if url not in seen and follow(url.removeprefix(prefix)):
            seen.add(url)
            todo.append(url)

    while todo:
        page = todo.pop()
        answer = get(page)
        if answer.is_redirect:
            meet(urljoin(page, answer.headers["location"]), page)
            continue
        if answer.status_code == 405:
            continue  # takes forms and pictures
        assert answer.status_code == 200, (page, answer.status_code)
        kind = answer.headers["content-type"].partition(";")[0]
        if kind == "text/html":
            for url in links_of(answer.text):
                assert url.startswith("/"), f"{page} has a link that depends on where it is: {url}"
                meet(url, page)
            meet(twin_of(page), page)
        elif kind == "application/json" and not urlsplit(page).path.endswith("openapi.json"):
            for url in paths_in(json.loads(answer.content)):
                meet(url, page)
    return sorted(seen)
