"""A candidate that the model overflows with: told in a line, never chosen, and in nobody's way."""

import csv
import json

import jsonschema
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from ssmq import assignment, sensitivity
from ssmq.s4d import checkpoint, sweep
from ssmq.s4d.config import Config
from ssmq.s4d.model import S4D
from test_schema import SCHEMA

A, SMALL, LARGE = "layers.0.ssm:a", "i2 sym per_head", "i16 sym per_head"
STEPS = 500


def make_model(directory, scale=1.0):
    """`scale` is of B and C."""
    torch.manual_seed(5)
    model = S4D(Config(d_model=4, d_state=8, num_labels=3))
    with torch.no_grad():
        model.layers[0].ssm.B.mul_(scale)
        model.layers[0].ssm.C.mul_(scale)
    directory.mkdir()
    checkpoint.save(model, directory)
    return directory


def make_sequences(path):
    inputs = np.random.default_rng(3).random((3, STEPS, 1), dtype=np.float32)
    save_file({"inputs": inputs, "labels": np.array([0, 1, 2])}, path)
    return path


@pytest.fixture
def measured(run, tmp_path):
    """Runs `ssmq measure`; returns the path of the table and what was printed."""
    model, data = make_model(tmp_path / "m"), make_sequences(tmp_path / "data.safetensors")

    def measure(name, *options, formats="int2:head,int16:head,int16:tensor"):
        table = tmp_path / name
        code, output, error = run("measure", model, "--calibration", data, "-o", table, "--sites",
                                  "parameter", "--formats", formats, *options)
        assert code == 0, error
        assert not table.with_name(f"{name}.journal").exists()
        return table, output

    return measure


@pytest.mark.parametrize("options", [("--precision", "0"), ("--precision", "0.15"),
                                     ("--precision", "0", "--exact-arithmetic")])
def test_measure_goes_on(measured, options):
    path, output = measured("table.json", *options)
    line, = (one for one in output.splitlines() if "overflows" in one)
    assert f"{A} in {SMALL}" in line and line.endswith("never chosen.")
    document = json.loads(path.read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    rows = {(row["site"], row["format"]): row for row in document["rows"]}
    row = rows[A, SMALL]
    assert row["unusable"] == 0 and row["method"] == "measured" and "localError" not in row
    assert row["sums"]["sequence"] == [] and row["estimates"]["forwardKL"]["mean"] is None
    # The others are as if it were not there.
    alone, _ = measured("alone.json", *options, formats="int16:head,int16:tensor")
    others = [row for row in json.loads(alone.read_text())["rows"] if row["site"] != A]
    if options[1] == "0":
        assert others == [rows[row["site"], row["format"]] for row in others]
    assert "unusable" not in rows[A, LARGE] and rows[A, LARGE]["estimates"]["forwardKL"]["mean"] > 0


def test_shards_merge_to_the_same_table(measured, run, tmp_path):
    whole, _ = measured("whole.json", "--precision", "0")
    parts = [measured(f"{index}.json", "--precision", "0", "--shard", f"{index}/2")[0]
             for index in range(2)]
    assert run("merge", *parts, "-o", tmp_path / "merged.json")[0] == 0
    assert (tmp_path / "merged.json").read_bytes() == whole.read_bytes()


def test_what_reads_a_table(measured, run, fails, tmp_path):
    table, _ = measured("table.json", "--precision", "0")
    assert not any("lack sequences" in gap for gap in sensitivity.read(table).gaps)

    assert assignment.assign(table, memory="1GB", sites=["parameter"],
                             keep=False).formats[A].startswith("i16")
    # At the least memory that there is, the others have 2 bits.
    smallest = assignment.assign(table, memory="380B", sites=["parameter"], keep=False)
    assert smallest.formats["layers.0.ssm:b"] == SMALL and smallest.formats[A].startswith("i16")
    fails("too few: the smallest that the measured formats need is 376", "assign", table, "--sites",
          "parameter", "--no-keep", "--memory", "375B")
    fails("has no format to choose from", "assign", table, "--sites", "parameter", "--formats",
          "int2:head", "--no-keep", "--memory", "1GB")

    code, output, _ = run("rank", table, "--format", "int2:head")
    assert code == 0 and f"overflows with {A} in {SMALL}:" in output
    code, output, _ = run("rank", table, "--format", "int2:head", "--json")
    assert A not in [row["site"] for row in json.loads(output)["rows"]]

    assert run("report", table, "-o", tmp_path / "report.html")[0] == 0
    assert "overflows with 1 site" in (tmp_path / "report.html").read_text()

    assert run("export", table, "--to", "csv", "-o", tmp_path / "table.csv")[0] == 0
    line, = (one for one in csv.DictReader((tmp_path / "table.csv").open())
             if (one["site"], one["format"]) == (A, SMALL))
    assert line["method"] == "unusable" and line["forwardKL"] == "" and line["bytes"] != "0"


def test_the_summary_is_infinite(measured):
    _, output = measured("table.json", "--precision", "0")
    line, = (one for one in output.splitlines() if one.startswith(SMALL) or f" {SMALL} " in one)
    assert "inf" in line


def test_an_unquantized_model_that_overflows_is_an_error(run, tmp_path):
    model = make_model(tmp_path / "broken", scale=1e30)
    data = make_sequences(tmp_path / "data.safetensors")
    code, _, error = run("measure", model, "--calibration", data, "-o", tmp_path / "table.json",
                         "--sites", "parameter", "--formats", "int8:head")
    assert code == 1 and "not finite" in error and not (tmp_path / "table.json").exists()


def test_the_sweep_goes_on(tmp_path):
    import ssmq

    make_model(tmp_path / "m")
    (tmp_path / "data").mkdir()
    for part in ("train", "test"):
        make_sequences(tmp_path / "data" / f"{part}.safetensors")
    scored = sweep.Sweep(ssmq.load(tmp_path / "m"), tmp_path / "data").score({A: SMALL})
    assert scored["accuracy"] is scored["kl"] is scored["error"] is None
    assert "finite" in scored["failure"]
