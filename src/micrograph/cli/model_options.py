"""What every command that takes MODEL understands: which one, with which weights and input."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from micrograph.cards import adapters, card
from micrograph.cards.remembered import OwnModel, remember
from micrograph.cli.dictionary_option import (
    attach,
    check_settings,
    dictionary_option,
    dictionary_set_option,
)
from micrograph.models import ModelCard, cards

if TYPE_CHECKING:
    from micrograph.models.model import Model


@dataclass(frozen=True)
class ModelOptions:
    """The options. `input` is in words, see `cards.inputs`."""

    weights: str | None = None
    id: str | None = None
    input: str | None = None
    check: bool = True
    dictionaries: tuple[str, ...] = ()
    dictionary_settings: tuple[str, ...] = ()

    def card(self, model: str) -> ModelCard:
        """The card of MODEL, with the id and the input that were asked for."""
        return card(model, id=self.id, preprocessing=self.input)

    def load(self, model: str, chosen: ModelCard, device: str = "cpu") -> "Model":
        """The model of `chosen`, which `model` stood for. What is in no registry is remembered by
        its id, and looked at: does it seem to get the input that it was trained on?"""
        from micrograph.models import load
        from micrograph.models.loading import RANDOM, WHERE_INSIDE

        if not self.dictionaries:
            check_settings(self.dictionary_settings, (), set())
        found = load(chosen, weights=self.weights, device=device)
        if WHERE_INSIDE in found.card.lineage:  # of several things in a file some were chosen
            print(f"note: {found.card.lineage.rpartition('; ')[2]}", file=sys.stderr)
        read = set[str]()
        for given in self.dictionaries:
            read |= attach(found, given, self.dictionary_settings)
        check_settings(self.dictionary_settings, self.dictionaries, read)
        spec = adapters.parse(model)
        ours = next((id for id in cards() if id.lower() == model.lower()), None)
        if chosen.id not in cards() and (spec is not None or ours is not None):
            said = found.card.sources[0].title if chosen.spec else ""
            self._remember(spec.absolute() if spec else str(ours), chosen, said)
        untrained = RANDOM in (self.weights, chosen.weights)
        if spec is not None and self.check and not untrained:
            warn_of_input(found)
        return found

    def _remember(self, model: str, chosen: ModelCard, said: str) -> None:
        from micrograph.weights.checkpoints import split_key

        weights = self.weights or chosen.weights
        is_file = bool(weights) and split_key(weights)[0].exists()
        remember(
            OwnModel(
                chosen.id,
                model,
                str(Path(weights).absolute()) if is_file else weights,
                self.input or "",
                said,
            )
        )


def warn_of_input(model: "Model") -> None:
    """Say on standard error what the input check finds, and what its passes are like."""
    from micrograph.models.inputcheck import check_input

    remarks = [f"{model.id}: {remark}" for remark in model.passes.remarks()]
    for warning in (*remarks, *check_input(model)):
        print(f"warning: {warning}", file=sys.stderr)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options, which reach the command as one parameter `asked`."""

    @click.option(
        "--weights",
        metavar="FILE|random",
        help="Weights file, or random for the untrained network. [default: looked for, see "
        "`micrograph weights status`; a library's own]",
    )
    @click.option("--id", "model_id", metavar="ID", help="What addresses call MODEL.")
    @click.option(
        "--input",
        "words",
        metavar="WORDS",
        help="What MODEL takes, where it does not say it: 224,imagenet or 64,-1..1 or "
        "224,0..255,BGR,mean=104/117/123.",
    )
    @click.option(
        "--no-input-check",
        is_flag=True,
        help="Don't look whether a MODEL of your own seems to get the input it was trained on.",
    )
    @dictionary_option
    @dictionary_set_option
    @wraps(command)
    def with_options(
        *args: Any,
        weights: str | None,
        model_id: str | None,
        words: str | None,
        no_input_check: bool,
        dictionaries: tuple[str, ...],
        dictionary_settings: tuple[str, ...],
        **others: Any,
    ) -> Any:
        asked = ModelOptions(
            weights, model_id, words, not no_input_check, dictionaries, dictionary_settings
        )
        return command(*args, asked=asked, **others)

    return with_options
