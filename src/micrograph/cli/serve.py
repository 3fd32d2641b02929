"""`micrograph serve`: the site. Never imports torch."""

from pathlib import Path

import click

from micrograph.cli import output
from micrograph.cli.folders import atlas_folder, atlas_option, commands_into, shown_folders

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


@click.command()
@atlas_option
@host_option
@port_option
def command(atlas: Path | None, host: str, port: int) -> None:
    """Show atlases as a site.

    Without --atlas: your own atlases, and the gallery that ships with Micrograph. Behind them stand
    all models that are known, whether or not anything of them is rendered.
    """
    from micrograph import web
    from micrograph.atlas import bundled_catalogue
    from micrograph.web.known import known_here

    folder = atlas_folder(atlas)
    if atlas is not None and not folder.exists():
        click.echo(
            f"warning: there is no folder {folder} yet: only models that are known are shown, and "
            "what is rendered from the site goes there",
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
        commands=commands_into(folder),
    )
