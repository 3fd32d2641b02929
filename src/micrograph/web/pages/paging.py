"""Long lists in pages: so that whatever an atlas holds, an answer has a size and a time."""

from collections.abc import Callable
from dataclasses import dataclass

from micrograph.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Paging:
    """Page `number` of `pages`, counted from 1, of a list of `total`: those from `first` up to, not
    including, `end`. `previous` and `next` are the addresses beside it, or ""."""

    total: int
    number: int
    pages: int
    first: int
    end: int
    previous: str
    next: str

    @classmethod
    def of(cls, total: int, number: int, size: int, what: str, url: Callable[[int], str]) -> "Paging":
        """`size` is how many a page has, `what` the list is of. Raises NotFound behind the end."""
        pages = max(1, -(-total // size))
        if not 1 <= number <= pages:
            raise NotFound(f"There is no page {number} of {what}; the last one is {pages}.")
        return cls(
            total=total,
            number=number,
            pages=pages,
            first=(number - 1) * size,
            end=min(total, number * size),
            previous=url(number - 1) if number > 1 else "",
            next=url(number + 1) if number < pages else "",
        )
