"""The signs that links are made of."""

URL = r"[^\s<>\"'`\\^{|}()\[\]“”‘’«»–—]"
"""A pattern of one sign of a URL that stands in a text."""
