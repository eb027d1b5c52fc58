"""Training, and training through the rounding: what it writes, and that a kill changes nothing."""

import json
import random
import signal
import time

import numpy as np
import pytest
import torch
from process import start
from ssmq import Error, formats
from ssmq.s4d import checkpoint, data, qat
from ssmq.s4d.config import Config
from ssmq.s4d.model import S4D, to_pairs
from ssmq.s4d.quantized import MOST_MAGNITUDE, QuantizedS4D, get_kind
from ssmq.s4d.sequences import Dataset, Sequences
from ssmq.s4d.training import accuracy, predict

STEPS = 12
CONFIG = Config(d_model=4, d_state=8, num_labels=3, n_layers=2, norm="layer")


def make_part(seed, count, ragged):
    """Three levels, and noise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    inputs = labels[:, None] + 0.3 * random.normal(size=(count, STEPS))
    lengths = random.integers(STEPS - 4, STEPS + 1, count) if ragged else None
    return Sequences(inputs.astype(np.float32)[..., None], labels, lengths)


def make_data(directory, ragged=True):
    dataset = Dataset(*(make_part(seed, 60, ragged) for seed in (1, 2, 3)))
    data.write(dataset, directory)
    return dataset


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


TRAIN = ["--heads", "4", "--state", "8", "--epochs", "6", "--batch-size", "8",
         "--learning-rate", "5e-2"]


def test_training_learns(run, tmp_path):
    dataset = make_data(tmp_path / "data")
    code, out, error = run("train-s4d", "--data", tmp_path / "data", "-o", tmp_path / "model",
                           *TRAIN)
    assert code == 0 and "test: " in out and error.count("validation") == 6
    results = json.loads((tmp_path / "model" / "results.json").read_text())
    assert results["accuracy"]["test"] > 0.8
    model = checkpoint.load(tmp_path / "model").eval()
    assert accuracy(model, dataset.test) == results["accuracy"]["test"]
    curve = [json.loads(one) for one in (tmp_path / "model" / "training.jsonl").open()]
    assert [one["epoch"] for one in curve] == list(range(1, 7))
    assert curve[-1]["loss"] < curve[0]["loss"]
    assert model.config.num_labels == 3


def test_kill_and_go_on(run, tmp_path):
    generator = random.Random(1)
    make_data(tmp_path / "data")
    train = ["train-s4d", "--data", tmp_path / "data", *TRAIN, "-o"]
    tune = ["qat", tmp_path / "whole", "--data", tmp_path / "data", "--epochs", "6",
            "--state", "int8:head:asym", "-o"]
    for command, whole, again in ((train, "whole", "again"), (tune, "whole-q", "again-q")):
        assert run(*command, tmp_path / whole)[0] == 0
        progress = tmp_path / f"{again}.progress"
        for _ in range(2):
            known = progress.stat().st_ino if progress.exists() else None
            work = start(*command, tmp_path / again, OMP_NUM_THREADS="1")
            while work.poll() is None and (
                    not progress.exists() or progress.stat().st_ino == known):
                time.sleep(0.001)
            time.sleep(generator.uniform(0, 0.05))
            work.send_signal(signal.SIGKILL)
            work.communicate()
            assert work.returncode == -signal.SIGKILL and not (tmp_path / again).exists()
        code, _, error = run(*command, tmp_path / again)
        assert code == 0 and error.count("validation") < int(command[command.index("--epochs") + 1])
        assert contents(tmp_path / again) == contents(tmp_path / whole)
        assert not progress.exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model and its data."""
    directory = tmp_path_factory.mktemp("trained")
    make_data(directory / "data")
    torch.manual_seed(1)
    checkpoint.save(S4D(CONFIG),
                    directory)
    return directory


@pytest.mark.parametrize("options,parameterization", [
    ({}, "frozen"), ({"state": "int8:tensor"}, "discrete"),
    ({"a": "logpolar<1,7>:head", "state": "f32"}, "continuous"),
    ({"activations": "int6:token", "weights": "f8e4m3:tensor", "state": "f16",
      "gate": "int6:tensor:static99.9"}, "continuous")])
def test_outputs(trained, tmp_path, options, parameterization):
    """What is written is rounded already, and predicts what the training saw."""
    chosen, dataset = qat.Scheme(**options).get_formats(CONFIG), data.load(str(trained / "data"))
    recipe = qat.Recipe(2, 3e-3, 16)
    results = qat.run(trained, dataset, chosen, parameterization, recipe, 20, tmp_path / "out",
                      "levels")
    model = checkpoint.load(tmp_path / "out").eval()
    assert model.config.parameterization == "discrete"
    document = json.loads((tmp_path / "out" / "quantization.json").read_text())
    assert {one["site"]: one["format"] for one in document["sites"]} == chosen
    for one in document["sites"]:
        owner, _, role = one["site"].partition(":")
        kind, spelling = get_kind(one["site"]), one["format"]
        assert ("bounds" in one) == ("static" in spelling)
        if "bounds" in one:
            assert len(one["bounds"]) == 2 * (4 if "per_head" in spelling else 1)
        if kind in ("weight", "parameter"):
            stored = getattr(model.get_submodule(owner), role if kind == "weight" else role.upper())
            np.testing.assert_array_equal(
                formats.round(stored.detach().numpy(), spelling, kind, head_size=1), stored.detach())
    again = qat.load_quantized(tmp_path / "out")
    assert accuracy(again, dataset.test) == results["accuracy"]["test"]
    assert results["unrounded"]["test"] == accuracy(checkpoint.load(trained).eval(), dataset.test)
    assert results["bytes"]["parameters"] < results["bytes"]["parametersInF32"]


def test_kill_behind_the_last_epoch(trained, tmp_path, monkeypatch):
    def tune(name):
        qat.run(trained, data.load(str(trained / "data")), qat.Scheme().get_formats(CONFIG),
                "continuous", qat.Recipe(2, 1e-2, 16), 20, tmp_path / name, "levels")

    def die(*arguments):
        raise KeyboardInterrupt

    tune("whole")
    with monkeypatch.context() as patch:
        patch.setattr(qat, "write_outputs", die)
        with pytest.raises(KeyboardInterrupt):
            tune("again")
    tune("again")
    assert contents(tmp_path / "again") == contents(tmp_path / "whole")


def test_frozen_a_is_not_trained(trained, tmp_path):
    chosen = qat.Scheme().get_formats(CONFIG)
    a, _ = checkpoint.load(trained).layers[0].ssm.discretize()
    expected = formats.round(to_pairs(a).detach().numpy(), chosen["layers.0.ssm:a"], "parameter", 1)
    for name, is_same in (("frozen", True), ("discrete", False)):
        qat.run(trained, data.load(str(trained / "data")), chosen, name, qat.Recipe(1, 3e-3, 16),
                20, tmp_path / name, "levels")
        model = checkpoint.load(tmp_path / name)
        assert (model.layers[0].ssm.A.detach().numpy() == expected).all() == is_same


def test_discrete_a_stays_inside(trained):
    """A step out of the unit disc ends at its rim; what is inside stays where it is."""
    quantized = QuantizedS4D(checkpoint.load(trained), {}, "discrete")
    a = quantized.model.layers[0].ssm.A.detach()
    before = a.clone()
    a[0, 0] = torch.tensor([3.0, 4.0])
    quantized.train()(torch.zeros(1, 2, 1))
    assert torch.hypot(*a[0, 0]).item() == pytest.approx(MOST_MAGNITUDE)
    assert a[0, 0, 1] / a[0, 0, 0] == pytest.approx(4 / 3)
    assert (a.flatten(0, 1)[1:] == before.flatten(0, 1)[1:]).all()


def test_static_ranges(trained):
    """Of activations a sequence, of states a step, both within lengths."""
    model, dataset = checkpoint.load(trained), data.load(str(trained / "data"))
    quantized = QuantizedS4D(model, qat.Scheme().get_formats(CONFIG))
    qat.see_all(quantized, dataset.train, quantized.widen)
    part, ssm = dataset.train, model.layers[0].ssm
    with torch.no_grad():
        x = model.encoder(torch.from_numpy(part.inputs))
        a, b = ssm.discretize()
        states, inputs = [], []
        for row, length in zip(x, part.lengths):
            state = torch.zeros_like(a)
            for u in row[:length]:
                state = a * state + b * u[:, None]
                states.append(to_pairs(state))
            inputs.append(row[:length])
    states, inputs = torch.stack(states).transpose(0, 1).flatten(1), torch.cat(inputs)
    for site, values in (("state", states), ("input", inputs.reshape(1, -1))):
        low, high = quantized.ranges[f"layers.0.ssm:{site}"]
        torch.testing.assert_close(low.flatten(), values.amin(1).clamp(max=0))
        torch.testing.assert_close(high.flatten(), values.amax(1).clamp(min=0))


def test_coarse_gate(trained):
    """Gates of two bits take few values, which a model without them does not."""
    model, dataset = checkpoint.load(trained).eval(), data.load(str(trained / "data"))
    formats_of = {f"layers.{i}.mixing:gate": "i2 sym per_tensor static=99.9" for i in range(2)}
    quantized = QuantizedS4D(model, formats_of).eval()
    qat.see_all(quantized, dataset.train, quantized.widen)
    with torch.no_grad():
        mixed = model.layers[0].mixing(torch.randn(3, 9, 4)).transpose(1, 2)
        x = torch.zeros(3, 4, 9)
        model.layers[0].norm = None
        actual = model.layers[0].finish(x, mixed, lambda gate: quantized._round_steps(
            "layers.0.mixing:gate", gate))
        bound = quantized.ranges["layers.0.mixing:gate"].high.item()
        gates = formats.round(np.array([[-bound, 0, bound]], np.float32), "i2 sym per_tensor")
    opened = (actual / mixed[:, :4]).flatten()
    near = torch.sigmoid(torch.from_numpy(gates)) - opened[:, None]
    assert near.abs().amin(1).max() < 1e-4


def test_rounding_to_many_bits_changes_little(trained):
    model, dataset = checkpoint.load(trained).eval(), data.load(str(trained / "data"))
    scheme = qat.Scheme(*["int16:channel"] + ["int16:head:asym"] * 2 + ["int16:tensor"],
                        "int16:head:static99.999", "int16:token", "int16:tensor:static99.999")
    quantized = QuantizedS4D(model, scheme.get_formats(CONFIG)).eval()
    qat.see_all(quantized, dataset.test, quantized.widen)
    np.testing.assert_allclose(predict(quantized, dataset.test), predict(model, dataset.test),
                               atol=5e-3)


@pytest.mark.parametrize("bounds,message", [
    (None, "has no bounds for encoder:input"), ([1.0], "must be 2 finite numbers"),
    ([-1.0, float("inf")], "must be 2 finite"), ([0.5, 1.0], "must lie around zero")])
def test_refused_bounds(trained, tmp_path, bounds, message):
    qat.run(trained, data.load(str(trained / "data")), qat.Scheme().get_formats(CONFIG), "frozen",
            qat.Recipe(0), 20, tmp_path / "out", "levels")
    path = tmp_path / "out" / "quantization.json"
    document = json.loads(path.read_text())
    site = next(one for one in document["sites"] if one["site"] == "encoder:input")
    del site["bounds"]
    if bounds:
        site["bounds"] = bounds
    path.write_text(json.dumps(document))
    with pytest.raises(Error, match=message):
        qat.load_quantized(tmp_path / "out")


def test_mistakes(trained, fails, tmp_path):
    command = ["qat", trained, "--data", trained / "data", "-o", tmp_path / "out"]
    fails("no parameterization 'free'", *command, "--parameterization", "free", status=2)
    fails("write for example", *command, "--a", "int77")
    fails("cannot share a scale", *command, "--weights", "int4:g32")
    other = tmp_path / "assignment.json"
    other.write_text(json.dumps({"document": "ssmq-assignment", "version": 1,
                                 "sites": [{"site": "x:weight", "format": "int4:channel"}]}))
    fails("names a site that this model does not have", *command, "--assignment", other)
    fails("exists; remove it", *command[:-1], trained)
    progress = tmp_path / "out.progress"
    progress.write_bytes(b"nothing")
    fails("is no progress of a training run", *command, "--epochs", "1")


def test_progress_of_another_run(trained, run, fails, tmp_path):
    command = ["qat", trained, "--data", trained / "data", "-o", tmp_path / "out", "--epochs", "1"]
    (tmp_path / "out").with_name("out.progress").unlink(missing_ok=True)
    from ssmq.s4d.progress import Progress
    model = torch.nn.Linear(1, 1)
    Progress(tmp_path / "out.progress", {"seed": 7}).save(model, torch.optim.AdamW(
        model.parameters()))
    fails("is of a run whose seed differs", *command)
