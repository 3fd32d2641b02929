"""The runner: plan what an atlas lacks, have the tasks done by an executor, commit what comes."""

from micrograph.runner.estimating import Estimate, estimate
from micrograph.runner.executor import Executor, LocalExecutor
from micrograph.runner.local import Summary, render
from micrograph.runner.progress import Progress, progress_for

__all__ = [
    "Estimate",
    "Executor",
    "LocalExecutor",
    "Progress",
    "Summary",
    "estimate",
    "progress_for",
    "render",
]
