"""The option `--dictionary`: latents and directions as units of a node of their own."""

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
    metavar="NODE[.NAME]=FILE",
    help="Directions or a sparse autoencoder over NODE (safetensors): its latents are the units of "
    "the node NODE.NAME. Repeatable. [default NAME: sae]",
)


def attach(model: "Model", given: str) -> None:
    """Attach what `NODE[.NAME]=FILE` says. Raises as `Model.attach`."""
    place, equals, file = given.partition("=")
    if not equals or not place or not file:
        raise BadInput(
            f"--dictionary {short(given)} is not understood; expected NODE=FILE or NODE.NAME=FILE"
        )
    node, name = place, NAME
    if place not in model.aliases and "." in place:
        node, _, name = place.rpartition(".")
    if not Path(file).is_file():
        raise NotFound(f"--dictionary {short(given)}: there is no file {file}")
    model.attach(node, Path(file), name)
