"""An archive of plain arrays, as `numpy.savez` writes it; without pickles."""

import io

import numpy as np
import torch

from micrograph.weights.readers.common import Damaged, Tensors


def read(data: memoryview) -> Tensors:
    """The arrays by their names."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        plain = {n: a.astype(a.dtype.newbyteorder("="), order="C") for n, a in arrays.items()}
        return {name: torch.from_numpy(array) for name, array in plain.items()}
    except Exception as error:  # a damaged archive or header fails in any way inside numpy
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise Damaged(f"it is no archive of plain arrays ({reason[:120]})") from None
