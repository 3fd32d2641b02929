"""Files of dictionaries as their own libraries write them, with the latents of the libraries.

Run by benchmarks/dictionary_formats.py in an environment that has the libraries:

    python benchmarks/dictionary_writers.py FOLDER

Each case gets a folder with the files, `expected.bin` (inputs, latents) and `case.json`.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import dictionary_standins
import torch

UNITS, LATENTS, ROWS = 24, 80, 200
CASES = {}


def case(library, architecture, **said):
    """A function that writes a file into a folder and gives (path of it, encode)."""

    def register(function):
        CASES[f"{library} {architecture}"] = (function, library, architecture, said)
        return function

    return register


def spread(module):
    """The same module with random parameters of usual size, none of them zero."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * (0.3 if parameter.ndim > 1 else 0.2))
    return module


# SAELens


def _saelens(folder, config, training=False, inference=False, **settings):
    import sae_lens

    meta = sae_lens.saes.sae.SAEMetadata(model_name="vit", hook_name="blocks.1.hook_resid_post")
    cfg = config(d_in=UNITS, d_sae=LATENTS, metadata=meta, **settings)
    registry = sae_lens.registry
    get = registry.get_sae_training_class if training else registry.get_sae_class
    sae = spread(get(cfg.architecture())[0](cfg))
    for name in ("threshold", "log_threshold"):
        if (values := getattr(sae, name, None)) is not None:
            values.data = (
                torch.rand_like(values) if name == "threshold" else torch.randn_like(values)
            )
    if hasattr(sae, "topk_threshold"):
        sae.topk_threshold.fill_(1.1)
    (sae.save_inference_model if inference else sae.save_model)(folder)
    return sae


def _saelens_case(architecture, config, label=None, **settings):
    @case("SAELens", label or architecture)
    def write(folder):
        import sae_lens

        _saelens(folder, getattr(sae_lens, config), **settings)
        return folder, sae_lens.SAE.load_from_disk(folder).encode


_saelens_case("standard", "StandardSAEConfig")
_saelens_case(
    "standard", "StandardSAEConfig", "standard, layer_norm", normalize_activations="layer_norm"
)
_saelens_case(
    "standard",
    "StandardSAEConfig",
    "standard, constant_norm_rescale",
    normalize_activations="constant_norm_rescale",
)
_saelens_case("standard", "StandardSAEConfig", "standard, no b_dec", apply_b_dec_to_input=False)
_saelens_case("standard", "StandardSAEConfig", "standard, float64", dtype="float64")
_saelens_case("topk", "TopKSAEConfig", k=7)
_saelens_case(
    "topk", "TopKSAEConfig", "topk, k = 1, rescaled", k=1, rescale_acts_by_decoder_norm=True
)
_saelens_case("topk", "TopKSAEConfig", "topk, rescaled", k=7, rescale_acts_by_decoder_norm=True)
_saelens_case("abstopk", "AbsTopKSAEConfig", k=7)
_saelens_case("jumprelu", "JumpReLUSAEConfig")
_saelens_case("gated", "GatedSAEConfig")
_saelens_case("matching_pursuit", "MatchingPursuitSAEConfig", max_iterations=9)
_saelens_case(
    "matching_pursuit",
    "MatchingPursuitSAEConfig",
    "matching_pursuit, to a residual",
    residual_threshold=1.5,
    stop_on_duplicate_support=False,
)
_T = {"apply_b_dec_to_input": False, "d_out": 13}
_saelens_case("transcoder", "TranscoderConfig", **_T)
_saelens_case("skip_transcoder", "SkipTranscoderConfig", **_T)
_saelens_case("jumprelu_transcoder", "JumpReLUTranscoderConfig", **_T)
_saelens_case("jumprelu_skip_transcoder", "JumpReLUSkipTranscoderConfig", **_T)


@case("SAELens", "topk, checkpoint")
def saelens_topk_checkpoint(folder):
    import sae_lens

    sae = _saelens(folder, sae_lens.TopKTrainingSAEConfig, training=True, k=7)
    return folder, sae.encode


@case("SAELens", "jumprelu, checkpoint")
def saelens_jumprelu_checkpoint(folder):
    import sae_lens

    sae = _saelens(folder, sae_lens.JumpReLUTrainingSAEConfig, training=True)
    return folder, sae.encode


def _saelens_batch(folder, config, **settings):
    """A checkpoint, read against the JumpReLU that the library makes of it for inference."""
    import sae_lens

    sae = _saelens(folder, config, training=True, **settings)
    sae.save_inference_model(folder.parent / f"{folder.name}-inference")
    return folder, sae_lens.SAE.load_from_disk(folder.parent / f"{folder.name}-inference").encode


@case("SAELens", "batchtopk, checkpoint")
def saelens_batchtopk_checkpoint(folder):
    import sae_lens

    return _saelens_batch(folder, sae_lens.BatchTopKTrainingSAEConfig, k=7)


@case("SAELens", "matryoshka_batchtopk, checkpoint")
def saelens_matryoshka_checkpoint(folder):
    import sae_lens

    config = sae_lens.MatryoshkaBatchTopKTrainingSAEConfig
    return _saelens_batch(folder, config, k=7, matryoshka_widths=[20, LATENTS])


@case("SAELens", "topk, folded for inference")
def saelens_topk_folded(folder):
    import sae_lens

    _saelens(folder, sae_lens.TopKTrainingSAEConfig, training=True, inference=True, k=7)
    return folder, sae_lens.SAE.load_from_disk(folder).encode


@case("SAELens", "gated, before v6")
def saelens_before_6(folder):
    """The keys of version 3, read by the library's own way from them."""
    import sae_lens

    _saelens(folder, sae_lens.GatedSAEConfig)
    (folder / "cfg.json").write_text(
        json.dumps(
            {
                "architecture": "gated",
                "d_in": UNITS,
                "d_sae": LATENTS,
                "dtype": "float32",
                "device": "cpu",
                "model_name": "vit",
                "hook_point": "blocks.1.hook_resid_post",
                "hook_point_layer": 1,
                "hook_point_head_index": None,
                "activation_fn_str": "relu",
                "activation_fn_kwargs": {},
                "apply_b_dec_to_input": True,
                "finetuning_scaling_factor": False,
                "normalize_activations": False,
                "context_size": 50,
                "dataset_path": "imagenet",
                "prepend_bos": True,
                "sae_lens_training_version": "3.0.0",
            }
        )
    )
    return folder, sae_lens.SAE.load_from_disk(folder).encode


# sparsify


def _sparsify_case(architecture, **settings):
    @case("sparsify", architecture)
    def write(folder):
        from sparsify import SparseCoder, SparseCoderConfig

        sae = spread(SparseCoder(UNITS, SparseCoderConfig(num_latents=LATENTS, **settings)))
        sae.save_to_disk(folder)
        sae = SparseCoder.load_from_disk(folder)

        def encode(x):
            acts, indices, _ = sae.encode(x)
            return torch.zeros(len(x), LATENTS).scatter(1, indices, acts)

        return folder, encode


_sparsify_case("topk", k=7)
_sparsify_case("topk, k = 1", k=1)
_sparsify_case("groupmax", k=8, activation="groupmax")
_sparsify_case("transcoder", k=7, transcode=True)
_sparsify_case("transcoder, skip", k=7, transcode=True, skip_connection=True)


# dictionary_learning


def _dl(folder, ae, trainer):
    torch.save(ae.state_dict(), folder / "ae.pt")
    config = {
        "trainer": {
            "trainer_class": "Trainer",
            "lr": 1e-3,
            "layer": 1,
            "lm_name": "vit",
            **trainer,
        },
        "buffer": {"d_submodule": UNITS, "io": "out", "ctx_len": 128},
    }
    config["trainer"] |= {"activation_dim": UNITS, "dict_size": LATENTS, "submodule_name": "resid"}
    (folder / "config.json").write_text(json.dumps(config))


def _dl_case(name, module, *settings, threshold=None, label=None):
    @case("dictionary_learning", label or name)
    def write(folder):
        import importlib

        made = getattr(importlib.import_module(module), name)(UNITS, LATENTS, *settings)
        ae = spread(made)
        if threshold is not None:
            ae.threshold.data = torch.full_like(ae.threshold, threshold)
        _dl(folder, ae, {"dict_class": name, "k": settings[0] if settings else None})
        return folder, ae.encode


_PLAIN = "dictionary_learning.dictionary"
_TRAINERS = "dictionary_learning.trainers"
_dl_case("AutoEncoder", _PLAIN)
_dl_case("AutoEncoderNew", _PLAIN)
_dl_case("GatedAutoEncoder", _PLAIN)
_dl_case("JumpReluAutoEncoder", _PLAIN, threshold=0.4)
_dl_case("AutoEncoderTopK", f"{_TRAINERS}.top_k", 7, threshold=1.3)
_dl_case("BatchTopKSAE", f"{_TRAINERS}.batch_top_k", 7, threshold=1.3)
_dl_case(
    "BatchTopKSAE",
    f"{_TRAINERS}.batch_top_k",
    7,
    threshold=-1.0,
    label="BatchTopKSAE, no threshold",
)
_dl_case(
    "MatryoshkaBatchTopKSAE",
    f"{_TRAINERS}.matryoshka_batch_top_k",
    7,
    [30, LATENTS - 30],
    threshold=1.3,
)


# OverComplete


def _overcomplete_case(name, label=None, whole=True, options=None, before=None, **settings):
    @case("OverComplete", label or name, **(options or {}))
    def write(folder):
        import overcomplete.sae as oc

        if "points" in settings:
            made = getattr(oc, name)(UNITS, LATENTS, torch.randn(90, UNITS), top_k=7)
        else:
            made = getattr(oc, name)(UNITS, LATENTS, **settings)
        sae = spread(made)
        sae.train()
        x = torch.randn(500, UNITS)
        for _ in range(3):
            sae(x)  # the running statistics of norms and thresholds
        if before:
            before(sae)
        sae.get_dictionary()
        sae.eval()
        file = folder / "sae.pt"
        torch.save(sae if whole else sae.state_dict(), file)
        return file, lambda x: sae.encode(x)[1]


_BN = {"encoder_module": "mlp_bn_1"}
_overcomplete_case("SAE", "SAE (ReLU)")
_overcomplete_case("TopKSAE", top_k=7)
_overcomplete_case("TopKSAE", "TopKSAE, batch norm", top_k=7, **_BN)
_overcomplete_case("TopKSAE", "TopKSAE, state dict", whole=False, options={"k": 7}, top_k=7, **_BN)
_overcomplete_case("TopKSAE", "TopKSAE, tied", top_k=7, before=lambda sae: sae.tied(bias=True))
_overcomplete_case("JumpSAE")
_overcomplete_case("JumpSAE", "JumpSAE, batch norm, state dict", whole=False, **_BN)
_overcomplete_case("BatchTopKSAE", top_k=900)
_overcomplete_case("RATopKSAE", "RATopKSAE (archetypal)", points=True)
_overcomplete_case("MpSAE", k=5)


@case("Universal SAE", "checkpoint", k=7, mean="none", scalar=1)
def universal(folder):
    """A checkpoint as its training writes them, of OverComplete's TopKSAE."""
    import overcomplete.sae as oc

    sae = spread(oc.TopKSAE(UNITS, LATENTS, top_k=7, encoder_module="mlp_bn_1"))
    sae.train()
    optimizer = torch.optim.Adam(sae.parameters())
    _, _, back = sae(torch.randn(300, UNITS))
    back.square().mean().backward()
    optimizer.step()
    sae.get_dictionary()
    sae.eval()
    file = folder / "uni_DinoV2_checkpoint_29.pth"
    torch.save(
        {
            "epoch": 29,
            "model_state_dict": sae.state_dict(),
            "optimizer_state_dict": optimizer.state_dict(),
            "learning_rate": 1e-3,
        },
        file,
    )
    return file, lambda x: sae.encode(x)[1]


# saev, as it is in the package index


@case("saev", "ReLU, of the package index", mean="none", scalar=1)
def saev_first(folder):
    from saev import config, nn

    sae = spread(nn.SparseAutoencoder(config.SparseAutoencoder(d_vit=UNITS, exp_factor=4)))
    nn.dump(str(folder / "sae.pt"), sae)
    sae = nn.load(str(folder / "sae.pt"))
    return folder, lambda x: sae(x)[1]


VERSIONS = {
    "SAELens": "sae-lens",
    "sparsify": "eai-sparsify",
    "dictionary_learning": "dictionary-learning",
    "OverComplete": "overcomplete",
    "Universal SAE": "overcomplete",
    "saev": "saev",
}


def main(out: Path) -> None:
    """Write every case that the command line asks for."""
    dictionary_standins.put()
    for number, (name, (write, library, architecture, said)) in enumerate(CASES.items()):
        folder = out / f"{number:02}"
        folder.mkdir(parents=True)
        torch.manual_seed(number)
        file, encode = write(folder)
        x = torch.randn(ROWS, UNITS, generator=torch.Generator().manual_seed(1)) * 1.5 + 0.3
        with torch.no_grad():
            latents = encode(x.double() if "float64" in architecture else x)
        assert latents.shape[0] == ROWS, name
        assert torch.isfinite(latents).all(), name
        assert (latents != 0).float().mean() > 0, name
        torch.save({"inputs": x, "latents": latents.detach().float()}, folder / "expected.bin")
        facts = {
            "library": library,
            "architecture": architecture,
            "version": f"{VERSIONS[library]} {version(VERSIONS[library])}",
            "file": str(file.relative_to(out)),
            "options": said,
        }
        (folder / "case.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
