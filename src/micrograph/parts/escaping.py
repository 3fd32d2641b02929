"""Text as a part of HTML that is written in Python."""

from markupsafe import Markup, escape


def escaped(text: str) -> str:
    """As `escape`, in a fifth of the time where there is nothing to escape: a page has thousands of
    addresses and colours."""
    if "&" in text or "<" in text or ">" in text or '"' in text or "'" in text:
        return str(escape(text))
    return text


def markup(text: str) -> Markup:
    """As `Markup`, in less than half of the time: it does not look for another form of a text."""
    return str.__new__(Markup, text)
