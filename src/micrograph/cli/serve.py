"""`micrograph serve`: the site. Never imports torch."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from micrograph.cli import output
from micrograph.cli.folders import atlas_folder, atlas_option, commands_into, shown_folders
from micrograph.errors import BadInput

if TYPE_CHECKING:
    from micrograph.web.token import Token

host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="H", help="Address to listen on."
)
port_option = click.option(
    "--port", type=int, default=8000, show_default=True, metavar="P", help="0 takes any free one."
)


def announce(url: str) -> None:
    """Say where the site is, so that nobody overlooks it."""
    out = output.console()
    if out.is_terminal:
        out.print()
        out.print(f"  [bold]Micrograph[/bold]   [bold cyan underline]{url}[/]")
        out.print("  [dim]Ctrl-C ends it[/dim]")
        out.print()
    else:
        print(f"Micrograph is at {url}", flush=True)


allow_host_option = click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="A name that the site has too, behind a proxy, say. Over loopback others are refused.",
)


@click.command()
@atlas_option
@host_option
@port_option
@allow_host_option
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that answer; what renders and looks at pictures is one for all.",
)
@click.option(
    "--read-only", is_flag=True, help="Show what is there: render nothing, look at no picture."
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ask for the token in FILE before anything is shown. [env: MICROGRAPH_TOKEN, the token]",
)
@click.option(
    "--root-path",
    default="",
    metavar="PATH",
    help="The path that a proxy shows the site under, such as /micrograph.",
)
@click.option(
    "--public-url",
    default="",
    metavar="URL",
    help="The address that readers know the site by: citations and shared links begin with it. Its "
    "path counts as --root-path, its name as --allow-host.",
)
@click.option(
    "--forwarded-allow-ips",
    default="127.0.0.1",
    envvar="FORWARDED_ALLOW_IPS",
    show_default=True,
    metavar="A,B",
    help="Proxies whose X-Forwarded headers are believed: addresses, networks, or * for all.",
)
def command(
    atlas: Path | None,
    host: str,
    port: int,
    allow_host: tuple[str, ...],
    workers: int,
    read_only: bool,
    token_file: Path | None,
    root_path: str,
    public_url: str,
    forwarded_allow_ips: str,
) -> None:
    """Show atlases as a site.

    Without --atlas: your own atlases, and the gallery that ships with Micrograph. Behind them stand
    all models that are known, whether or not anything of them is rendered.
    """
    from micrograph import web
    from micrograph.atlas import bundled_catalogue
    from micrograph.parts.commands import Commands
    from micrograph.web.known import known_here
    from micrograph.web.proxies import Proxies

    folder = atlas_folder(atlas)
    proxies = Proxies(forwarded_allow_ips, root_path, public_url)
    token = _token(token_file)
    if atlas is not None and not folder.exists():
        later = "" if read_only else ", and what is rendered from the site goes there"
        click.echo(
            f"warning: there is no folder {folder} yet: only models that are known are shown"
            f"{later}",
            err=True,
        )
    web.serve(
        shown_folders(atlas),
        host=host,
        port=port,
        writable=folder,
        announce=announce,
        known=known_here,
        catalogue=bundled_catalogue(),
        hosts=(*allow_host, *filter(None, [proxies.name])),
        commands=Commands() if read_only else commands_into(folder),
        proxies=proxies,
        read_only=read_only,
        token=token,
        processes=workers,
    )


def _token(file: Path | None) -> "Token | None":
    """The token that is asked for, None for none. It is taken out of the environment: what works
    for the site has no use for it. Raises BadInput."""
    from micrograph.web.token import Token

    given = os.environ.pop("MICROGRAPH_TOKEN", None)
    if file is None:
        return None if given is None else Token(given, "MICROGRAPH_TOKEN")
    if given is not None:
        raise BadInput("there is a token in MICROGRAPH_TOKEN and a --token-file; give one of them")
    try:
        return Token(file.read_text("utf-8"), f"--token-file {file}")
    except UnicodeDecodeError:
        raise BadInput(
            f"--token-file {file} is no text; expected one line with the token"
        ) from None
