"""`micrograph resolve`: which place a text or an old link means. Never imports torch."""

from dataclasses import asdict
from pathlib import Path

import click

from micrograph.cli import output
from micrograph.cli.folders import atlas_folder, atlas_option, commands_into, library

NOTHING = 2
"""Exit status where no place was found."""


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@atlas_option
def command(text: tuple[str, ...], as_json: bool, atlas: Path | None) -> int:
    """Say which place TEXT means: an address, a link to OpenAI Microscope, `InceptionV1 4c:447`."""
    from micrograph.resolve import resolve
    from micrograph.web.known import known_here

    found = library(atlas).snapshot()
    here = commands_into(atlas_folder(atlas)).here
    answer = resolve(" ".join(text), found, lambda model: known_here(model).first, here)
    if as_json:
        output.write_json(asdict(answer))
    elif answer.url is None:
        click.echo(f"error: {answer.note}", err=True)
        for address in answer.nearest:
            click.echo(f"  near: {address}", err=True)
    else:
        output.say(answer.address or "/models", style="bold")
        lens = " ".join(filter(None, (answer.technique, answer.variant)))
        facts = (
            ("page", answer.url),
            ("lens", lens),
            ("note", answer.note),
            ("also", ", ".join(answer.nearest)),
        )
        for name, fact in facts:
            if fact:
                output.say(f"{name:10}{fact}")
    return 0 if answer.url is not None else NOTHING
