"""`micrograph claim`: is a unit built from others?"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from micrograph.claims import Claim
from micrograph.cli import output
from micrograph.cli.folders import atlas_folder, atlas_option, library
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.errors import BadInput

if TYPE_CHECKING:
    from micrograph.circuits.claims.evidence import Line
    from micrograph.circuits.claims.judge import Evidence


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--dataset", metavar="D", help="Pictures to test it on: toytown, a folder, ...")
@click.option(
    "--says", default="", metavar="WORDS", help="The claim in your own words, kept with it."
)
@click.option(
    "--preset",
    default="draft",
    show_default=True,
    help="How thorough pictures by optimization are: draft, standard or microscope.",
)
@click.option("--pictures", type=int, default=1000, show_default=True, help="How many are shown.")
@click.option(
    "--controls",
    type=int,
    default=200,
    show_default=True,
    help="Units of the same node that each source is compared with.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, ... [default: the best]")
@atlas_option
@model_options
def command(
    text: tuple[str, ...],
    dataset: str | None,
    says: str,
    preset: str,
    pictures: int,
    controls: int,
    as_json: bool,
    device: str | None,
    atlas: Path | None,
    asked: ModelOptions,
) -> None:
    """Test the claim TEXT: "MODEL/NODE/UNIT <- NODE/UNIT + NODE/UNIT - NODE/UNIT".

    The address of its page will do, and a sentence: "InceptionV1 4c:447 is built from 4b:373".
    A `-` says that the unit holds the target back; above, below, left, right, around or inside
    behind a unit says where it lies. The evidence goes into the atlas of the model, where the page
    of the claim shows it; without --dataset it says what is missing.
    """
    from dataclasses import replace

    from micrograph.circuits.claims.call import claim
    from micrograph.cli.render import best_device
    from micrograph.runner.keep_claim import check_atlas, keep_claim

    named = replace(_read(" ".join(text), atlas), says=says)
    folder = atlas_folder(atlas)
    model = asked.load(named.model, asked.card(named.model), device or best_device())
    if dataset is not None:
        check_atlas(model, folder)
    started = time.monotonic()
    found = claim(
        model,
        named,
        dataset,
        preset=preset,
        pictures=pictures,
        controls=controls,
        on_step=_progress() if sys.stderr.isatty() else None,
    )
    path = None
    if dataset is not None:
        path = keep_claim(
            model,
            found,
            folder,
            preset=preset,
            controls=controls,
            seconds=time.monotonic() - started,
        )
    if as_json:
        output.write_json(found.to_json())
        return
    _tell(found)
    if path is not None:
        output.say(f"page    {found.claim.path}  ({path})")


def _read(text: str, atlas: Path | None) -> Claim:
    """The claim that a text means: in its own form, of any model; else a link or a sentence about a
    model that is known."""
    from micrograph.circuits.claims.call import read
    from micrograph.resolve.claims import read_claim

    try:
        return read(text)
    except BadInput:
        told = read_claim(text, library(atlas).snapshot())
        if told is None:
            raise
        return told


def _tell(found: "Evidence") -> None:
    output.say(str(found.claim), style="bold")
    output.say(found.claim.says or _in_words(found.claim))
    asked = any(not line.missing for line in found.lines)  # 0 would mean chance
    strength = f", strength {found.strength:+.2f}" if asked else ""
    output.say(f"verdict {found.verdict}{strength}", style="bold")
    for line in found.lines:
        output.say("")
        output.say(f"{line.name}: {line.verdict}", style="bold")
        output.say(f"  {line.question}")
        if line.missing:
            output.say(f"  missing: {line.missing}; {line.command}")
            continue
        _tell_line(line)
    output.say("")
    for rule in found.to_json()["rule"]:
        output.say(f"rule    {rule}")


def _tell_line(line: "Line") -> None:
    output.table(
        ["  source", "effect", "95 %", "p", "verdict"],
        [
            [
                f"  {one.source or 'all together'}",
                f"{one.effect:+.3g}",
                "" if one.low is None else f"{one.low:+.3g} to {one.high:+.3g}",
                f"{one.p:.3g}",
                one.verdict,
            ]
            for one in line.readings
        ],
    )
    output.say(f"  effect: {line.measure}")
    output.say(f"  control: {line.control}")


def _in_words(claim: Claim) -> str:
    drive = [str(s.unit) for s in claim.sources if s.sign > 0]
    hold = [str(s.unit) for s in claim.sources if s.sign < 0]
    parts = [f"is driven by {' and '.join(drive)}"] if drive else []
    parts += [f"is held back by {' and '.join(hold)}"] if hold else []
    return f"{claim.target} {' and '.join(parts)}"


def _progress() -> Callable[[str, int, int], None]:
    def tell(what: str, done: int, of: int) -> None:
        end = "\n" if done >= of else ""
        print(f"\r{what} {done} of {of}   ", end=end, file=sys.stderr, flush=True)

    return tell
