"""What a prototype costs beside a feature visualization, and a sheet of both.

    python benchmarks/prototype.py --pictures FOLDER --work FOLDER [--write] [--sheet FILE]

Two units each of six nodes of BVLC GoogLeNet with its real weights (MICROGRAPH_WEIGHTS), pictures
of 224 px by the standard preset, in turns in one process; the time is the processor's, not the
clock's. That of a prototype has two parts: what its examples say, once a unit, and the picture.
The examples come from a sweep over the folder, which is kept in --work. The sheet shows of each
unit the feature visualization, the prototype, and what the strongest examples are called.
"""

import argparse
import statistics
import textwrap
import time
from pathlib import Path

import numpy as np
import torch
from page_tables import write_between
from PIL import Image, ImageDraw, ImageFont

import micrograph
from micrograph import lenses, load
from micrograph.lenses.engines.base import Rendered
from micrograph.models.model import Model
from micrograph.runner.examples import ExamplesInAtlases
from micrograph.runner.options import jobs_of

NAMES = ("3b", "4a", "4b", "4c", "4e", "5b")
UNITS = {f"inception_{name}": [5, 300] for name in NAMES} | {"inception_4c": [447, 1]}
SIDE, TEXT, GAP, LINE = 224, 150, 8, 15


def measured(
    model: Model, lens: str, node: str, units: list[int], atlas: Path, **options: object
) -> tuple[list[Rendered], float]:
    """The pictures, and the seconds of the processor for each."""
    engine = lenses.get(lens)
    ((_, job),) = jobs_of([engine], model, options, ExamplesInAtlases(atlas))
    started = time.process_time()
    made = [one for one in engine.run(model, node, units, job) if isinstance(one, Rendered)]
    return made, (time.process_time() - started) / len(units)


def names(folder: Path, numbers: list[int]) -> list[str]:
    """What pictures are called, without the number of their class."""
    files = sorted(path.stem for path in folder.iterdir())
    return [files[number].partition("_")[2].replace("_", " ") for number in numbers]


def sheet(cells: list[tuple[str, np.ndarray, np.ndarray, list[str]]], columns: int) -> Image.Image:
    """Both pictures of each unit side by side, its name and those of its examples beside them."""
    wide, high = 2 * SIDE + TEXT + GAP, SIDE + GAP
    rows = -(-len(cells) // columns)
    page = Image.new("RGB", (columns * wide, rows * high), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    for i, (name, first, second, called) in enumerate(cells):
        x, y = i % columns * wide, i // columns * high
        page.paste(Image.fromarray(first), (x, y))
        page.paste(Image.fromarray(second), (x + SIDE, y))
        lines = [name, ""]
        for one in called:
            lines += textwrap.wrap(one, 20, subsequent_indent="  ")
        for k, line in enumerate(lines[: SIDE // LINE]):
            draw.text((x + 2 * SIDE + 6, y + LINE * k), line, "black", font)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help="put the table into docs")
    parser.add_argument("--sheet", type=Path, help="a WebP file to write")
    args = parser.parse_args()
    model, dataset = load("inceptionv1_caffe"), str(args.pictures)
    micrograph.render(
        model, args.work, technique="dataset_examples", nodes=list(UNITS), dataset=dataset
    )
    atlas = args.work / f"{model.id}.atlas"
    measured(model, "feature_vis", "inception_3b", [0], atlas, steps=3)  # the first is slower
    rows, ratios, cells = [], [], []
    for node, units in UNITS.items():
        plain, plain_s = measured(model, "feature_vis", node, units, atlas)
        _, once_s = measured(model, "prototype", node, units, atlas, dataset=dataset, steps=1)
        made, made_s = measured(model, "prototype", node, units, atlas, dataset=dataset)
        ratios.append(made_s / plain_s)
        rows.append(f"| {node} | {plain_s:.2f} | {made_s:.2f} | {once_s:.2f} | {ratios[-1]:.1f}x |")
        print(rows[-1], flush=True)
        for one, other in zip(plain, made, strict=True):
            assert one.image is not None
            assert other.image is not None
            called = names(args.pictures, other.data["examples"])
            cells.append((f"{node}/{one.unit}", one.image, other.image, called))
    machine = f"{torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"
    text = "\n".join(
        [
            f"{machine}; seconds of the processor for each unit, two at a time:\n",
            "| node | `feature_vis` | `prototype` | of it the examples | ratio |",
            "|---|---|---|---|---|",
            *rows,
            f"\nMedian {statistics.median(ratios):.1f}x, at most {max(ratios):.1f}x.\n",
        ]
    )
    print(text)
    if args.sheet:
        sheet(cells, 2).save(args.sheet, quality=62, method=6)
    if args.write:
        write_between("prototype.py", text)


if __name__ == "__main__":
    main()
