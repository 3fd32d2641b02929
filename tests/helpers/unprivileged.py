"""Work in a process of its own, so that limits and users can be changed; and as nobody, whom rights
bind as they do not bind root."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from micrograph.errors import MicrographError

NOBODY = 65534


def in_child(work: Callable[[], str]) -> str:
    """Run `work` in a process of its own; its answer, or the class and text of its
    MicrographError."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = work()
        except MicrographError as error:
            answer = f"{type(error).__name__}: {error}"
        except BaseException as error:
            answer = f"crashed: {error!r}"
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer


def as_nobody(work: Callable[[], str]) -> Callable[[], str]:
    """Without root's power to write everywhere."""

    def run() -> str:
        if os.getuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        return work()

    return run


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can reach (pytest's own are private)."""
    folder = Path(tempfile.mkdtemp(prefix="micrograph-test-"))
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder)
