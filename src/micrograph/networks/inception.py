"""What the ports of GoogLeNet have in common: shapes of an inception block, and captum's names."""

from collections.abc import Iterator, Mapping, Sequence


def branches(inputs: int, widths: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Kernel shapes [output, input, y, x] of a block's convolutions; `widths` as in
    `layers.Inception`."""
    one, three_reduce, three, five_reduce, five, pool = widths
    return {
        "1x1": (one, inputs, 1, 1),
        "3x3_reduce": (three_reduce, inputs, 1, 1),
        "3x3": (three, three_reduce, 3, 3),
        "5x5_reduce": (five_reduce, inputs, 1, 1),
        "5x5": (five, five_reduce, 5, 5),
        "pool_proj": (pool, inputs, 1, 1),
    }


def convolutions(
    inputs: int, blocks: Mapping[str, Sequence[int]]
) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """(block, branch, kernel shape) of all blocks, one behind the other."""
    for block, widths in blocks.items():
        for branch, shape in branches(inputs, widths).items():
            yield block, branch, shape
        inputs = widths[0] + widths[2] + widths[4] + widths[5]


def in_captum(block: str, branch: str) -> str:
    """The module of captum's ports (pytorch/captum, optim): `mixed3a.conv_3x3_reduce`."""
    return f"mixed{block}.{branch if branch == 'pool_proj' else f'conv_{branch}'}"
