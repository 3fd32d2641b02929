"""An option that a command would not read is refused: else somebody believes what was not done."""

import pytest

BAD = {
    "inputs toytown/conv1/3 --dataset toytown": "--dataset would not be read: it is of --by",
    "inputs toytown/conv1 --groups 2 -n 3": "-n would not be read",
    "inputs toytown/conv1/3 --dictionary-set k=3": "of none of the dictionaries",
    "render toytown -n conv0 --dictionary-set nonsense": "there is none",
    "steer toytown/conv1/3 -p owl --dictionary-set sae:k=3": "there is none",
    "info toytown/conv1/3 --weights nosuch": "--weights would not be read",
    "info toytown --input 64,-1..1 --id other": "--id and --input would not be read",
    "info toytown --dictionary conv0=nosuch": "--dictionary would not be read",
    "sweep --merge part1 -k 3": "-k would not be read: --merge takes parts as they are",
    "sweep --merge part1 --shard 1/1": "--shard would not be read",
    "weights verify toytown --limit 3": "--limit and --device are about pictures",
}


@pytest.mark.parametrize(("words", "message"), BAD.items())
def test_an_option_that_nothing_reads_is_refused(run, words: str, message: str) -> None:
    status, out, error = run(*words.split())
    assert (status, out) == (2, "")
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
