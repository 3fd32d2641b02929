"""Does some works, killing each at random moments; prints what happened as JSON.

A program of its own (see test_kill.py): it forks each work from a process that has loaded torch
and run it once, so that a round is short and a kill can hit any part of it.

Usage: kill_rounds.py FOLDER KILLS SEED [WORK ...]
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from kill_works import WORKS, Work
from picture_server import serving


def start(work: Work, folder: Path) -> int:
    """Do the work in a child process; its id."""
    child = os.fork()
    if child == 0:
        try:
            work.run(folder)
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
    return child


def rounds(work: Work, folder: Path, kills: int, rng: random.Random) -> dict[str, list[str]]:
    """Kill until `kills` children were hit while they worked; then let the last one finish. Whoever
    finishes ends a round, and the next begins in a new folder."""
    folder.mkdir()
    work.run(folder / "warm")
    began = time.monotonic()
    assert os.waitpid(start(work, folder / "whole"), 0)[1] == 0
    length = time.monotonic() - began
    names, states = ["round0"], list[str]()
    while len(states) < kills:
        child = start(work, folder / names[-1])
        time.sleep(rng.uniform(0, length * 0.7))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            states.append(work.state(folder / names[-1]))
        else:
            assert status == 0, "a run after a kill failed"
            assert work.state(folder / names[-1]) == "whole"
            names.append(f"round{len(names)}")
    assert os.waitpid(start(work, folder / names[-1]), 0)[1] == 0, "the last run failed"
    assert work.state(folder / names[-1]) == "whole"
    return {"rounds": names, "states": states}


def main(folder: Path, kills: int, seed: int, names: list[str]) -> None:
    """Each work with a seed of its own."""
    told = {}
    with serving() as server:
        os.environ |= {"PICTURES_AT": server.address, "no_proxy": "*"}
        for name in names or WORKS:
            rng = random.Random(f"{seed} {name}")
            told[name] = rounds(WORKS[name], folder / name, kills, rng)
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
