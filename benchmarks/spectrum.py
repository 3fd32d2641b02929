"""The mean amplitude spectrum of natural pictures, as a formula (for MaCo, optimize/maco.py).

    python benchmarks/spectrum.py FOLDER_OF_PICTURES

Every picture's largest centred square is scaled to 256 px, taken to the colour components that the
parameterizations use (the inverse of sigmoid and colour basis), windowed and transformed. Fitted to
the mean amplitude over the pictures, for each component c, by least squares of the logarithm:

    log A_c(f, t) = a_c - b_c log f + c_c cos 2t + d_c cos 4t

f in cycles per pixel, t the angle of the frequency. Prints the numbers and how well they fit.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from micrograph.optimize.parameterize import COLOR_BASIS

SIZE = 256
LEAST = 4 / 255
"""Values nearer to 0 or 1 than this are moved to it, before the inverse sigmoid."""


def components(picture: Image.Image) -> torch.Tensor:
    """[component, y, x] of the centre of a picture."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.convert("RGB").crop((left, top, left + side, top + side))
    small = square.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    rgb = torch.from_numpy(np.array(small)).permute(2, 0, 1).double() / 255
    return torch.einsum(
        "cr,ryx->cyx", COLOR_BASIS.double().inverse(), rgb.clamp(LEAST, 1 - LEAST).logit()
    )


def mean_amplitude(paths: list[Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[component, fy, fx] of rfft2; mean over pictures. Also each component's mean and sd."""
    window = torch.hann_window(SIZE, periodic=True, dtype=torch.float64)
    window = window[:, None] * window[None, :]
    total, means, variances = 0.0, [], []
    for path in paths:
        values = components(Image.open(path))
        means.append(values.mean((1, 2)))
        variances.append(values.var((1, 2)))
        centred = (values - means[-1][:, None, None]) * window / window.square().mean().sqrt()
        total = total + torch.fft.rfft2(centred).abs()
    return (
        (total / len(paths)).numpy(),
        torch.stack(means).mean(0).numpy(),
        torch.stack(variances).mean(0).sqrt().numpy(),
    )


def fit(amplitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients [component, 4] and root mean square errors of the logarithm [component]."""
    fy = np.fft.fftfreq(SIZE)[:, None] + np.zeros((1, SIZE // 2 + 1))
    fx = np.fft.rfftfreq(SIZE)[None, :] + np.zeros((SIZE, 1))
    f, t = np.hypot(fy, fx), np.arctan2(fy, fx)
    used = (f >= 2 / SIZE) & (f <= 0.45)
    lf = np.log(f[used])
    basis = np.stack([np.ones_like(lf), -lf, np.cos(2 * t[used]), np.cos(4 * t[used])], 1)
    weight = 1 / f[used]  # every octave counts alike
    out, errors = [], []
    for plane in amplitude:
        y = np.log(plane[used])
        w = np.sqrt(weight)[:, None]
        solution = np.linalg.lstsq(basis * w, y * w[:, 0], rcond=None)[0]
        out.append(solution)
        errors.append(np.sqrt(np.average((basis @ solution - y) ** 2, weights=weight)))
    return np.array(out), np.array(errors)


def main() -> None:
    paths = sorted(p for p in Path(sys.argv[1]).rglob("*") if p.suffix.lower() in (".jpg", ".png"))
    amplitude, means, deviations = mean_amplitude(paths)
    coefficients, errors = fit(amplitude)
    print(f"{len(paths)} pictures; per component:")
    for c in range(3):
        print(
            f"  a, b, c, d = {', '.join(f'{v:.3f}' for v in coefficients[c])}; "
            f"rms error of log {errors[c]:.3f}; mean {means[c]:.3f}, sd {deviations[c]:.3f}"
        )


if __name__ == "__main__":
    main()
