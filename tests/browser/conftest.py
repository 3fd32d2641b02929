"""One browser and one site for all browser tests."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lens_samples
import live_worker
import pytest
import uvicorn
import web_samples

from micrograph.atlas import Library, bundled_catalogue
from micrograph.web import create_app
from micrograph.web.microscope import Microscope
from micrograph.web.serve import bind

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """A Chromium on this machine, or None."""
    named = os.environ.get("MICROGRAPH_CHROMIUM")
    if named:
        return named
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    executable = chromium()
    if executable is None:
        pytest.skip("no Chromium found; install one or name it in MICROGRAPH_CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a test's render writes to."""
    return tmp_path_factory.mktemp("growing")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, growing: Path) -> Iterator[str]:
    """The address of a running site over the sample atlas."""
    folder = tmp_path_factory.mktemp("browsed")
    web_samples.write(folder)
    lens_samples.write(folder)
    log = tmp_path_factory.mktemp("live") / "log"
    microscope = Microscope(growing, lambda model, digest: live_worker.command(log, 0.02))
    library = Library([folder, growing], bundled_catalogue())
    with served(create_app(library, growing, microscope=microscope)) as address:
        yield address


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of a site while it answers."""
    with bind("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def open_page(browser: Any, site: str) -> Iterator[Any]:
    """Opens a page of the site; fails the test when the page complains in its console."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def make(path: str = "/", width: int = 1280, height: int = 800, **more: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            base_url=site,
            permissions=["clipboard-read", "clipboard-write"],
            **more,
        )
        context.set_default_timeout(8000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))

        def listen(said: Any) -> None:
            if said.type in ("error", "warning"):
                complaints.append(said.text)

        page.on("console", listen)
        page.goto(path, wait_until="load")
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []
