"""The runner: plan what an atlas lacks, render it in batches, commit each batch."""

from micrograph.runner.local import Summary, render
from micrograph.runner.progress import Progress, progress_for

__all__ = ["Progress", "Summary", "progress_for", "render"]
