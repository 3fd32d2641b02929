"""`micrograph demo`: the site at once, and the embedded organism rendered live beside it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from micrograph.cli.folders import data_folder
from micrograph.cli.serve import announce, host_option, port_option
from micrograph.errors import BadInput
from micrograph.models import card, weights

MODEL = "toytown"
NODES = ("conv?", "mixed??", "logits")
"""Whole layers and blocks: the pictures that say most, so they come first."""


def render_command(folder: Path) -> list[str]:
    """The same command that a person would type, and one word that ties it to this process."""
    nodes = [word for node in NODES for word in ("--node", node)]
    return [
        sys.executable, "-m", "micrograph", "render", MODEL, *nodes,
        "--atlas", str(folder), "--orphan-stops",
    ]  # fmt: skip


@contextmanager
def rendering(folder: Path) -> Iterator[None]:
    """A render in a process of its own, which ends with this one, however that ends."""
    child = subprocess.Popen(render_command(folder), stdin=subprocess.PIPE, start_new_session=True)
    with suppress(OSError, AttributeError):  # the site comes first
        os.setpriority(os.PRIO_PROCESS, child.pid, 10)
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        assert child.stdin is not None
        child.stdin.close()


def forget_other_weights(path: Path) -> None:
    """Remove a demo's atlas that an earlier version made of other weights, or that is no atlas."""
    from micrograph.atlas import Atlas

    if not path.exists():
        return
    try:
        with Atlas.open(path) as atlas:
            same = atlas.model.digest == weights.read(card(MODEL)).digest
    except BadInput:
        same = False
    if not same:
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)


@click.command()
@host_option
@port_option
def command(host: str, port: int) -> None:
    """Open the gallery and watch a small network being rendered."""
    from micrograph import web
    from micrograph.atlas import bundled_gallery

    folder = data_folder("demo")
    folder.mkdir(parents=True, exist_ok=True)  # where that fails, before there is a site
    forget_other_weights(folder / f"{MODEL}.atlas")
    with ExitStack() as running:

        def started(url: str) -> None:
            announce(url)
            running.enter_context(rendering(folder))

        web.serve(
            [folder, bundled_gallery()], host=host, port=port, writable=folder, announce=started
        )
