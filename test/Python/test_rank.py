"""`ssmq rank` on a table with known means, and on damaged ones."""

import json

import numpy as np
import pytest
from ssmq import ranking, sensitivity
from ssmq.errors import Error

FIELDS = ["forwardKL", "reverseKL", "squaredError", "squaredTeacher", "teacherCrossEntropy",
          "crossEntropyChange"]


def make_entry(kl, spread, seed, **more):
    sums = 10 * np.random.default_rng(seed).normal(kl, spread, 8)
    columns = {name: sums.tolist() for name in FIELDS}
    return more | {"estimates": {"forwardKL": {"mean": sums.sum() / 80, "standardError": 0.1}},
                   "method": "measured",
                   "sums": columns | {"sequence": list(range(8)), "positions": [10] * 8,
                                      "sameTop1": [9] * 8}}


def make_table(path, change=lambda table: None):
    """Sites a > b = c in i4, and all near the floor in i8."""
    sites = [{"name": name, "kind": kind, "rows": 4, "columns": 4, "elements": 16,
              "baselineBytes": 32} for name, kind in [("a", "weight"), ("b", "weight"),
                                                      ("c", "state")]]
    means = {("a", "i4"): 5, ("b", "i4"): 2, ("c", "i4"): 2, ("a", "i8"): 0.2, ("b", "i8"): 0.1,
             ("c", "i8"): 0.05}
    rows = [make_entry(kl, 0.01, seed, site=site, format=f"{form} sym per_channel",
                       bytes=10 * int(form[1:]))
            for seed, ((site, form), kl) in enumerate(means.items())]
    rows[0]["method"] = "predicted"
    table = {"document": "ssmq-sensitivity", "version": 2,
             "run": {"numSequences": 8, "sequenceLength": 11, "calibration": "text.txt"},
             "model": {"numParameters": 48, "fixedBytes": 0}, "sites": sites, "rows": rows,
             "noiseFloor": [make_entry(0.15, 0.01, 9, format="weights in bf16")]}
    change(table)
    path.write_text(json.dumps(table))
    return path


def read_ranks(text):
    return [(row["site"], row["format"][:2], row["rank"], row["tiedWithPrevious"],
             row["belowNoiseFloor"]) for row in json.loads(text)["rows"]]


def test_smallest_format_is_ranked(run, tmp_path):
    table = make_table(tmp_path / "table.json")
    code, output, _ = run("rank", table, "--json")
    assert code == 0
    ranks = read_ranks(output)
    assert ranks[0] == ("a", "i4", [1, 1], False, False)
    assert {row[0] for row in ranks[1:]} == {"b", "c"}
    assert [row[2:] for row in ranks[1:]] == [([2, 3], False, False), ([2, 3], True, False)]
    code, output, _ = run("rank", table)
    assert code == 0
    assert "in i4 sym per_channel" in " ".join(output.split())
    lines = [line.split() for line in output.splitlines() if " .. " in line]
    # A predicted value, its interval and its rank; then two ties.
    assert lines[0][0] == "a" and lines[0][3].startswith("~5.0") and lines[0][-1] == "1"
    assert [line[-1] for line in lines[1:]] == ["2-3", "≈"]
    assert "predicted" in output and "Noise floor: 1.5e-01 (weights in bf16)" in output


def test_below_the_floor_all_are_ties(run, tmp_path):
    table = make_table(tmp_path / "table.json")
    # The short spelling of a format is understood too.
    code, output, _ = run("rank", table, "--format", "int8:channel", "--json")
    assert code == 0
    assert read_ranks(output) == [("a", "i8", [1, 1], False, False),
                                  ("b", "i8", [2, 3], False, True),
                                  ("c", "i8", [2, 3], True, True)]
    assert "whose order does not matter" in run("rank", table, "--format", "int8:channel")[1]


def test_all_formats_and_top(run, tmp_path):
    table = make_table(tmp_path / "table.json")
    code, output, _ = run("rank", table, "--format", "all", "--top", "4", "--json")
    assert code == 0 and [row[1] for row in read_ranks(output)] == ["i4", "i4", "i4", "i8"]


def test_one_sequence(run, tmp_path):
    def cut(table):
        for row in table["rows"]:
            row["method"] = "measured"
            row["sums"] = {name: column[:1] for name, column in row["sums"].items()}

    table = make_table(tmp_path / "table.json", cut)
    code, output, _ = run("rank", table)
    assert code == 0 and output.count("unknown") == 3 and output.count(" 1-3 ") == 3


def test_rows_without_a_measurement_have_no_place(run, tmp_path):
    def empty(table):
        row = table["rows"][1]
        row["sums"] = {name: [] for name in row["sums"]}
        row["estimates"]["forwardKL"] = {"mean": None, "standardError": None}

    code, output, _ = run("rank", make_table(tmp_path / "table.json", empty), "--json")
    assert code == 0 and [row[0] for row in read_ranks(output)] == ["a", "c"]


@pytest.mark.parametrize("change, message", [
    (lambda table: table.update(version=1), "has version 1; this ssmq reads 2"),
    (lambda table: table.update(document="x"), "is not a document of type ssmq-sensitivity"),
    (lambda table: table.pop("run"), "no whole sensitivity table"),
    (lambda table: table["rows"][1].pop("sums"), "no whole sensitivity table"),
    (lambda table: table["rows"][1]["sums"]["forwardKL"].pop(), "differ in length"),
    (lambda table: table.update(rows=3), "no whole sensitivity table"),
    (lambda table: table.update(rows=[]), "holds no rows"),
])
def test_damaged_tables(fails, tmp_path, change, message):
    fails(message, "rank", make_table(tmp_path / "table.json", change))


def test_formats_that_are_not_there(fails, tmp_path):
    table = make_table(tmp_path / "table.json")
    fails("has no rows in 'i2 sym per_channel'; it has i4", "rank", table, "--format",
          "int2:channel")
    fails("int9", "rank", table, "--format", "int9:channel")
    with pytest.raises(Error, match="does not exist"):
        ranking.rank(sensitivity.read(tmp_path / "none.json"))
