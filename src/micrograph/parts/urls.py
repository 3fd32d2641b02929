"""Every address the site links to is made here, and nowhere else."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from micrograph.parts.commands import Commands

EXTENSIONS = {"image/webp": "webp", "image/avif": "avif", "image/png": "png", "image/jpeg": "jpg"}
MIMES = {extension: mime for mime, extension in EXTENSIONS.items()}


class Urls:
    """Paths of pages, twins, pictures and static files. `version` is part of static paths, so that
    they may be cached for ever. `commands` are those that pages show beside their links."""

    def __init__(self, version: str = "0", commands: Commands | None = None) -> None:
        self.version = version
        self.commands = commands or Commands()

    home = "/"
    models = "/models"
    about = "/about"
    openapi = "/openapi.json"

    def page_of_models(self, number: int) -> str:
        """The list of models, which has several pages in a large library."""
        return self.models + _query({"page": number if number > 1 else None})

    def model(self, model: str, **view: str | int | None) -> str:
        return f"/models/{quote(model)}" + _query(view)

    def node(self, model: str, node: str, **view: str | int | None) -> str:
        return f"/models/{quote(model)}/{quote(node)}" + _query(view)

    def unit(self, model: str, node: str, unit: int, **view: str | int | None) -> str:
        return f"/models/{quote(model)}/{quote(node)}/{unit}" + _query(view)

    def render(self, model: str, node: str, unit: int) -> str:
        """Where a unit's "Render this" is posted to."""
        return self.unit(model, node, unit) + "/render"

    def look(self, model: str, node: str = "", unit: int | None = None) -> str:
        """Where a picture of the reader's own is posted to."""
        parts = [p for p in (model, node, "" if unit is None else str(unit)) if p]
        return "/".join(["/models", *(quote(p) for p in parts), "look"])

    def heat(self, model: str, node: str, unit: int, dataset: str) -> str:
        """The heat map of a unit on a stored picture; its number is still to be added."""
        return self.unit(model, node, unit) + "/map" + _query({"dataset": dataset}) + "&number="

    def claims(self, text: str = "") -> str:
        """The tested claims, or the way to one."""
        return "/claims" + _query({"text": text or None})

    def compare(self, here: str, there: str) -> str:
        """Two models side by side."""
        return "/compare" + _query({"here": here, "there": there})

    def search(self, text: str = "") -> str:
        return "/search" + _query({"q": text or None})

    def image(self, model: str, digest: str, mime: str) -> str:
        """A picture. Its bytes never change, because its name is their digest."""
        return f"/images/{quote(model)}/{digest}.{EXTENSIONS.get(mime, 'bin')}"

    def static(self, path: str) -> str:
        return f"/static/{self.version}/{path}"

    def twin(self, url: str) -> str:
        """The JSON twin of the page at `url`: the same path with `.json` behind it."""
        path, mark, query = url.partition("?")
        return path + ".json" + mark + query


def _query(view: Mapping[str, str | int | None]) -> str:
    kept = {key: value for key, value in view.items() if value is not None}
    return "?" + urlencode(kept) if kept else ""
