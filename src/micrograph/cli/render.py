"""`micrograph render`: point lenses at nodes and units, and keep what they give."""

import inspect
import json
import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import click

from micrograph.cli import output
from micrograph.cli.event_output import event_teller, failures_as_events
from micrograph.cli.folders import atlas_folder, atlas_option
from micrograph.cli.lens_options import DEFAULT, LensCommand
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.errors import BadInput
from micrograph.events import Answer

GRACE = 20.0
"""Seconds that an orphaned render has to finish its batch."""


def _batch(context: click.Context, parameter: click.Parameter, value: str) -> int | str:
    if value == "auto":
        return value
    try:
        return int(value)
    except ValueError:
        raise BadInput(f"--batch {value!r} is no number; expected auto or 1 and more") from None


def _parse_options(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, Any]:
    """`name=value` pairs; a value that is no JSON is a text."""
    options: dict[str, Any] = {}
    for pair in values:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise BadInput(f"--option {pair!r} is not understood; expected NAME=VALUE")
        try:
            options[name] = json.loads(text)
        except ValueError:
            options[name] = text
    return options


@click.command(cls=LensCommand)
@click.argument("model")
@click.option(
    "--node",
    "-n",
    "nodes",
    multiple=True,
    metavar="N",
    help="Node: id, short form or pattern (inception_4*). Repeatable. [default: all]",
)
@click.option("--units", metavar="0-63", help="Units, e.g. 0-63 or 3,17,40-. [default: all]")
@click.option(
    "--technique",
    "-t",
    "techniques",
    multiple=True,
    default=[DEFAULT],
    metavar="T",
    help="Lens; with --help, its options are listed. Repeatable.",
    show_default=True,
)
@click.option("--quality", type=int, metavar="Q", help="Of the stored AVIF, 1-100. [default: 50]")
@click.option(
    "-o",
    "--option",
    "more",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_parse_options,
    help="An option of a lens by its name, its value as JSON or plain text. Repeatable.",
)
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, ... [default: the best]")
@click.option(
    "--batch",
    default="auto",
    metavar="N|auto",
    callback=_batch,
    help="Units rendered together.",
    show_default=True,
)
@atlas_option
@model_options
@click.option(
    "--estimate",
    is_flag=True,
    help="Only say how long it would take here, from a few steps, and how large it gets.",
)
@click.option(
    "--orphan-stops",
    is_flag=True,
    hidden=True,
    help="Stop when standard input closes, that is with the process that started this.",
)
@click.option(
    "--makes-way",
    is_flag=True,
    hidden=True,
    help="Let every other writer of the atlas come first, and go on after it.",
)
@click.option(
    "--events",
    is_flag=True,
    hidden=True,
    help="Tell events on standard output, a line of JSON each, and no progress.",
)
@click.option(
    "--frames",
    type=int,
    default=0,
    hidden=True,
    metavar="N",
    help="With --events: after every N steps the picture as it stands.",
)
def command(
    model: str,
    nodes: tuple[str, ...],
    units: str | None,
    techniques: tuple[str, ...],
    device: str | None,
    batch: int | str,
    atlas: Path | None,
    asked: ModelOptions,
    estimate: bool,
    orphan_stops: bool,
    makes_way: bool,
    events: bool,
    frames: int,
    more: dict[str, Any],
    **options: Any,
) -> int:
    """Render what the atlas of MODEL lacks.

    MODEL is an id of `micrograph models`, a network in a file of your own (net.py:build, which is
    run), or one of a library: timm:NAME, torchvision:NAME, open_clip:NAME/TAG, hf:NAME.

    Every batch is stored as soon as it is done: stop at any moment, run the same command again, and
    it goes on where it was.
    """
    tell = event_teller() if events else None
    with failures_as_events(tell):
        folder = atlas_folder(atlas)
        chosen = asked.card(model)
        _stop_on_terminate()
        if orphan_stops:
            threading.Thread(target=_watch_parent, daemon=True).start()

        from micrograph import runner

        for name in more.keys() & inspect.signature(runner.render).parameters.keys():
            raise BadInput(
                f"--option {name} is no option of a lens; see `micrograph render --help`"
            )
        given = {name: value for name, value in options.items() if value not in (None, ())} | more
        loaded = asked.load(model, chosen, device or best_device())
        if estimate:
            found = runner.estimate(
                loaded,
                folder,
                technique=techniques,
                nodes=nodes or None,
                units=units,
                batch=batch,
                **given,
            )
            output.say(str(found))
            return 0
        render = partial(
            runner.render,
            loaded,
            folder,
            technique=techniques,
            nodes=nodes or None,
            units=units,
            batch=batch,
            progress=None if tell else runner.progress_for(sys.stderr),
            on_event=tell,
            frames=frames,
            makes_way=makes_way,
            **given,
        )
        while (summary := render()).made_way:
            pass
    if tell is None:
        output.say(str(summary))
    elif not summary.interrupted:
        tell(Answer({"rendered": summary.rendered, "there": summary.there, "said": str(summary)}))
    return 130 if summary.interrupted else 0


def best_device() -> str:
    """A GPU where there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _stop_on_terminate() -> None:
    """Let SIGTERM end a render as Ctrl-C does: with what is done kept and the atlas closed."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)


def _watch_parent() -> None:
    """End when the pipe at standard input closes, which happens however the parent ended."""
    while os.read(0, 1024):
        pass
    signal.raise_signal(signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(130)
