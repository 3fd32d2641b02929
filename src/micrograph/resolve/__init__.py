"""Every way to write a place, read: old links, addresses, words."""

from micrograph.resolve.answer import Resolved
from micrograph.resolve.resolve import resolve

__all__ = ["Resolved", "resolve"]
