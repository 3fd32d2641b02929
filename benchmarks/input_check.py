"""What the input check says of networks whose preprocessing is known: the right one and wrong ones.

`python benchmarks/input_check.py [MODEL ...]`
"""

import sys
from dataclasses import replace

from micrograph import load
from micrograph.models.inputcheck import alternatives, check_input, measure

MODELS = ("inceptionv1_caffe", "squeezenet1_1", "toytown", "toytown_clip")


def main(models: list[str]) -> None:
    print("| model | input | contrast | sure of noise | warning |\n|---|---|---|---|---|")
    for name in models or MODELS:
        model = load(name)
        right = model.preprocessing
        swapped = replace(
            right,
            channel_order=right.channel_order[::-1],
            mean=right.mean[::-1],
            std=right.std[::-1],
        )
        trials = {"right": right, **dict(alternatives(right)), "swapped": swapped}
        for title, given in trials.items():
            model.card = replace(model.card, preprocessing=given)
            seen, said = measure(model, given), check_input(model)
            better = said[0].partition("; ")[2].partition(" would")[0] if said else ""
            told = f"yes; {better}" if better else "yes" if said else ""
            shares = f"{seen.contrast:.2f} | {seen.certainty:.2f}"
            print(f"| {name} | {title} | {shares} | {told} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
