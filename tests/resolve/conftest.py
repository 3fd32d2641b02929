"""The library of somebody who rendered nothing: the catalogue that ships."""

import pytest

from micrograph.atlas import Library, bundled_catalogue
from micrograph.resolve import Resolved, resolve


@pytest.fixture(scope="session")
def library() -> Library:
    return Library([], bundled_catalogue())


@pytest.fixture(scope="session")
def ask(library: Library):
    def asked(text: str) -> Resolved:
        return resolve(text, library)

    return asked
