"""The options `--dictionary` and `--dictionary-set`: latents and directions as units of a node."""

import sys
from collections.abc import Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING

import click

from micrograph.errors import BadInput, NotFound, short

if TYPE_CHECKING:
    from micrograph.models.model import Model

NAME = "sae"
"""What a dictionary is called whose name is not given."""

dictionary_option = click.option(
    "--dictionary",
    "dictionaries",
    multiple=True,
    metavar="[NODE[.NAME]=]FILE",
    help="Directions or a sparse autoencoder over NODE, a file or folder of SAELens, Prisma, saev "
    "and others: its latents are the units of the node NODE.NAME. Without NODE, over the one that "
    "the file names. Repeatable. [default NAME: sae]",
)
dictionary_set_option = click.option(
    "--dictionary-set",
    "dictionary_settings",
    multiple=True,
    metavar="[NODE.NAME:]KEY=VALUE",
    help="What the file of a dictionary does not say (k=32, mean=FILE, writes=NODE, ...); for all "
    "of them, or for one. Repeatable.",
)


def attach(model: "Model", given: str, settings: Sequence[str] = ()) -> set[str]:
    """Attach what `[NODE[.NAME]=]FILE` says; those of the settings that are of it. Raises as
    `Model.attach`."""
    place, equals, file = given.partition("=")
    if not equals and Path(given).exists():
        place, file = "", given
    elif not equals or not place or not file:
        raise BadInput(
            f"--dictionary {short(given)} is not understood; expected NODE=FILE or NODE.NAME=FILE, "
            "or a FILE that names its node"
        )
    node, name = place, NAME
    if place and place not in model.aliases and "." in place:
        node, _, name = place.rpartition(".")
    if not Path(file).exists():
        raise NotFound(f"--dictionary {short(given)}: there is no file {file}")
    own = [text for text in settings if _split(text)[0] in (None, f"{node}.{name}", name, node)]
    options = options_of(own)
    writes = options.pop("writes", None)
    made = model.attach(node or None, Path(file), name, writes=writes, **options)
    tell(model, made.id)
    return {*own}


def check_settings(settings: Sequence[str], given: Sequence[str], read: Set[str]) -> None:
    """Raises BadInput for a `--dictionary-set` that none of the dictionaries `given` has read."""
    for text in settings:
        if text not in read:
            raise BadInput(
                f"--dictionary-set {short(text)} is of none of the dictionaries that are given "
                f"with --dictionary: {', '.join(given) or 'there is none'}"
            )


def tell(model: "Model", node: str) -> None:
    """Say what there is to know of an attached dictionary before anything is rendered of it."""
    attached = model.attached(node)
    if attached is not None:
        for note in attached.notes:
            print(f"warning: {node}: {note}", file=sys.stderr)


def options_of(settings: Sequence[str]) -> dict[str, str]:
    """KEY=VALUE texts as a mapping. Raises BadInput for a text of another form."""
    return {key: value for _, key, value in map(_split, settings)}


def _split(text: str) -> tuple[str | None, str, str]:
    """The dictionary that a setting is of (None: all of them), its key and its value."""
    key, equals, value = text.partition("=")
    which, colon, inner = key.rpartition(":")
    if not equals or not inner:
        raise BadInput(
            f"--dictionary-set {short(text)} is not understood; expected KEY=VALUE, or "
            "NODE.NAME:KEY=VALUE for one of several"
        )
    return which if colon else None, inner, value
