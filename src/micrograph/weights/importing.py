"""Taking a weights file of any form into the user's data folder, once, running nothing in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from torch import Tensor, nn

from micrograph.cards.model_card import Conversion, ModelCard
from micrograph.cards.registry import card as card_of
from micrograph.weights import store
from micrograph.weights.building import build, fill
from micrograph.weights.checkpoints import Chosen, choose, largest
from micrograph.weights.conversion import Given
from micrograph.weights.formats import WeightsError, digest_of, write_safetensors
from micrograph.weights.readers import Tensors, read_sets
from micrograph.weights.tensors import tensors_of, to_raw


@dataclass(frozen=True)
class Imported:
    """Where a model's weights lie now and the digest of their tensors; the form of the file that
    they came from, and whether it carried our names or was converted."""

    path: Path
    form: str
    converted: bool
    digest: str


def import_weights(model_id: str, file: Path, member: str = "") -> Imported:
    """Verify and convert `file` for that model and keep it as safetensors in the data folder.

    Tensors may carry the names of our weights files, those of the network's state dict, or be those
    of an original file that a conversion of the card takes. `member` names the weights file in an
    archive; by default the one that the card's sources name, or the only one. Raises WeightsError
    if the file cannot be read safely, is damaged, or holds something else (names, shapes, digest);
    then nothing is written. Raises Unavailable if it cannot be read or written.
    """
    card = card_of(model_id)
    store.check_released(card)
    form, sets = read_sets(file, member or _member(card, file))
    module = build(card)
    tensors = _meant(card, module, sets, file, member)
    given = _own_names(card, module, form, tensors)
    converted = given is None
    if given is None:
        given = _converted(card, module, form, tensors, file)
    stored = {name: to_raw(tensor) for name, tensor in given.items()}
    fill(module, card, stored, file)
    digest = digest_of(stored)
    store.check_digest(card, digest, file)
    path = store.import_path(card)
    write_safetensors(path, stored, {"format": "pt", "model": card.id, "digest": digest})
    return Imported(path, form, converted, digest)


def _meant(
    card: ModelCard, module: nn.Module, sets: Mapping[str, Tensors], file: Path, member: str
) -> Tensors:
    """Of the sets of tensors in a training checkpoint the one that fits, by its names in the file;
    the only one, whatever it holds."""
    if len(sets) < 2:
        return next(iter(sets.values()), {})
    key = member if member in sets else ""
    own = tensors_of(module)
    stored = {card.tensor_name(name): tensor for name, tensor in own.items()}
    for names in (stored, own):
        chosen = choose(sets, names, file, key)
        if names.keys() <= chosen.tensors.keys():
            return chosen.tensors
    return largest(sets, Chosen(key, {}), file, key).tensors


def _member(card: ModelCard, file: Path) -> str:
    """What the card says of an archive of this name."""
    urls = (s for s in card.sources if s.url.rpartition("/")[2] == file.name)
    return next((s.member for s in urls), "")


def _own_names(
    card: ModelCard, module: nn.Module, form: str, tensors: Mapping[str, Tensor]
) -> dict[str, Tensor] | None:
    """By the names of our weights files, if the file has those or the network's; None otherwise.

    A file of another kind may share a few names by chance; with conversions at hand it must share
    most. One with the sign of a conversion is an original, though our file may use its names.
    """
    if any(c.form == form and c.sign in tensors for c in card.conversions if c.sign):
        return None
    stored_as = {name: card.tensor_name(name) for name in module.state_dict()}
    needed = len(stored_as) // 2 if card.conversions else 0
    if len(set(stored_as.values()) & tensors.keys()) > needed:
        return dict(tensors)
    if card.conversions and len(stored_as.keys() & tensors.keys()) <= needed:
        return None
    return {stored_as.get(name, name): tensor for name, tensor in tensors.items()}


def _converted(
    card: ModelCard, module: nn.Module, form: str, tensors: Mapping[str, Tensor], file: Path
) -> dict[str, Tensor]:
    """What the card's conversion makes of the file, in the dtypes of the network."""
    given = Given(tensors, file)
    conversion = _conversion_for(card, form, given)
    made = conversion.convert(given)
    left = [n for n in given.left if not any(fnmatchcase(n, p) for p in conversion.ignore)]
    if left:
        raise WeightsError(
            f"{file} is not for {card.id}: it also holds {', '.join(sorted(left)[:3])}"
            f"{', ...' if len(left) > 3 else ''} ({len(left)}), which this model has no place for"
        )
    kinds = {name: tensor.dtype for name, tensor in module.state_dict().items()}
    return {card.tensor_name(n): t.to(kinds.get(n, t.dtype)) for n, t in made.items()}


def _conversion_for(card: ModelCard, form: str, given: Given) -> Conversion:
    """The conversion whose form and sign fit. Raises WeightsError, saying what is expected."""
    of_form = [c for c in card.conversions if c.form == form]
    for conversion in of_form:
        if not conversion.sign or conversion.sign in given:
            return conversion
    names = given.left
    shown = ", ".join(repr(n[:60]) for n in names[:3]) + (", ..." if len(names) > 3 else "")
    expected = " or ".join(
        f"{c.form} with {c.sign!r}" if c.sign else c.form for c in of_form or card.conversions
    )
    raise WeightsError(
        f"{given.file} is not for {card.id}: it is of the form {form} and holds {shown}; "
        f"expected {expected}, or a file with the names of the network"
    )
