"""Refined codes against a plain statement of GPTQ, and `ssmq quantize --refine`."""

import json
from types import SimpleNamespace

import _ssmq
import numpy as np
import pytest
import ssmq
import tiny
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from ssmq import quantize, stages
from ssmq.text import read_text
from ssmq.tokenizer import Tokenizer

VOCAB, WIDE, NARROW = 13, 40, 24

PROGRAM = """
ml_program.global private @table(#ml_program.extern : tensor<13x40xf32>) : tensor<13x40xf32>
ml_program.global private @up(#ml_program.extern : tensor<24x40xf32>) : tensor<24x40xf32>
    {ssm.format = #ssm.format<"FORMAT">}
ml_program.global private @down(#ml_program.extern : tensor<13x24xf32>) : tensor<13x24xf32>
    {ssm.format = #ssm.format<"FORMAT">}
func.func @forward(%ids: tensor<?xi32>) -> tensor<?x13xf32> {
  %table = ml_program.global_load_const @table : tensor<13x40xf32>
  %up = ml_program.global_load_const @up : tensor<24x40xf32>
  %down = ml_program.global_load_const @down : tensor<13x24xf32>
  %x = ssm.embedding %ids, %table : (tensor<?xi32>, tensor<13x40xf32>) -> tensor<?x40xf32>
  %y = ssm.linear %x, %up : (tensor<?x40xf32>, tensor<24x40xf32>) -> tensor<?x24xf32>
  %z = ssm.linear %y, %down : (tensor<?x24xf32>, tensor<13x24xf32>) -> tensor<?x13xf32>
  return %z : tensor<?x13xf32>
}
"""


def refine(folder, format, **options):
    """The original weights, and those stored nearest and refined."""
    generator = np.random.default_rng(1)
    mix = generator.normal(size=(WIDE, WIDE)) / WIDE**0.5 + np.eye(WIDE)
    weights = {"table": generator.normal(size=(VOCAB, WIDE)) @ mix,
               "up": generator.normal(size=(NARROW, WIDE)),
               "down": generator.normal(size=(VOCAB, NARROW))}
    weights = {name: value.astype(np.float32) for name, value in weights.items()}
    ids = generator.integers(0, VOCAB, 60).tolist()
    save_file(weights, folder / "original.safetensors")
    (folder / "tokens.json").write_text(json.dumps(ids))
    module = _ssmq.Module.parse(_ssmq.Context(), PROGRAM.replace("FORMAT", format).encode(), "test")
    given = " ".join(f"{key.replace('_', '-')}={value}" for key, value in options.items())
    module.run_pipeline(
        f"ssmq-quantize{{checkpoint={folder}/original.safetensors output={folder}/nearest}},"
        f"ssmq-refine{{original={folder}/original.safetensors output={folder}/refined "
        f"tokens={folder}/tokens.json {given}}}")
    return weights, ids, load_file(folder / "nearest"), load_file(folder / "refined")


def unpack(packed, columns, bits):
    """Codes of rows of little-endian bits in two's complement."""
    stream = np.unpackbits(packed.view(np.uint8), axis=1, bitorder="little")
    stream = stream[:, :columns * bits].reshape(len(packed), columns, bits).astype(int)
    stream[:, :, -1] *= -1
    return (stream << np.arange(bits)).sum(axis=2)


def decode(stored, name, columns, bits, group):
    """Codes, and scale and zero point of each value."""
    scales = stored[f"{name}_scale"].astype(np.float64).repeat(group, axis=1)[:, :columns]
    zeros = stored.get(f"{name}_zero_point")
    zeros = 0 * scales if zeros is None else zeros.repeat(group, axis=1)[:, :columns]
    return unpack(stored[name], columns, bits), scales, zeros


def gptq(weight, inputs, scales, zeros, lowest, highest, order, damping=0.01):
    """As in algorithm 1 of arXiv 2210.17323, a column at a time, the scales being known."""
    hessian = inputs.T @ inputs
    hessian += damping * np.diag(hessian).mean() * np.eye(len(hessian))
    upper = np.linalg.cholesky(np.linalg.inv(hessian[np.ix_(order, order)])).T
    left, codes = weight[:, order].astype(np.float64), np.zeros(weight.shape, int)
    for k, column in enumerate(order):
        scale, zero = scales[:, column], zeros[:, column]
        code = np.clip(np.rint(left[:, k] / scale) + zero, lowest, highest)
        codes[:, column] = code
        error = (left[:, k] - (code - zero) * scale) / upper[k, k]
        left[:, k:] -= np.outer(error, upper[k, k:])
    return codes


@pytest.mark.parametrize("format, bits, group, symmetric, act_order", [
    ("i3 sym per_channel", 3, WIDE, True, False), ("i4 sym group=8", 4, 8, True, False),
    ("i4 asym group=16", 4, 16, False, False), ("i2 asym per_channel", 2, WIDE, False, False),
    ("i3 sym group=8", 3, 8, True, True)])
def test_codes_are_those_of_gptq(tmp_path, format, bits, group, symmetric, act_order):
    weights, ids, _, refined = refine(tmp_path, format, sequence_length=25, sweeps=0,
                                      act_order=str(act_order).lower())
    lowest, highest = -2**(bits - 1) + symmetric, 2**(bits - 1) - 1
    # The last token of a sequence is not fed.
    fed = [token for i, token in enumerate(ids) if i % 25 != 24 and i + 1 < len(ids)]
    inputs = weights["table"][fed].astype(np.float64)
    # The second layer is refined on what the refined first one gives.
    for name in ("up", "down"):
        weight = weights[name]
        codes, scales, zeros = decode(refined, name, weight.shape[1], bits, group)
        order = np.arange(weight.shape[1])
        if act_order:
            order = np.argsort(-(inputs**2).sum(axis=0), kind="stable")
        expected = gptq(weight, inputs, scales, zeros, lowest, highest, order)
        np.testing.assert_array_equal(codes, expected)
        inputs = inputs @ ((codes - zeros) * scales).T


@pytest.mark.parametrize("method", ["mse", "hessian", "gptq"])
def test_nothing_but_codes_and_scales_changes(tmp_path, method):
    weights, _, nearest, refined = refine(tmp_path, "i3 asym group=8", method=method)
    assert refined.keys() == nearest.keys()
    for name, value in nearest.items():
        assert (refined[name].dtype, refined[name].shape) == (value.dtype, value.shape)
    np.testing.assert_array_equal(refined["table"], weights["table"])
    assert all((refined[f"{name}_scale"] != nearest[f"{name}_scale"]).any()
               for name in ("up", "down"))
    with safe_open(tmp_path / "refined", "np") as file:
        assert file.metadata()["refined"] == method


@pytest.mark.parametrize("method", ["mse", "hessian", "gptq"])
def test_quantize_refines(run, fails, tmp_path, method):
    model = tiny.make_model(tmp_path / "model", "tie_word_embeddings=true", "drop=lm_head.weight")
    text, out = tiny.make_text(tmp_path / "text", 1), tmp_path / "out"
    calibration = [] if method == "mse" else ["--calibration", text, "--sequence-length", 10]
    code, _, error = run("quantize", model, "--uniform", "int4:channel", "--refine", method,
                         *calibration, "-o", out)
    assert code == 0, error
    assert json.loads((out / "assignment.json").read_text())["report"]["refined"] == method
    assert sorted(path.name for path in out.glob("model*")) == ["model.safetensors"]
    code, output, error = run("eval", out, "--text", tiny.make_text(tmp_path / "other", 2),
                          "--sequence-length", 10)
    assert code == 0 and "perplexity" in output, error
    if calibration:
        fails("is the calibration text", "eval", out, "--text", text)


def test_mixes_are_refined(run, tmp_path):
    """Unless that is turned off, and measured again."""
    model = tiny.make_model(tmp_path / "model")
    text = tiny.make_text(tmp_path / "text", 1)
    reports = {}
    for name, rest in (("refined", []), ("nearest", ["--refine", "none"]),
                       ("trusted", ["--no-verify"])):
        code, output, error = run("quantize", model, "--calibration", text, "--budget", "7bpw",
                                  "--sequence-length", 10, *rest, "-o", tmp_path / name)
        assert code == 0, error
        assert ("after gptq" in output) == (name != "nearest")
        reports[name] = json.loads((tmp_path / name / "assignment.json").read_text())["report"]
    assert reports["refined"]["refined"] == "gptq"
    assert reports["refined"]["refinedKL"] < reports["refined"]["measuredKL"]
    assert reports["refined"]["measuredKL"] == reports["nearest"]["measuredKL"]
    assert "refinedKL" not in reports["nearest"] and "refinedKL" not in reports["trusted"]


def test_worse_codes_are_left_out(tmp_path, monkeypatch):
    model = ssmq.load(tiny.make_model(tmp_path / "model"))
    text = read_text(tiny.make_text(tmp_path / "text", 1), Tokenizer(tmp_path / "model"))
    files = {}

    def assign(one, path):
        stages.assign_uniform(one, "int4:channel", path)
        quantize.note(path, measuredKL=0.5)

    def write(name, kl):
        monkeypatch.setattr(quantize, "measure", lambda *_: SimpleNamespace(mean=kl,
                                                                            standard_error=0.1))
        quantize.write(model, tmp_path / name, assign, 1, text,
                       refine=stages.RefineOptions("gptq", 10))
        files[name] = (tmp_path / name / "model.safetensors").read_bytes()
        ssmq.load(tmp_path / name).interpreter().forward([1, 2, 3])
        return json.loads((tmp_path / name / "assignment.json").read_text())["report"]

    assert write("better", 0.4)["refined"] == "gptq"
    worse = write("worse", 0.6)
    assert worse["refined"] is None and worse["note"] == "gptq measured worse and was left out"
    quantize.write(model, tmp_path / "nearest", assign, 1)
    nearest = (tmp_path / "nearest" / "model.safetensors").read_bytes()
    assert files["worse"] == nearest != files["better"]


def test_quantize_folds(run, tmp_path):
    model = tiny.make_model(tmp_path / "model")
    text = tiny.make_text(tmp_path / "text", 1)
    written = {}
    for out, rest in (("folded", ["--fold-scales"]), ("both", ["--fold-scales", "--refine", "mse"])):
        code, _, error = run("quantize", model, "--uniform", "int4:channel", "--calibration", text,
                             "--sequence-length", 10, *rest, "-o", tmp_path / out)
        assert code == 0, error
        report = json.loads((tmp_path / out / "assignment.json").read_text())["report"]
        assert report["foldedScales"] and report.get("refined") == ("mse" if rest[1:] else None)
        written[out] = sorted(path.name for path in (tmp_path / out).iterdir())
        ssmq.load(tmp_path / out).interpreter().forward([1, 2, 3])
    assert written["folded"] == written["both"]
    assert "folded" not in written["both"] and "model.safetensors" in written["both"]


@pytest.mark.parametrize("message, arguments", [
    ("--calibration goes with", ["--fold-scales"]),
    ("not 'best'", ["--refine", "best"]),
    ("--calibration goes with", ["--refine", "gptq"]),
    ("--calibration goes with", ["--refine", "mse", "--calibration", "text"]),
    ("--calibration goes with", ["--calibration", "text"])])
def test_usage(fails, tmp_path, message, arguments):
    fails(message, "quantize", "m", "--uniform", "int4:channel", *arguments, "-o",
          tmp_path / "out", status=2)


@pytest.mark.parametrize("family", ["granitemoehybrid", "bamba", "mamba", "mamba2"])
def test_folding_keeps_the_function(tmp_path, family):
    model = ssmq.load(tiny.make_model(tmp_path / "model", family=family))
    text = read_text(tiny.make_text(tmp_path / "text", 1), Tokenizer(tmp_path / "model"))
    folded = model.clone()
    stages.assign_uniform(folded, "int2:channel", tmp_path / "assignment.json")
    stages.fold_scales(folded, tmp_path / "folded.safetensors", text, sequence_length=20)
    before = load_file(tmp_path / "model" / "model.safetensors")
    after = load_file(tmp_path / "folded.safetensors")
    assert before.keys() == after.keys()
    assert sum((before[name] != after[name]).any() for name in before) >= 2
    tokens = text.tokens[:40]
    expected = model.interpreter("reference").forward(tokens)
    result = folded.interpreter("reference").forward(tokens)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
