"""What rounding costs a classifier: a sweep of a tiny model."""

import json

import numpy as np
import torch
from safetensors.numpy import save_file
from ssmq.s4d import checkpoint, sweep
from ssmq.s4d.config import Config
from ssmq.s4d.model import S4D


def make_model(directory):
    torch.manual_seed(5)
    model = S4D(Config(d_model=4, d_state=8, num_labels=3))
    directory.mkdir()
    checkpoint.save(model, directory)
    return model


def make_data(directory, model):
    directory.mkdir()
    for part in ("train", "test"):
        inputs = torch.randn(40, 12, 1)
        with torch.no_grad():
            labels = model(inputs).argmax(1)
        save_file({"inputs": inputs.numpy(), "labels": labels.numpy()},
                  directory / f"{part}.safetensors")


def test_sweep(run, tmp_path, monkeypatch):
    make_data(tmp_path / "data", make_model(tmp_path / "m"))
    monkeypatch.setattr(sweep, "BITS", (16, 2))
    monkeypatch.setattr(sweep, "GRID_BITS", (16, 6))
    out, table, picture = (tmp_path / f"sweep.{kind}" for kind in ("json", "md", "png"))
    code, output, error = run("s4d-sweep", tmp_path / "m", "--data", tmp_path / "data", "-o", out,
                              "--markdown", table, "--picture", picture)
    assert code == 0, error
    document = json.loads(out.read_text())
    assert document["original"]["accuracy"] == 1 and document["sequences"] == 40
    curves = {(one["component"], one["curve"]): one["points"] for one in document["curves"]}
    assert set(component for component, _ in curves) == set(sweep.COMPONENTS)
    for (component, curve), (fine, coarse) in curves.items():
        assert fine["kl"] < 1e-3, (component, curve)
        assert coarse["kl"] is None or coarse["kl"] > fine["kl"], (component, curve)
    # Two bits a part of A leave the unit disc, 16 do not.
    for (component, curve), (fine, coarse) in curves.items():
        if component == "A":
            assert fine["unstable"] == [] and coarse["unstable"], curve
            assert coarse["unstable"][0]["magnitude"] >= 1
    assert "| A shared by | 16 bit | 2 bit |" in output
    # W4A6: 16 bits for A and the state take more bytes than 6.
    grid = {(cell["a"], cell["state"]): cell for cell in document["grid"]}
    assert grid["int16", "int16"]["bytes"] > grid["int6", "int6"]["bytes"]
    assert grid["int6", "int6"]["bytes"] < document["bytesInF32"] / 3
    assert output == table.read_text() and "| A \\ state | int16 | int6 |" in output
    assert picture.read_bytes().startswith(b"\x89PNG")
    code, _, error = run("s4d-sweep", tmp_path / "m", "--data", tmp_path / "data", "-o", out)
    assert code == 1 and "exists" in error


def test_bytes_by_hand(tmp_path):
    """4 heads of 4 complex states; 4-bit codes and an f16 scale and an i8 zero point a row."""
    import ssmq

    make_model(tmp_path / "m")
    model = ssmq.load(tmp_path / "m")
    system = 4 * 8
    weights = 4 * 1 + 8 * 4 + 3 * 4
    assert sweep.count_bytes(model, {}) == 4 * (4 * system + 4 + weights)  # a, b, c, state, d
    rounded = sweep.count_bytes(model, {"layers.0.ssm:a": "int4:head:asym"})
    assert sweep.count_bytes(model, {}) - rounded == 4 * system - (system // 2 + 4 * 3)
    assert np.isfinite(rounded)
