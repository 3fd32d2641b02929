"""Pictures on their way to the network."""

import numpy as np
import pytest
import torch
from making import encoded, folder

from micrograph.cards.preprocessing import Preprocessing
from micrograph.datasets import batches, open_dataset
from micrograph.errors import Conflict
from micrograph.models.pictures import read_picture

PRE = Preprocessing(size=8, resize=9)


@pytest.fixture
def pictures(tmp_path):
    files = {f"{n:02d}.png": encoded(n) for n in range(11)}
    return folder(tmp_path / "p", files | {"03.png": b"none", "10.png": encoded(10)[:60]})


def test_all_pictures_in_order_each_at_its_place(pictures):
    data = open_dataset(str(pictures))
    found = list(batches(data, PRE, 4, range(3)))
    assert [b.index for b in found] == [0, 1, 2]
    for batch in found:
        assert batch.images().shape == (4, 3, 8, 8)
        for place, number in enumerate(batch.numbers):
            if batch.valid[place]:
                expected = read_picture(pictures / f"{number:02d}.png", PRE)
                assert torch.equal(batch.images()[place], expected)
            else:
                assert (batch.pixels[place] == 128).all()
    assert np.concatenate([b.valid for b in found]).nonzero()[0].tolist() == [
        0,
        1,
        2,
        4,
        5,
        6,
        7,
        8,
        9,
    ]
    problems = {n: why for b in found for n, why in b.problems.items()}
    assert set(problems) == {3, 10}
    assert "03.png" in problems[3]
    assert "cut short" in problems[10]


def test_some_batches_only(pictures):
    data = open_dataset(str(pictures))
    whole = list(batches(data, PRE, 4, range(3)))
    (last,) = batches(data, PRE, 4, [2])
    assert np.array_equal(last.pixels, whole[2].pixels)


def test_a_change_stops_it(pictures):
    data = open_dataset(str(pictures))
    (pictures / "05.png").write_bytes(encoded(99))
    with pytest.raises(Conflict, match=r"05\.png"):
        list(batches(data, PRE, 4, range(3)))


def test_leaving_early_ends_the_threads(pictures):
    import threading

    data = open_dataset(str(pictures))
    running = batches(data, PRE, 1, range(11))
    next(running)
    running.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("micrograph-decode")]
