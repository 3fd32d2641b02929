"""Dictionaries in the forms of the libraries: latents are those of the formula written out, what is
not understood is refused by name, and nothing in a file runs."""

import hashlib
import json
import pickle

import dictionary_files as files
import pytest
import torch
from dictionary_files import LATENTS, UNITS, C, D, K, W

from micrograph.models.dictionaries.reading import ReadFile, read
from micrograph.weights.formats import WeightsError, digest_of
from micrograph.weights.tensors import to_raw


@pytest.mark.parametrize("name", files.CASES)
def test_latents_are_those_of_the_library(name, tmp_path):
    path, options, encode = files.CASES[name](tmp_path)
    found = read(path, UNITS, **options).values(files.X)
    expected = encode(files.X)
    assert 0 < (expected != 0).float().mean() < 1
    assert torch.equal(found != 0, expected != 0)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("name", files.CASES)
def test_a_file_of_no_place_and_one_of_another_width_are_refused(name, tmp_path):
    path, options, _ = files.CASES[name](tmp_path)
    with pytest.raises(WeightsError, match=f"{UNITS + 1} units"):
        read(path, UNITS + 1, **options)


def test_decoding_gives_back_the_scale_of_the_inputs(tmp_path):
    path = files.saelens(tmp_path, architecture="standard", normalize_activations="layer_norm")
    dictionary = read(path, UNITS)
    x = files.X
    latents = dictionary.values(x)
    deviation = x.std(-1, keepdim=True)
    expected = (latents @ D + C) * deviation + x.mean(-1, keepdim=True)
    torch.testing.assert_close(dictionary.decode(latents, like=x), expected, rtol=1e-4, atol=1e-4)


def test_factors_of_fine_tuning_are_on_the_way_back_alone(tmp_path):
    path, _, encode = files.CASES["SAELens before v6, bfloat16, scaled back"](tmp_path)
    dictionary = read(path, UNITS)
    latents = encode(files.X)
    decoder = D.bfloat16().float() * files.T.bfloat16().float()[:, None]
    expected = latents @ decoder + C.bfloat16().float()
    torch.testing.assert_close(dictionary.decode(latents), expected, rtol=1e-4, atol=1e-4)


def test_chosen_by_the_length_of_rows_and_decoded_without(tmp_path):
    path, _, encode = files.CASES["OpenMOSS of today"](tmp_path)
    latents = encode(files.X)
    expected = (latents @ D + C) / (UNITS**0.5 / 5)
    found = read(path, UNITS).decode(latents)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


REFUSED = {
    "temporal": ({"architecture": "temporal"}, "temporal"),
    "unknown architecture": ({"architecture": "quantum"}, "quantum"),
    "whitened": (
        {"architecture": "standard", "normalize_activations": "covariance_whitening"},
        "covariance_whitening",
    ),
    "scaled by a factor elsewhere": (
        {"architecture": "standard", "normalize_activations": "expected_average_only_in"},
        r"scale=\.\.\., .* average_norm=",
    ),
    "one head": (
        {"architecture": "standard", "metadata": {"hook_head_index": 3}},
        "hook_head_index",
    ),
    "a key that nobody knows": (
        {"architecture": "standard", "rotate_inputs": 0.5},
        "rotate_inputs",
    ),
    "switched off is also said": ({"architecture": "standard", "centre": False}, "centre"),
    "another size": ({"architecture": "standard", "d_sae": 7}, "not of one dictionary"),
    "weighed by rows": (
        {"architecture": "standard", "rescale_acts_by_decoder_norm": True},
        "rescale_acts_by_decoder_norm",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_understood_is_refused_by_name(what, tmp_path):
    config, words = REFUSED[what]
    path = files.saelens(tmp_path, **config)
    with pytest.raises(WeightsError, match=words) as caught:
        read(path, UNITS)
    assert "\n" not in str(caught.value)


def test_a_key_that_changes_nothing_can_be_passed_over_by_hand(tmp_path):
    path = files.saelens(tmp_path, architecture="standard", centre=False, rotate=1)
    with pytest.raises(WeightsError, match="ignore=centre"):
        read(path, UNITS)
    read(path, UNITS, ignore="centre, rotate")
    with pytest.raises(WeightsError, match="option 'ignored' is unknown"):
        read(path, UNITS, ignored="centre")


def test_a_factor_in_a_file_of_its_own_is_heard(tmp_path):
    path = files.saelens(
        tmp_path, architecture="standard", normalize_activations="expected_average_only_in"
    )
    (tmp_path / "activation_scaler.json").write_text(json.dumps({"scaling_factor": 1.7}))
    expected = ((files.X * 1.7 - C) @ W.T + files.B).relu()
    torch.testing.assert_close(read(path, UNITS).values(files.X), expected, rtol=1e-5, atol=1e-5)


def test_bare_tensors_ask_for_what_libraries_differ_on(tmp_path):
    path = files.write(tmp_path, "bare.safetensors", files.LENS)
    with pytest.raises(WeightsError, match=r"activation=relu .* subtract=true or false"):
        read(path, UNITS)
    with pytest.raises(WeightsError, match="subtract=false"):
        read(path, UNITS, activation="relu")
    plain = read(path, UNITS, activation="relu", subtract="false").values(files.X)
    torch.testing.assert_close(plain, (files.X @ W.T + files.B).relu())
    zero = files.write(tmp_path, "zero.pt", files.LENS | {"b_dec": torch.zeros(UNITS)})
    torch.testing.assert_close(read(zero, UNITS, activation="relu").values(files.X), plain)


def test_a_class_that_tensors_do_not_tell_is_asked_for(tmp_path):
    path = files.write(tmp_path, "ae.pt", files._TOP)
    with pytest.raises(WeightsError, match=r"AutoEncoderTopK and BatchTopKSAE.*architecture="):
        read(path, UNITS)
    top = read(path, UNITS, architecture="AutoEncoderTopK")
    batch = read(path, UNITS, architecture="BatchTopKSAE")
    assert (top.activation, top.k, batch.activation) == ("topk", K, "jumprelu")
    three = files.write(tmp_path, "cross.pt", files.LAYERS | {"decoder.bias": C[None]})
    cross = torch.load(three)
    cross["encoder.weight"] = cross["encoder.weight"][None]
    torch.save(cross, three)
    with pytest.raises(WeightsError, match="crosscoder"):
        read(three, UNITS)


def test_eras_of_saev_that_a_file_does_not_tell_are_asked_for(tmp_path):
    config = {"d_vit": UNITS, "exp_factor": 4}
    line = {"schema": 1, "cls": "Relu", "cfg": config, "commit": "unknown", "lib": "0.1"}
    path = files.saev(tmp_path, line)
    with pytest.raises(WeightsError, match=r"subtract=true .* subtract=false"):
        read(path, UNITS)
    found = read(path, UNITS, subtract=False).values(files.X)
    torch.testing.assert_close(found, (files.X @ W.T + files.B).relu())
    assert "standardize" in ReadFile(path, {"subtract": False}).description.notes[0]
    assert not ReadFile(path, {"subtract": False, "mean": "none"}).description.notes
    path = files.saev(tmp_path, {"d_vit": UNITS, "exp_factor": 4, "ghost_grads": False})
    with pytest.raises(WeightsError, match="mean=FILE and scalar=NUMBER"):
        read(path, UNITS)


def test_figures_of_a_manifest_are_known(tmp_path):
    folder = tmp_path / "layer_5" / "run7"
    folder.mkdir(parents=True)
    rows = [{"run_id": "run6", "layer": 5, "l0": 9}, {"run_id": "run7", "l0": 31.5, "nmse": 0.2}]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    path = files.saev(folder, files.saev_header("TopK", top_k=3))
    assert dict(read(path, UNITS).facts) | {"l0": 31.5, "nmse": 0.2} == dict(
        read(path, UNITS).facts
    )


def test_a_universal_dictionary_asks_for_what_its_configuration_holds(tmp_path):
    path = files.universal_checkpoint(tmp_path)
    for said in ({}, {"k": K}, {"k": K, "mean": "none"}):
        with pytest.raises(WeightsError, match=r"config\.yaml .* k=.*, mean=.* scalar="):
            read(path, UNITS, **said)
    (tmp_path / "config.yaml").write_text(
        files.USAE_CONFIG.replace("divide_norm: false", "divide_norm: true")
    )
    with pytest.raises(WeightsError, match="divide_norm"):
        read(path, UNITS)


class Evil:
    """Runs when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (open, (str(self.file), "w"))


def test_nothing_that_a_file_holds_is_run(tmp_path):
    mark = tmp_path / "ran"
    tensors = {n: t.clone() for n, t in files.LENS.items()}
    torch.save({"cfg": Evil(mark), "state_dict": tensors}, tmp_path / "evil.pt")
    (tmp_path / "config.json").write_text(
        json.dumps({"activation_fn_str": "relu", "layer_subtype": "hook_resid_post"})
    )
    found = read(tmp_path / "evil.pt", UNITS)
    assert found.latents == LATENTS
    assert not mark.exists()
    (tmp_path / "old.pt").write_bytes(pickle.dumps(Evil(mark)))
    with pytest.raises(WeightsError, match=r"no dictionary|nothing in it was run"):
        read(tmp_path / "old.pt", UNITS)
    assert not mark.exists()


def test_files_of_torch_before_its_archives_are_read(tmp_path):
    state = {n: t.contiguous() for n, t in files.LAYERS.items()} | {"bias": C}
    torch.save(state, tmp_path / "ae.pt", _use_new_zipfile_serialization=False)
    expected = ((files.X - C) @ W.T + files.B).relu()
    torch.testing.assert_close(read(tmp_path, UNITS).values(files.X), expected)


@pytest.mark.parametrize("length", [0x180, 0x27B, 0x4B50])
def test_a_length_that_begins_like_another_form_is_one(length, tmp_path):
    # The first bytes of a safetensors file are a length: here those of a pickle, of JSON, of a zip.
    place = {"dtype": "F32", "shape": [1, UNITS], "data_offsets": [0, 4 * UNITS]}
    header = json.dumps({"directions": place}).encode().ljust(length)
    path = tmp_path / "d.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + header + torch.ones(UNITS).numpy().tobytes())
    assert read(path, UNITS).kind == "directions"


def test_a_folder_must_hold_one_dictionary(tmp_path):
    with pytest.raises(WeightsError, match="no file of weights"):
        read(tmp_path, UNITS)
    files.write(tmp_path, "a.safetensors", files.LENS)
    files.write(tmp_path, "b.safetensors", files.LENS)
    with pytest.raises(WeightsError, match=r"a\.safetensors, b\.safetensors.*name it"):
        read(tmp_path, UNITS)


def test_a_file_says_where_it_belongs(tmp_path):
    path = files.prisma(tmp_path, pickled=False, activation_fn_str="relu", use_patches_only=True)
    said = ReadFile(path, {}).description
    assert (said.hooks.reads, said.hooks.model) == ("blocks.9.hook_resid_post", "net")
    assert "patches" in said.notes[0]


def test_what_is_said_by_hand_or_beside_the_tensors_is_part_of_the_digest(tmp_path):
    path = files.write(tmp_path, "ae.pt", files.LAYERS | {"b_dec": C})
    with pytest.raises(WeightsError, match=r"say k=\.\.\."):  # of the first versions
        read(path, UNITS)
    assert read(path, UNITS, k=2).digest != read(path, UNITS, k=3).digest
    bare = files.write(tmp_path, "bare.pt", files.LENS)
    said = {"subtract": True, "activation": "jumprelu"}
    low, high = (read(bare, UNITS, threshold=at, **said) for at in (0.2, 0.4))
    assert (low.threshold == 0.2).all()
    assert low.digest != high.digest
    torch.save(files.overcomplete_state(), tmp_path / "usae.pth")
    atoms = {
        read(tmp_path / "usae.pth", UNITS, architecture="SAE", atoms=kind).digest
        for kind in ("l2", "l1", "identity", "max_l1")
    }
    assert len(atoms) >= 3
    path, _, _ = files.CASES["Llama Scope, hyperparams.json"](tmp_path / "scope")
    before = read(path, UNITS)
    config = json.loads((path / "hyperparams.json").read_text())
    (path / "hyperparams.json").write_text(json.dumps(config | {"jump_relu_threshold": 0.9}))
    ours = read(path / "checkpoints" / "final.safetensors", UNITS)
    assert float(ours.threshold[0]) == pytest.approx(0.9)
    assert ours.digest != before.digest


def test_digests_of_what_was_right_before_stay(tmp_path):
    # As version 0.1.0 gave them.
    path = files.saelens(tmp_path, architecture="standard")
    content = digest_of({n: to_raw(t) for n, t in files.LENS.items()})
    settings = {"activation": "relu", "k": 0, "normalize": "none", "scale": 1.0, "subtract": True}
    text = json.dumps(["micrograph dictionary 1", content, settings], sort_keys=True)
    assert read(path, UNITS).digest == hashlib.sha256(text.encode()).hexdigest()
