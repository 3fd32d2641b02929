"""Facts about models before their weights are there: plain data, no torch."""

import sys
from types import ModuleType

from micrograph.cards.function import Function
from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.cards.registry import card, cards, register

__all__ = ["Function", "ModelCard", "WeightsSource", "card", "cards", "register"]


class _Callable(ModuleType):
    """This package is also `micrograph.cards()`, which all cards by id were before it had the name:
    importing it puts the module in that function's place."""

    def __call__(self) -> dict[str, ModelCard]:
        return cards()


sys.modules[__name__].__class__ = _Callable
