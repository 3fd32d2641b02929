"""Reading a page's HTML, and what holds for every page."""

from html.parser import HTMLParser
from typing import Any


class Document(HTMLParser):
    """Collects what the checks ask about."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.inline_scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style") and data.strip():
            self.inline_scripts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def twin_of(path: str) -> str:
    path, mark, query = path.partition("?")
    return path + ".json" + mark + query


def check_page(client: Any, path: str) -> Document:
    """The page is sound HTML, harmless, and has a twin."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Document(answer.text)
    assert page.open == []
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert len(page.all("h1")) == 1
    assert all("alt" in a and a.get("width") and a.get("height") for a in page.all("img"))
    assert page.inline_scripts == []
    assert not any(name.startswith("on") for _, a in page.tags for name in a)
    assert all((a.get("href") or "").startswith(("/", "#", "http")) for a in page.all("a"))
    assert "alert(" not in answer.text.replace("alert(&#34;x&#34;)", "")
    assert all("\n" not in (a.get("style") or "") for _, a in page.tags)

    twin = client.get(twin_of(path))
    assert twin.status_code == 200
    assert twin.headers["content-type"] == "application/json"
    linked = [a["href"] for a in page.all("link") if a.get("type") == "application/json"]
    assert linked == [twin_of(path)]
    return page


def check_links(client: Any, page: Document) -> None:
    """What a page links to is there."""
    local = {
        url.partition("#")[0]
        for tag, name in (("a", "href"), ("link", "href"), ("img", "src"), ("script", "src"))
        for a in page.all(tag)
        if (url := a.get(name) or "").startswith("/")
    }
    for url in sorted(local)[:60]:
        assert client.get(url).status_code in (200, 303), url
    inside = {url[1:] for a in page.all("a") if (url := a.get("href") or "").startswith("#")}
    assert inside <= {a["id"] for _, a in page.tags if "id" in a}
