"""`micrograph demo`: the site at once, and the embedded organisms rendered live beside it."""

from contextlib import ExitStack
from pathlib import Path

import click

from micrograph.cards import card
from micrograph.cli.folders import commands_into, data_folder
from micrograph.cli.serve import announce, host_option, port_option
from micrograph.cli.tour import Tour, all_steps
from micrograph.errors import BadInput
from micrograph.weights import store
from micrograph.workers import Supervisor


def forget_other_weights(folder: Path, model: str) -> None:
    """Remove a demo's atlas that an earlier version made of other weights, or that is no atlas."""
    from micrograph.atlas import Atlas
    from micrograph.atlas.place import remove_beside

    path = folder / f"{model}.atlas"
    if not path.exists():
        return
    try:
        with Atlas.open(path) as atlas:
            same = atlas.model.digest == store.read(card(model)).digest
    except BadInput:
        same = False
    if not same:
        remove_beside(path)
        path.unlink(missing_ok=True)


@click.command()
@host_option
@port_option
def command(host: str, port: int) -> None:
    """Open the gallery and watch a small network being rendered."""
    from micrograph import web
    from micrograph.atlas import bundled_catalogue, bundled_gallery
    from micrograph.web.known import known_here

    folder = data_folder("demo")
    folder.mkdir(parents=True, exist_ok=True)  # where that fails, before there is a site
    for model in dict.fromkeys(step.split()[0] for step in all_steps()):
        forget_other_weights(folder, model)
    workers = Supervisor()
    with ExitStack() as running:
        running.callback(workers.close)

        def started(url: str) -> None:
            announce(url)
            running.enter_context(Tour(folder, workers))

        web.serve(
            [folder, bundled_gallery()],
            host=host,
            port=port,
            writable=folder,
            announce=started,
            known=known_here,
            catalogue=bundled_catalogue(),
            workers=workers,
            commands=commands_into(folder),
        )
