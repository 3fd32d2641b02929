"""What the machine refuses is no damage: nobody shall delete a file for it."""

import errno
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from samples import MODEL, NODES, recipe, sample_atlas, visualization

from micrograph.atlas import Atlas, AtlasWriter
from micrograph.atlas.format import reading
from micrograph.errors import BadInput, Unavailable


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "no memory is left to read"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
    ],
)
def test_it_is_named(tmp_path: Path, error: Exception, says: str) -> None:
    path = sample_atlas(tmp_path)
    with pytest.raises(Unavailable, match=says) as raised, reading(path):
        raise error
    assert "damaged" not in str(raised.value)


def test_memory_that_sqlite_may_not_have(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from micrograph.atlas.format import reading\n"
        "with reading(Path(sys.argv[1])) as connection:\n"
        "    connection.execute('PRAGMA hard_heap_limit = 1')\n"  # of the process, for good
        "    connection.execute('SELECT hex(zeroblob(100000000))').fetchone()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(sample_atlas(tmp_path))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Unavailable: no memory is left to read" in run.stderr


def test_text_that_is_none_is_refused_before_it_is_stored(tmp_path: Path) -> None:
    path = sample_atlas(tmp_path)
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        odd = replace(visualization("conv0", 0), recipe=recipe("\ud800"))
        with pytest.raises(BadInput, match="no text of Unicode"):
            writer.put([odd])
    assert Atlas.open(path).counts()
