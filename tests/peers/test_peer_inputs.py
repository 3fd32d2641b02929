"""What networks of libraries get of a photograph: what their own transforms and image processors make
of it, to the rounding of a byte."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput
from micrograph.models.pictures import to_input
from micrograph.networks.adapters import open_clip as of_open_clip
from micrograph.networks.adapters import timm as of_timm
from micrograph.networks.adapters import torchvision as of_torchvision
from micrograph.networks.adapters.hf import preprocessing_of
from micrograph.pictures import open_shipped

SIZES = [(409, 256), (271, 256), (256, 401), (60, 91), (200, 200), (500, 90)]


def photographs() -> list[Image.Image]:
    photograph = open_shipped("chelsea")
    return [photograph.resize(size, Image.Resampling.LANCZOS) for size in SIZES]


def farthest(p: Preprocessing, expected: np.ndarray, picture: Image.Image) -> float:
    """How far what we make of it is from what is expected, in steps of a byte."""
    mine = p.apply(to_input(picture, p)[None])[0].numpy()
    assert mine.shape == expected.shape
    step = np.array(p.std).reshape(-1, 1, 1) / p.scale * 255
    return float((np.abs(mine - expected) * step).max())


@pytest.mark.parametrize("share", [1.0, 0.875, 0.9, 0.965])
@pytest.mark.parametrize("mode", ["center", "squash", "border", None])
def test_timm(mode, share, peer):
    peer("timm")
    from timm.data.transforms_factory import transforms_imagenet_eval

    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for size, method in ((224, "bicubic"), (117, "bilinear"), (224, "nearest")):
        config = SimpleNamespace(
            mean=mean,
            std=std,
            input_size=(3, size, size),
            crop_pct=share,
            crop_mode=mode,
            interpolation=method,
        )
        transform = transforms_imagenet_eval(
            size, crop_pct=share, crop_mode=mode, interpolation=method, mean=mean, std=std
        )
        p = of_timm.preprocessing_of(config)
        for picture in photographs():
            assert farthest(p, transform(picture).numpy(), picture) < 0.01


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash", None])
def test_open_clip(mode, peer):
    peer("open_clip")
    from open_clip.transform import image_transform

    config = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "resize_mode": mode, "interpolation": "bicubic"}
    p = of_open_clip.preprocessing_of(config, {"image_size": 224})
    transform = image_transform(224, False, **config)
    for picture in photographs():
        assert farthest(p, transform(picture).numpy(), picture) < 0.01


@pytest.mark.parametrize("name", ["resnet50", "vit_b_16", "inception_v3", "swin_t"])
def test_torchvision(name, peer):
    for weights in peer("torchvision").models.get_model_weights(name):
        p = of_torchvision.preprocessing_of(weights)
        for picture in photographs():
            assert farthest(p, weights.transforms()(picture).numpy(), picture) < 0.01


SQUARE = {"height": 64, "width": 64}
PROCESSORS = {
    "EfficientNet, twice divided": (
        "EfficientNet",
        {"image_std": [0.4, 0.5, 0.6], "include_top": True, "resample": 0, "size": SQUARE},
    ),
    "EfficientNet, shifted": (
        "EfficientNet",
        {
            "rescale_offset": True,
            "rescale_factor": 1 / 127.5,
            "include_top": False,
            "do_normalize": False,
            "size": SQUARE,
        },
    ),
    "MobileViT": (
        "MobileViT",
        {"crop_size": SQUARE, "size": {"shortest_edge": 72}, "resample": 2},
    ),
    "MobileViT, cut larger than resized": (
        "MobileViT",
        {"crop_size": SQUARE, "size": {"shortest_edge": 56}},
    ),
    "MobileViT, not swapped": ("MobileViT", {"do_flip_channel_order": False}),
    "LeViT": ("Levit", {"size": {"shortest_edge": 64}, "crop_size": SQUARE}),
    "PoolFormer": ("PoolFormer", {"size": {"shortest_edge": 64}, "crop_size": SQUARE}),
    "ViT": ("ViT", {"size": SQUARE}),
    "ViT, nearest": ("ViT", {"size": SQUARE, "resample": 0}),
    "ViT, lanczos": ("ViT", {"size": SQUARE, "resample": 1}),
    "ViT, not rescaled": ("ViT", {"size": SQUARE, "do_rescale": False, "do_normalize": False}),
    "SigLIP": ("Siglip", {"size": SQUARE}),
    "ConvNeXt": ("ConvNext", {"size": {"shortest_edge": 64}}),
    "ConvNeXt, whole": ("ConvNext", {"size": {"shortest_edge": 384}}),
    "CLIP": ("CLIP", {"size": {"shortest_edge": 72}, "crop_size": SQUARE}),
    "DeiT": ("DeiT", {"size": {"height": 72, "width": 72}, "crop_size": SQUARE}),
    "SegFormer, of labels": ("Segformer", {"size": SQUARE, "do_reduce_labels": True}),
    "DINOv3": ("DINOv3ViT", {"size": SQUARE}),
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_image_processors_of_transformers(name, peer):
    kind, fields = PROCESSORS[name]
    processor = getattr(peer("transformers"), f"{kind}ImageProcessor")(**fields)
    p = preprocessing_of(processor)
    assert p is not None
    for picture in photographs():
        expected = np.asarray(processor(images=picture, return_tensors="np")["pixel_values"])[0]
        assert farthest(p, expected, picture) < 3  # Pillow and torch round in their own ways
        again = preprocessing_of({**vars(processor), "image_processor_type": f"{kind}ImageProcessor"})
        assert again == p


@pytest.mark.parametrize("name", ["a mean of its own", "a size of its own", "a picture turned"])
def test_what_a_processor_does_besides_its_fields_is_honoured_or_refused(name, peer):
    hf = peer("transformers")

    class Own(hf.ViTImageProcessor):
        def __call__(self, images, **options):
            width, height = images.size
            if name == "a size of its own":
                images = images.crop((width // 4, 0, width, height))
            if name == "a picture turned":
                images = images.transpose(Image.Transpose.ROTATE_90)
            made = super().__call__(images, **options)
            if name == "a mean of its own":
                made["pixel_values"] = [made["pixel_values"][0] * 0.5 + 1]
            return made

    own = Own(size=SQUARE)
    if name != "a mean of its own":
        with pytest.raises(BadInput, match="Own does with pictures what is not known here"):
            preprocessing_of(own)
        return
    for picture in photographs():
        expected = own(images=picture, return_tensors="np")["pixel_values"][0]
        assert farthest(preprocessing_of(own), np.asarray(expected), picture) < 3


def test_a_processor_of_pictures_that_are_not_square_is_refused_in_its_own_words(peer, tmp_path):
    from micrograph import load

    hf = peer("transformers")
    config = hf.ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=64,
        patch_size=16,
    )
    hf.ViTModel(config).save_pretrained(tmp_path / "vit")
    hf.ViTImageProcessor(size={"height": 64, "width": 48}).save_pretrained(tmp_path / "vit")
    with pytest.raises(BadInput, match=r"makes pictures of 64 x 48 px.*say it") as caught:
        load(f"hf:{tmp_path / 'vit'}")
    assert "\n" not in str(caught.value)
    assert load(f"hf:{tmp_path / 'vit'}", preprocessing="64,-1..1").preprocessing.size == 64
