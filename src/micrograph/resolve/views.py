"""Which lens a link asks for: OpenAI Microscope's words and ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

OLD = {
    "feature_vis": "feature_vis",
    "feature_visualization": "feature_vis",
    "deep_dream": "deepdream",
    "deepdream": "deepdream",
    "caricature": "caricature",
    "dataset_examples": "dataset_examples",
    "dataset_samples": "dataset_examples",
    "synthetic_tuning": "tuning",
    "tuning": "tuning",
    "text_feature_vis": "text_feature_vis",
    "faceted_feature_vis": "faceted_feature_vis",
    "faceted": "faceted_feature_vis",
    "facets": "faceted_feature_vis",
}
"""Techniques of OpenAI Microscope, and the lens of ours that asks the same."""

_OBJECTIVES = ("channel", "neuron")


@dataclass(frozen=True)
class AskedView:
    """A lens and a variant of it, "" where none is named."""

    technique: str = ""
    variant: str = ""


def view_of(query: Mapping[str, str], fragment: str = "") -> AskedView:
    """The view that a page's query asks for.

    Old keys end in `technique` (`models.op.technique=feature_vis`) or in `feature_vis.type`; ours
    are `lens`, `objective`, `sign` and `variant`, or a section of the page (`#tuning`).
    """
    technique = variant = negative = ""
    for key, value in query.items():
        last = key.rpartition(".")[2]
        if last == "technique":
            technique = OLD.get(value, "")
        elif key.endswith("feature_vis.type") or key == "objective":
            variant = value if value in _OBJECTIVES else ""
        elif key == "lens":
            technique = _word(value)
        elif key == "sign":
            negative = "-negative" if value == "negative" else ""
        elif key == "variant":
            variant = _word(value)
    technique = technique or OLD.get(fragment, "")
    if variant in _OBJECTIVES or negative:
        technique = technique or "feature_vis"
        if technique != "feature_vis":
            return AskedView(technique)
        variant = (variant or "channel") + negative
    return AskedView(technique, variant)


def asset_view(name: str, query: Mapping[str, str]) -> AskedView:
    """The view of a file of OpenAI Microscope's store: `lucid.<name>`, and its parameters."""
    technique = OLD.get(name, "")
    if technique != "feature_vis":
        return AskedView(technique, _word(query.get("dataset", "")))
    variant = query.get("objective", "")
    negative = "-negative" if query.get("negative", "").lower() == "true" else ""
    return AskedView(technique, variant + negative if variant in _OBJECTIVES else "")


def _word(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_.\-]{1,60}", text) else ""
