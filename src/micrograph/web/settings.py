"""What a site is made of, as plain data: each of its processes makes its own of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from micrograph.atlas import Library, bundled_gallery
from micrograph.parts.commands import Commands
from micrograph.web.app import Application, create_app
from micrograph.web.index_process import read_elsewhere
from micrograph.web.indexing import index_of
from micrograph.web.known import Known
from micrograph.web.live import Live
from micrograph.web.microscope import Microscope
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.proxies import Proxies
from micrograph.web.token import Token
from micrograph.workers import Supervisor


def nothing_known(model: str) -> Known:
    """What a site says of models where nobody told it more."""
    return Known()


@dataclass(frozen=True)
class SiteSettings:
    """As `micrograph.web.serve` takes them; without folders the bundled ones are shown."""

    folders: tuple[Path, ...] = ()
    catalogue: Path | None = None
    writable: Path | None = None
    known: Callable[[str], Known] = nothing_known
    commands: Commands | None = None
    hosts: tuple[str, ...] = ()
    proxies: Proxies | None = None
    read_only: bool = False
    token: Token | None = None

    def app(
        self,
        live: Live | None = None,
        look: PictureQuestions | None = None,
        workers: Supervisor | None = None,
        microscope: Microscope | None = None,
    ) -> Application:
        """The application. `live`, `look` and `microscope` are what it renders and looks with and
        makes live pictures by, `workers` those that do so where it has none given."""
        places = self.folders or (bundled_gallery(),)
        return create_app(
            Library(places, self.catalogue, index_of(places, read_elsewhere)),
            self.writable,
            live=live,
            look=look,
            known=self.known,
            workers=workers,
            microscope=microscope,
            hosts=self.hosts,
            commands=self.commands,
            proxies=self.proxies,
            read_only=self.read_only,
            token=self.token,
        )
