"""How work tells of itself: parts of a whole, never going back, with pictures or without."""

import numpy as np

from micrograph.steps import StepState, Watch, part_of, rising, tell


def test_both_kinds_of_hook_are_called_as_they_want_to_be() -> None:
    plain: list[tuple[int, int]] = []
    seen: list[StepState] = []
    picture = np.zeros((1, 2, 2, 3), np.uint8)
    step = StepState(2, 5, lambda: picture)
    tell(None, step)
    tell(lambda k, n: plain.append((k, n)), step)
    tell(Watch(seen.append), step)
    assert plain == [(2, 5)]
    assert seen == [step]
    assert seen[0].pictures() is picture
    # Work without pictures calls it as any other hook.
    Watch(seen.append)(1, 3)
    assert (seen[1].step, seen[1].steps, seen[1].pictures()) == (1, 3, None)


def test_parts_are_told_as_one_run() -> None:
    told: list[float] = []

    def hook(step: int, steps: int) -> None:
        told.append(step / steps)

    for done, here in ((0, 1), (1, 3)):  # one piece, then three together
        part = part_of(hook, done, here, 4)
        assert part is not None
        for step in (1, 2):
            part(step, 2)
    assert told == [1 / 8, 2 / 8, 5 / 8, 1]
    assert part_of(None, 0, 1, 2) is None
    assert part_of(hook, 0, 4, 4) is hook


def test_work_that_begins_again_is_told_only_when_it_is_further() -> None:
    told: list[tuple[int, int]] = []
    shown: list[object] = []

    def look(step: StepState) -> None:
        told.append((step.step, step.steps))
        shown.append(step.pictures())

    hook = rising(Watch(look))
    for step, steps in ((1, 4), (3, 4), (1, 8), (7, 8), (8, 8)):
        tell(hook, StepState(step, steps, lambda s=step: np.full(1, s)))
    assert told == [(1, 4), (3, 4), (3, 4), (7, 8), (8, 8)]
    assert [int(a[0]) for a in shown] == [1, 3, 1, 7, 8], "pictures are always those of now"
    assert rising(None) is None
