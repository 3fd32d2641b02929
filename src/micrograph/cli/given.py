"""Which options a command line has: one that nothing would read is refused, not ignored."""

from collections.abc import Mapping

import click
from click.core import ParameterSource

from micrograph.errors import BadInput


def given() -> list[str]:
    """The options that the line of this command has, by their long names, in order."""
    context = click.get_current_context()
    return [
        max(p.opts, key=len)
        for p in context.command.get_params(context)
        if isinstance(p, click.Option)
        and p.name is not None
        and context.get_parameter_source(p.name) is ParameterSource.COMMANDLINE
    ]


def refuse(*names: str, reason: str) -> None:
    """Raises BadInput where one of these options was given."""
    found = [name for name in given() if name in names]
    if found:
        raise BadInput(f"{' and '.join(found)} would not be read: {reason}")


def one_of(chosen: Mapping[str, bool]) -> None:
    """Raises BadInput where several of these options were chosen."""
    found = [name for name, is_chosen in chosen.items() if is_chosen]
    if len(found) > 1:
        raise BadInput(f"{' and '.join(found)} were given; expected one of them")
