"""Which pictures a published set has: their names, classes and digests, and where they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from urllib.parse import quote

from micrograph.cards.zoo._imagenet import CLASSES
from micrograph.errors import not_found
from micrograph.published.digests import digest_of_pictures


@dataclass(frozen=True)
class Edition:
    """One form of a picture's file: the SHA-256 (64 hex digits) and the number of its bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Listed:
    """One picture: its file's name, the number of its class, and its file as it is published.
    `further` are other forms of the same picture that do as well."""

    name: str
    cls: int
    published: Edition
    further: tuple[Edition, ...] = ()

    @property
    def editions(self) -> tuple[Edition, ...]:
        """Every form of it, that of its publisher first."""
        return (self.published, *self.further)


@dataclass(frozen=True, eq=False)
class Listing:
    """A published set of pictures, in an order that never changes.

    `name` is what commands and recipes call it, `address` what the files' names are put behind to
    fetch them, `home` is for people. `terms` says in a sentence whose the pictures are.
    """

    name: str
    title: str
    home: str
    address: str
    licence: str
    terms: str
    classes: tuple[str, ...]
    pictures: tuple[Listed, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.pictures)

    @cached_property
    def size(self) -> int:
        """Bytes of all files as they are published."""
        return sum(one.published.size for one in self.pictures)

    @property
    def command(self) -> str:
        """What gets the reader a copy."""
        return f"micrograph dataset fetch {self.name}"

    def url(self, number: int) -> str:
        """Where a picture's file is."""
        return self.address + quote(self.pictures[number].name)

    @cached_property
    def digest(self) -> str:
        """The digest of the dataset that these pictures are, as they are published."""
        return self.digests[0]

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """As `digest`, of each form in which all of them are listed."""
        forms = min((len(one.editions) for one in self.pictures), default=1)
        return tuple(
            digest_of_pictures(
                self.classes,
                ((one.name, one.cls, one.editions[form].sha256) for one in self.pictures),
            )
            for form in range(forms)
        )


def listings() -> Mapping[str, Listing]:
    """Every set that is known, by name."""
    return {name: make() for name, make in KNOWN.items()}


def listing(name: str) -> Listing:
    """The set of that name. Raises NotFound."""
    known = listings()
    if name not in known:
        raise not_found("published dataset", name, known)
    return known[name]


def listing_by_digest(digest: str) -> Listing | None:
    """The set whose pictures, in one of their forms, are the dataset of that digest."""
    return next((one for one in listings().values() if digest in one.digests), None)


@cache
def imagenet_samples() -> Listing:
    """One picture of each of ImageNet's thousand classes."""
    commit = "bc69043e2862758a1906c6a24a792bb28c6bb2ff"
    repository = "EliSchwartz/imagenet-sample-images"
    return Listing(
        name="imagenet-samples",
        title="1,000 ImageNet samples",
        home=f"https://github.com/{repository}",
        address=f"https://raw.githubusercontent.com/{repository}/{commit}/",
        licence="not passed on",
        terms=(
            "The photographs belong to those who took them; ImageNet's terms allow non-commercial "
            "research and education. Micrograph passes none of them on."
        ),
        classes=CLASSES,
        pictures=_read("imagenet-samples.txt"),
    )


def _read(file: str) -> tuple[Listed, ...]:
    """The pictures of a list; their classes are numbered as they stand."""
    text = files("micrograph.published").joinpath(file).read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return tuple(
        Listed(name, cls, Edition(sha, int(size)), (Edition(small, int(small_size)),))
        for cls, (sha, size, small, small_size, name) in enumerate(lines)
    )


KNOWN: dict[str, Callable[[], Listing]] = {"imagenet-samples": imagenet_samples}
"""What gives each set, the same object each time, by the set's name."""
