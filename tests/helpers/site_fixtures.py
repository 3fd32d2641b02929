"""The site over a small atlas, asked without a server."""

from collections.abc import Callable
from pathlib import Path

import lens_samples
import pytest
import web_samples
from web_client import Client

from micrograph.atlas import Library
from micrograph.web import create_app


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample atlas in it. Not to be written to."""
    folder = tmp_path_factory.mktemp("atlases")
    web_samples.write(folder)
    return folder


@pytest.fixture(scope="session")
def client(folder: Path) -> Client:
    return Client(create_app(Library([folder])))


@pytest.fixture(scope="session")
def lensed(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The site over an atlas with results of every lens."""
    folder = tmp_path_factory.mktemp("lensed")
    lens_samples.write(folder)
    return Client(create_app(Library([folder])))


@pytest.fixture
def client_of() -> Callable[..., Client]:
    """A client of a site over other folders."""
    return lambda *folders, **more: Client(create_app(Library(folders), **more))
