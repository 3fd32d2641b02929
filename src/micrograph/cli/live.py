"""`micrograph live`: pictures of units while readers of the site watch, in a process of its own.

Hidden: a program talks to it. A line of JSON asks: `{"of": 3, "client": "a", "make": {...}}` with
node, unit, `options` of the lens, and the `folder` of an atlas where the picture is to be kept;
`{"of": 4, "client": "a", "estimate": {...}}` how long a render would take, with node and folder;
`{"cancel": 3}` takes a question back. Several are answered in turns: each line that comes back is
an event (`micrograph.events`) and says which question it is `of`. The first line says that the
model is there, or why not. It ends when its input does, or when nobody is left who could read what
it says.
"""

import json
import os
import select
from contextlib import suppress

import click

from micrograph.cli.event_output import numbered_event_teller
from micrograph.cli.look import load_for_site
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.errors import MicrographError
from micrograph.events import Answer, Failed


@click.command(hidden=True)
@click.argument("model")
@click.option("--digest", default="", metavar="D", help="Of the weights that it must have.")
@model_options
def command(model: str, digest: str, asked: ModelOptions) -> None:
    """Make pictures that are asked for on standard input."""
    tell = numbered_event_teller(ends_with_reader=True)
    try:
        loaded = load_for_site(model, digest, asked)
    except MicrographError as error:
        tell(None, Failed(str(error), error.status))
        return
    from micrograph.runner.live import LiveRuns

    runs = LiveRuns(loaded, tell)
    with suppress(Exception):  # of a network that cannot be driven: whoever asks is told
        runs.get_ready(_is_asked())
    tell(None, Answer("ready"))
    with os.fdopen(os.dup(0), "rb") as questions:
        for line in questions:
            question = json.loads(line)
            if "cancel" in question:
                runs.cancel(question["cancel"])
            elif "estimate" in question:
                runs.estimate(question["of"], question["client"], question["estimate"])
            else:
                runs.begin(question["of"], question["client"], question["make"])
    runs.close()
    os._exit(0)  # threads that wait in the middle of a network would hold up the interpreter's end


def _is_asked() -> bool:
    """Whether a question waits on standard input."""
    try:
        return bool(select.select([0], [], [], 0)[0])
    except (OSError, ValueError):  # where only sockets can be asked
        return False
