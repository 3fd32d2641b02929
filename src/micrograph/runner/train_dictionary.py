"""A sparse dictionary of a node: its values on a dataset, collected, trained on, and measured."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from micrograph.datasets import Dataset, batches, open_dataset
from micrograph.errors import BadInput, Conflict, Unavailable
from micrograph.files import cannot_write, locked, remove_folder, write_atomically
from micrograph.lenses.engines.common import in_range
from micrograph.models.dictionaries.reading import of_tensors
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.recipe import digest
from micrograph.runner.batch_topk import DictionarySettings, Training
from micrograph.runner.progress import Progress, Silent
from micrograph.weights.formats import write_safetensors
from micrograph.weights.tensors import to_raw

_TOGETHER = 32
_PART = ".part"


@dataclass(frozen=True)
class DictionaryQuality:
    """On pictures held out: the share of the variance `explained`, how many latents are active at a
    position (`l0`), and the share that never is (`dead`)."""

    explained: float
    l0: float
    dead: float


def train(
    model: Model,
    node: str,
    dataset: str,
    out: Path,
    settings: DictionarySettings,
    progress: Progress | None = None,
) -> DictionaryQuality:
    """Train a dictionary of `node` and write it to `out` (safetensors, fp16).

    Unfinished work lies in a folder beside it, and the same call goes on from there. Raises
    BadInput for settings out of range, Conflict where the folder belongs to another training,
    Unavailable where it cannot be written.
    """
    place = model.node(node)
    _check(settings)
    pictures = open_dataset(dataset)
    if len(pictures) < 2:
        raise BadInput(f"dataset {dataset} has {len(pictures)} picture; expected two and more")
    about = {
        "model": model.id,
        "weights": model.digest,
        "node": place.id,
        "dataset": pictures.digest,
        **asdict(settings),
    }
    each = min(settings.positions, _positions(place))
    with _folder(out, about) as folder:
        values = _collect_values(model, place, pictures, settings, folder, progress or Silent())
        kept = _training_pictures(len(pictures), settings) * each
        training = Training(values[:kept], settings, folder)
        training.run(progress or Silent())
        tensors = {name: t.half() for name, t in training.unscaled_tensors().items()}
        quality = measure(tensors, torch.from_numpy(values[kept:]))
        said = {
            "activation": "jumprelu",
            "subtract": "false",
            "node": place.id,
            "model": model.id,
            "title": f"sparse dictionary of {model.id}/{place.id}",
            "trained": json.dumps(about, sort_keys=True),
            "l0": f"{quality.l0:.3g}",
            "explained": f"{quality.explained:.4g}",
        }
        write_safetensors(out, {name: to_raw(t) for name, t in tensors.items()}, said)
        remove_folder(folder)
    return quality


@torch.no_grad()
def measure(tensors: dict[str, Tensor], values: Tensor) -> DictionaryQuality:
    """How well the tensors of a dictionary do on `values` [position, unit]."""
    dictionary = of_tensors(tensors, values.shape[1], activation="jumprelu", subtract=False)
    values = values.float()
    centre = values.mean(0)
    active = torch.zeros(dictionary.latents)
    left = 0.0
    for part in torch.split(values, 8192):
        latents = dictionary.values(part)
        left += float((part - dictionary.decode(latents)).square().sum())
        active += (latents > 0).sum(0)
    whole = float((values - centre).square().sum())
    share = 1 - left / whole if whole else 0.0
    return DictionaryQuality(
        share, float(active.sum()) / len(values), float((active == 0).float().mean())
    )


def _check(s: DictionarySettings) -> None:
    in_range("latents", s.latents, 2, 1_000_000)
    in_range("k", s.k, 1, s.latents)
    in_range("positions", s.positions, 1, 100_000)
    in_range("steps", s.steps, 1, 10_000_000)
    in_range("batch", s.batch, 2, 1_000_000)
    in_range("seed", s.seed, 0, 2**31 - 1)


@contextmanager
def _folder(out: Path, about: dict[str, object]) -> Iterator[Path]:
    """The folder of this training, for this process alone. Raises Conflict if it belongs to another
    training, or another process is at it."""
    folder = out.with_name(out.name + _PART)
    mark = folder / "about.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = locked(folder / "lock")
    except OSError as error:
        raise Unavailable(
            f"cannot write {folder}: {error.strerror}; choose another place"
        ) from None
    if handle is None:
        raise Conflict(f"another process is training in {folder}; wait for it")
    try:
        if mark.exists() and _told(mark) != digest(about):
            raise Conflict(
                f"{folder} holds another training that is not finished; finish it with its own "
                "options, or delete the folder"
            )
        write_atomically(mark, [json.dumps(about).encode()])
        yield folder
    finally:
        os.close(handle)


def _told(mark: Path) -> str:
    """The digest of what a folder says of its training, "" where that cannot be read."""
    try:
        return digest(json.loads(mark.read_text()))
    except (OSError, ValueError, TypeError):
        return ""


def _training_pictures(pictures: int, settings: DictionarySettings) -> int:
    return max(1, pictures - max(1, int(pictures * settings.held_out)))


def _positions(node: Node) -> int:
    return int(np.prod(node.shape)) if node.shape else 1


def _take_room(path: Path) -> None:
    """Have all of a file on the disk. Raises Unavailable where it does not fit: what is written to
    a mapped file without room ends the process without a word."""
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, os.path.getsize(path))
        except OSError as error:
            path.unlink()
            raise cannot_write(path, error) from None
        except AttributeError:  # not on every system
            pass


def _collect_values(
    model: Model,
    node: Node,
    dataset: Dataset,
    settings: DictionarySettings,
    folder: Path,
    progress: Progress,
) -> np.ndarray:
    """Values [position, unit] in fp16 at some positions of every picture, picture by picture.

    They lie in a file that is mapped, not read. A picture that cannot be read counts as grey.
    """
    path = folder / "values.npy"
    each = min(settings.positions, _positions(node))
    shape = (len(dataset) * each, node.units)
    if not path.exists():
        fresh = folder / "values.fresh.npy"
        made = np.lib.format.open_memmap(fresh, "w+", np.float16, shape)
        _take_room(fresh)
        progress.start(len(dataset), 0, f"values of {node.id}")
        count = -(-len(dataset) // _TOGETHER)
        for batch in batches(dataset, model.preprocessing, _TOGETHER, range(count)):
            with torch.inference_mode():
                found = model.run(batch.images(model.device), [node.id])[node.id]
            rows = (
                found.float().cpu().flatten(2).transpose(1, 2)
                if found.ndim > 2
                else (found.float().cpu()[:, None])
            )
            for number, row in zip(batch.numbers, rows, strict=True):
                if number < len(dataset):
                    rng = np.random.default_rng([settings.seed, int(number)])
                    chosen = torch.from_numpy(rng.permutation(len(row))[:each])
                    made[number * each : (number + 1) * each] = row[chosen].half().numpy()
            progress.update(min(len(dataset), (batch.index + 1) * _TOGETHER), node.id)
        made.flush()
        del made
        fresh.rename(path)
        progress.finish()
    values: np.ndarray = np.load(path, mmap_mode="r+", allow_pickle=False)
    return values
