"""What is called like an atlas, and is no file."""

import os
from pathlib import Path

import pytest

from micrograph.atlas import Atlas, Library
from micrograph.errors import BadInput


def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.atlas")
    with pytest.raises(BadInput, match="is not an atlas"):
        Atlas.open(tmp_path / "pipe.atlas")
    (problem,) = Library([tmp_path]).snapshot().problems
    assert "is not an atlas" in problem.message


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.atlas").mkdir()
    with pytest.raises(BadInput, match="is not an atlas"):
        Atlas.open(tmp_path / "folder.atlas")
