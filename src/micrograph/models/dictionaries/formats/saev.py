"""saev: one line of JSON, a newline, and a torch file of the state dict.

    latents = activation(x @ W_enc + b_enc)

Until a commit of July 2025 `b_dec` was taken from the inputs, and files without a `schema` in
their line, of before April 2025, expect inputs that were standardized by a mean and a number which
are not in them.
"""

from collections.abc import Mapping
from typing import Any

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import common
from micrograph.models.dictionaries.keys import Keys, whole

NAME = "saev"
_SCHEMAS = (1, 2, 3, 4, 5)
_FIRST_WITHOUT = (
    "e7ca004660a3",
    "ab690dc03fe9",
    "fad99298d145",
    "795479bf1f82",
    "9f39cf867fc2",
    "6845bc22bdfe",
    "5fee417720e4",
    "ea2c9f59a179",
    "8aecac1833f6",
    "f5d892c65a1b",
    "65c5a2b55e11",
)
"""The commits that no longer took b_dec and still wrote the first form of schema 1."""

_HARMLESS = (
    "cls",
    "d_vit",
    "exp_factor",
    "ghost_grads",
    "l1_coeff",
    "normalize_w_dec",
    "reinit_*",
    "remove_parallel_grads",
    "key",
)


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether a line of JSON stands before the weights."""
    return given.line is not None


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    line = dict(given.line or {})
    schema = line.get("schema")
    if schema is not None and schema not in _SCHEMAS:
        raise BadInput(f"schema {short(schema)} of saev is unknown; expected 1 to 5, or none")
    config = line if schema is None else common.mapping(line.get("cfg"), "cfg in its first line")
    said = Keys(config, "its first line", {"ignore": options.get("ignore")}, _HARMLESS)
    names = ("W_enc", "b_enc", "W_dec", "b_dec")
    encoder, bias, decoder, b_dec = common.needed(given, NAME, *names)
    common.across(encoder, "W_enc", len(bias), len(b_dec))
    threshold = common.optional(given, "activation.threshold")
    common.only(given, NAME, (*names, "activation.threshold"))
    word, k = _activation(said, line, options)
    if word == "BatchTopK" and threshold is None and "threshold" not in options:
        raise BadInput(
            "it is a BatchTopK dictionary without its threshold, so which latents speak depends on "
            "the batch; say threshold=..., or activation=topk and k=..."
        )
    common.sizes(len(b_dec), len(bias), said.whole("d_model", "d_vit"), said.whole("d_sae"))
    said.check_all_known()
    if schema is None:
        _check_standardized(options)
    activations = {"Relu": "relu", "TopK": "topk_signed", "BatchTopK": "jumprelu"}
    return Description(
        NAME,
        word,
        encoder=encoder.T,
        decoder=decoder,
        bias=bias,
        decoder_bias=b_dec,
        threshold=None if threshold is None else threshold.clamp(min=0),
        activation=activations[word],
        k=min(k, len(bias)) if word == "TopK" else 0,
        subtract=_subtracts(line, options, bool(b_dec.any())),
        notes=_notes(line, options),
        figures=_manifest(given),
    )


def _activation(said: Keys, line: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[str, int]:
    """The class, in the library's words, and its k."""
    inner = said.get("activation", default={})
    if isinstance(inner, dict) and inner:
        params = Keys(
            common.mapping(inner.get("params"), "params"),
            "its activation",
            None,
            ("kind", "key", "momentum"),
        )
        params.get("sparsity", "aux")  # terms of the loss
        word, k = str(inner.get("cls") or ""), params.whole("top_k", default=32)
        params.check_all_known()
    else:
        word, k = str(line.get("cls") or ""), said.whole("top_k", default=32)
    if "schema" not in line:
        word = word or "Relu"
    known = {"relu": "Relu", "topk": "TopK", "topk_signed": "TopK", "jumprelu": "BatchTopK"}
    word = known.get(str(options.get("activation") or "").lower(), word)
    if word not in ("Relu", "TopK", "BatchTopK"):
        raise BadInput(
            f"its first line names the activation {short(word)}; expected Relu, TopK or BatchTopK, "
            "or activation=... to say it"
        )
    return word, whole(options.get("k") or k, "k")


def _subtracts(line: Mapping[str, Any], options: Mapping[str, Any], matters: bool) -> bool:
    """Whether the code that wrote the file took b_dec from the inputs."""
    if options.get("subtract") is not None or not matters:
        return False  # the option is heard afterwards
    schema = line.get("schema")
    if schema is None:
        return True
    first_form = schema == 1 and str(line.get("cls")) in ("Relu", "TopK", "BatchTopK")
    if not first_form:
        return False
    commit = str(line.get("commit") or "unknown")
    if commit == "unknown":
        raise BadInput(
            "its first line names no commit, and the library changed at that time: say "
            "subtract=true for files of before 31 July 2025 (b_dec is taken from the inputs), "
            "subtract=false for later ones"
        )
    return not any(commit.startswith(c) or c.startswith(commit) for c in _FIRST_WITHOUT)


def _notes(line: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[str, ...]:
    """Until 17 July 2025 training could standardize its inputs, and files do not say so."""
    old = line.get("schema") == 1 and str(line.get("cls")) in ("Relu", "TopK", "BatchTopK")
    if not old or "mean" in options or {"scale", "scalar"} & options.keys():
        return ()
    note = (
        "of the spring or summer of 2025, when training could standardize inputs: if it did, say "
        "mean=FILE and scalar=NUMBER"
    )
    return (note,)


def _check_standardized(options: Mapping[str, Any]) -> None:
    """Raises BadInput unless it is said how inputs were standardized."""
    scaled = {"scale", "scalar"} & {name for name, value in options.items() if value is not None}
    if "mean" not in options or not scaled:
        raise BadInput(
            "it is of before April 2025 and expects inputs less a mean and divided by a number of "
            "its training data, which are not in the file: say mean=FILE and scalar=NUMBER, or "
            "mean=none and scalar=1 where it was trained without"
        )


def _manifest(given: Contents) -> dict[str, Any]:
    """The figures of this checkpoint in the manifest.jsonl of its repository."""
    for number, folder in enumerate(given.path.absolute().parents[:4]):
        file = folder / "manifest.jsonl"
        if file.is_file():
            return _row(file, given.path.absolute().relative_to(folder).as_posix(), number)
    return {}


def _row(file: Any, inside: str, depth: int) -> dict[str, Any]:
    import json

    try:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
    except (OSError, ValueError):
        return {}
    for row in rows:
        if not isinstance(row, dict):
            continue
        texts = [str(value) for value in row.values() if isinstance(value, str)]
        run = inside.split("/")[-2] if depth else ""
        if inside in texts or (run and run in texts) or len(rows) == 1:
            names = {
                "l0": ("l0", "L0"),
                "nmse": ("nmse", "NMSE", "normalized_mse"),
                "layer": ("layer",),
            }
            return {name: row[key] for name, keys in names.items() for key in keys if key in row}
    return {}
