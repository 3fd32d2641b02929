"""For every test: quiet threads, a Ctrl-C that works, and browser tests at the end."""

import os
import signal

import pytest

# Suites beside each other must not wait for threads in turns.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# A suite started in the background ignores Ctrl-C, and so would every process that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's driver keeps an event loop running in this thread; other tests start theirs."""
    items.sort(key=lambda item: "browser" in item.path.parts)
