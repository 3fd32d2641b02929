"""`micrograph dictionary`: train a sparse dictionary of a node's values."""

import sys
from pathlib import Path

import click

from micrograph.cli import output
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.errors import Unavailable


@click.command()
@click.argument("model")
@click.argument("node")
@click.option("--dataset", required=True, metavar="D", help="Pictures, as of `render`.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where it goes: safetensors, fp16.",
)
@click.option("--latents", type=int, metavar="N", help="How many. [default: 5 for each unit]")
@click.option(
    "-k",
    type=int,
    default=8,
    metavar="K",
    show_default=True,
    help="Latents that speak at a position, on average.",
)
@click.option(
    "--steps", type=int, default=5000, metavar="N", show_default=True, help="Training steps."
)
@click.option("--seed", type=int, default=0, metavar="S", show_default=True, help="Random seed.")
@click.option("--device", metavar="D", help="cpu, cuda, ... for the network. [default: the best]")
@model_options
def command(
    model: str,
    node: str,
    dataset: str,
    out: Path,
    latents: int | None,
    k: int,
    steps: int,
    seed: int,
    device: str | None,
    asked: ModelOptions,
) -> None:
    """Train a sparse dictionary of NODE of MODEL on a dataset.

    Stop at any moment, run the same command again, and it goes on. To see its latents as units:
    `micrograph render MODEL --dictionary NODE=FILE -n NODE.sae`.
    """
    from micrograph.cli.render import best_device
    from micrograph.runner import progress_for
    from micrograph.runner.batch_topk import DictionarySettings
    from micrograph.runner.train_dictionary import train

    if out.is_dir() or not out.absolute().parent.is_dir():
        raise Unavailable(f"cannot write {out}; its folder must be there, and it be no folder")
    loaded = asked.load(model, asked.card(model), device or best_device())
    place = loaded.node(node)
    settings = DictionarySettings(
        5 * place.units if latents is None else latents, k, steps=steps, seed=seed
    )
    found = train(loaded, place.id, dataset, out, settings, progress_for(sys.stderr))
    output.say(
        f"{settings.latents} latents over {place.id} are in {out}: on pictures held out they "
        f"explain {found.explained:.1%} of the variance, {found.l0:.3g} at a position; "
        f"{found.dead:.1%} were silent there"
    )
