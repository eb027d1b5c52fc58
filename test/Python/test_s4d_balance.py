"""Balanced states, and learning curves."""

import json

import pytest
import torch
from safetensors.torch import save_file
from ssmq.s4d import balance, checkpoint
from ssmq.s4d.config import Config
from ssmq.s4d.data import load
from ssmq.s4d.model import S4D
from ssmq.s4d.quantized import to_discrete


def make_model(directory, is_discrete=False, **fields):
    torch.manual_seed(1)
    model = S4D(Config(d_model=4, d_state=8, num_labels=3, n_layers=2, norm="layer", **fields))
    if is_discrete:
        model = to_discrete(model)
    directory.mkdir()
    checkpoint.save(model, directory)
    return model.eval()


def make_data(directory):
    directory.mkdir()
    for part in ("train", "validation", "test"):
        save_file({"inputs": torch.rand(20, 200, 1), "labels": torch.arange(20) % 3},
                  directory / f"{part}.safetensors")


@pytest.mark.parametrize("fields", [{}, {"discretization": "bilinear"},
                                    {"is_discrete": True}])
def test_logits_stay(run, tmp_path, fields):
    model = make_model(tmp_path / "model", **fields)
    make_data(tmp_path / "data")
    code, out, error = run("s4d-balance", tmp_path / "model", "--data", tmp_path / "data",
                           "--strength", "1", "-o", tmp_path / "balanced")
    assert code == 0 and out.startswith("layer 0: factors 1 to "), error
    balanced = checkpoint.load(tmp_path / "balanced").eval()
    assert balanced.config == checkpoint.load(tmp_path / "model").config
    data = load(str(tmp_path / "data"))
    inputs = torch.from_numpy(data.test.inputs)
    torch.testing.assert_close(balanced(inputs), model(inputs), atol=1e-5, rtol=1e-4)
    for before, after in zip(balance.find_ranges(model, data.train),
                             balance.find_ranges(balanced, data.train)):
        spread = before.amax(-1) / before.amin(-1)
        assert spread.max() > 1.5
        torch.testing.assert_close(after, after.amax(-1, keepdim=True).expand_as(after), rtol=1e-3,
                                   atol=0)


@pytest.mark.parametrize("arguments,message", [
    (["--strength", "1.5"], "a strength lies between 0 and 1"),
    (["--strength", "nan"], "a strength lies between 0 and 1"),
    (["--data", "digits63"], "digits63")])
def test_balance_refuses(run, tmp_path, arguments, message):
    make_model(tmp_path / "model")
    make_data(tmp_path / "data")
    code, _, error = run("s4d-balance", tmp_path / "model", "--data", tmp_path / "data",
                         "-o", tmp_path / "out", *arguments)
    assert code in (1, 2) and message in error and not (tmp_path / "out").exists()


def test_curves(run, tmp_path):
    record = {"epoch": 1, "loss": 2.0, "train": 0.5, "validation": 0.25}
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "training.jsonl").write_text(
            "".join(json.dumps({**record, "epoch": i}) + "\n" for i in (1, 2)))
    code, _, error = run("s4d-curves", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "curves.svg")
    text = (tmp_path / "curves.svg").read_text()
    assert code == 0 and text.startswith("<svg") and "validation" in text, error
    (tmp_path / "b" / "training.jsonl").write_text('{"epoch": 1}\n')
    for run_name, name, message in (("b", "c.svg", "a line lacks"), ("none", "c.svg", "none"),
                                    ("a", "c.pdf", "ends in .png or .svg")):
        code, _, error = run("s4d-curves", tmp_path / run_name, "-o", tmp_path / name)
        assert code != 0 and message in error and not (tmp_path / name).exists()
