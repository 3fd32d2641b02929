"""Datasets of the Hugging Face hub, or saved by its library `datasets`."""

from pathlib import Path
from typing import Any

from micrograph.datasets.base import READ_LIMIT, Dataset, Entry, of_files, plain_name
from micrograph.errors import BadInput, Unavailable, install_line, short


def open_dataset(name: str) -> Dataset:
    """`NAME[:SPLIT]`: a name on the hub, or a folder that `save_to_disk` wrote.

    The pictures are the first column of kind Image, the classes the first of kind ClassLabel.
    """
    try:
        import datasets
        from datasets import load_dataset as _  # a folder of that name is no library
    except ImportError:
        raise Unavailable(
            f"datasets of Hugging Face need its library; {install_line('hf')}"
        ) from None
    name, _, split = name.partition(":")
    table = _table(datasets, name, split)
    column = _column(table, datasets.Image)
    if column is None:
        raise BadInput(
            f"dataset hf:{name} has no column of pictures; its columns are: "
            f"{', '.join(table.features)}"
        )
    raw = table.cast_column(column, datasets.Image(decode=False))
    label = _column(table, datasets.ClassLabel)
    classes = table.features[label].names if label is not None else []
    labels = table[label] if label is not None else [None] * len(table)
    entries = [
        Entry(f"{number:08d}", -1 if cls is None else int(cls)) for number, cls in enumerate(labels)
    ]

    def read(number: int) -> bytes:
        value = raw[number][column]
        if value is None or (value["bytes"] is None and not value["path"]):
            raise OSError("this row has none")
        if value["bytes"] is not None:
            return bytes(value["bytes"])
        with open(value["path"], "rb") as file:
            return file.read(READ_LIMIT)

    title = f"{name}, {split}" if split else name
    licence = str(table.info.license or "")
    return of_files(
        f"hf:{name}:{split}" if split else f"hf:{name}",
        plain_name(title.replace(", ", "-")),
        title,
        entries,
        read,
        classes=classes,
        licence=licence,
    )


def _table(datasets: Any, name: str, split: str) -> Any:
    """The rows of a split. Whatever the library cannot get becomes one line."""
    try:
        local = any((Path(name) / f).is_file() for f in ("dataset_dict.json", "state.json"))
        found = (
            (datasets.load_from_disk(name) if local else datasets.load_dataset(name))
            if local or not split
            else datasets.load_dataset(name, split=split)
        )
    except Exception as error:  # the library, its cache and the network raise many kinds
        why = " ".join(str(error).split()) or type(error).__name__
        raise Unavailable(f"cannot get the dataset hf:{short(name, 200)}: {why[:200]}") from None
    if not isinstance(found, dict):
        return found
    if not split and len(found) == 1:
        return next(iter(found.values()))
    if split not in found:
        raise BadInput(
            f"split {short(split)} of the dataset hf:{name} is not there; expected "
            f"hf:{name}:SPLIT with SPLIT one of {', '.join(found)}"
        )
    return found[split]


def _column(table: Any, kind: type) -> str | None:
    return next((n for n, feature in table.features.items() if isinstance(feature, kind)), None)
