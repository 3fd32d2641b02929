"""What OpenAI and timm call the tensors of a CLIP ResNet. Needs no torch.

Our weights files carry OpenAI's names, so that they stay files that open_clip reads too.
"""

import re

_OPENAI = (
    (r"stem\.", "visual."),
    (r"layer", "visual.layer"),
    (r"pooled\.positions", "visual.attnpool.positional_embedding"),
    (r"pooled\.(.).*\.(\w+)", r"visual.attnpool.\1_proj.\2"),
    (r"embedding\.", "visual.attnpool.c_proj."),
    (r"text\.tokens\.", "token_embedding."),
    (r"text\.places", "positional_embedding"),
    (r"text\.last\.", "ln_final."),
    (r"text\.output", "text_projection"),
    (r"text\.log_scale", "logit_scale"),
    (r"text\.blocks\.", "transformer.resblocks."),
)
_INSIDE = (
    (".downsample.conv.", ".downsample.0."),
    (".downsample.bn.", ".downsample.1."),
    (".before_attention.", ".ln_1."),
    (".attention.", ".attn.in_proj_"),
    (".output.", ".attn.out_proj."),
    (".before_rest.", ".ln_2."),
    (".widen.", ".mlp.c_fc."),
    (".narrow.", ".mlp.c_proj."),
)


def openai(parameter: str) -> str:
    """`layer1.0.downsample.bn.weight` is `visual.layer1.0.downsample.1.weight`."""
    for pattern, name in _OPENAI:
        if match := re.match(pattern, parameter):
            parameter = match.expand(name) + parameter[match.end() :]
            break
    for ours, theirs in _INSIDE:
        parameter = parameter.replace(ours, theirs)
    return parameter


_TIMM = {
    "conv1": "conv1_1x1.conv",
    "bn1": "conv1_1x1.bn",
    "conv2": "conv2_kxk.conv",
    "bn2": "conv2_kxk.bn",
    "conv3": "conv3_1x1.conv",
    "bn3": "conv3_1x1.bn",
    "downsample": "shortcut.conv",
}
_TIMM_HEAD = {
    "pooled.positions": "head.pos_embed",
    "pooled.query": "head.q",
    "pooled.key": "head.k",
    "pooled.value": "head.v",
    "embedding": "head.proj",
}


def timm(parameter: str) -> str:
    """`layer1.0.bn2.weight`, of the image tower, is `stages.0.0.conv2_kxk.bn.weight`."""
    if match := re.fullmatch(r"stem\.(conv|bn)(\d)(.*)", parameter):
        return f"stem.conv{match[2]}.{match[1]}{match[3]}"
    if match := re.fullmatch(r"layer(\d)\.(\d+)\.(\w+)(.*)", parameter):
        return f"stages.{int(match[1]) - 1}.{match[2]}.{_TIMM[match[3]]}{match[4]}"
    for ours, theirs in _TIMM_HEAD.items():
        parameter = parameter.replace(ours, theirs)
    return parameter
