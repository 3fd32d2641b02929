"""Waiting for a page without evaluating strings in it, which its security policy forbids."""

import time
from typing import Any


def until(page: Any, expression: str, seconds: float = 8) -> None:
    """Returns once the JavaScript `expression` is true on `page`."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"did not come true: {expression}"
        page.wait_for_timeout(30)
