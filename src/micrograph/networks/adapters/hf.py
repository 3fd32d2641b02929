"""Vision models of transformers: `hf:facebook/dinov2-small` from the Hub, `hf:./my-vit` a folder.

The classes that come with transformers are used, never code that comes with a model. What the
pictures must be like is what the image processor beside the weights says.
"""

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograph.cards.inputs import chosen_input
from micrograph.cards.model_card import Conversion, ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.spec import ModelSpec
from micrograph.errors import BadInput, Unavailable, short
from micrograph.networks.adapters.hf_processors import preprocessing_of
from micrograph.networks.adapters.libraries import library, not_loaded, one_line

if TYPE_CHECKING:
    from torch import Tensor, nn

    from micrograph.weights.conversion import Given

_OUTPUTS = ("logits", "image_embeds", "pooler_output", "last_hidden_state")


def card(spec: ModelSpec, given: str | Preprocessing | None) -> ModelCard:
    """The card of a model of transformers. Raises Unavailable without it or without the model's
    configuration, BadInput for a model that does not take pictures."""
    transformers = library("transformers")
    name = _place(spec.name)
    try:
        config = transformers.AutoConfig.from_pretrained(name, **spec.options)
    except Exception as error:  # no network, no such model, no such file: whatever it is
        raise Unavailable(
            f"the configuration of {short(spec.text, 200)} cannot be had here "
            f"({one_line(error)}); expected a name on the Hugging Face Hub or a folder with a "
            "config.json"
        ) from None
    network, config = _network(transformers, config, spec.text)

    def build() -> "nn.Module":
        return picture_net(network(config))

    def filled(place: str | None, **tensors: Any) -> Any:
        with _quiet(transformers):
            net, told = network.from_pretrained(
                place, config=config, output_loading_info=True, **tensors
            )
        if lacking := sorted(told["missing_keys"]):
            warnings.warn(
                f"the weights for {spec.text} lack {len(lacking)} tensors, which are random now: "
                f"{', '.join(lacking[:3])}{', ...' if len(lacking) > 3 else ''}",
                stacklevel=2,
            )
        return net

    def trained() -> "nn.Module":
        try:
            return picture_net(filled(name))
        except Exception as error:  # as above
            raise not_loaded(spec.text, error) from None

    def convert(given: "Given") -> "dict[str, Tensor]":
        # Names in files are those of many versions; transformers knows what became of them.
        tensors = {name: given.take(name) for name in given.left}
        found: dict[str, Tensor] = filled(None, state_dict=tensors).state_dict()
        return found

    kind = network.__name__
    known, hint = _preprocessing(transformers, name, config)
    return ModelCard(
        id=spec.id,
        title=Path(name).name if Path(name).is_dir() else name,
        summary=f"{kind} of transformers.",
        build=build,
        pretrained=trained,
        preprocessing=chosen_input(given, known, spec.text, hint),
        labels=labels_of(config),
        lineage=f"transformers {transformers.__version__}, {kind}",
        node_id=lambda path: path.removeprefix("net."),
        conversions=tuple(Conversion(form, convert) for form in ("safetensors", "torch")),
        tensor_name=lambda parameter: parameter.removeprefix("net."),
    )


def _place(name: str) -> str:
    folder = Path(name).expanduser()
    return str(folder) if folder.is_dir() else name


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Without its table of tensors that were left over and its bars for reading a file."""
    logs = transformers.utils.logging
    level, bars = logs.get_verbosity(), logs.is_progress_bar_enabled()
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    try:
        yield
    finally:
        logs.set_verbosity(level)
        if bars:
            logs.enable_progress_bar()


def _network(transformers: Any, config: Any, spec: str) -> tuple[Any, Any]:
    """The class of the network, and its configuration; of a contrastive pair the image tower's."""
    for name in config.architectures or ():
        found = _class_named(transformers, name)
        if _takes_pictures(found):
            return found, config
    tower = getattr(config, "vision_config", None)
    for wanted in (tower, config):
        found = transformers.AutoModel._model_mapping.get(type(wanted), None)
        if isinstance(found, (list, tuple)):
            found = found[0]
        if _takes_pictures(found):
            return found, wanted
    kind = ", ".join(config.architectures or ()) or config.model_type
    raise BadInput(
        f"{short(spec, 200)} ({kind}) is no model of transformers that takes pictures, and nothing "
        "else"
    )


def _class_named(transformers: Any, name: str) -> Any:
    """The class of that name, or None. Raises Unavailable where something that it needs fails."""
    try:
        return getattr(transformers, name, None)
    except Exception as error:  # it is imported now, with all that it imports
        raise Unavailable(
            f"{name} of transformers cannot be imported: {one_line(error)}; install the versions "
            "of it, of torch and of torchvision that fit each other"
        ) from None


def _takes_pictures(network: Any) -> bool:
    """Whether it is a class of networks that need pictures and nothing else."""
    if getattr(network, "main_input_name", "") != "pixel_values":
        return False
    needed = inspect.signature(network.forward).parameters.values()
    return not any(
        p.default is p.empty and p.name not in ("self", "pixel_values")
        for p in needed
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    )


def picture_net(net: Any) -> "nn.Module":
    """`net` as a network of pictures alone, that gives logits or what stands for the picture; else
    all that `net` gives."""
    from torch import nn

    class PictureNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net.float()

        def forward(self, images: Any) -> Any:
            found = self.net(pixel_values=images)
            named = (getattr(found, name, None) for name in _OUTPUTS)
            return next((value for value in named if value is not None), found)

    return PictureNet()


def labels_of(config: Any) -> tuple[str, ...]:
    """The classes by number; none where they are only numbered."""
    names = getattr(config, "id2label", None) or {}
    labels = tuple(str(names[number]) for number in sorted(names))
    return () if all(label.startswith("LABEL_") for label in labels) else labels


def _preprocessing(
    transformers: Any, name: str, config: Any
) -> tuple[Preprocessing | None, str]:
    """What the image processor beside the weights says, and why it says nothing, for an error."""
    try:
        with warnings.catch_warnings(action="ignore"), _quiet(transformers):
            processor = transformers.AutoImageProcessor.from_pretrained(name)
    except Exception as error:  # there is none, or it is of a kind of its own
        if (Path(name) / "preprocessor_config.json").is_file():
            return None, f"the image processor beside it cannot be used ({one_line(error)}); "
        return None, "no image processor lies beside it; "
    try:
        return preprocessing_of(processor, config), "its image processor does not say all of it; "
    except BadInput as error:
        return None, f"{error}; "
