"""Tests against independent libraries; each skips, and says so, where its library is absent."""

import os
import warnings
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

HERE = Path(__file__).parent

_SIGNATURES = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_stand_ins = []


def stand_in_for_torchvision() -> None:
    """Some CPU builds of torchvision lack their compiled operators, and cannot be imported unless
    these exist. Nothing here calls them."""
    import torch

    missing = [s for s in _SIGNATURES if not hasattr(torch.ops.torchvision, s.partition("(")[0])]
    if missing:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for signature in missing:
            library.define(signature)
        _stand_ins.append(library)  # its operators live as long as it does


stand_in_for_torchvision()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Warnings of other people's libraries are theirs to mend."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session")
def peer():
    """`peer("timm")` imports a library, or skips where it is not installed."""

    def load(name: str):
        with warnings.catch_warnings(action="ignore"):
            return pytest.importorskip(name, reason=f"{name} is not installed (extra `peers`)")

    return load
