"""The options of lenses on the command line, made from their parameters.

`micrograph render -t tuning --help` lists those of tuning; an option of a lens that is not named is
known too, so that it is refused by name and not taken for a spelling mistake.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

from micrograph import lenses
from micrograph.lenses.params import Option

DEFAULT = lenses.lead()[0]
"""The lens that is meant where none is named."""
_NAMED = "micrograph.lenses"


class LensCommand(click.Command):
    """A command whose options are its own and those of the lenses that its line names."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_NAMED] = named(args)
        if set(args) & set(ctx.help_option_names):
            for name in _asked(args):
                lenses.lens(name)  # refuses what is none: its help would be another's
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        own = super().get_params(ctx)
        taken = {name for parameter in own for name in parameter.opts}
        asked = _parameters(ctx.meta.get(_NAMED, (DEFAULT,)))
        rest = _parameters(
            [name for name in lenses.names() if name not in ctx.meta.get(_NAMED, ())]
        )
        found: dict[str, click.Option] = {}
        for option in asked:
            found.setdefault(option.opts[0], option)
        for option in rest:
            option.hidden = True
            found.setdefault(option.opts[0], option)
        return [*own, *(option for flag, option in found.items() if flag not in taken)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options, then those of each lens under its name."""
        own = [p for p in super().get_params(ctx) if isinstance(p, click.Option)]
        with formatter.section("Options"):
            formatter.write_dl([r for p in own if (r := p.get_help_record(ctx)) is not None])
        for name in ctx.meta.get(_NAMED, (DEFAULT,)):
            records = [o.get_help_record(ctx) for o in _parameters([name])]
            with formatter.section(f"Options of {name} (-t {name})"):
                formatter.write_dl([r for r in records if r is not None] or [("none", "")])


def named(args: Sequence[str]) -> list[str]:
    """The lenses that a command line names with -t or --technique, those that there are."""
    known = lenses.lenses()
    return [name for name in _asked(args) if name in known] or [DEFAULT]


def _asked(args: Sequence[str]) -> list[str]:
    """The lenses that a command line names, each once."""
    found = []
    words = iter(args)
    for word in words:
        if word in ("-t", "--technique"):
            found.append(next(words, ""))
        elif word.startswith("--technique="):
            found.append(word.partition("=")[2])
        elif word.startswith("-t") and not word.startswith("--"):
            found.append(word[2:])
    return list(dict.fromkeys(found))


def _parameters(names: Iterable[str]) -> list[click.Option]:
    return [_option(one) for name in names for one in lenses.lens(name).params.options()]


def _option(known: Option) -> click.Option:
    """A parameter as an option: nothing where it is not given."""
    flag = known.flag or f"--{known.name.replace('_', '-')}"
    several = tuple in known.kinds
    return click.Option(
        [flag, known.name],
        multiple=several,
        default=None,
        callback=None if several else _read,
        metavar=_metavar(known),
        help=_help(known),
    )


def _read(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    """The value as JSON, or the text that it is: what it must be, the lens says."""
    if value is None:
        return None
    try:
        return json.loads(value)
    except ValueError:
        return value


def _metavar(known: Option) -> str:
    for kind, name in ((bool, "true|false"), (int, "N"), (float, "X")):
        if kind in known.kinds:
            return known.unit.upper() if known.unit == "px" else name
    return "TEXT"


def _help(known: Option) -> str:
    """Its help, range and default as a sentence and a bracket."""
    text = known.help[0].upper() + known.help[1:]
    ends = []
    if known.low is not None and known.high is not None:
        ends.append(f"{known.low} to {known.high}")
    elif known.low is not None:
        ends.append(f"at least {known.low}")
    default = known.default
    shown = known.shown or (", ".join(default) if isinstance(default, tuple) else default)
    if isinstance(default, bool):
        shown = str(default).lower()
    if shown not in (None, ""):
        ends.append(f"default: {shown}")
    more = " Repeatable." if tuple in known.kinds else ""
    return f"{text}.{more}" + (f" [{'; '.join(ends)}]" if ends else "")
