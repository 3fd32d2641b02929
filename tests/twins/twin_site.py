"""The sites that the twins are recorded from, and asking them.

Two sites: `all` shows the atlases beside this file, the gallery as it was and the catalogue, as
`micrograph serve` does for somebody with atlases of their own; `first` shows the atlas of format 1
and nothing else. Neither depends on the machine: no weights are found but those that ship.
"""

import asyncio
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
ATLASES = HERE / "atlases"
URLS = HERE / "urls.txt"
RECORDED = HERE / "recorded.json.xz"

GALLERY = ("inceptionv1_caffe-lenses.atlas", "inceptionv1_caffe.atlas", "toytown_vit.atlas")
"""What the gallery had when the answers were recorded."""

_STATIC = re.compile(r"/static/[0-9a-f]+/")


@contextmanager
def bare_machine(home: Path) -> Iterator[None]:
    """As on a machine where nothing was fetched, imported or brought: home and the folders of data
    and weights are empty, and no weights lie beside the working directory."""
    nowhere = home / "one" / "two"
    nowhere.mkdir(parents=True, exist_ok=True)
    changed = {
        "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "MICROGRAPH_WEIGHTS": str(nowhere),
    }  # fmt: skip
    before, folder = {name: os.environ.get(name) for name in changed}, Path.cwd()
    os.environ.update(changed)
    os.chdir(nowhere)
    try:
        yield
    finally:
        os.chdir(folder)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def copy_atlases(folder: Path) -> Path:
    """A copy of the atlases, and beside them a file that is none. The stored files are never shown
    themselves: nothing may write to them."""
    shutil.copytree(ATLASES, folder)
    (folder / "no-atlas.atlas").write_text("This is no atlas.\n")
    return folder


class Sites:
    """The two sites over a folder that `copy_atlases` made. Ask them inside `bare_machine`."""

    def __init__(self, folder: Path) -> None:
        from micrograph.atlas import Library, bundled_catalogue, bundled_gallery
        from micrograph.web import create_app
        from micrograph.web.known import (
            known_here as known,  # what `micrograph serve` gives to the site
        )

        self.folder = folder
        gallery = [bundled_gallery() / name for name in GALLERY]
        self.library = Library([folder, *gallery], bundled_catalogue())
        own = folder.parent / "own"
        self._apps = {
            "all": create_app(self.library, own, known=known),
            "first": create_app(Library([folder / "format1.atlas"]), known=known),
        }

    def ask(self, line: str) -> dict[str, Any]:
        """The answer to a line of `urls.txt`."""
        site, _, path = line.partition(" ")
        return self._told(asyncio.run(_get(self._apps[site], path)), path)

    def _told(self, answer: httpx.Response, path: str) -> dict[str, Any]:
        """What is recorded of an answer. Normalized is what changes without a change of the site:

        - the digest of all static files in their URLs becomes `/static/-/`;
        - the folder of the copied atlases becomes `FOLDER`;
        - the version of the package on /about becomes `VERSION`;
        - of pages in HTML only status, type and destination are kept, of pictures a digest.

        The base URL is always http://site, so links in pages need nothing.
        """
        told: dict[str, Any] = {"status": answer.status_code}
        if "location" in answer.headers:
            told["location"] = self._plain(answer.headers["location"])
            return told
        told["type"] = answer.headers.get("content-type", "")
        if told["type"].startswith("application/json"):
            body = json.loads(self._plain(answer.text))
            if path == "/about.json":
                body["version"] = "VERSION"
            told["body"] = body
        elif told["type"].startswith("image/"):
            told["sha256"] = hashlib.sha256(answer.content).hexdigest()
        return told

    def _plain(self, text: str) -> str:
        return _STATIC.sub("/static/-/", text).replace(str(self.folder), "FOLDER")


async def _get(app: Any, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://site", trust_env=False
    ) as client:
        return await client.get(path, headers={"accept-encoding": "identity"})


def read_urls(path: Path = URLS) -> list[str]:
    """The lines of `urls.txt`: a site, a space and a path with its query."""
    lines: Iterable[str] = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
