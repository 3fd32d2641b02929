"""`micrograph sweep`: the lines that people read."""


def test_shards_of_fewer_batches_say_that_some_are_empty(run, tmp_path) -> None:
    words = ("sweep", "toytown", "--dataset", "toytown:3", "-n", "conv0")
    status, out, error = run(*words, "--shard", "1/2", "--out", tmp_path / "part1")
    assert status == 0, error
    assert "toytown:3 is 1 batch; " in out
    status, out, _ = run(*words, "--out", tmp_path / "whole")
    assert (status, "note" in out) == (0, False)
