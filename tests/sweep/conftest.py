"""Datasets and networks for sweeps."""

from pathlib import Path

import pytest
from sweeping import pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """200 pictures of noise in three class folders."""
    return pictures(tmp_path / "noise", 200)
