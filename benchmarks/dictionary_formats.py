"""Dictionaries as their own libraries write them, read here, against the libraries' own latents.

    python benchmarks/dictionary_formats.py [--environment DIR] [--json FILE] [--docs]

Installs the libraries at pinned versions into an environment of its own (a temporary one by
default) that takes torch from this one, lets them write files and encode random inputs
(benchmarks/dictionary_writers.py), reads the files, and prints the largest difference of any latent
relative to the largest latent. Libraries that are in no package index are represented by their
formula. `--docs` writes the table into docs/dictionaries.md.
"""

import argparse
import json
import site
import subprocess
import sys
import tempfile
import venv
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from micrograph.models.dictionaries.reading import read

HERE = Path(__file__).parent
SNAPSHOTS = {
    "Prisma": "ViT-Prisma aa5ff6a",
    "saev": "saev 3d73f1f and before",
    "OpenAI": "sparse_autoencoder 4965b94",
    "Gemma Scope": "its published files",
    "Llama Scope": "Language-Model-SAEs 16ca67a",
    "OpenMOSS": "Language-Model-SAEs 95281ac",
    "circuit-tracer": "circuit-tracer d797c82",
}
"""What no package index has: there the formula of the source is written out, in the tests."""

LIBRARIES = (
    "sae-lens==6.54.12",
    "eai-sparsify==1.3.3",
    "dictionary-learning==0.1.0",
    "overcomplete==0.3.0",
    "saev==0.1.0",
)
NEEDED = (  # of what they import, all that is neither here already nor stood in for
    "transformer-lens==2.16.1",
    "einops==0.8.2",
    "simple-parsing==0.1.9",
    "docstring-parser==0.18.0",
    "natsort==8.4.0",
    "jaxtyping==0.3.11",
    "wadler-lindig==0.1.8",
    "beartype==0.23.1",
    "tenacity==9.2.1",
    "python-dotenv==1.2.4",
    "requests==2.34.2",
    "urllib3==2.8.0",
    "charset-normalizer==3.5.3",
)
FIRST, LAST = "<!-- measured:", "<!-- end -->"


@dataclass(frozen=True)
class Compared:
    """One file: who wrote it, the largest difference relative to the largest latent, and how often
    another latent spoke."""

    library: str
    architecture: str
    version: str
    difference: float
    others: int


def environment(folder: Path) -> Path:
    """The interpreter of an environment with the libraries, made if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        inside = subprocess.run(
            [python, "-c", "import site; print(site.getsitepackages()[0])"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        parents = [p for p in site.getsitepackages() if Path(p).is_dir()]
        (Path(inside) / "parent.pth").write_text("\n".join(parents) + "\n")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*pip, *LIBRARIES, *NEEDED], check=True)
    return python


def compared(python: Path, folder: Path) -> list[Compared]:
    """Every case, written by the libraries and read here."""
    subprocess.run([python, HERE / "dictionary_writers.py", folder], check=True)
    found = []
    for said in sorted(folder.glob("*/case.json")):
        case = json.loads(said.read_text())
        expected = torch.load(said.with_name("expected.bin"))
        inputs, latents = expected["inputs"], expected["latents"]
        here = read(folder / case["file"], inputs.shape[1], **case["options"]).values(inputs)
        found.append(
            Compared(
                case["library"],
                case["architecture"],
                case["version"],
                float((here - latents).abs().max() / latents.abs().max()),
                int(((here != 0) != (latents != 0)).sum()),
            )
        )
    return found


def restated(folder: Path) -> list[Compared]:
    """The forms of libraries that cannot be installed, against their formulas."""
    sys.path.insert(0, str(HERE.parent))
    from tests.helpers import dictionary_files as files

    found = []
    for name, write in files.CASES.items():
        library = next((one for one in SNAPSHOTS if name.startswith(one)), None)
        if library is None:
            continue
        architecture = name.removeprefix(library).strip(", ")
        place = folder / name.replace(" ", "-")
        place.mkdir(parents=True)
        path, options, encode = write(place)
        here, expected = read(path, files.UNITS, **options).values(files.X), encode(files.X)
        difference = float((here - expected).abs().max() / expected.abs().max())
        others = int(((here != 0) != (expected != 0)).sum())
        version = f"{SNAPSHOTS[library]}, its formula"
        found.append(Compared(library, architecture, version, difference, others))
    return found


def table(found: list[Compared]) -> str:
    """In Markdown."""
    lines = [
        "| format | architecture | library | largest relative difference |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {c.library} | {c.architecture} | {c.version} | {c.difference:.1g} |" for c in found
    ]
    return "\n".join(lines)


def write_docs(found: list[Compared]) -> None:
    """Put the table in its place."""
    path = HERE.parent / "docs" / "dictionaries.md"
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition(FIRST)
    comment, _, rest = rest.partition("\n")
    tail = rest.partition(LAST)[2]
    path.write_text(f"{head}{FIRST}{comment}\n\n{table(found)}\n\n{LAST}{tail}", encoding="utf-8")


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--environment", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--docs", action="store_true", help="Write the table into the docs.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        where = asked.environment or Path(temporary) / "environment"
        found = compared(environment(where), Path(temporary) / "files")
        found += restated(Path(temporary) / "restated")
    print(table(found))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(c) for c in found]))
    if asked.docs:
        write_docs(found)
    return 0 if all(c.difference < 1e-5 for c in found) else 1


if __name__ == "__main__":
    sys.exit(main())
