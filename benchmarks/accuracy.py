"""How often a model's answer is right on a folder of pictures of known classes.

    python benchmarks/accuracy.py FOLDER [MODEL ...] [--limit 200]

Classes are told as for `micrograph weights verify --images`. Prints a Markdown table.
"""

import argparse
import time

from micrograph.datasets import open_dataset
from micrograph.models import load
from micrograph.runner.verify import evenly_chosen, verify


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("models", nargs="*", default=["inceptionv1_caffe", "squeezenet1_1"])
    parser.add_argument("--limit", type=int, default=200, help="pictures, spread over the folder")
    options = parser.parse_args()
    dataset = evenly_chosen(open_dataset(options.folder), options.limit)
    print("| model | pictures | top-1 | top-5 | seconds |")
    print("|---|---|---|---|---|")
    for name in options.models:
        start = time.perf_counter()
        found = verify(load(name), dataset).accuracy
        if found is None:
            print(f"| {name} | | no classes | | |")
            continue
        first, five = found.first / found.pictures, found.five / found.pictures
        seconds = time.perf_counter() - start
        print(f"| {name} | {found.pictures} | {first:.1%} | {five:.1%} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
