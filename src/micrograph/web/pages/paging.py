"""Long lists in pages: so that whatever an atlas holds, an answer has a size and a time."""

from collections.abc import Callable, Sequence
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
    def of(
        cls, pages: Sequence[range], number: int, what: str, url: Callable[[int], str]
    ) -> "Paging":
        """`pages` are what each page has, `what` the list is of. Raises NotFound behind the end."""
        if not 1 <= number <= len(pages):
            raise NotFound(f"There is no page {number} of {what}; the last one is {len(pages)}.")
        return cls(
            total=pages[-1].stop,
            number=number,
            pages=len(pages),
            first=pages[number - 1].start,
            end=pages[number - 1].stop,
            previous=url(number - 1) if number > 1 else "",
            next=url(number + 1) if number < len(pages) else "",
        )


def pages_of(total: int, size: int) -> list[range]:
    """Pages of `size` each, the last one shorter; one of a list that is empty."""
    return [range(n, min(total, n + size)) for n in range(0, max(1, total), size)]
