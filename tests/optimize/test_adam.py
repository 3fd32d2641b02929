"""Adam against torch's own class, and that the compiler stays away."""

import subprocess
import sys

import torch

from micrograph.optimize.adam import Adam


def _walked(make) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    params = torch.randn(2, 3, 7, 5, generator=generator).requires_grad_(True)
    chosen = make([params])
    for step in range(12):
        chosen.zero_grad(set_to_none=True)
        weights = torch.randn(params.shape, generator=generator)
        (params * weights + params**2).sum().backward()
        chosen.param_groups[0]["lr"] = 0.1 * (12 - step) / 12
        chosen.step()
    return params.detach()


def test_it_is_torchs_to_the_bit():
    theirs = _walked(lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.3, 0.999), fused=True))
    assert torch.equal(_walked(lambda p: Adam(p, lr=0.1, momentum=0.3)), theirs)


def test_no_compiler_is_imported_for_a_picture():
    script = (
        "import sys\n"
        "from micrograph import load, optimize as opt\n"
        "model = load('toytown')\n"
        "opt.optimize(model, opt.channel('conv0', 1), opt.Settings(size=32, steps=2))\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
