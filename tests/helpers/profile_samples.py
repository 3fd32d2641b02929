"""Atlases with profiles of invented models, as a sweep of dataset examples leaves them."""

from pathlib import Path

import numpy as np
import web_samples

from micrograph.atlas import AtlasWriter, ModelRecord, Visualization

DIGEST = "cd" * 32
PICTURES = 200


def floats(units: int, seed: int, pictures: int = PICTURES) -> np.ndarray:
    """Profiles [unit, picture] as networks have them: rarely large, some units alike."""
    draw = np.random.default_rng(seed)
    base = np.random.default_rng(0).gamma(0.5, size=(6, pictures))  # the same in every model
    profile: np.ndarray = draw.gamma(0.6, size=(units, 6)) @ base + draw.gamma(
        0.4, size=(units, pictures)
    )
    return profile


def quantized(values: np.ndarray, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """As a sweep stores them."""
    low, high = values.min(1).astype(np.float32), values.max(1).astype(np.float32)
    scale = np.where(high > low, high - low, 1)
    profile = np.round((values - low[:, None]) / scale[:, None] * 255).astype(np.uint8)
    return {"profile": profile, "low": low, "high": high, "numbers": numbers.astype(np.int32)}


def row(
    model: str,
    node: str,
    arrays: dict[str, np.ndarray],
    digest: str = DIGEST,
    technique: str = "dataset_examples",
    variant: str = "town",
) -> Visualization:
    recipe: dict[str, str | int] = {"technique": technique, "variant": variant, "model": model}
    recipe |= {"dataset": digest, "view": variant, "seed": 0}
    return Visualization(node, None, recipe, 0.0, None, {"dataset": digest}, arrays=arrays)


def write(folder: Path, model: str, rows: list[Visualization]) -> None:
    record = ModelRecord(id=model, title=model, digest=model.encode().hex() * 4)
    with AtlasWriter.open(folder / f"{model}.atlas", record, web_samples.NODES) as writer:
        writer.put(rows)


NUMBERS = np.arange(PICTURES) * 3
A = {n.id: floats(n.units, n.index) for n in web_samples.NODES if n.id != "empty"}
# What a concatenation has is what its branches have.
A["mixed1a"] = np.concatenate([A["mixed1a_1x1"], A["mixed1a_3x3"]])
A["conv0"][3] = 0.25  # dead: always the same
B = {"conv0": floats(8, 77), "mixed1a": floats(16, 78)}
