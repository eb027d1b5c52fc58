"""Models that were trained through the rounding come back from the compiler: same predictions."""

import json
import shutil

import numpy as np
import pytest
import ssmq
import torch
from conftest import ROOT
from ssmq import formats, stages
from ssmq.s4d import checkpoint, data, qat
from ssmq.s4d.config import Config
from ssmq.s4d.model import S4D
from ssmq.s4d.quantized import get_kind
from ssmq.s4d.training import predict

MODELS = ROOT / "models"
SHIPPED = MODELS / "s4d-16h-digits64-w4a6"


def classify(program, sequences):
    lengths = [None] * len(sequences) if sequences.lengths is None else sequences.lengths
    return np.concatenate([program.classify(one[:length])
                           for one, length in zip(sequences.inputs, lengths)])


def check_predictions(directory, programs, sequences):
    """On at least 99.9 % of them; returns the accuracy of the last program."""
    expected = predict(qat.load_quantized(directory), sequences)
    for program in programs:
        logits = classify(program, sequences)
        agreed = np.mean(logits.argmax(1) == expected.argmax(1))
        assert agreed >= 0.999
        # States that round to neighbours move a logit a little; other ranges move it far.
        assert np.median(np.abs(logits - expected)) < 2e-3
    return float((logits.argmax(1) == sequences.labels).mean())


@pytest.mark.parametrize("name,heads", [
    ("digits64", "7 heads have |A| >= 1, up to 1.001283 (head 2)"),
    ("digits784", "6 heads have |A| >= 1, up to 1.001491 (head 2)")])
def test_shipped_model(run, tmp_path, name, heads):
    """Its quantization.json is found beside the weights."""
    model = MODELS / f"s4d-16h-{name}-w4a6"
    code, _, error = run("quantize", model, "-o", tmp_path / "q")
    assert code == 0
    assert error == (f"ssmq: warning: layers.0.ssm:a: {heads}: their states grow; more bits, or "
                     "logpolar, keep them stable\n")
    results = json.loads((model / "results.json").read_text())
    test = data.load(name).test
    accuracy = check_predictions(model, [ssmq.load(tmp_path / "q").interpreter()], test)
    assert accuracy == pytest.approx(results["accuracy"]["test"], abs=1e-9)
    # The bounds are those of the training, not of a calibration.
    stated = json.loads((tmp_path / "q" / "assignment.json").read_text())
    trained = json.loads((model / "quantization.json").read_text())
    assert stated["sites"] == trained["sites"]


def test_rounding_again_changes_nothing(tmp_path):
    """Codes and scales are found again from rounded weights: their values are bit for bit those of
    the checkpoint."""
    compiled = ssmq.load(SHIPPED)
    stages.apply(compiled, SHIPPED / "quantization.json")
    stages.quantize(compiled, tmp_path / "weights.safetensors", threads=1)
    compiled.run_pipeline(stages.pass_text(
        "ssmq-validate", assignment=SHIPPED / "quantization.json", original=SHIPPED))
    model = checkpoint.load(SHIPPED)
    for one in json.loads((SHIPPED / "quantization.json").read_text())["sites"]:
        owner, _, role = one["site"].partition(":")
        kind = get_kind(one["site"])
        if kind in ("weight", "parameter"):
            value = getattr(model.get_submodule(owner), role if kind == "weight" else role.upper())
            value = value.detach().numpy()
            np.testing.assert_array_equal(
                formats.round(value, one["format"], kind, head_size=1), value)


def test_stable_by_format(run, tmp_path):
    """Trained or not, whatever A is: its format proves it, and the program says so."""
    source = ROOT / "models" / "s4d-16h-digits64"
    site = {"site": "layers.0.ssm:a", "format": "logpolar<1,7> stable per_head"}
    (tmp_path / "a.json").write_text(json.dumps({
        "document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "",
        "method": "by hand", "sites": [site]}))
    code, _, error = run("quantize", source, "--assignment", tmp_path / "a.json", "-o",
                         tmp_path / "q")
    assert code == 0 and not error
    assert "stable}" in ssmq.load(tmp_path / "q").mlir()
    plain = edit(tmp_path / "b.json", "layers.0.ssm:a", format="logpolar<1,7> stable per_head")
    code, _, error = run("quantize", SHIPPED, "--assignment", plain, "-o", tmp_path / "p")
    assert code == 1 and "holds complex values of magnitude 1 or more" in error


@pytest.mark.parametrize("state", ["i8 asym per_head", "i6 sym per_tensor"])
def test_dynamic_state_compiles(run, tmp_path, state):
    """Ranges that the state has anew in each step: compiled code finds the interpreter's codes."""
    source = ROOT / "models" / "s4d-16h-digits64"
    (tmp_path / "state.json").write_text(json.dumps({
        "document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "",
        "method": "by hand", "sites": [{"site": "layers.0.ssm:state", "format": state}]}))
    code, _, error = run("quantize", source, "--assignment", tmp_path / "state.json", "-o",
                         tmp_path / "q")
    assert code == 0, error
    model, test = ssmq.load(tmp_path / "q"), data.load("digits64").test
    expected, logits = (np.concatenate([program.classify(one) for one in test.inputs[:40]])
                        for program in (model.interpreter(), model.compile()))
    unrounded = np.concatenate([ssmq.load(source).interpreter().classify(one)
                                for one in test.inputs[:40]])
    assert np.median(np.abs(expected - unrounded)) > 1e-2
    # An input that differs in its last bit may bring a number to the code beside.
    assert np.mean(np.abs(logits - expected).max(1) < 1e-4) >= 0.9
    assert np.mean(logits.argmax(1) == expected.argmax(1)) >= 0.97


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two layers, ragged sequences, three features, ranges a channel and a head."""
    directory = tmp_path_factory.mktemp("round-trip")
    random = np.random.default_rng(1)
    torch.manual_seed(1)
    config = Config(d_input=3, d_model=4, d_state=8, num_labels=3, n_layers=2, norm="layer")
    checkpoint.save(S4D(config), directory)
    parts = []
    for _ in range(3):
        labels = random.integers(0, 3, 60)
        inputs = labels[:, None, None] + 0.3 * random.normal(size=(60, 12, 3))
        parts.append(qat.Sequences(inputs.astype(np.float32), labels, random.integers(6, 13, 60)))
    dataset = qat.Dataset(*parts)
    scheme = qat.Scheme(activations="int6:channel:static99.9", gate="int6:token",
                        a="logpolar<1,7>:head", state="int8:head:static99.999")
    qat.run(directory, dataset, scheme.get_formats(config), "discrete", qat.Recipe(2, 1e-2, 16), 20,
            directory / "q", "levels")
    return directory / "q", dataset


def test_trained_model(run, trained, tmp_path):
    directory, dataset = trained
    code, _, error = run("quantize", directory, "-o", tmp_path / "q", "--assignment",
                         directory / "quantization.json")
    assert code == 0, error
    results = json.loads((directory / "results.json").read_text())
    loaded = ssmq.load(tmp_path / "q")
    programs = loaded.interpreter("reference"), loaded.interpreter()
    assert check_predictions(directory, programs, dataset.test) == pytest.approx(
        results["accuracy"]["test"], abs=1e-9)


def test_other_weights_are_refused(fails, run, trained, tmp_path):
    """Bounds belong to the weights that they were trained with."""
    fails("the formats were chosen for", "quantize", ROOT / "models" / "s4d-16h-digits64",
          "--assignment", SHIPPED / "quantization.json", "-o", tmp_path / "q")
    alone = tmp_path / "quantization.json"
    shutil.copyfile(SHIPPED / "quantization.json", alone)
    fails("is of the weights beside it", "quantize", SHIPPED, "--assignment", alone, "-o",
          tmp_path / "q")


def edit(path, site, **changes):
    document = json.loads((SHIPPED / "quantization.json").read_text())
    document["checkpoint"] = ""
    for one in document["sites"]:
        if one["site"] == site:
            one |= changes
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("site,changes,message", [
    ("layers.0.ssm:state", {"bounds": [-1, 1]}, "bounds of site 'layers.0.ssm:state': format "
     "'i8 asym per_head static=99.999' needs 16 ranges (low and high each), but there are 2 numbers"),
    ("encoder:input", {"bounds": [0.5, 1]}, "range 0 must be finite and hold zero"),
    ("encoder:input", {"bounds": [0, 1, 2]}, "needs 1 ranges"),
    ("encoder:input", {"bounds": [0, 1e39]}, "must hold numbers that f32 can hold"),
    ("encoder:input", {"bounds": [0, "1"]}, "must hold numbers that f32 can hold"),
    ("encoder:input", {"bounds": 1}, "key 'bounds' must be a list"),
    ("encoder:input", {"format": "i6 asym per_token"}, "needs 0 ranges"),
    ("encoder:input", {"format": "keep"}, "site 'encoder:input' is kept and takes no bounds"),
    ("encoder:weight", {"bounds": [-1, 1]}, "needs 0 ranges")])
def test_bad_bounds(fails, tmp_path, site, changes, message):
    fails(message, "quantize", SHIPPED, "--assignment", edit(tmp_path / "a.json", site, **changes),
          "-o", tmp_path / "q")


def test_sites_without_bounds_are_calibrated(run, fails, tmp_path):
    """From the text that is given, and those alone."""
    document = json.loads((SHIPPED / "quantization.json").read_text())
    document["checkpoint"] = ""
    del document["sites"][1]["bounds"]
    assignment, sequences = tmp_path / "a.json", tmp_path / "train.safetensors"
    assignment.write_text(json.dumps(document))
    fails("site 'encoder:input' as i6 asym per_tensor static=99.999 needs ranges from calibration",
          "quantize", SHIPPED, "--assignment", assignment, "-o", tmp_path / "q")
    data.write(data.load("digits64"), tmp_path / "data")
    (tmp_path / "data" / "validation.safetensors").rename(sequences)
    code, _, error = run("quantize", SHIPPED, "--assignment", assignment, "-o", tmp_path / "q",
                         "--calibration", sequences)
    assert code == 0, error
    assert "array<f32: 0.000000e+00, 1.000000e+00>" in ssmq.load(tmp_path / "q").mlir()
