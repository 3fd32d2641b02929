"""Where atlases lie."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import platformdirs

from micrograph.errors import BadInput

if TYPE_CHECKING:
    from micrograph.atlas import Library
    from micrograph.parts.commands import Commands


def data_folder(name: str) -> Path:
    """A folder of this user's, e.g. for atlases. Not created here."""
    return Path(platformdirs.user_data_dir("micrograph", appauthor=False)) / name


def atlas_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--atlas DIR` (parameter `atlas`: a path or None)."""
    return click.option(
        "--atlas",
        type=click.Path(path_type=Path),
        envvar="MICROGRAPH_ATLAS",
        metavar="DIR",
        help="Folder of <model>.atlas files. [env: MICROGRAPH_ATLAS; default: your data folder]",
    )(command)


def atlas_folder(given: Path | None) -> Path:
    """The folder that a command means. Raises BadInput if that is a file."""
    folder = given if given is not None else data_folder("atlas")
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"--atlas {folder} is a file, expected a folder of <model>.atlas files")
    return folder


def commands_into(folder: Path) -> "Commands":
    """Commands for readers of a site that shows `folder`: typed in any terminal, they mean it."""
    from micrograph.parts.commands import Commands

    own = data_folder("atlas")
    return Commands("" if folder == own else str(folder.absolute()))


def shown_folders(given: Path | None) -> list[Path]:
    """What a site shows: the folder given, or the user's own and the pictures that ship with us."""
    from micrograph.atlas import bundled_gallery

    own = atlas_folder(given)
    return [own] if given is not None else [own, bundled_gallery()]


def library(given: Path | None) -> "Library":
    """What those folders hold, and behind it all models that are known."""
    from micrograph.atlas import Library, bundled_catalogue

    return Library(shown_folders(given), bundled_catalogue())
