"""The networks of the table of families: the smallest of every kind, with random weights.

A network is named `library:name`. Large ones are made less deep, which changes no rule that they
need; nothing is downloaded.
"""

import contextlib
import copy
import importlib.metadata
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from micrograph.networks.adapters.hf import picture_net
from micrograph.networks.adapters.libraries import library
from micrograph.networks.adapters.open_clip import image_tower

LARGEST = 140_000_000
"""Parameters; above this a network is built with fewer blocks, or left out."""

TIMM: dict[str, dict[str, Any]] = {
    "beit_base_patch16_224": {"depth": 3},
    "deepseek_vit_412m": {"depth": 2},
    "gemma4_vit_167m": {"depth": 3},
    "naflexvit_base_patch16_parfac_gap": {"depth": 3},
    "qwen3_vit_88m": {"depth": 3},
    "samvit_base_patch16_224": {"depth": 3},
    "vit_base_patch16_siglip_224": {"depth": 3},
    "mixer_s32_224": {"num_blocks": 3},
    "gmlp_s16_224": {"num_blocks": 3},
    "resmlp_12_224": {"num_blocks": 3},
    **{
        name: {"depth": 3}
        for name in (
            *("vit_tiny_patch16_224", "vit_small_patch16_dinov3", "vit_small_patch14_reg4_dinov2"),
            *("eva02_tiny_patch14_224", "vit_wee_patch16_reg1_gap_256", "deit_tiny_patch16_224"),
            *("vit_relpos_small_patch16_224", "vit_betwixt_patch16_gap_256", "convit_tiny"),
            *("vit_tiny_patch16_dinov3_qkvb", "vit_small_r26_s32_224", "cait_xxs24_224"),
        )
    },
}
"""Options of networks of timm that are too large as they are, or repeat one block for long."""

TIMM_TOO = (
    *("vit_tiny_patch16_224", "vit_small_patch16_dinov3", "vit_small_patch14_reg4_dinov2"),
    *("vit_base_patch16_siglip_224", "swiftformer_xs", "resnetv2_50x1_bit", "regnety_002"),
    *("samvit_base_patch16_224", "eva02_tiny_patch14_224", "vit_small_r26_s32_224"),
    *("vit_wee_patch16_reg1_gap_256", "vit_relpos_small_patch16_224", "mixer_s32_224"),
    *("gmlp_s16_224", "resmlp_12_224", "vit_betwixt_patch16_gap_256", "convmixer_768_32"),
    *("botnet26t_256", "lambda_resnet26rpt_256", "eca_botnext26ts_256", "sebotnet33ts_256"),
    *("lamhalobotnet50ts_256", "resnet26t", "skresnet18", "resnest14d", "seresnext26t_32x4d"),
    *("maxxvit_rmlp_nano_rw_256", "coatnet_nano_rw_224", "coatnext_nano_rw_224"),
    *("mobilenetv4_hybrid_medium", "mobilenetv4_conv_small", "hardcorenas_a", "tinynet_e"),
    *("mobilevitv2_050", "mobileone_s0", "repvgg_a0", "dm_nfnet_f0", "nf_regnet_b0"),
    *("pvt_v2_b0", "swin_tiny_patch4_window7_224", "swinv2_cr_tiny_ns_224"),
)
"""Networks of timm that differ in kind from the smallest of their module."""

TORCHVISION: dict[str, dict[str, Any]] = {
    name: {}
    for name in (
        *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s"),
        *("googlenet", "inception_v3", "maxvit_t", "mnasnet0_5", "mobilenet_v2"),
        *("mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18", "resnet50"),
        *("resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "swin_v2_t"),
        *("vgg11_bn", "lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large"),
        *("fcn_resnet50", "vit_b_32"),
    )
}

OPEN_CLIP: dict[str, dict[str, Any]] = {
    "RN50": {"layers": [1, 1, 1, 1]},
    "ViT-S-32": {"layers": 3},
    "ViT-B-32-256": {"layers": 3},
    "ViT-H-14-CLIPA": {"layers": 2, "width": 160, "head_width": 80},
    "coca_ViT-B-32": {"layers": 3},
    "coca_base": {"layers": 2},
    "ViT-B-16-SigLIP": {},
    "ViT-B-32-SigLIP2-256": {},
    "EVA02-B-16": {},
    "MobileCLIP-S1": {},
    "MobileCLIP-B": {},
    "MobileCLIP2-S0": {},
    "convnext_tiny": {},
    "ViTamin-S": {},
    "PE-Core-T-16-384": {},
    "swin_base_patch4_window7_224": {},
    "vit_medium_patch16_gap_256": {},
    "vit_relpos_medium_patch16_cls_224": {},
}
"""Names and what is changed of the image tower's configuration."""


def names() -> list[str]:
    """All networks of the table, `library:name`; found once for the versions that are installed."""
    versions = [importlib.metadata.version(name) for name in ("timm", "transformers")]
    kept = Path("build") / f"families-{'-'.join(versions)}.json"
    if not kept.is_file():
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(_names()))
    return list(json.loads(kept.read_text()))


def _names() -> list[str]:
    timm = library("timm")
    smallest = filter(None, (_smallest(timm, module) for module in _registry(timm)))
    return [
        *(f"timm:{name}" for name in dict.fromkeys((*smallest, *TIMM_TOO))),
        *(f"torchvision:{name}" for name in TORCHVISION),
        *(f"open_clip:{name}" for name in OPEN_CLIP),
        *(f"transformers:{name}" for name in transformers_names()),
    ]


def _registry(timm: Any) -> list[str]:
    return list(timm.models.list_modules())


def _smallest(timm: Any, module: str) -> str:
    """The network of a module of timm with the fewest parameters."""
    counts: dict[str, float] = {}
    for name in timm.list_models(module=module):
        with quiet(), torch.device("meta"), contextlib.suppress(Exception):
            counts[name] = sum(p.numel() for p in timm.create_model(name).parameters())
    return min(counts, key=lambda name: counts[name], default="")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of other people's libraries."""
    with warnings.catch_warnings(action="ignore"):
        yield


def build(name: str) -> tuple[nn.Module, int, int]:
    """A network with random weights, the size of its pictures and the number of their channels."""
    kind, _, name = name.partition(":")
    torch.manual_seed(0)
    with quiet():
        net, size, channels = _BUILDERS[kind](name)
    count = sum(p.numel() for p in net.parameters())
    if count > LARGEST:
        raise TooLarge(f"{count / 1e6:.0f} million parameters")
    net = net.eval().requires_grad_(False)
    spread_constants(net)
    return net, smaller_size(net, size, channels), channels


class TooLarge(Exception):
    """The network has more parameters than the table's checks are made for."""


def spread_constants(net: nn.Module) -> None:
    """Give parameters that are all one number different ones: a scale of 0 would hide an edge."""
    for parameter in net.parameters():
        if parameter.is_floating_point() and parameter.numel() > 1 and not parameter.std() > 0:
            noise = torch.randn_like(parameter) * 0.2
            parameter.copy_(
                parameter.abs().clamp_min(0.5) + noise if parameter[..., 0].any() else noise
            )
    for name, buffer in net.named_buffers():
        if name.endswith(("running_mean", ".weight")) and not buffer.any():
            buffer.copy_(torch.randn_like(buffer) * 0.1)


def smaller_size(net: nn.Module, size: int, channels: int) -> int:
    """128, if the network takes that as well; otherwise its own size."""
    for side in (128, 192) if size > 128 else ():
        with torch.no_grad(), contextlib.suppress(Exception), quiet():
            # A copy, since some keep what they worked out for the first size.
            copy.deepcopy(net)(torch.rand(1, channels, side, side))
            return side
    with torch.no_grad(), quiet():
        net(torch.rand(1, channels, size, size))  # raises what is wrong with the network itself
    return size


def _timm(name: str) -> tuple[nn.Module, int, int]:
    timm = library("timm")
    config = timm.get_pretrained_cfg(name)
    channels, size, _ = config.input_size
    options = dict(TIMM.get(name, {}))
    return timm.create_model(name, **options), size, channels


def _torchvision(name: str) -> tuple[nn.Module, int, int]:
    models = library("torchvision").models
    if name == "vit_b_32":
        small = {"num_layers": 3, "num_heads": 3, "hidden_dim": 96, "mlp_dim": 192}
        return models.VisionTransformer(image_size=128, patch_size=32, **small), 128, 3
    builder = models.get_model_builder(name)
    size = 299 if name == "inception_v3" else 224
    if ".segmentation." in builder.__module__:
        return _FirstOf(builder(weights=None, weights_backbone=None, num_classes=5)), size, 3
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return builder(weights=None, **options), size, 3


class _FirstOf(nn.Module):
    """A network that gives a dict, as one that gives the first of it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return next(iter(self.net(images).values()))


def _open_clip(name: str) -> tuple[nn.Module, int, int]:
    open_clip = library("open_clip")
    config = open_clip.get_model_config(name)
    vision = {**config["vision_cfg"], **OPEN_CLIP[name], "timm_model_pretrained": False}

    class Pair:
        visual = open_clip.model._build_vision_tower(config["embed_dim"], vision)

    size = vision.get("image_size", 224)
    return image_tower(Pair), size if isinstance(size, int) else size[0], 3


NEEDS_MORE = frozenset(
    (
        *("Blip2Model", "InstructBlipModel", "InstructBlipVideoModel", "Kosmos2Model"),
        *("GroundingDinoModel", "MMGroundingDinoModel", "OmDetTurboForObjectDetection"),
        *("EfficientLoFTRModel", "LightGlueForKeypointMatching", "SamModel", "Sam2Model"),
        *("Sam2VideoModel", "Sam3Model", "Sam3TrackerModel", "Sam3TrackerVideoModel"),
        *("Sam3VideoModel", "Sam3LiteTextModel", "Sam3LiteTextTextModel", "SamHQModel"),
        *("EdgeTamModel", "EdgeTamVideoModel", "TimesformerModel", "VideoMAEModel"),
        *("VivitModel", "TimmBackbone", "TimmWrapperModel", "SegGptModel", "DinatModel"),
        *("VideoLlama3VisionModel", "PixtralVisionModel", "Siglip2VisionModel"),
        *("HunYuanVLVisionTransformer", "Cosmos3EdgeVisionModel", "GlmImageVisionModel"),
        *("MuseGlimmerVisionModel", "MuseSparkVisionModel"),
    )
)
"""Models of transformers that take text, points, videos, several pictures or cut patches beside or
instead of one picture, or need other packages."""

TOO = ("ViTMAEModel", "PerceiverForImageClassificationConvProcessing", "YolosForObjectDetection")


def transformers_names() -> list[str]:
    """The classes of transformers that take a batch of pictures and no more."""
    library("torchvision")
    transformers = library("transformers")
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

    found: list[str] = []
    for value in MODEL_MAPPING_NAMES.values():
        for name in (value,) if isinstance(value, str) else value:
            with contextlib.suppress(Exception):
                if getattr(transformers, name).main_input_name == "pixel_values":
                    found.append(name)
    return [name for name in dict.fromkeys((*found, *TOO)) if name not in NEEDS_MORE]


SMALL: dict[str, int] = {
    **dict.fromkeys(("hidden_size", "d_model", "encoder_hidden_dim"), 48),
    **dict.fromkeys(("intermediate_size", "mlp_dim", "encoder_ffn_dim", "decoder_ffn_dim"), 64),
    **dict.fromkeys(("num_hidden_layers", "encoder_layers", "decoder_layers", "num_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "encoder_attention_heads"), 4),
    **dict.fromkeys(("decoder_attention_heads", "num_key_value_heads"), 4),
    **dict.fromkeys(("projection_dim", "fpn_hidden_size", "mask_feature_size"), 48),
}
"""What fields of a configuration are made, where they are larger."""


def small(config: Any) -> Any:
    """A configuration of transformers with small numbers in it, in place."""
    fields = vars(config)
    for name, value in list(fields.items()):
        if hasattr(value, "to_dict"):
            small(value)
        elif isinstance(value, int) and not isinstance(value, bool) and name in SMALL:
            setattr(config, name, min(value, SMALL[name]))
        elif name == "depths" and isinstance(value, (list, tuple)):
            setattr(config, name, [min(int(depth), 2) for depth in value])
    patch = fields.get("patch_size")
    windows = "window_size" in fields  # which are made for the size that is there
    if isinstance(patch, int) and fields.get("image_size") and not windows:
        stages = 2 ** (len(fields.get("depths") or [0]) - 1)
        side = max(patch * 4 * stages, 64)
        image = fields["image_size"]
        config.image_size = side if isinstance(image, int) else [side, side]
    return config


def _transformers(name: str) -> tuple[nn.Module, int, int]:
    library("torchvision")
    transformers = library("transformers")
    network = getattr(transformers, name)
    config = small(network.config_class(**OPTIONS.get(name, {})))
    size = next((s for c in _configs(config) if (s := getattr(c, "image_size", None))), 224)
    side = size if isinstance(size, int) else size[0]
    return picture_net(network(config)), side, getattr(config, "num_channels", 3) or 3


def _configs(config: Any) -> Iterator[Any]:
    yield config
    for value in vars(config).values():
        if hasattr(value, "to_dict"):
            yield from _configs(value)


_SAM = {"image_size": 128, "window_size": 4, "global_attn_indexes": [1]}

OPTIONS: dict[str, dict[str, Any]] = {
    "ViTMAEModel": {"mask_ratio": 0.0},  # otherwise each pass is another
    "SamVisionModel": _SAM,
    "SamHQVisionModel": _SAM,
    "PerceiverForImageClassificationConvProcessing": {
        "num_latents": 8,
        "d_latents": 48,
        "num_self_attends_per_block": 2,
        "num_self_attention_heads": 4,
        "num_cross_attention_heads": 1,
        "image_size": 64,
    },
}
"""Arguments of configurations that are not enough as they are."""

_BUILDERS = {
    "timm": _timm,
    "torchvision": _torchvision,
    "open_clip": _open_clip,
    "transformers": _transformers,
}
