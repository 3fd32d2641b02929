"""The command line. Commands import what they need when they run, so that help is instant."""

import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

import click

from micrograph import __version__
from micrograph.cli import (
    atlas,
    circuit,
    claim,
    dataset,
    demo,
    dictionary,
    info,
    inputs,
    live,
    look,
    models,
    render,
    resolve,
    serve,
    steer,
    sweep,
    weights,
)
from micrograph.errors import MicrographError, short
from micrograph.heap import NO_MEMORY, says_no_memory

BAD_INPUT = 2
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(prog)s %(version)s")
def app() -> None:
    """A microscope for vision models: see what every neuron responds to."""


modules = (
    demo,
    models,
    weights,
    render,
    sweep,
    dataset,
    dictionary,
    serve,
    atlas,
    info,
    circuit,
    steer,
    inputs,
    claim,
    resolve,
    look,
    live,
)
for module in modules:
    app.add_command(module.command, module.__name__.rpartition(".")[2])


def main(args: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit status: 0, 2 for bad input, 130 after Ctrl-C.

    What the user can mend is one line on standard error; everything else keeps its traceback.
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            status = app.main(args, prog_name="micrograph", standalone_mode=False)
            sys.stdout.flush()
            return status if isinstance(status, int) else 0
        except MicrographError as error:
            return _refuse(str(error))
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            return BAD_INPUT
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            hint = f"; see `{context.command_path} --help`" if context else ""
            return _refuse(error.format_message().rstrip(".") + hint)
        except (click.Abort, KeyboardInterrupt):
            return INTERRUPTED
        except (MemoryError, RuntimeError, ImportError) as error:
            if not says_no_memory(error):
                raise
            return _refuse(NO_MEMORY)
        except OSError as error:
            # The last resort: any access to a file may fail, also where no better message exists.
            what = f"cannot use {short(error.filename, 300)}" if error.filename else "cannot go on"
            return _refuse(f"{what}: {error.strerror or error}; check the place and its rights")


def _refuse(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return BAD_INPUT


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"warning: {message}", file=sys.stderr)


def run() -> None:
    """The program `micrograph`."""
    status = main()
    # Threads of libraries (a DataLoader, a compiler) must not hold an interrupted program back.
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # reported already; the interpreter would report it again at exit
        os._exit(status)
    if status == INTERRUPTED:
        os._exit(status)
    sys.exit(status)
