"""Commands that pages tell readers to type: pasted as they are, they do what the page says."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from micrograph.atlas.records import ModelRecord

_COMMAND = re.compile(
    r"((timm|torchvision|open_clip|hf):|[\w./~-]+\.py:)[\w./:+,=@~-]+"
    r"( --(weights|input|id) [\w./:+,=@~-]+)*",
    re.ASCII,
)

_OF_A_FOLDER = ("micrograph render ", "micrograph claim ", "micrograph inputs ")


def called(model: ModelRecord) -> str:
    """What a command calls the model: its id, or what it was rendered by where it is in no
    registry. An atlas may say anything, and readers paste commands: other words are left out."""
    return model.source if _COMMAND.fullmatch(model.source) else model.id


@dataclass(frozen=True)
class Commands:
    """`folder` is where the site shows atlases from, as commands have to name it; "" where they
    mean that folder without being told."""

    folder: str = ""

    def render(
        self,
        model: ModelRecord,
        node: str = "",
        unit: int | None = None,
        variants: Iterable[str] = (),
        technique: str = "feature_vis",
        options: str = "",
    ) -> str:
        """The command that renders a model, a node or one unit of it; without variants the plain
        ones. In `options`, {node} and {other} stand for the node and for another unit of it."""
        words = ["micrograph render", called(model)]
        if node:
            words += ["--node", shlex.quote(node)]
        if unit is not None:
            words += ["--units", str(unit)]
        if technique != "feature_vis":
            words += ["-t", technique]
        words += [f"--variant {variant}" for variant in variants]
        if options:
            other = str(unit - 1 if unit else 1)
            words.append(options.replace("{node}", node).replace("{other}", other))
        return self.here(" ".join(words))

    def render_all(self, model: str) -> str:
        """The command that renders a model by its id."""
        return self.here(f"micrograph render {model}")

    def inputs(
        self, model: ModelRecord, node: str, unit: int, source: str, by: str = "weight"
    ) -> str:
        """The command that works out every kernel from a node to a unit."""
        spec, *options = called(model).split(" ", 1)
        place = shlex.quote(f"{spec}/{node}/{unit}")
        words = ["micrograph inputs", place, "--from", shlex.quote(source), *options]
        words += [f"--by {by}"] if by != "weight" else []
        return self.here(" ".join([*words, "--json"]))

    def here(self, command: str) -> str:
        """A command that reads or writes atlases, with the folder that the site shows."""
        if not self.folder or not command.startswith(_OF_A_FOLDER):
            return command
        return f"{command} --atlas {shlex.quote(self.folder)}"
