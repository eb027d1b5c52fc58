"""`ssmq assign` and `ssmq front` from tables alone."""

import csv
import io
import json
import math
from pathlib import Path

import pytest
import tables
from ssmq import assignment

PAPER = Path(__file__).resolve().parents[1] / "Inputs" / "kl-mpq-mamba-130m.csv"
I4, I8 = "i4 sym per_channel", "i8 sym per_channel"


@pytest.fixture
def table(tmp_path):
    """Two weights and a state; 1000 parameters, 1024 bytes as they are."""
    sites = [tables.make_site("a"), tables.make_site("b"), tables.make_site("s", "state")]
    rows = [tables.make_whole_row("a", I4, 150, 0.5), tables.make_whole_row("a", I8, 280, 0.01),
            tables.make_whole_row("b", I4, 150, 0.25), tables.make_whole_row("b", I8, 280, 0.02),
            tables.make_whole_row("s", I8, 256, 0.1)]
    return tables.make_whole_table(tmp_path / "table.json", sites, rows)


@pytest.mark.parametrize("point, int8, int4, kl", [
    ("p01", 19, 0, 0.0014), ("p02", 38, 0, 0.0029), ("p05", 93, 1, 0.0080),
    ("p07", 57, 38, 0.0304), ("p10", 2, 94, 0.3783)])
def test_replay(run, point, int8, int4, kl):
    code, output, _ = run("assign", "--table", PAPER, "--rule", f"kl-mpq-{point}", "--json")
    assert code == 0
    result = json.loads(output)
    assert result["counts"].get("int8", 0) == int8 and result["counts"].get("int4", 0) == int4
    assert result["counts"]["none"] == 97 - int8 - int4
    assert result["formats"]["lm_head"] == "none" and len(result["formats"]) == 97
    assert result["report"]["predictedKL"] == pytest.approx(kl, abs=5e-5)
    assert result["report"]["totalBytes"] is None


def test_greedy_rule(run):
    formats = {}
    for rule in ("kl-mpq-greedy", "kl-mpq-greedy-fixed"):
        code, output, _ = run("assign", PAPER, "--rule", rule, "--json", "--perplexity", "26.25")
        assert code == 0
        formats[rule] = json.loads(output)["counts"]
    # What compounds goes further down.
    assert formats["kl-mpq-greedy"]["int4"] > formats["kl-mpq-greedy-fixed"]["int4"]


def test_budgets(run, table, tmp_path):
    out = tmp_path / "assignment.json"
    code, output, _ = run("assign", table, "--budget", "430B", "-o", out)
    assert code == 0 and "optimal 430B, 430 bytes, 3.44 bits a weight" in output
    document = json.loads(out.read_text())
    assert {one["site"]: one["format"] for one in document["sites"]} == {"a": I8, "b": I4}
    assert document["report"]["lowerBoundKL"] == document["report"]["predictedKL"]
    result = assignment.assign(table, budgets=["1MB", "3.44bpw"])
    assert result.formats == {"a": I8, "b": I4}
    assert assignment.assign(table, budgets=["1MB"]).counts == {"none": 2}
    assert assignment.assign(table, budgets=["3.44bpw"], rule="greedy").counts == {I8: 1, I4: 1}
    # A state counts in memory only.
    result = assignment.assign(table, memory="560B", sites=["weight", "state"])
    assert result.formats == {"a": I4, "b": I4, "s": I8}
    assert result.report["memoryBytes"] == 556
    result = assignment.assign(table, budgets=["600B"], ties=["[ab]"], site_kl=0.1)
    assert result.formats == {"a": I8, "b": I8}


def set_squared_error(row, error):
    row["sums"] |= {"squaredError": [error], "squaredTeacher": [1000.0]}
    row["estimates"]["meanSquaredError"]["mean"] = error / (
        tables.POSITIONS * tables.RUN["vocabSize"])
    row["estimates"]["signalToNoise"]["mean"] = 10 * math.log10(1000 / error)
    return row


def test_metrics(fails, tmp_path):
    """The larger the KL of a site, the smaller the squared error."""
    names = [f"x{index}" for index in range(11)]
    rows = [set_squared_error(tables.make_whole_row(name, I4, 150, 0.1 + index), 0.1 / (1 + index))
            for index, name in enumerate(names)]
    table = tables.make_whole_table(tmp_path / "table.json", [tables.make_site(name)
                                                              for name in names], rows)

    def get_kept(**options):
        formats = assignment.assign(table, **options).formats
        return [name for name, format in formats.items() if format == "none"]

    # What is left when ten of eleven have been taken.
    budget = [f"{10 * 150 + 512}B"]
    for options in ({"rule": "kl-mpq-p10"}, {"budgets": budget}):
        assert get_kept(**options) == ["x10"]
        for metric in ("meanSquaredError", "signalToNoise"):
            assert get_kept(**options, metric=metric) == ["x0"]
    result = assignment.assign(table, budgets=budget, metric="signalToNoise")
    assert result.report["predictedKL"] is None
    assert result.document["method"] == f"optimal {budget[0]} by signalToNoise"
    fails("the metric 'ppl' is not known", "assign", table, "--budget", "9bpw", "--metric", "ppl")
    fails("needs a table of `ssmq measure`", "assign", PAPER, "--rule", "kl-mpq-p05", "--metric",
          "reverseKL")


def test_own_csv(run, table, tmp_path):
    exported = tmp_path / "table.csv"
    assert run("export", table, "--to", "csv", "-o", exported)[0] == 0
    code, output, _ = run("assign", exported, "--budget", "430B", "--json")
    assert code == 0 and json.loads(output)["formats"] == {"a": I8, "b": I4}
    code, output, _ = run("assign", exported, "--rule", "kl-mpq-p10", "--json")
    # (4 - 1) // 10 entries.
    assert code == 0 and json.loads(output)["counts"] == {"none": 2}


def test_costs(run, table, tmp_path):
    def entry(rows, columns, format, decode):
        return {"op": "linear", "rows": rows, "columns": columns, "format": format,
                "decodeNanoseconds": decode, "prefillNanosecondsPerToken": decode / 2}

    costs = tmp_path / "costs.json"
    document = {"document": "ssmq-cost-table", "version": 1, "target": {},
                "entries": [entry(8, 32, I4, 2e6), entry(8, 32, "keep", 3e6)],
                "sites": [{"site": site, "rows": 8, "columns": 32, "ops": ["linear"]}
                          for site in "ab"],
                "rest": {"decodeNanoseconds": 1e6, "prefillNanosecondsPerToken": 5e5}}
    costs.write_text(json.dumps(document))
    code, output, _ = run("assign", table, "--costs", costs, "--decode-ms", "6", "--json")
    result = json.loads(output)
    # There is no kernel for i8.
    assert code == 0 and result["formats"] == {"a": "none", "b": I4}
    assert result["report"]["decodeNanoseconds"] == 6e6
    code, _, error = run("assign", table, "--costs", costs, "--decode-ms", "4.9")
    assert code == 1 and "the least of the measured formats is 5.000000 ms" in error
    code, _, error = run("assign", table, "--decode-ms", "6")
    assert code == 1 and "a limit on time needs a cost table" in error
    document["sites"].pop()
    costs.write_text(json.dumps(document))
    code, _, error = run("assign", table, "--costs", costs, "--decode-ms", "6")
    assert code == 1 and "does not know 'b'; it is of another model" in error


def test_front(run, table, tmp_path):
    code, output, _ = run("front", table, "--json")
    front = json.loads(output)
    assert code == 0 and front["numPoints"] == len(front["points"]) == 5
    sizes = [point["bytes"] for point in front["points"]]
    assert sizes[0] == 300 and sizes[-1] == 1024 and sizes == sorted(sizes)
    for point in front["points"]:
        result = assignment.assign(table, budgets=[f"{point['bytes']}B"])
        assert result.report["predictedKL"] == pytest.approx(point["predictedKL"])
    code, output, _ = run("front", table, "--csv", "--points", "3")
    lines = list(csv.DictReader(io.StringIO(output)))
    assert code == 0 and [int(line["bytes"]) for line in lines] == [300, 560, 1024]
    code, output, _ = run("front", table)
    assert code == 0 and "5 of 5 assignments that no other beats" in " ".join(output.split())
    out = tmp_path / "front.csv"
    assert run("front", table, "-o", out)[0] == 0
    assert out.read_text().startswith("bytes,bitsPerWeight,predictedKL\n")


def test_bad_input(run, fails, table, tmp_path):
    fails("smallest that the measured formats give is 300 bytes", "assign", table, "--budget",
          "2bpw")
    fails("the rule 'best' is not known", "assign", table, "--rule", "best")
    fails("kl-mpq-p05 takes no budget", "assign", table, "--rule", "kl-mpq-p05", "--budget", "1MB")
    fails("there is no budget", "assign", table)
    fails("has no unit", "assign", tmp_path / "none", "--budget", "4")
    fails("none", "assign", tmp_path / "none", "--budget", "4bpw")
    fails("the table has no sizes", "assign", PAPER, "--budget", "4bpw")
    fails("the table has no sizes", "front", PAPER)
    fails("the table has no format 'i3", "assign", table, "--budget", "4bpw", "--formats",
          "int3:channel")
    fails("no site is found by the pattern", "assign", table, "--budget", "9bpw", "--tie", "xyz")
    fails("name one table", "assign", "--budget", "4bpw", status=2)
    fails("name one table", "front", table, "--table", table, status=2)
    text = json.loads(table.read_text())
    row = text["rows"][0]
    row["sums"] = {name: [] for name in row["sums"]}
    row["estimates"] = {name: {"mean": None, "standardError": None} for name in row["estimates"]}
    table.write_text(json.dumps(text))
    fails("'a' as 'i4 sym per_channel' was never measured", "assign", table, "--budget", "9bpw")
