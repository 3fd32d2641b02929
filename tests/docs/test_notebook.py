"""The notebook's cells run in order, and give what their text promises."""

import json
from pathlib import Path

import pytest
from cells import run_cell
from PIL import Image

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "start.ipynb"
CELLS = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]


def test_it_is_committed_without_results() -> None:
    """Pictures would make every run a change of the repository."""
    assert not any(cell.get("outputs") for cell in CELLS)


def test_every_cell_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    shown: list[object] = []
    for number, cell in enumerate(CELLS):
        if cell["cell_type"] == "code":
            code = "".join(cell["source"]).replace("steps=60", "steps=6")
            shown.append(run_cell(code, space, f"{NOTEBOOK.name}[{number}]"))
    pictures = [result for result in shown if isinstance(result, Image.Image)]
    assert [picture.size for picture in pictures] == [(288, 288), (96, 96), (576, 288), (288, 288)]
    assert all(low < high for picture in pictures for low, high in picture.getextrema())
    assert "steps=60" in NOTEBOOK.read_text("utf-8")  # else the replacement above does nothing
    assert (tmp_path / "atlases" / "toytown.atlas").is_file()
