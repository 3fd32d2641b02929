"""Small files of dictionaries in the forms of the libraries, each with its formula written out.

Each writer takes a folder and gives (what to attach, options, encode): `encode` is the library's
formula on rows [position, unit].
"""

import json
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

Encode = Callable[[Tensor], Tensor]
Written = tuple[Path, dict[str, Any], Encode]
Writer = Callable[[Path], Written]

UNITS, LATENTS, K = 6, 20, 3
CASES: dict[str, Writer] = {}


def case(name: str) -> Callable[[Writer], Writer]:
    """Registers a writer under that name."""

    def register(function: Writer) -> Writer:
        CASES[name] = function
        return function

    return register


def random(*shape: int, seed: int) -> Tensor:
    """Normal numbers that are always the same."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


W, D = random(LATENTS, UNITS, seed=1), random(LATENTS, UNITS, seed=2) * 0.7
B, C = random(LATENTS, seed=3) * 0.3, random(UNITS, seed=4) * 0.5
R, G, M = (random(LATENTS, seed=seed) * 0.4 for seed in (5, 6, 7))
T = random(LATENTS, seed=8).abs()
X = random(300, UNITS, seed=9) * 1.4 + 0.3


def top(pre: Tensor, k: int = K, rectify: bool = True) -> Tensor:
    """The k largest of each row."""
    values, places = pre.topk(k, -1)
    return torch.zeros_like(pre).scatter(-1, places, values.relu() if rectify else values)


def layer_norm(x: Tensor) -> Tensor:
    """As the libraries do it."""
    x = x - x.mean(-1, keepdim=True)
    return x / (x.std(-1, keepdim=True) + 1e-5)  # the sample's deviation


def gated(x: Tensor) -> Tensor:
    """Both paths of a gated dictionary."""
    product = x @ W.T
    return (product + G > 0) * (product * R.exp() + M).relu()


def write(
    folder: Path,
    file: str,
    tensors: Mapping[str, Tensor],
    name: str = "cfg.json",
    config: Mapping[str, Any] | None = None,
) -> Path:
    """Tensors in a file of that name, and a configuration beside."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {n: t.contiguous().clone() for n, t in tensors.items()}
    (save_file if file.endswith(".safetensors") else torch.save)(tensors, path)
    if config is not None:
        (folder / name).write_text(json.dumps(config))
    return path


LENS = {"W_enc": W.T, "b_enc": B, "W_dec": D, "b_dec": C}
LAYERS = {"encoder.weight": W, "encoder.bias": B, "decoder.weight": D.T}


# SAELens


def saelens(folder: Path, tensors: Mapping[str, Tensor] = LENS, **config: Any) -> Path:
    """A folder with that configuration."""
    usual = {"d_in": UNITS, "d_sae": LATENTS, "dtype": "float32", "device": "cpu"}
    usual |= {"apply_b_dec_to_input": True, "normalize_activations": "none"}
    meta = {"metadata": {"sae_lens_version": "6.54.12", "hook_name": "act", "model_name": "net"}}
    write(folder, "sae_weights.safetensors", tensors, config={**usual, **meta, **config})
    return folder


def add_saelens(
    name: str, encode: Encode, tensors: Mapping[str, Tensor] = LENS, **config: Any
) -> None:
    """A case of that configuration."""

    @case(f"SAELens {name}")
    def write_it(folder: Path) -> Written:
        return saelens(folder, tensors, **config), {}, encode


_LENGTHS = D.norm(dim=1)
add_saelens("standard", lambda x: ((x - C) @ W.T + B).relu(), architecture="standard")
add_saelens(
    "layer_norm",
    lambda x: ((layer_norm(x) - C) @ W.T + B).relu(),
    architecture="standard",
    normalize_activations="layer_norm",
)
add_saelens(
    "constant norm",
    lambda x: ((x * UNITS**0.5 / x.norm(dim=-1, keepdim=True) - C) @ W.T + B).relu(),
    architecture="standard",
    normalize_activations="constant_norm_rescale",
)
add_saelens("topk", lambda x: top((x - C) @ W.T + B), architecture="topk", k=K)
add_saelens(
    "topk of a checkpoint",
    lambda x: top(((x - C) @ W.T + B) * _LENGTHS),
    architecture="topk",
    k=K,
    rescale_acts_by_decoder_norm=True,
    aux_loss_coefficient=1.0,
    decoder_init_norm=0.1,
)
add_saelens(
    "topk, folded, k = 1",
    lambda x: top((x - C) @ (W * _LENGTHS[:, None]).T + B * _LENGTHS, 1),
    {
        "W_enc": W.T * _LENGTHS,
        "b_enc": B * _LENGTHS,
        "W_dec": D / _LENGTHS[:, None],
        "b_dec": C,
    },
    architecture="topk",
    k=1,
    rescale_acts_by_decoder_norm=True,
)
add_saelens(
    "batchtopk of a checkpoint",
    lambda x: (p := ((x - C) @ W.T + B) * _LENGTHS) * (p > 1.1),
    LENS | {"topk_threshold": torch.tensor(1.1, dtype=torch.float64)},
    architecture="batchtopk",
    k=3.5,
    rescale_acts_by_decoder_norm=True,
    topk_threshold_lr=0.01,
)
add_saelens(
    "jumprelu",
    lambda x: (p := x @ W.T + B) * (p > T),
    LENS | {"threshold": T},
    architecture="jumprelu",
    apply_b_dec_to_input=False,
)
add_saelens(
    "gated",
    lambda x: gated(x - C),
    {"W_enc": W.T, "W_dec": D, "b_dec": C, "r_mag": R, "b_gate": G, "b_mag": M},
    architecture="gated",
)
add_saelens(
    "abstopk",
    lambda x: (p := (x - C) @ W.T + B) * (p.abs() >= p.abs().topk(K).values[:, -1:]),
    architecture="abstopk",
    k=K,
)


@case("SAELens before v6, bfloat16, scaled back")
def saelens_old(folder: Path) -> Written:
    half = {n: t.bfloat16() for n, t in LENS.items()}
    half["scaling_factor"] = T.bfloat16()
    config = {
        "hook_point": "blocks.1.hook_resid_post",
        "hook_point_layer": 1,
        "d_in": UNITS,
        "activation_fn_str": "topk",
        "activation_fn_kwargs": {"k": K},
        "finetuning_scaling_factor": True,
        "normalize_activations": False,
        "lr": 1e-4,
        "l1_coefficient": 1e-3,
        "wandb_project": "saes",
        "n_batches_in_buffer": 20,
    }
    write(folder, "sae_weights.safetensors", half, config=config)
    w, b, c = (half[n].float() for n in ("W_enc", "b_enc", "b_dec"))
    return folder, {}, lambda x: top((x - c) @ w + b)


# Prisma


class _Config:
    """What the library pickles; its class is made in a module of that name while it is written."""


def _pickled_config(**fields: Any) -> tuple[Any, dict[str, types.ModuleType]]:
    names = ("vit_prisma", "vit_prisma.sae", "vit_prisma.sae.config")
    modules = {name: types.ModuleType(name) for name in names}
    made = type("VisionModelSAERunnerConfig", (_Config,), {"__module__": names[-1]})
    vars(modules[names[-1]])["VisionModelSAERunnerConfig"] = made
    config = made()
    config.__dict__ |= fields
    return config, modules


def prisma(
    folder: Path, *, pickled: bool, tensors: Mapping[str, Tensor] = LENS, **config: Any
) -> Path:
    """Its configuration beside the file, or pickled in it."""
    config = {"d_in": UNITS, "expansion_factor": 4, "hook_point_layer": 9, **config}
    config |= {"layer_subtype": "hook_resid_post", "model_name": "net", "_dtype": "float32"}
    config |= {"l1_coefficient": 1e-5, "use_ghost_grads": False, "seed": 42}
    tensors = {n: t.contiguous().clone() for n, t in tensors.items()}
    path = folder / "n_images_2600058.pt"
    if not pickled:
        torch.save(tensors, path)
        (folder / "config.json").write_text(json.dumps(config))
        return folder
    made, modules = _pickled_config(**config)
    sys.modules.update(modules)
    try:
        torch.save({"cfg": made, "state_dict": tensors}, path)
    finally:
        for name in modules:
            del sys.modules[name]
    return path


@case("Prisma relu")
def prisma_relu(folder: Path) -> Written:
    path = prisma(folder, pickled=False, activation_fn_str="relu", cls_token_only=True)
    return path, {}, lambda x: ((layer_norm(x) - C) @ W.T + B).relu()


@case("Prisma topk, pickled configuration")
def prisma_topk(folder: Path) -> Written:
    path = prisma(folder, pickled=True, activation_fn_str="topk", activation_fn_kwargs={"k": K})
    return path, {}, lambda x: top((layer_norm(x) - C) @ W.T + B)


@case("Prisma gated")
def prisma_gated(folder: Path) -> Written:
    tensors = LENS | {"r_mag": R, "b_gate": G, "b_mag": M}
    path = prisma(
        folder, pickled=False, tensors=tensors, architecture="gated", activation_fn_str="relu"
    )
    return path, {}, lambda x: gated(layer_norm(x) - C)


@case("Prisma tanh-relu, not normalized")
def prisma_tanh(folder: Path) -> Written:
    path = prisma(folder, pickled=True, activation_fn_str="tanh-relu", normalize_activations="none")
    return path, {}, lambda x: ((x - C) @ W.T + B).relu().tanh()


# saev


def saev(folder: Path, line: Mapping[str, Any], **more: Tensor) -> Path:
    """A file with that first line."""
    path = folder / "sae.pt"
    tensors = {n: t.contiguous().clone() for n, t in {**LENS, **more}.items()}
    with path.open("wb") as file:
        file.write((json.dumps(line) + "\n").encode())
        torch.save(tensors, file)
    return path


def saev_header(cls: str, schema: int = 5, **params: Any) -> dict[str, Any]:
    """The first line of today."""
    params |= {"sparsity": {"cls": "NoSparsity", "params": {"key": "no-sparsity"}}}
    config: dict[str, Any] = {
        "d_model": UNITS,
        "d_sae": LATENTS,
        "normalize_w_dec": True,
        "reinit_blend": 0.8,
    }
    config["activation"] = {"cls": cls, "params": params}
    return {"schema": schema, "cfg": config, "commit": "abc", "lib": "0.3"}


@case("saev of today, TopK")
def saev_topk(folder: Path) -> Written:
    line = saev_header("TopK", top_k=LATENTS - 2, key="top-k")
    return saev(folder, line), {}, lambda x: top(x @ W.T + B, LATENTS - 2, rectify=False)


@case("saev of today, BatchTopK")
def saev_batch(folder: Path) -> Written:
    line = saev_header("BatchTopK", schema=4, top_k=3)
    path = saev(folder, line, **{"activation.threshold": torch.tensor(1.2)})
    return path, {}, lambda x: (p := x @ W.T + B) * (p > 1.2)


@case("saev of June 2025")
def saev_june(folder: Path) -> Written:
    config = {"d_vit": UNITS, "exp_factor": 4, "n_reinit_samples": 9, "normalize_w_dec": True}
    line = {"schema": 1, "cls": "Relu", "cfg": config, "commit": "79cda4e3", "lib": "0.1"}
    return saev(folder, line), {}, lambda x: ((x - C) @ W.T + B).relu()


@case("saev of the evening of 31 July 2025")
def saev_july(folder: Path) -> Written:
    config = {"d_vit": UNITS, "exp_factor": 4, "top_k": K}
    line = {
        "schema": 1,
        "cls": "TopK",
        "cfg": config,
        "commit": "fad99298d1458e372361",
        "lib": "0.1",
    }
    return saev(folder, line), {}, lambda x: top(x @ W.T + B, rectify=False)


@case("saev of February 2025")
def saev_first(folder: Path) -> Written:
    line = {
        "d_vit": UNITS,
        "exp_factor": 4,
        "sparsity_coeff": 4e-4,
        "ghost_grads": False,
        "seed": 1,
    }
    mean = random(UNITS, seed=20)
    torch.save(mean, folder / "mean.pt")
    path = saev(folder, line)
    said = {"mean": str(folder / "mean.pt"), "scalar": 2.5}
    return path, said, lambda x: (((x - mean) / 2.5 - C) @ W.T + B).relu()


# OpenAI


@case("OpenAI TopK, whole state dict")
def openai(folder: Path) -> Written:
    state: dict[str, Any] = {
        "pre_bias": C,
        "latent_bias": B,
        "encoder.weight": W,
        "decoder.weight": D.T.contiguous(),
    }
    state["stats_last_nonzero"] = torch.zeros(LATENTS, dtype=torch.long)
    state["latents_activation_frequency"] = torch.ones(LATENTS)
    state["latents_mean_square"] = torch.zeros(LATENTS)
    state["activation"] = "TopK"
    state["activation_state_dict"] = {"k": K, "postact_fn": "ReLU"}
    torch.save(state, folder / "autoencoder.pt")
    return folder / "autoencoder.pt", {}, lambda x: top((layer_norm(x) - C) @ W.T + B)


@case("OpenAI ReLU")
def openai_relu(folder: Path) -> Written:
    state = {
        "pre_bias": C,
        "latent_bias": B,
        "encoder.weight": W,
        "decoder.weight": D.T.contiguous(),
    }
    torch.save(state | {"activation": "ReLU"}, folder / "a.pt")
    return folder, {}, lambda x: ((x - C) @ W.T + B).relu()


# sparsify


def sparsify(folder: Path, **config: Any) -> Path:
    """A folder with that configuration."""
    tensors = {"encoder.weight": W, "encoder.bias": B, "W_dec": D, "b_dec": C}
    if config.get("skip_connection"):
        tensors["W_skip"] = random(UNITS, UNITS, seed=12)
    config = {"expansion_factor": 32, "num_latents": 0, "multi_topk": False, **config}
    config |= {"normalize_decoder": True, "d_in": UNITS}
    write(folder, "sae.safetensors", tensors, config=config)
    return folder


@case("sparsify topk")
def sparsify_topk(folder: Path) -> Written:
    return sparsify(folder, activation="topk", k=K), {}, lambda x: top((x - C) @ W.T + B)


@case("sparsify groupmax")
def sparsify_groupmax(folder: Path) -> Written:
    def encode(x: Tensor) -> Tensor:
        groups = ((x - C) @ W.T + B).relu().reshape(len(x), 5, -1)
        kept: Tensor = (groups * (groups == groups.max(-1, keepdim=True).values)).flatten(-2)
        return kept

    return sparsify(folder, activation="groupmax", k=5, transcode=False), {}, encode


# dictionary_learning


def dl(
    folder: Path,
    of_class: str,
    tensors: Mapping[str, Tensor],
    file: str = "ae.pt",
    **trainer: Any,
) -> Path:
    """A folder of that class."""
    trainer |= {"dict_class": of_class, "activation_dim": UNITS, "dict_size": LATENTS, "lr": 1e-3}
    trainer |= {"layer": 1, "lm_name": "net", "submodule_name": "act", "steps": 10}
    config = {"trainer": trainer, "buffer": {"d_submodule": UNITS}}
    write(folder, file, tensors, "config.json", config)
    return folder


_TOP = LAYERS | {
    "b_dec": C,
    "k": torch.tensor(K, dtype=torch.int32),
    "threshold": torch.tensor(1.3),
}


def add_dl(of_class: str, tensors: Mapping[str, Tensor], encode: Encode, **trainer: Any) -> None:
    """A case of that class."""

    @case(f"dictionary_learning {of_class}")
    def write_it(folder: Path) -> Written:
        return dl(folder, of_class, tensors, **trainer), {}, encode


add_dl("AutoEncoder", LAYERS | {"bias": C}, lambda x: ((x - C) @ W.T + B).relu())
add_dl("AutoEncoderNew", LAYERS | {"decoder.bias": C}, lambda x: (x @ W.T + B).relu())
add_dl("AutoEncoderTopK", _TOP, lambda x: top((x - C) @ W.T + B), k=K)
add_dl("BatchTopKSAE", _TOP, lambda x: (p := (x - C) @ W.T + B) * (p > 1.3), k=K)
add_dl(
    "GatedAutoEncoder",
    {
        "encoder.weight": W,
        "r_mag": R,
        "gate_bias": G,
        "mag_bias": M,
        "decoder.weight": D.T,
        "decoder_bias": C,
    },
    lambda x: gated(x - C),
)
add_dl(
    "JumpReluAutoEncoder",
    LENS | {"threshold": T},
    lambda x: (p := x @ W.T + B) * (p > T),
)
add_dl(
    "MatryoshkaBatchTopKSAE",
    LENS
    | {"k": torch.tensor(K), "threshold": torch.tensor(1.3), "group_sizes": torch.tensor([8, 12])},
    lambda x: (p := (x - C) @ W.T + B) * (p > 1.3),
    k=K,
)


@case("dictionary_learning, a checkpoint below its configuration")
def dl_checkpoint(folder: Path) -> Written:
    dl(folder, "AutoEncoderTopK", _TOP, "checkpoints/ae_1000.pt", k=K)
    return folder / "checkpoints" / "ae_1000.pt", {}, lambda x: top((x - C) @ W.T + B)


# OverComplete and Universal SAEs


def overcomplete_state() -> dict[str, Tensor]:
    """A state dict of its usual names."""
    unit = D / D.norm(dim=1, keepdim=True)
    norm = "encoder.final_block.1."
    return {
        "dictionary._weights": unit,
        "dictionary.multiplier": torch.tensor(0.4),
        "encoder.final_block.0.weight": W,
        "encoder.final_block.0.bias": B,
        f"{norm}weight": T,
        f"{norm}bias": M,
        f"{norm}running_mean": G,
        f"{norm}running_var": T * 2,
        f"{norm}num_batches_tracked": torch.tensor(9),
    }


def normed(x: Tensor) -> Tensor:
    """A layer and a batch norm."""
    return (x @ W.T + B - G) / (T * 2 + 1e-5).sqrt() * T + M


@case("OverComplete JumpSAE, state dict")
def overcomplete_jump(folder: Path) -> Written:
    torch.save(overcomplete_state() | {"thresholds": R - 1}, folder / "sae.pt")
    return folder, {}, lambda x: (p := normed(x).relu()) * (p >= (R - 1).exp())


@case("OverComplete archetypal, state dict")
def overcomplete_archetypal(folder: Path) -> Written:
    state = {n: t for n, t in overcomplete_state().items() if "_weights" not in n}
    state |= {
        "dictionary.W": random(LATENTS, 9, seed=31),
        "dictionary.C": random(9, UNITS, seed=32),
    }
    state |= {"dictionary.Relax": random(LATENTS, UNITS, seed=33) * 0.1}
    torch.save(state, folder / "sae.pt")
    return folder, {"architecture": "RATopKSAE", "k": K}, lambda x: top(normed(x).relu())


USAE_CONFIG = """global:
  standardize: true # of activations
  divide_norm: false
sae_params:
  encoder_module: mlp_bn_1
  top_k: 3
model_zoo:
  SigLIP:
    checkpoint_path: checkpoints/uni_SigLIP_checkpoint_29.pth
    model_mean: 9.0
    model_std: 9.0
  DinoV2:
    checkpoint_path: checkpoints/uni_DinoV2_checkpoint_29.pth
    og_model: DinoV2
    model_mean: -0.25
    model_std: 2.5
"""


def universal_checkpoint(folder: Path) -> Path:
    """A checkpoint as its training writes them."""
    path = folder / "uni_DinoV2_checkpoint_29.pth"
    state = {"epoch": 29, "model_state_dict": overcomplete_state(), "learning_rate": 3e-4}
    torch.save(state | {"optimizer_state_dict": {"state": {0: {"step": torch.tensor(3)}}}}, path)
    return path


@case("Universal SAE, checkpoint and its configuration")
def universal(folder: Path) -> Written:
    (folder / "config_dino_siglip.yaml").write_text(USAE_CONFIG)
    path = universal_checkpoint(folder)
    return path, {}, lambda x: top(normed((x + 0.25) / (2.5 + 1e-5)).relu())


@case("Universal SAE, checkpoint alone")
def universal_alone(folder: Path) -> Written:
    said = {"k": K, "mean": "-0.25", "scalar": 2.5}
    return universal_checkpoint(folder), said, lambda x: top(normed((x + 0.25) / 2.5).relu())


# Gemma Scope, OpenMOSS, circuit-tracer


@case("Gemma Scope 1")
def gemma(folder: Path) -> Written:
    import numpy as np

    arrays: dict[str, Any] = {n: t.numpy() for n, t in (LENS | {"threshold": T}).items()}
    np.savez(folder / "params.npz", **arrays)
    return folder, {}, lambda x: (p := x @ W.T + B) * (p > T)


@case("Gemma Scope 2")
def gemma_2(folder: Path) -> Written:
    tensors = {n.lower(): t for n, t in LENS.items()} | {"threshold": T}
    config = {"architecture": "jump_relu", "model_name": "net", "hf_hook_point_in": "act.output"}
    write(folder, "params.safetensors", tensors, "config.json", config)
    return folder, {}, lambda x: (p := x @ W.T + B) * (p > T)


@case("Llama Scope, hyperparams.json")
def llama_scope(folder: Path) -> Written:
    config = {
        "act_fn": "jumprelu",
        "jump_relu_threshold": 0.7,
        "d_model": UNITS,
        "d_sae": LATENTS,
        "norm_activation": "dataset-wise",
        "dataset_average_activation_norm": {"in": 4.0, "out": 4.0},
        "use_decoder_bias": True,
        "apply_decoder_bias_to_pre_encoder": False,
        "sparsity_include_decoder_norm": True,
        "use_glu_encoder": False,
        "hook_point_in": "blocks.3.hook_resid_post",
        "hook_point_out": "blocks.3.hook_resid_post",
        "tp_size": 1,
        "lp": 1,
    }
    tensors = LAYERS | {"decoder.bias": C}
    write(folder, "checkpoints/final.safetensors", tensors, "hyperparams.json", config)
    scale = UNITS**0.5 / 4
    return folder, {}, lambda x: (p := x * scale @ W.T + B) * (p > 0.7)


@case("OpenMOSS of today")
def openmoss(folder: Path) -> Written:
    config = {
        "sae_type": "sae",
        "act_fn": "topk",
        "top_k": K,
        "d_model": UNITS,
        "expansion_factor": 4,
        "norm_activation": "dataset-wise",
        "sparsity_include_decoder_norm": True,
        "hook_point_in": "act",
        "hook_point_out": "act",
        "use_decoder_bias": True,
    }
    tensors = {"W_E": W.T, "b_E": B, "W_D": D, "b_D": C}
    tensors["dataset_average_activation_norm.act"] = torch.tensor(5.0)
    write(folder, "sae_weights.safetensors", tensors, "config.json", config)

    def encode(x: Tensor) -> Tensor:
        pre = (x * (UNITS**0.5 / 5) @ W.T + B).relu()
        latents: Tensor = top(pre * _LENGTHS) / _LENGTHS
        return latents

    return folder, {}, encode


@case("circuit-tracer, without places")
def tracer(folder: Path) -> Written:
    tensors = {"W_enc": W, "b_enc": B, "W_dec": D, "b_dec": C}
    write(folder, "layer_3.safetensors", tensors)
    return folder, {}, lambda x: (x @ W.T + B).relu()
