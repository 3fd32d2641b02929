"""The templates of lenses, each from the package that the lens lies in."""

from importlib.resources import files

from jinja2 import FunctionLoader

from micrograph.lenses import lenses

SHARED = "pages"
"""In place of a lens's name: templates that several lenses share."""


def lens_templates() -> FunctionLoader:
    """Loads `NAME/page.html` and `NAME/node.html` of the lens of that name."""
    return FunctionLoader(_text)


def _text(path: str) -> str | None:
    """A template's text; None where the lens has none of that name."""
    name, _, file = path.partition("/")
    if name == SHARED:
        home = "micrograph.lenses.pages"
    elif name in lenses():
        home = lenses()[name].home
    else:
        return None
    if "/" in file or not home:
        return None
    found = files(home) / file
    return found.read_text("utf-8") if found.is_file() else None
