"""The documentation site: `make docs` builds it from these pages and from docstrings."""

import re
from pathlib import Path

from sphinx.application import Sphinx

import micrograph

project = "Micrograph"
author = "The Micrograph developers"
copyright = author
release = micrograph.__version__
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["**/.*"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80

html_theme = "furo"
html_title = "Micrograph"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
LIGHT = {
    "ink": "#161616",
    "quiet": "#626262",
    "raised": "#f6f6f6",
    "line": "#e4e4e4",
    "paper": "#fff",
}
DARK = {
    "ink": "#ececec",
    "quiet": "#9b9b9b",
    "raised": "#181818",
    "line": "#2b2b2b",
    "paper": "#0e0e0e",
}


def colours(grey: dict[str, str], link: str) -> dict[str, str]:
    """The theme's variables in the greys of the site that `micrograph serve` shows."""
    return {
        "color-foreground-primary": grey["ink"],
        "color-foreground-secondary": grey["quiet"],
        "color-background-primary": grey["paper"],
        "color-background-secondary": grey["raised"],
        "color-background-border": grey["line"],
        "color-brand-primary": grey["ink"],
        "color-brand-content": link,
        "color-brand-visited": link,
        "color-sidebar-link-text": grey["ink"],
        "color-sidebar-link-text--top-level": grey["ink"],
        "color-api-name": grey["ink"],
        "color-api-pre-name": grey["quiet"],
    }


html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": colours(LIGHT, "#9c4a00"),
    "dark_css_variables": colours(DARK, "#ffab2e"),
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"

PAGES = {
    f"{name}.md": f"{name.lower()}.md"
    for name in ("ARCHITECTURE", "CHANGELOG", "CONTRIBUTING", "SECURITY")
}
"""Files of the repository's root that have a page here, which includes them."""


def point_inside(app: Sphinx, docname: str, source: list[str]) -> None:
    """Links that leave docs/ in the repository lead to the site's page of the same file."""
    up = "../" * (docname.count("/") + 1)
    for name, page in PAGES.items():
        source[0] = source[0].replace(f"]({up}{name}", f"]({up[3:]}{page}")


def point_included(app: Sphinx, path: Path, docname: str, source: list[str]) -> None:
    """The same for links between the included files."""
    for name, page in PAGES.items():
        source[0] = source[0].replace(f"]({name}", f"](docs/{page}")


PARAMETER = re.compile(r"([a-z_]+(?:, [a-z_]+)*): (?=\S)")


def readable(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Our docstrings in reStructuredText: `code`, and a list of `parameter: meaning` lines."""
    made: list[str] = []
    listing = False
    for line in lines:
        line = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line)
        starts = PARAMETER.match(line)
        listing = bool(starts and (listing or not made or not made[-1])) or (
            listing and line.startswith("    ")
        )
        if not listing:
            made.append(line)
        elif starts:
            made.append(f"- **{starts[1]}**: {line[starts.end() :]}")
        else:
            made.append("  " + line.strip())
    lines[:] = made


def setup(app: Sphinx) -> None:
    app.connect("source-read", point_inside)
    app.connect("include-read", point_included)
    app.connect("autodoc-process-docstring", readable)
