"""What is killed by kill_rounds.py: commands that write, each with what must hold after any kill.

A work is done in a folder, as often as it takes: what is finished is left as it is.
"""

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from sweeping import pictures
from torch import nn

from micrograph.atlas import Atlas, compact, copy, verify
from micrograph.cards import card
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, Conflict, NotFound
from micrograph.files import write_atomically
from micrograph.models.model import Model
from micrograph.organisms import toytown
from micrograph.published import Copy
from micrograph.published.fetching import fetch_pictures
from micrograph.published.importing import import_pictures
from micrograph.runner import parts, render
from micrograph.sweep import collecting
from micrograph.weights import store
from micrograph.weights.importing import import_weights

UNITS = {"0": 10, "3": 14}
collecting.CHECKPOINT = 32


@dataclass(frozen=True)
class Work:
    """`run` does it in a folder. `state` says how far it is there: "" for nothing, "whole" at the
    end; it fails where something that is not whole can be taken for it."""

    run: Callable[[Path], None]
    state: Callable[[Path], str]


def small_model() -> Model:
    """Two convolutions with fixed random weights."""
    torch.set_num_threads(1)
    torch.manual_seed(7)
    module = nn.Sequential(
        nn.Conv2d(3, 10, 3, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 14, 3), nn.ReLU()
    )
    return Model.of(module, id="small", preprocessing=Preprocessing(size=32, resize=32))


def render_all(folder: Path) -> None:
    """Every unit under two seeds, three units to a batch."""
    render(
        small_model(),
        folder,
        nodes=list(UNITS),
        batch=3,
        size=24,
        steps=2,
        repeats=2,
        image_format="png",
    )


def rendered(folder: Path) -> str:
    stored = 0
    try:
        atlas = Atlas.open(folder / "small.atlas")
        stored = sum(len(atlas.visualizations(n, u)) for n in UNITS for u in range(UNITS[n]))
    except NotFound:
        pass
    return "whole" if stored == 2 * sum(UNITS.values()) else str(stored or "")


def dataset(folder: Path) -> str:
    """300 pictures beside the folder, made by the first who asks."""
    root = folder.parent / "pictures"
    return str(root if root.exists() else pictures(root, 300))


def sweep(folder: Path) -> None:
    render(
        small_model(),
        folder,
        technique=["dataset_examples"],
        dataset=dataset(folder),
        image_format="png",
    )


def swept(folder: Path) -> str:
    try:
        found = verify(folder / "small.atlas").results  # with one of each node
    except NotFound:
        return ""
    work = [path for path in folder.glob("*.part/*") if not path.name.startswith(".")]
    assert len(work) <= 1, f"unfinished work piles up: {work}"
    return "whole" if found == sum(UNITS.values()) + len(UNITS) else f"{found}, {len(work)} begun"


def sweep_in_parts(folder: Path) -> None:
    """Three parts, then merged, as `micrograph sweep` does."""
    folder.mkdir(exist_ok=True)
    model, source = small_model(), dataset(folder)
    for number in (1, 2, 3):
        out = folder / f"part{number}"
        parts.sweep_part(model, out, dataset=source, shard=(number, 3))
    whole, named = parts.merge_parts(sorted(folder.glob("part*")))
    parts.store_merged(model, whole, folder / "atlas", dataset=named)


def swept_in_parts(folder: Path) -> str:
    """What `part*` means to a shell merges to the whole, to the bit, or is refused."""
    files = [path for path in sorted(folder.glob("part*")) if not path.name.startswith(".")]
    try:
        merged, _ = parts.merge_parts(files)
    except BadInput as error:
        if not re.search(r"^(no parts given|the parts hold .* missing|not finished: )", str(error)):
            raise
        return f"{len(files)} begun" if files else ""
    known = folder.parent / "whole-tally.npz"
    if not known.exists():
        np.savez(known, **merged.arrays)
    with np.load(known) as whole:
        assert all(np.array_equal(whole[name], merged.arrays[name]) for name in whole.files)
    return swept(folder / "atlas") or "merged"


def at_home(folder: Path) -> None:
    """Let data of this user lie in the folder."""
    os.environ["XDG_DATA_HOME"] = str(folder)
    for name in ("MICROGRAPH_WEIGHTS", "MICROGRAPH_DATASETS"):
        os.environ.pop(name, None)


def original(folder: Path) -> Path:
    """Weights of toytown as PyTorch writes them."""
    path = folder.parent / "toytown.pt"
    if not path.exists():
        tensors = toytown_tensors()
        fresh = path.with_name("fresh.pt")
        torch.save(tensors, fresh)
        fresh.rename(path)
    return path


def toytown_tensors() -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(Path(toytown.__file__).parent / "weights.safetensors")


def import_original(folder: Path) -> None:
    at_home(folder)
    import_weights("toytown", original(folder))


def imported(folder: Path) -> str:
    at_home(folder)
    names = visible(store.data_folder())
    assert names in ([], ["toytown.safetensors"])
    if names:
        store.read(card("toytown"), store.import_path(card("toytown")))
    return "whole" if names else ""


def source_atlas(folder: Path) -> Path:
    """A whole render beside the folder."""
    if not (folder.parent / "source" / "small.atlas").exists():
        render_all(folder.parent / "source")
    return folder.parent / "source" / "small.atlas"


EXPORTS: dict[str, Callable[[Path, Path], object]] = {
    "compact.atlas": compact,
    "extract.atlas": lambda source, target: copy([source], target, nodes=["0"]),
    "merge.atlas": lambda source, target: copy([source, source], target),
    "repair.atlas": lambda source, target: copy([source], target, strict=False),
}


def export(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    source = source_atlas(folder)
    for name, make in EXPORTS.items():
        with suppress(Conflict):  # it is there, whole
            make(source, folder / name)


def exported(folder: Path) -> str:
    names = visible(folder)
    for name in names:
        account = verify(folder / name)
        units = UNITS["0"] if name == "extract.atlas" else sum(UNITS.values())
        assert (account.results, account.losses) == (2 * units, []), name
    return "whole" if names == sorted(EXPORTS) else ", ".join(names)


def published(folder: Path) -> Copy:
    """The reader's copy of a set that a server of this machine gives: it stands in the
    environment where."""
    import published_samples as samples

    at_home(folder)
    return Copy(replace(samples.listing(), address=os.environ["PICTURES_AT"]))


def fetch(folder: Path) -> None:
    fetch_pictures(published(folder), pause=0.01)


def take(folder: Path) -> None:
    """The same from a folder of pictures."""
    import published_samples as samples

    found = folder.parent / "taken"
    if not found.exists():
        samples.fill(found)
    import_pictures(published(folder), found)


def fetched(folder: Path) -> str:
    import published_samples as samples

    own = published(folder)
    there = [number for number in range(len(own.listing)) if own.has(number)]
    names = visible(own.wanted_at)
    assert names == sorted(own.listing.pictures[number].name for number in there)
    assert all(own.read(number) == samples.drawing(number) for number in there)
    return "whole" if len(there) == len(own.listing) else str(len(there) or "")


def write_plain(folder: Path) -> None:
    """Three large files, over and over."""
    for number in range(3):
        for letter in (b"a", b"b"):
            write_atomically(folder / f"{number}.json", [letter * 2**20] * 2)


def written(folder: Path) -> str:
    names = visible(folder)
    for name in names:
        assert (folder / name).read_bytes() in (b"a" * 2**21, b"b" * 2**21)
    last = names == ["0.json", "1.json", "2.json"] and (folder / "2.json").read_bytes()[:1] == b"b"
    return "whole" if last else json.dumps(names)


def visible(folder: Path) -> list[str]:
    """The names in a folder that are not hidden; of hidden ones there are never many."""
    names = sorted(os.listdir(folder)) if folder.exists() else []
    hidden = [name for name in names if name.startswith(".")]
    assert len(hidden) <= 8, f"leftovers pile up: {hidden}"
    return [name for name in names if name not in hidden]


WORKS = {
    "render": Work(render_all, rendered),
    "sweep": Work(sweep, swept),
    "parts": Work(sweep_in_parts, swept_in_parts),
    "import": Work(import_original, imported),
    "export": Work(export, exported),
    "fetch": Work(fetch, fetched),
    "take": Work(take, fetched),
    "write": Work(write_plain, written),
}
