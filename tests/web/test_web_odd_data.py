"""Results of an atlas whose data is JSON, but no object."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import lens_samples
import pytest
from web_client import Client

NODE = "/models/lensed/mixed1a"


@pytest.mark.parametrize("data", [None, 3, "x", [[1]], True])
def test_pages_are_shown_and_no_lens_is_blamed(
    tmp_path: Path, client_of: Callable[..., Client], data: object
) -> None:
    lens_samples.write(tmp_path)
    (file,) = tmp_path.glob("*.atlas")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE visualization SET data = ?", (json.dumps(data),))
    connection.close()
    site = client_of(tmp_path)
    for path in (NODE, f"{NODE}?lens=unit_map", f"{NODE}/3", f"{NODE}/3.json"):
        answer = site.get(path)
        assert answer.status_code == 200
        assert "its code failed" not in answer.text
