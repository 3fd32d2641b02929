"""`micrograph sweep`: a dataset swept in parts, on several machines, and merged into an atlas."""

import re
import sys
from pathlib import Path

import click

from micrograph.cli import output
from micrograph.cli.folders import atlas_folder, atlas_option
from micrograph.cli.given import refuse
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.errors import BadInput, short


def _shard(context: click.Context, parameter: click.Parameter, text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise BadInput(f"--shard {short(text)} is not understood; expected I/N, from 1/N to N/N")
    return int(found[1]), int(found[2])


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="MODEL | --merge FILE...")
@click.option("--merge", is_flag=True, help="Merge FILEs of all shards into the atlas.")
@click.option("--dataset", metavar="D", help="toytown, a folder, TAR shards, hf:NAME:SPLIT.")
@click.option("--shard", default="1/1", metavar="I/N", callback=_shard, help="Part I of N.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Where the part goes.")
@click.option("--node", "-n", "nodes", multiple=True, metavar="N", help="As of `render`.")
@click.option("-k", type=int, default=16, metavar="K", help="Top pictures.", show_default=True)
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, ... [default: the best]")
@model_options
@atlas_option
def command(
    names: tuple[str, ...],
    merge: bool,
    dataset: str | None,
    shard: tuple[int, int],
    out: Path | None,
    nodes: tuple[str, ...],
    k: int,
    device: str | None,
    asked: ModelOptions,
    atlas: Path | None,
) -> int:
    """Sweep a dataset for `dataset_examples` in parts.

    Each part goes into a file: `sweep MODEL --dataset D --shard 2/8 --out part2`. Then
    `sweep --merge part*` puts them into the atlas, as one sweep would have. On one machine
    `render MODEL --technique dataset_examples` does all of it.
    """
    from micrograph.cli.render import best_device
    from micrograph.runner import parts, progress_for

    progress = progress_for(sys.stderr)
    if merge:
        refuse("--out", "--node", "--shard", "-k", reason="--merge takes parts as they are")
        whole, source = parts.merge_parts([Path(name) for name in names])
        folder = atlas_folder(atlas)
        name = whole.spec.model
        model = asked.load(name, asked.card(name), device or best_device())
        summary = parts.store_merged(
            model, whole, folder, dataset=dataset or source, progress=progress
        )
        output.say(str(summary))
        return 130 if summary.interrupted else 0
    if len(names) != 1 or out is None or dataset is None:
        raise BadInput("expected one MODEL with --dataset D and --out FILE, or --merge FILE...")
    model = asked.load(names[0], asked.card(names[0]), device or best_device())
    tally = parts.sweep_part(
        model, out, dataset=dataset, shard=shard, nodes=nodes or None, k=k, progress=progress
    )
    left = f"; {len(tally.skipped)} pictures were left out" if tally.skipped else ""
    output.say(f"shard {shard[0]}/{shard[1]} is in {out}{left}")
    if shard[1] > tally.spec.batches:
        count = tally.spec.batches
        many = "1 batch" if count == 1 else f"{count} batches"
        output.say(
            f"  note: {dataset} is {many}; batches are not divided, so some shards are empty"
        )
    for number in sorted(tally.skipped)[:5]:
        output.say(f"  {number}: {tally.skipped[number]}")
    return 0
