"""`python -m micrograph` is the program `micrograph`."""

from micrograph.cli import run

run()
