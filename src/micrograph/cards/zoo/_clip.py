"""What the cards of CLIP's ResNets share."""

import re
from functools import partial
from typing import NoReturn

from micrograph.cards.function import Function
from micrograph.cards.model_card import Conversion, Kin, ModelCard, Probe, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import _clip_names
from micrograph.cards.zoo._clip_shape import Shape
from micrograph.errors import Unavailable

PAPER = (
    "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, 2021"
)

PAPER_URL = "https://arxiv.org/abs/2103.00020"

GOH = "Goh et al., Multimodal Neurons in Artificial Neural Networks, Distill 2021"

BUILD = Function("micrograph.networks.clip.building:build")
"""Takes a `Shape`."""

VOCABULARY = WeightsSource(
    title="openai/CLIP, list of byte pairs of the tokenizer",
    url="https://github.com/openai/CLIP/raw/main/clip/bpe_simple_vocab_16e6.txt.gz",
    sha256="924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a",
    note="needed for texts only; an installed open_clip contains it",
    size=1_356_917,
    licence="MIT",
)
"""What texts are cut into tokens by: a file of OpenAI's that does not ship with us."""

LICENCE = (
    "MIT (code and weights); OpenAI's model card asks for use in research only and advises against "
    "deployment and against surveillance and facial recognition"
)


def preprocessing(size: int) -> Preprocessing:
    """Short side to `size`, centre crop of it, the statistics of CLIP's training pictures."""
    return Preprocessing(
        size=size,
        resize=size,
        mean=(0.48145466, 0.4578275, 0.40821073),
        std=(0.26862954, 0.26130258, 0.27577711),
        interpolation="bicubic",
    )


def node_id(path: str) -> str | None:
    """A block is its output, `layer4.5.out`; inside the pooling nothing is a place of its own."""
    if re.fullmatch(r"layer\d\.\d+", path):
        return f"{path}.out"
    return None if path.startswith("pooled.") else path


# Seen in a listing of the graph (tensorflow/lucid, issue 284), but for a stage's first block, whose
# `Add_8` is known from links and whose `add_7` follows from the counting below.
_OPS = {
    "conv1": "c1_Conv2D",
    "conv2": "c2_Conv2D",
    "conv3": "c3_Conv2D",
    "bn1": "add_1",
    "bn2": "add_3",
    "bn3": "add_5",
    "downsample": "add_7",
    "out": "Relu_2",
}


def aliases(node: str) -> tuple[str, ...]:
    """Microscope's op ids: `image_block_4_5_Add_6_0` is `layer4.5.sum`.

    TensorFlow counts a block's additions: each norm takes two (variance and epsilon; product and
    offset), the residual sum follows. A stage's first block has one norm more, so its sum is
    `Add_8`.
    """
    if node == "embedding":
        return ("attnpool",)
    match = re.fullmatch(r"layer(\d)\.(\d+)\.(\w+)", node)
    if match is None:
        return ()
    stage, block, part = match.groups()
    op = ("Add_6" if int(block) else "Add_8") if part == "sum" else _OPS.get(part)
    return (f"image_block_{stage}_{block}_{op}_0",) if op else ()


_COUNTS = ("*.num_batches_tracked",)

_NUMBERS = ("input_resolution", "context_length", "vocab_size")


def conversions(shape: Shape) -> tuple[Conversion, ...]:
    """OpenAI's archive; its tensors in other files, as open_clip writes them; timm's."""
    openai, timm = (
        partial(Function(f"micrograph.networks.clip.building:from_{source}"), shape=shape)
        for source in ("openai", "timm")
    )
    sign = "visual.attnpool.positional_embedding"
    return (
        Conversion("clip", openai, sign, (*_COUNTS, *_NUMBERS)),
        *(
            Conversion(form, openai, sign, (*_COUNTS, *_NUMBERS, "attn_mask"))
            for form in ("safetensors", "torch")
        ),
        *(Conversion(form, timm, "head.pos_embed", _COUNTS) for form in ("safetensors", "torch")),
    )


def card(
    id: str,
    name: str,
    shape: Shape,
    *,
    summary: str,
    parameters: int,
    sha256: str,
    timm: str,
    accuracy: float,
    lineage: str,
    names: tuple[str, ...],
    family: Kin,
    microscope: int,
    probes: tuple[Probe, ...] = (),
) -> ModelCard:
    """The card of the CLIP ResNet that OpenAI calls `name`.

    `sha256` is of its archive; `accuracy` is that of naming ImageNet's pictures by the names of the
    classes, top-1 in percent (table 11 of the paper); `timm` is what timm calls its weights. The
    others are those of `ModelCard`.
    """
    return ModelCard(
        id=id,
        title=f"CLIP {name}",
        summary=summary,
        build=partial(BUILD, shape),
        preprocessing=preprocessing(shape.size),
        parameters=parameters,
        paper=PAPER,
        paper_url=PAPER_URL,
        licence=LICENCE,
        lineage=lineage,
        sources=(
            WeightsSource(
                title=f"OpenAI, CLIP {name}",
                url=f"https://openaipublic.azureedge.net/clip/models/{sha256}/{name}.pt",
                sha256=sha256,
                note="TorchScript archive in half precision, both towers",
                licence="MIT",
            ),
            WeightsSource(
                title=f"timm/{timm} on the Hugging Face hub, for open_clip",
                url=f"https://huggingface.co/timm/{timm}/resolve/main/open_clip_model.safetensors",
                note="the same in single precision, both towers",
                licence="MIT",
            ),
        ),
        node_id=node_id,
        tensor_name=_clip_names.openai,
        aliases=aliases,
        text=Function("micrograph.networks.clip.building:text"),
        optional=("text",),
        extras=(VOCABULARY,),
        conversions=conversions(shape),
        probes=probes,
        names=names,
        family=family,
        microscope=microscope,
        accuracy=f"{accuracy} % top-1 on ImageNet from class names alone, says the paper",
    )


def unreleased(
    id: str, title: str, *, summary: str, why: str, family: Kin, microscope: int
) -> ModelCard:
    """The card of a relative whose weights nobody outside OpenAI has; `why` is what to tell."""

    def build() -> NoReturn:
        raise Unavailable(f"{id} cannot be had: {why}")

    return ModelCard(
        id=id,
        title=title,
        summary=summary,
        build=build,
        preprocessing=preprocessing(224),
        paper=GOH,
        paper_url="https://distill.pub/2021/multimodal-neurons/",
        unreleased=why,
        family=family,
        microscope=microscope,
        instead="contrastive_rn50",
    )
