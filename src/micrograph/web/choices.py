"""Values of options in an address: one that is not there is refused in a line that names those
which are, never replaced by what is usual."""

from collections.abc import Collection

from micrograph.errors import BadInput, short

NAMED = 20
"""Choices that a refusal names at most."""


def check_choice(
    option: str, value: str, known: Collection[str], says: str = "is not there", of: str = ""
) -> None:
    """Raises BadInput for a value of an option that is not `known`; `of` says of what these are."""
    if value not in known:
        names = " or ".join([*known][:NAMED]) or "none"
        more = f" or one of {len(known) - NAMED} others" if len(known) > NAMED else ""
        where = f" for {of}" if of else ""
        raise BadInput(f"{option}={short(value)} {says}; expected {names}{more}{where}")
