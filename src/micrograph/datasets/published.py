"""Published sets of pictures, from the reader's own copy."""

from PIL import Image

from micrograph.datasets.base import Dataset, Entry
from micrograph.pictures import decode
from micrograph.published import copy_of, listing
from micrograph.published.digests import digest_of_pictures


def open_dataset(name: str) -> Dataset:
    """The set `name` (`imagenet-samples`).

    Its files were verified one by one when they came, and are again whenever they are read: the
    digest follows from the list. Raises NotFound for a set that is none, Unavailable where the
    copy is not complete.
    """
    listed = listing(name)
    copy = copy_of(listed)
    editions = copy.editions(range(len(listed))).values()
    there = [one.sha256 for one in editions if one is not None]
    if len(there) < len(listed):
        raise copy.lacking(
            f"{len(listed) - len(there):,} of the {len(listed):,} pictures of {name} are not here"
        )

    def picture(number: int) -> Image.Image:
        return decode(copy.read(number), listed.pictures[number].name)

    digest = digest_of_pictures(
        listed.classes,
        ((p.name, p.cls, sha) for p, sha in zip(listed.pictures, there, strict=True)),
    )
    return Dataset(
        spec=name,
        name=listed.name,
        title=listed.title if digest == listed.digest else f"{listed.title}, scaled copies",
        digest=digest,
        entries=[Entry(one.name, one.cls) for one in listed.pictures],
        picture=picture,
        classes=listed.classes,
        licence=listed.licence,
        published=True,
    )
