"""Pages are made a few at a time, and none waits for ever."""

import threading

from micrograph.web.turns import Turns


def test_only_so_many_at_once() -> None:
    turns, most, now, lock = Turns(2, patience=60.0), [0], [0], threading.Lock()
    started = threading.Barrier(2)

    def one() -> None:
        with turns.turn():
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            started.wait(30)  # two are in at the same moment
            with lock:
                now[0] -= 1

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most[0] == 2


def test_who_waited_long_enough_goes_on() -> None:
    turns = Turns(1, patience=0.01)
    with turns.turn(), turns.turn():  # the second has no turn, and none to give back
        pass
    with turns.turn():
        assert not turns._free.acquire(blocking=False)
    assert turns._free.acquire(blocking=False)
