"""Which node a file means by the name of a place, and what speaks against the chosen one."""

import re
from collections.abc import Iterable, Mapping

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.hooks import Hooks
from micrograph.models.node import Node

_BLOCK = r"(?:.*\.)?(?:blocks|layers|layer|resblocks|h)\.{layer}"
_HOOKS = {
    r"blocks\.(\d+)\.hook_resid_post|resid_post_layer_(\d+)": "",
    r"blocks\.(\d+)\.hook_resid_mid": r"\.add",
    r"blocks\.(\d+)\.hook_mlp_out|mlp_out_layer_(\d+)": r"\.(?:mlp|ffn|feed_forward)",
    r"blocks\.(\d+)\.hook_attn_out|attention_out_layer_(\d+)": (
        r"\.(?:attn|attention|self_attn|self_attention)(?:\.out_proj|\.o_proj|\.output)?"
    ),
    r"blocks\.(\d+)\.ln1\.hook_normalized": r"\.(?:norm1|ln_1|layer_norm1|layernorm_before)",
    r"blocks\.(\d+)\.ln2\.hook_normalized": r"\.(?:norm2|ln_2|layer_norm2|layernorm_after)",
    r"blocks\.(\d+)\.mlp\.hook_pre": r"\.mlp\.(?:fc1|c_fc)",
    r"blocks\.(\d+)\.mlp\.hook_post": r"\.mlp\.(?:act|gelu|activation_fn)",
}
"""What libraries call the places in a block, and how the ids of nodes end there."""


def fitting(hook: str, nodes: Iterable[Node], units: int) -> list[str]:
    """The nodes of that many units that a place called `hook` may be: those of that name, else
    those where it is in a block."""
    nodes = [n for n in nodes if n.units == units and n.kind != "token"]
    name = hook.removesuffix(".output")
    exact = [n.id for n in nodes if name in (n.id, n.path, *n.aliases)]
    if exact or not name:
        return exact
    for pattern, end in _HOOKS.items():
        if found := re.fullmatch(pattern, name):
            layer = next(group for group in found.groups() if group)
            place = re.compile(_BLOCK.format(layer=layer) + end)
            return [n.id for n in nodes if any(map(place.fullmatch, (n.id, *n.aliases)))]
    if found := re.fullmatch(r"blocks\.(\d+)\.hook_resid_pre", name):
        before = int(found[1]) - 1
        return [] if before < 0 else fitting(f"blocks.{before}.hook_resid_post", nodes, units)
    return [n.id for n in nodes if n.id.endswith(f".{name}")]


def proposed(hook: str, nodes: Iterable[Node], units: int, what: str = "node") -> str:
    """The only node that fits. Raises BadInput, saying what the file says, where it is not one."""
    nodes = list(nodes)
    found = fitting(hook, nodes, units)
    if len(found) == 1:
        return found[0]
    said = f"the file names {short(hook)}" if hook else "the file does not say where it belongs"
    if found:
        raise BadInput(f"{said}, which may be {', '.join(found[:4])}; name the {what}")
    width = [n.id for n in nodes if n.units == units and n.kind != "token"]
    shown = ", ".join(width[:6]) + (", ..." if len(width) > 6 else "")
    raise BadInput(
        f"{said}, and no node of {units} units is known by that; name the {what}"
        + (f", one of {shown}" if width else f": none has {units} units")
    )


def doubts(hooks: Hooks, nodes: Mapping[str, Node], chosen: Node, model: str) -> list[str]:
    """What the file says of its place that does not look like `chosen` in `model`, in words."""
    found = []
    if hooks.model and not _alike(hooks.model, model):
        found.append(f"made for the model {hooks.model}, attached to {model}")
    if hooks.reads:
        fits = fitting(hooks.reads, nodes.values(), chosen.units)
        if fits and chosen.id not in fits:
            found.append(
                f"made for {hooks.reads}, which is {' or '.join(fits[:3])} here, attached to "
                f"{chosen.id}"
            )
        elif "normalized" in hooks.reads and chosen.kind != "norm" and not fits:
            found.append(
                f"made for values after a norm ({hooks.reads}), attached to {chosen.id}, which is "
                f"{chosen.kind}"
            )
    return found


def _alike(a: str, b: str) -> bool:
    """Whether most words of the shorter name stand in the longer one."""
    words = [set(re.findall(r"[a-z]+|\d+", name.lower())) for name in (a, b)]
    shorter = min(words, key=len)
    return not shorter or 2 * len(words[0] & words[1]) > len(shorter)
