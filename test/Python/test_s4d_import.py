"""S4D in the compiler: the same logits as in PyTorch, and measured on labelled sequences."""

import json

import numpy as np
import pytest
import ssmq
import torch
from safetensors.numpy import save_file
from ssmq.s4d import checkpoint
from ssmq.s4d.config import Config
from ssmq.s4d.model import S4D
from ssmq.s4d.quantized import to_discrete

VARIANTS = [
    {}, {"d_model": 5, "d_state": 6, "d_input": 3},
    {"discretization": "bilinear", "mixing": "linear", "norm": "layer", "n_layers": 2,
     "pooling": "last", "activation": "gelu", "d_input": 3, "d_model": 6},
    {"residual": False, "n_layers": 2, "d_model": 7, "d_state": 22},
]


def write(directory, discrete=False, **fields):
    torch.manual_seed(5)
    model = S4D(Config(num_labels=4, **fields))
    model = to_discrete(model) if discrete else model
    directory.mkdir()
    checkpoint.save(model, directory)
    return model


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("fields", VARIANTS)
def test_logits_are_pytorchs(tmp_path, fields, discrete):
    """Within 1e-4: whole, in parts, and step by step."""
    model = write(tmp_path / "m", discrete, **fields)
    inputs = torch.randn(1, 50, model.config.d_input)
    with torch.no_grad():
        expected = model(inputs).numpy()
    loaded = ssmq.load(tmp_path / "m")
    for program in (loaded.interpreter("reference"), loaded.interpreter("fast"), loaded.compile()):
        assert program.num_features == model.config.d_input and program.vocab_size == 4
        for chunks in ([50], [1, 30, 19], [1] * 50):
            state, fed = program.new_state(50), 0
            for size in chunks:
                logits = program.classify(inputs[0, fed:fed + size].numpy(), state)
                fed += size
            np.testing.assert_allclose(logits, expected, atol=1e-4, rtol=0)


def make_data(path, model, count=24):
    """Labels are what the model says, but for one sequence in four."""
    torch.manual_seed(3)
    inputs = torch.randn(count, 20, model.config.d_input)
    lengths = torch.randint(5, 21, (count,))
    with torch.no_grad():
        labels = model(inputs, lengths).argmax(1)
    labels[::4] = (labels[::4] + 1) % 4
    save_file({"inputs": inputs.numpy(), "labels": labels.numpy(), "lengths": lengths.numpy()},
              path)


def test_accuracy(run, tmp_path):
    model = write(tmp_path / "m", d_model=8)
    data = tmp_path / "data.safetensors"
    make_data(data, model)
    code, out, _ = run("eval", tmp_path / "m", "--text", data, "--json")
    assert code == 0 and json.loads(out)["accuracy"]["mean"] == 0.75
    _, text, _ = run("eval", tmp_path / "m", "--text", data, "--teacher", tmp_path / "m")
    assert "scored 24 sequences" in text and "accuracy             75.00%" in text
    assert "same class          100.00%" in text


def test_measure_with_accuracy(run, tmp_path):
    """Coarse formats of A cost accuracy; the table says how much, beside KL."""
    model = write(tmp_path / "m", d_model=8)
    data, table = tmp_path / "data.safetensors", tmp_path / "t.json"
    make_data(data, model)
    code, _, error = run("measure", tmp_path / "m", "--calibration", data, "-o", table,
                         "--precision", "0", "--exact-arithmetic", "--sites", "parameter,state",
                         "--num-sequences", "0", "--formats",
                         "int8:head,int2:head,logpolar<2x6>:head")
    assert code == 0, error
    document = json.loads(table.read_text())
    assert document["run"]["numSequences"] == 24
    rows = {(row["site"], row["format"]): row["estimates"] for row in document["rows"]}
    fine, coarse = (rows["layers.0.ssm:a", f"i{bits} sym per_head"] for bits in (8, 2))
    assert fine["forwardKL"]["mean"] < coarse["forwardKL"]["mean"]
    assert coarse["accuracy"]["mean"] == pytest.approx(0.75 + coarse["accuracyChange"]["mean"])
    assert ("layers.0.ssm:a", "logpolar<2,6> per_head") in rows
    assert ("layers.0.ssm:state", "i8 sym per_head") in rows


def test_bad_input(tmp_path):
    model = write(tmp_path / "m", d_input=2)
    program = ssmq.load(tmp_path / "m").interpreter()
    with pytest.raises(ssmq.Error, match="reads 2 features a step, not 3"):
        program.classify(np.zeros((4, 3)))
    with pytest.raises(ssmq.Error, match="a feature is not finite"):
        program.classify(np.full((4, 2), np.nan))
    with pytest.raises(ssmq.Error, match="reads features"):
        program.forward([1, 2])
    with pytest.raises(ssmq.Error, match="needs labelled sequences"):
        program.evaluate([1, 2, 3])
    data = tmp_path / "data.safetensors"
    make_data(data, model)
    with pytest.raises(ssmq.Error, match="labels must be i64 \\[24\\]"):
        save_file({"inputs": np.zeros((24, 3, 2), np.float32), "labels": np.zeros(3, np.int64)},
                  data)
        program.evaluate(data)
