"""A PyTorch state dict, through `torch.load(weights_only=True)`: it rebuilds tensors and refuses
everything else."""

import io
import pickle
import warnings
from collections.abc import Mapping

import torch
from torch import Tensor

from micrograph.weights.readers.common import Damaged, Tensors


def read(data: memoryview) -> Tensors:
    """The state dict, or the one under "state_dict" of a checkpoint."""
    try:
        with warnings.catch_warnings(action="ignore"):  # on how a foreign pickle is written
            loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise Damaged(
            "it holds more than tensors: it would have to run code to be read, so it was refused "
            "and nothing in it was run"
        ) from None
    except Exception as error:  # a damaged file fails in any way inside torch
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise Damaged(f"it cannot be read as a PyTorch state dict ({reason[:160]})") from None
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping) or not all(
        isinstance(n, str) and isinstance(t, Tensor) for n, t in loaded.items()
    ):
        raise Damaged(f"it holds a {type(loaded).__name__}, expected a dict of tensors")
    return {name: tensor.detach() for name, tensor in loaded.items()}
