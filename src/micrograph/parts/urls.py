"""Every address the site links to is made here, and nowhere else."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote as quote_anew
from urllib.parse import quote_plus

from micrograph.parts.commands import Commands

EXTENSIONS = {"image/webp": "webp", "image/avif": "avif", "image/png": "png", "image/jpeg": "jpg"}
MIMES = {extension: mime for mime, extension in EXTENSIONS.items()}

quote = lru_cache(4096)(quote_anew)
"""Pages name the same few models and nodes hundreds of times."""
_quoted = lru_cache(4096)(quote_plus)


class Urls:
    """Paths of pages, twins, pictures and static files. `version` is part of static paths, so that
    they may be cached for ever. `commands` are those that pages show beside their links. `prefix`
    stands before all paths where the site is a part of another one: "/micrograph", or ""."""

    def __init__(
        self, version: str = "0", commands: Commands | None = None, prefix: str = ""
    ) -> None:
        self.version = version
        self.commands = commands or Commands()
        self.prefix = prefix

    def under(self, prefix: str) -> "Urls":
        """The same with another prefix."""
        return Urls(self.version, self.commands, prefix)

    def own(self, path: str) -> str:
        """The address of a path that the site knows: `/models/toytown`."""
        return self.prefix + path

    @property
    def home(self) -> str:
        return self.own("/")

    @property
    def models(self) -> str:
        return self.own("/models")

    @property
    def about(self) -> str:
        return self.own("/about")

    @property
    def openapi(self) -> str:
        return self.own("/openapi.json")

    @property
    def comparison(self) -> str:
        """Where the form that chooses two models leads to."""
        return self.own("/compare")

    @property
    def token(self) -> str:
        """Where the form that takes a token leads to."""
        return self.own("/token")

    def page_of_models(self, number: int) -> str:
        """The list of models, which has several pages in a large library."""
        return self.models + _query({"page": number if number > 1 else None})

    def model(self, model: str, **view: str | int | None) -> str:
        return f"{self.models}/{quote(model)}" + _query(view)

    def node(self, model: str, node: str, **view: str | int | None) -> str:
        return f"{self.models}/{quote(model)}/{quote(node)}" + _query(view)

    def unit(self, model: str, node: str, unit: int, **view: str | int | None) -> str:
        place = f"{self.prefix}/models/{quote(model)}/{quote(node)}/{unit}"
        return place + _query(view) if view else place

    def render(self, model: str, node: str, unit: int) -> str:
        """Where a unit's "Render this" is posted to."""
        return self.unit(model, node, unit) + "/render"

    def connections(self, model: str) -> str:
        """Where "Work them out" of a circuit is posted to."""
        return self.own(f"/circuits/{quote(model)}/render")

    def look(self, model: str, node: str = "", unit: int | None = None) -> str:
        """Where a picture of the reader's own is posted to."""
        parts = [p for p in (model, node, "" if unit is None else str(unit)) if p]
        return "/".join([self.models, *(quote(p) for p in parts), "look"])

    def on_picture(self, model: str, node: str, unit: int, **view: str | int | None) -> str:
        """What a unit is made of on a picture that is here, or what steering it changes."""
        return self.unit(model, node, unit) + "/on-picture" + _query(view)

    def live(self, model: str, node: str, unit: int) -> str:
        """A unit under the live microscope."""
        return self.unit(model, node, unit) + "/live"

    def circuit(
        self, model: str, node: str, unit: int, ending: str = "", **view: str | int | None
    ) -> str:
        """A unit, its strongest inputs and theirs; with an ending (".svg") as a file."""
        place = f"/circuits/{quote(model)}/{quote(node)}/{unit}{ending}"
        return self.own(place) + _query(view)

    def heat(self, model: str, node: str, unit: int, dataset: str) -> str:
        """The heat map of a unit on a stored picture; its number is still to be added."""
        return self.unit(model, node, unit) + "/map" + _query({"dataset": dataset}) + "&number="

    def claims(self, text: str = "") -> str:
        """The tested claims, or the way to one."""
        return self.own("/claims") + _query({"text": text or None})

    def page_of_claims(self, number: int, about: str = "") -> str:
        """The list of claims, which has several pages where many were tested."""
        page = number if number > 1 else None
        return self.own("/claims") + _query({"about": about or None, "page": page})

    def claims_about(self, address: str) -> str:
        """The tested claims about a model, a node or a unit."""
        return self.page_of_claims(1, address)

    def compare(self, here: str, there: str) -> str:
        """Two models side by side."""
        return self.comparison + _query({"here": here, "there": there})

    def oembed(self, page: str) -> str:
        """What says which figure stands for the page of a whole address."""
        return self.own("/oembed") + _query({"url": page})

    def search(self, text: str = "") -> str:
        return self.own("/search") + _query({"q": text or None})

    def image(self, model: str, digest: str, mime: str) -> str:
        """A picture. Its bytes never change, because its name is their digest."""
        return f"{self.prefix}/images/{quote(model)}/{digest}.{EXTENSIONS.get(mime, 'bin')}"

    def static(self, path: str) -> str:
        return f"{self.prefix}/static/{self.version}/{path}"

    def twin(self, url: str) -> str:
        """The JSON twin of the page at `url`: the same path with `.json` behind it."""
        path, mark, query = url.partition("?")
        return path + ".json" + mark + query


def _query(view: Mapping[str, str | int | None]) -> str:
    kept = [f"{key}={_quoted(str(value))}" for key, value in view.items() if value is not None]
    return "?" + "&".join(kept) if kept else ""
