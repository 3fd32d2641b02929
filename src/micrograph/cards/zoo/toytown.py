"""The embedded organism: a small network of procedural pictures, whose weights ship with us."""

from micrograph.cards.function import Function
from micrograph.cards.model_card import Kin, ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.organisms.toytown.classes import CLASSES


def node_id(path: str) -> str:
    """`mixed4a.3x3_reduce` is `mixed4a_3x3_reduce`."""
    return path.replace(".", "_")


def aliases(node: str) -> tuple[str, ...]:
    """Short forms: `4a`, `4a_3x3`, and Lucid's `mixed4a_3x3_bottleneck`, `mixed4a_pool_reduce`."""
    if not node.startswith("mixed"):
        return ()
    lucid = node.replace("_reduce", "_bottleneck").replace("_pool_proj", "_pool_reduce")
    return tuple(n for n in (node.removeprefix("mixed"), lucid) if n != node)


CARD = ModelCard(
    id="toytown",
    title="Toytown",
    summary="A test network that ships with Micrograph: of Inception's style, 0.7 million "
    "parameters, trained on procedural pictures of things that share parts, each part with its "
    "exact mask.",
    build=Function("micrograph.networks.toytown:build"),
    # As in toytown.network, which needs torch; a test holds them together.
    preprocessing=Preprocessing(size=96, resize=96, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
    digest="9545bd7e615fcaf8c3a4dc9518532dc54791af75d572a10fc36c5c19a1603aaa",
    parameters=716_762,
    labels=CLASSES,
    licence="Apache-2.0",
    lineage="trained by micrograph.organisms.toytown.train on the pictures of its own generator",
    sources=(WeightsSource(title="ships with Micrograph"),),
    bundled="organisms/toytown/weights.safetensors",
    node_id=node_id,
    aliases=aliases,
    dictionaries=(("mixed4a", "sae", "organisms/toytown/mixed4a.sae.safetensors"),),
    family=Kin(
        "toytown", "an Inception-style network of 0.7 million parameters on procedural pictures"
    ),
)
