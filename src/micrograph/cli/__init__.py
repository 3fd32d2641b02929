"""The command line. Commands import what they need when they run, so that help is instant."""

import os
import sys
import warnings
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from io import TextIOWrapper
from typing import TextIO

import click

from micrograph import __version__
from micrograph.errors import MicrographError, short
from micrograph.heap import NO_MEMORY, says_no_memory

BAD_INPUT = 2
INTERRUPTED = 130


COMMANDS = (
    "demo",
    "models",
    "weights",
    "render",
    "sweep",
    "dataset",
    "dictionary",
    "serve",
    "atlas",
    "info",
    "circuit",
    "steer",
    "inputs",
    "claim",
    "resolve",
    "look",
    "live",
)
"""Each a module here."""


class _Commands(MutableMapping[str, click.Command]):
    """Commands by name, imported when they are asked for: the processes of the site, which live
    long, need one of them or none."""

    def __init__(self, names: Sequence[str]) -> None:
        self._found: dict[str, click.Command | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> click.Command:
        found = self._found[name]
        if found is None:
            found = import_module(f"{__name__}.{name}").command
            self._found[name] = found
        return found

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._found[name] = command

    def __delitem__(self, name: str) -> None:
        del self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@click.group(
    commands=_Commands(COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def app() -> None:
    """A microscope for vision models: see what every neuron responds to."""


def main(args: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit status: 0, 2 for bad input, 130 after Ctrl-C.

    What the user can mend is one line on standard error; everything else keeps its traceback.
    """
    with warnings.catch_warnings(), _any_text_can_be_said():
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


@contextmanager
def _any_text_can_be_said() -> Iterator[None]:
    """What an encoding lacks is shown as an escape: signs outside of ASCII in a plain locale, names
    of files that are no text in any."""
    streams = [s for s in (sys.stdout, sys.stderr) if isinstance(s, TextIOWrapper)]
    before = [(stream, stream.errors) for stream in streams]
    for stream in streams:
        stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        for stream, errors in before:
            with suppress(OSError, ValueError):  # nobody reads it any more
                stream.reconfigure(errors=errors)


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
