"""Every way to write a place, read: old links, addresses, words; claims and circuits."""

from micrograph.resolve.answer import Resolved
from micrograph.resolve.pages import resolve

__all__ = ["Resolved", "resolve"]
