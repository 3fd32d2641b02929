"""Facts about models before their weights are there: plain data, no torch."""

from micrograph.cards.function import Function
from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.cards.registry import card, cards, register

__all__ = ["Function", "ModelCard", "WeightsSource", "card", "cards", "register"]
