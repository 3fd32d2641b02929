"""What a page says of the photographs of a published set."""

from collections.abc import Sequence

from micrograph.published import copy_of, listing_by_digest


def photograph_note(dataset: str, numbers: Sequence[int], shown: bool) -> str:
    """What a reader should know of pictures of a published set: how to get them where they are not
    shown, and that those of their copy are not the very files that were measured; else ""."""
    listed = listing_by_digest(dataset)
    if listed is None:
        return ""
    if not shown:
        return how_to_get(dataset)
    copy = copy_of(listed)
    if dataset == listed.digest and any(copy.is_other_form(n) for n in numbers):
        return (
            "Your copy has these photographs scaled down. The values are those of the pictures as "
            "they are published, to which a network answers a little differently; "
            f"`{listed.command}` gets those."
        )
    return ""


def how_to_get(dataset: str) -> str:
    """How to get the pictures of a published set, in a sentence with the command in backticks; ""
    for a dataset that is none."""
    listed = listing_by_digest(dataset)
    if listed is None:
        return ""
    return (
        "These photographs are not ours to pass on: each tile names what is on its picture. "
        f"`{listed.command}` gets your own copy of all {len(listed):,} "
        f"({listed.size / 1e6:.0f} MB); then they are shown here."
    )
