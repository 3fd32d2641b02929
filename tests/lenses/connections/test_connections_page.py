"""Connections as anybody may have written them, on the page of a unit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import web_samples
from web_client import Client

from micrograph.atlas import AtlasWriter, Library, Visualization
from micrograph.web import create_app

UNITS = 8
SOUND: dict[str, Any] = {
    "units": np.array([[1, 2, 3, 4]] * UNITS, np.int32),
    "strength": np.array([[0.5, 0.25, -0.25, -0.5]] * UNITS, np.float32),
    "share": np.array([[0.3, 0.2, 0.2, 0.1]] * UNITS, np.float32),
    "rest": np.full(UNITS, 0.2, np.float32),
    "kernels": np.ones((UNITS, 4, 3, 3), np.float16),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("connections")
    web_samples.write(folder)
    return (folder / "tinynet.atlas").read_bytes()


@pytest.fixture
def folder(plain: bytes, tmp_path: Path) -> Path:
    (tmp_path / "tinynet.atlas").write_bytes(plain)
    return tmp_path


def rows_of(folder: Path, arrays: dict[str, Any], other: str = "conv0") -> list[dict[str, Any]]:
    """The rows of connections on the page of a unit, which is of bounded size."""
    recipe = {"technique": "connections", "view": "inputs", "seed": 0}
    data = {"other": other, "count": 8, "exact": True, "notes": []}
    with AtlasWriter.open(folder / "tinynet.atlas", web_samples.MODEL, web_samples.NODES) as writer:
        writer.put([Visualization("mixed1a", None, recipe, 0.0, None, data, arrays=arrays)])
    site = Client(create_app(Library([folder])))
    answer = site.get("/models/tinynet/mixed1a/3")
    assert answer.status_code == 200
    assert "its code failed" not in answer.text
    assert len(answer.content) < 200_000
    twin = site.get("/models/tinynet/mixed1a/3.json").json()
    found = [part for part in twin["sections"] if part["technique"] == "connections"]
    return [row for part in found for row in part["rows"]]


def test_what_is_sound_is_shown(folder: Path) -> None:
    (row,) = rows_of(folder, SOUND)
    shown = [one["thumb"]["unit"] for one in row["excite"] + row["inhibit"]]
    assert shown == [1, 2, 3, 4]


def changed(name: str, values: Any, kind: Any = np.float32) -> dict[str, Any]:
    return {**SOUND, name: np.asarray(values, kind)}


@pytest.mark.parametrize(
    ("arrays", "rows"),
    [
        (changed("units", [1] * UNITS, np.int32), 0),
        (changed("units", [[1.5] * 4] * UNITS), 0),
        (changed("units", [[-1, 99, 10**9, -(2**31)]] * UNITS, np.int32), 0),
        (changed("strength", [[np.nan, np.inf, -np.inf, -0.5]] * UNITS), 1),
        (changed("share", 0.5), 0),
        (changed("share", [[[0.1] * 4] * 2] * UNITS), 0),
        (changed("rest", [np.nan] * UNITS), 0),
        (changed("rest", [[0.1, 0.2]] * UNITS), 0),
        (changed("kernels", np.ones((UNITS, 4)), np.float16), 1),
        (changed("kernels", np.full((UNITS, 4, 2, 2), np.inf), np.float16), 1),
        (changed("kernels", np.ones((UNITS, 1, 400, 400)), np.float16), 1),
        (changed("kernels", np.ones((UNITS, 4, 0, 3)), np.float16), 1),
        ({name: np.repeat(SOUND[name], 500, axis=1) for name in ("units", "strength", "share")}, 0),
        ({}, 0),
    ],
)
def test_what_makes_no_sense_is_left_out(arrays: dict[str, Any], rows: int, folder: Path) -> None:
    assert len(rows_of(folder, {"rest": SOUND["rest"], **arrays})) == rows


def test_a_node_that_is_not_there_has_no_connections(folder: Path) -> None:
    assert rows_of(folder, SOUND, other="nowhere") == []
