"""Does the tasks on standard input, one in JSON on each line, as a program of its own.

Usage: do_tasks.py ATLAS < tasks; results come on standard output, one in JSON on each line.
"""

import json
import sys
from pathlib import Path

from micrograph.models import load
from micrograph.runner.executor import LocalExecutor
from micrograph.runner.results import TaskResults
from micrograph.tasks import Task

tasks = [Task.from_json(json.loads(line)) for line in sys.stdin]
executor = LocalExecutor(load(tasks[0].model), Path(sys.argv[1]))
for event in executor.run(tasks):
    if isinstance(event, TaskResults):
        print(json.dumps(event.to_json()))
