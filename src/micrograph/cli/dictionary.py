"""`micrograph dictionary`: train a sparse dictionary of a node's values, or check one."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from micrograph.cli import output
from micrograph.cli.dictionary_option import options_of, tell
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.errors import Unavailable


class _TrainByDefault(click.Group):
    """A group whose `default` command is meant where none of them is named."""

    default = "train"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_TrainByDefault)
def command() -> None:
    """Train a sparse dictionary of a node, or check one that there is.

    `micrograph dictionary MODEL NODE --dataset D --out FILE` trains.
    """


@command.command()
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
def train(
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
    from micrograph.runner.train_dictionary import train as train_dictionary

    if out.is_dir() or not out.absolute().parent.is_dir():
        raise Unavailable(f"cannot write {out}; its folder must be there, and it be no folder")
    loaded = asked.load(model, asked.card(model), device or best_device())
    place = loaded.node(node)
    settings = DictionarySettings(
        5 * place.units if latents is None else latents, k, steps=steps, seed=seed
    )
    found = train_dictionary(loaded, place.id, dataset, out, settings, progress_for(sys.stderr))
    output.say(
        f"{settings.latents} latents over {place.id} are in {out}: on pictures held out they "
        f"explain {found.explained:.1%} of the variance, {found.l0:.3g} at a position; "
        f"{found.dead:.1%} were silent there"
    )


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--model", required=True, metavar="M", help="The model that it is made for.")
@click.option("--node", metavar="N", help="What it reads. [default: the node that FILE names]")
@click.option("--dataset", required=True, metavar="D", help="Pictures, as of `render`.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--device", metavar="D", help="cpu, cuda, ... [default: the best]")
@model_options
def check(
    file: Path,
    model: str,
    node: str | None,
    dataset: str,
    as_json: bool,
    device: str | None,
    asked: ModelOptions,
) -> None:
    """Measure the dictionary in FILE on a dataset, beside the figures that it states.

    How many latents speak at a position (L0), how much of the variance they explain, and how many
    never speak. A dictionary in the wrong place, or read in the wrong way, explains little.
    """
    from micrograph.cli.render import best_device
    from micrograph.runner import progress_for
    from micrograph.runner.check_dictionary import check_dictionary

    options = options_of(asked.dictionary_settings)  # all are of FILE
    asked = replace(asked, dictionary_settings=())
    loaded = asked.load(model, asked.card(model), device or best_device())
    made = loaded.attach(node, file, "check", writes=options.pop("writes", None), **options)
    tell(loaded, made.id)
    found = check_dictionary(loaded, made.id, dataset, progress_for(sys.stderr))
    if as_json:
        output.write_json(found.as_json())
        return
    about = found.about
    how = ", ".join(str(about[key]) for key in ("format", "architecture") if about.get(key))
    output.say(
        f"{found.latents} latents over {found.node}"
        + (f", writing {found.writes}" if found.writes != found.node else "")
        + (f" ({how})" if how else "")
        + f", on {found.pictures} pictures, {found.positions} positions"
    )
    output.table(("figure", "here", "stated"), found.rows())
