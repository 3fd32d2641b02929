"""How often a model's answer is right on a folder of pictures with one picture per class.

    python benchmarks/accuracy.py FOLDER [MODEL ...] [--every 5]

The folder holds one picture per class of ImageNet, in the order of the classes when sorted by name
(as `nXXXXXXXX_name.jpg` is). Prints a Markdown table.
"""

import argparse
import time
from pathlib import Path

import torch

from micrograph.models import load
from micrograph.models.model import Model
from micrograph.models.pictures import read_picture


@torch.no_grad()
def accuracy(model: Model, files: list[Path], every: int, batch: int = 10) -> tuple[float, float]:
    """Share of every `every`-th picture whose class is first, and among the first five."""
    output = list(model.nodes)[-1]
    classes = range(0, len(files), every)
    first = five = 0
    for start in range(0, len(classes), batch):
        chosen = classes[start : start + batch]
        images = torch.stack([read_picture(files[c], model.preprocessing) for c in chosen])
        images = images.contiguous(memory_format=torch.channels_last)
        best = model.run(images, [output])[output].topk(5).indices
        hits = best == torch.tensor(list(chosen))[:, None]
        first += int(hits[:, 0].sum())
        five += int(hits.sum())
    return first / len(classes), five / len(classes)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", nargs="*", default=["inceptionv1_caffe", "squeezenet1_1"])
    parser.add_argument("--every", type=int, default=5, help="take every n-th picture")
    options = parser.parse_args()
    files = sorted(p for p in options.folder.iterdir() if p.suffix == ".jpg")
    print("| model | pictures | top-1 | top-5 | seconds |")
    print("|---|---|---|---|---|")
    for name in options.models:
        start = time.perf_counter()
        first, five = accuracy(load(name), files, options.every)
        count = len(range(0, len(files), options.every))
        seconds = time.perf_counter() - start
        print(f"| {name} | {count} | {first:.1%} | {five:.1%} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
