"""Circuits in texts: links to their pages, and "the circuit of" a unit."""

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote, urlencode

from micrograph.resolve.answer import Resolved
from micrograph.resolve.asked import Asked
from micrograph.resolve.signs import URL

# Every quantifier is bounded or followed by what it cannot match: time is linear.
_LINK = re.compile(
    r"(?:\bhttps?://(?:[A-Za-z0-9.\-_]{1,255}|\[[0-9a-f:.]{2,50}\])(?::\d{1,5})?/"
    r"|(?<![^\s<(\[\"'`=])/|\A)"
    rf"circuits/(?P<rest>{URL}+)",
    re.I,
)
_WORDS = re.compile(r"\A\s*(?:the\s+)?circuit\s+(?:of|for|behind)\s+(?=\S)", re.I)
_ENDINGS = (".graph.json", ".json", ".svg", ".png")
_OPTIONS = ("depth", "width", "sign", "order", "branches", "pin", "without")


@dataclass(frozen=True)
class AskedCircuit:
    """The unit whose circuit is meant, as the parts of a link or as a text, and how its page is to
    look."""

    place: "Asked | str"
    query: str = ""

    def answer(self, found: Resolved) -> Resolved:
        """The answer for the place, leading to its circuit; as it is where there is no unit."""
        if found.url is None or found.address is None or found.unit is None:
            return found
        url = "/circuits" + found.url.partition("#")[0].removeprefix("/models")
        query = f"?{self.query}" if self.query else ""
        return replace(found, url=url + query)


def circuit_asked(text: str) -> AskedCircuit | None:
    """None for a text that asks for no circuit."""
    link = _LINK.search(text)
    if link is not None:
        path, _, query = link["rest"].partition("#")[0].partition("?")
        parts = [unquote(part) for part in path.strip("/.,;").split("/") if part]
        if len(parts) < 3:
            return AskedCircuit(Asked(parts[0], "".join(parts[1:]))) if parts else None
        model, *node, unit = parts
        ending = next((one for one in _ENDINGS if unit.endswith(one)), "")
        options = {k: v for k, v in parse_qsl(query[:4000]) if k in _OPTIONS}
        return AskedCircuit(
            Asked(model, "/".join(node), unit.removesuffix(ending)), urlencode(options)
        )
    words = _WORDS.match(text)
    return AskedCircuit(text[words.end() :]) if words else None
