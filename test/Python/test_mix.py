"""Assignments that are measured as a whole: `ssmq quantize` with verification."""

import json

import pytest
from tiny import make_model, make_text

from ssmq import stages
from ssmq.model import load
from ssmq.text import read_calibration

FORMATS = ["int2:channel", "int4:channel", "int8:channel"]
LENGTH = 16


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def text(tmp_path):
    return make_text(tmp_path / "calibration.txt", 1, words=160)


def quantize(run, model, text, out, *more):
    code, output, error = run("quantize", model, "--calibration", text, "--budget", "7bpw", "-o",
                              out, "--sequence-length", LENGTH, "--formats", ",".join(FORMATS),
                              *more)
    assert code == 0, error
    return output, json.loads((out / "assignment.json").read_text())


def test_quantize_measures_what_it_chose(run, model, text, tmp_path):
    output, assignment = quantize(run, model, text, tmp_path / "out", "--refine", "none")
    report = assignment["report"]
    assert "measured" in output and "±" in output
    assert assignment["method"].startswith(("optimal 7bpw", "uniform i"))
    assert report["bitsPerWeight"] <= 7 and report["measuredKLError"] > 0
    names = [trial["name"] for trial in report["trials"]]
    assert names[0] == "table" and "uniform i4 sym per_channel" in names
    assert "uniform i8 sym per_channel" not in names  # larger than the budget
    for trial in report["trials"]:
        if trial["name"].startswith("uniform"):
            assert trial["moreThanChosen"]["mean"] >= 0

    # The measurement is that of the stored model on the calibration text.
    code, output, _ = run("eval", tmp_path / "out", "--text", make_text(tmp_path / "e.txt", 2),
                          "--teacher", model, "--json", "--engine", "fast")
    assert code == 0
    kl = json.loads(output)["kl_teacher_student"]["mean"]
    assert kl == pytest.approx(report["measuredKL"], rel=0.5)

    output, plain = quantize(run, model, text, tmp_path / "plain", "--no-verify")
    assert "measured" not in output and "trials" not in plain["report"]


def mislead(table):
    """int2 seems to cost what int8 does, and int8 what int2 does, at every second site."""
    document = json.loads(table.read_text())
    names = [site["name"] for site in document["sites"]]
    rows = {(row["site"], row["format"]): row for row in document["rows"]}
    for name in names[::2]:
        low, high = rows[name, "i2 sym per_channel"], rows[name, "i8 sym per_channel"]
        for key in ("estimates", "sums"):
            low[key], high[key] = high[key], low[key]
    table.write_text(json.dumps(document))


def test_a_table_that_misleads(model, text, tmp_path):
    loaded, table, chosen = load(model), tmp_path / "table.json", tmp_path / "a.json"
    calibration = read_calibration(text, model, LENGTH)
    stages.measure(loaded, calibration, table,
                   stages.MeasureOptions(FORMATS, LENGTH, precision=0, exact_arithmetic=True))

    def solve(rounds):
        stages.solve_mix(loaded, table, "7bpw", calibration, chosen,
                         stages.VerifyOptions(LENGTH, rounds=rounds))
        return json.loads(chosen.read_text())

    honest = solve(2)
    mislead(table)
    fallen = solve(0)
    assert fallen["method"].startswith("uniform i4 sym per_channel (the mix measured worse: KL ")
    assert fallen["report"]["note"] == fallen["method"]
    # Sites that cannot have the format stay as they are.
    assert {site["format"] for site in fallen["sites"]} <= {"i4 sym per_channel", "keep"}
    assert fallen["report"]["trials"][0]["moreThanChosen"]["mean"] > 0
    # Measured changes of the best mix find out.
    found = solve(2)
    assert found["report"]["measuredKL"] <= fallen["report"]["measuredKL"]
    assert honest["report"]["measuredKL"] < fallen["report"]["measuredKL"]
