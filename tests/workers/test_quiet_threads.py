"""Threads of workers wait asleep."""

import os
import sys

from micrograph.workers.process import WorkerProcess
from micrograph.workers.quiet_threads import quiet_environment


def test_threads_of_workers_wait_asleep():
    script = "import json, os; print(json.dumps({'answer': os.environ.get('GOMP_SPINCOUNT')}))"
    process = WorkerProcess([sys.executable, "-c", script])
    assert process.run(30) == os.environ.get("GOMP_SPINCOUNT", "0")
    process.close()


def test_what_somebody_set_stays():
    assert quiet_environment({"GOMP_SPINCOUNT": "9", "A": "b"}) == {"GOMP_SPINCOUNT": "9", "A": "b"}
    assert quiet_environment({})["GOMP_SPINCOUNT"] == "0"
