"""Links between the repository's documents lead to files and headings that exist."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def headings(document: Path) -> set[str]:
    """The anchors of a document, as GitHub and the site make them."""
    lines = CODE.sub("", document.read_text("utf-8")).splitlines()
    texts = [re.sub(r"[^\w\- ]", "", li.lstrip("# ").lower()) for li in lines if li.startswith("#")]
    return {text.strip().replace(" ", "-") for text in texts}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(CHECKOUT)))
def test_links(document: Path) -> None:
    for link in LINK.findall(CODE.sub("", document.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert target.is_relative_to(CHECKOUT), link
        if anchor:
            assert anchor in headings(target), link
