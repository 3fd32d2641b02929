"""Threads that wait without work while they wait for each other."""

import os
from collections.abc import Mapping

WAITS_QUIETLY = {"GOMP_SPINCOUNT": "0"}
"""Threads of torch that wait for each other sleep. By default they run in circles, on processors
that the site, and the threads that they wait for, could have: beside as many busy processes as
there are processors a step takes twenty times as long then."""


def quiet_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a process that works beside others; what somebody set stays."""
    return {**WAITS_QUIETLY, **environ}
