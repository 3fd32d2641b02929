"""Models that the user brought: their ids go on standing for what the command said.

One small file for each in the user's data folder, so that `micrograph render net` means what
`micrograph render net.py:build --weights net.safetensors` said before, and the site can render and
look with such a model too. What an atlas says of its model is never run.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from micrograph.files import write_atomically


@dataclass(frozen=True)
class OwnModel:
    """What stands for a model: `spec` and `weights`, with paths that hold in any folder; `input` as
    of `--input`. `said` is all of it with paths as they were typed: that is what an atlas tells of
    its model."""

    id: str
    spec: str
    weights: str = ""
    input: str = ""
    said: str = ""


def folder() -> Path:
    """Where they are kept."""
    return Path(platformdirs.user_data_dir("micrograph", appauthor=False)) / "models"


def remember(own: OwnModel) -> None:
    """Let its id stand for it from now on. Raises Unavailable if that cannot be written."""
    if load_remembered(own.id) != own:
        text = json.dumps(asdict(own), indent=1, ensure_ascii=False)
        write_atomically(folder() / f"{own.id}.json", [text.encode()])


def load_remembered(id: str) -> OwnModel | None:
    """The remembered model of that id, in capitals or not; None if there is none to read."""
    path = {name.lower(): folder() / f"{name}.json" for name in ids()}.get(id.lower())
    try:
        return None if path is None else OwnModel(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def ids() -> list[str]:
    """Of everything that was brought."""
    return sorted(path.stem for path in folder().glob("*.json"))
