"""Pictures by optimization, for lenses and notebooks.

from micrograph import load, optimize as opt

model = load("inceptionv1_caffe")
pictures = opt.optimize(model, opt.channel("4c", 447))
"""

from micrograph.optimize.ascent import activations
from micrograph.optimize.objectives import (
    Objective,
    channel,
    direction,
    energy,
    neuron,
    objective,
    total_variation,
)
from micrograph.optimize.parameterize import FourierImage, Parameterization, PixelImage
from micrograph.optimize.pictures import Pictures, evaluate, optimize
from micrograph.optimize.settings import Settings
from micrograph.optimize.transforms import NONE, STANDARD, Affine
from micrograph.steps import StepState, Watch

__all__ = [
    "NONE",
    "STANDARD",
    "Affine",
    "FourierImage",
    "Objective",
    "Parameterization",
    "Pictures",
    "PixelImage",
    "Settings",
    "StepState",
    "Watch",
    "activations",
    "channel",
    "direction",
    "energy",
    "evaluate",
    "neuron",
    "objective",
    "optimize",
    "total_variation",
]
