"""How a command names a model that is in no registry: `timm:resnet18`, `net.py:build`, ...

Behind the name stand options of the function that makes the network, as in
`timm:resnet18,num_classes=10`: their values are JSON, or else texts.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from micrograph.errors import BadInput, short

FILE = "file"
_LIBRARY = re.compile(r"([A-Za-z][\w-]*):(.*)", re.DOTALL)
_FILE = re.compile(r"(.+\.py)(?::(.*))?", re.DOTALL)
_OPTION = re.compile(r",([A-Za-z_]\w*)=")


@dataclass(frozen=True)
class ModelSpec:
    """`library` is the name of an adapter (see `cards.adapters`), `FILE` for a file of the user's;
    `name` is what it calls the model, of a file `path.py:function`; `options` go to the function
    that makes the network."""

    text: str
    library: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """What addresses call the model unless something better is known."""
        if self.library == FILE:
            return as_id(self.path.stem)
        name = self.name
        if self.library == "hf" and Path(name).expanduser().is_dir():
            name = Path(name).expanduser().resolve().name
        return as_id(f"{self.library}-{name}")

    @property
    def path(self) -> Path:
        """Of a file's spec."""
        return Path(self.name.rpartition(":")[0]).expanduser()

    @property
    def function(self) -> str:
        """Of a file's spec."""
        return self.name.rpartition(":")[2]

    def absolute(self) -> str:
        """The spec as it is understood from any folder."""
        place = Path(self.name).expanduser()
        if self.library == FILE or (self.library == "hf" and place.is_dir()):
            return self.text.replace(self.name, str(place.absolute()), 1)
        return self.text


def as_id(text: str) -> str:
    """`text` in letters that an address allows: `open_clip-RN50-openai`."""
    return re.sub(r"[^A-Za-z0-9_.\-]+", "-", text).strip("-.") or "model"


def spec_of(text: str, libraries: Callable[[], Collection[str]]) -> ModelSpec | None:
    """The spec that `text` is, or None if it is of another form (an id).

    `libraries` gives the words that may stand before a colon; it is asked where one does. Raises
    BadInput for a spec that lacks something.
    """
    head, *options = _OPTION.split(text)
    if (found := _LIBRARY.fullmatch(head)) and found[1] in libraries():
        library, name = found[1], found[2]
        if not name:
            raise BadInput(f"{short(text)} names no model; expected {library}:NAME")
    elif found := _FILE.fullmatch(head):
        library, name = FILE, head
        if not (found[2] or "").isidentifier():
            raise BadInput(
                f"{short(text, 200)} names no function; expected FILE.py:FUNCTION, "
                "e.g. net.py:build"
            )
    else:
        return None
    pairs = zip(options[::2], options[1::2], strict=True)
    return ModelSpec(text, library, name, {key: _value(value) for key, value in pairs})


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
