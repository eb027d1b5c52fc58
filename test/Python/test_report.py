"""`ssmq report` and `ssmq export`: what they hold, hostile names, missing values, bad input."""

import csv
import json
import re
import sys

import pytest
from ssmq.places import name_places
from ssmq.sensitivity import Estimate
from tables import (make_assignment, make_predicted, make_results, make_row, make_site,
                    make_table)

I4, I8 = "i4 sym per_channel", "i8 sym per_channel"
HOSTILE = ['</script><script>alert("1")</script>', "<img src=x onerror=alert(1)>.0.é\u2028'{{7}}",
           '=HYPERLINK("http://x")', "+1", "-1", "@sum", "a,b\n\"c\""]


@pytest.fixture
def table(tmp_path):
    """Layers 0 and 1, an embedding before and a state within; one row predicted, one unknown."""
    names = ["model.embed_tokens:weight"] + [
        f"model.layers.{layer}.mixer.in_proj:{operand}" for layer in (0, 1)
        for operand in ("weight", "input")]
    sites = [make_site(name, "weight" if name.endswith("weight") else "activation")
             for name in names]
    rows = [make_row(name, I4, 160, 0.1 / 2 ** index, sameTop1=(0.9, 0.01))
            for index, name in enumerate(names[:4])]
    rows += [make_predicted(names[4], I4, 160, 0.004, 0.002),
             make_row(names[0], I8, 288, 1e-6), make_row(names[1], I8, 288, 1e-3)]
    rows[6]["estimates"]["forwardKL"] = {"mean": None, "standardError": None}
    return make_table(tmp_path / "table.json", sites, rows)


def read_page(path):
    """The page's text and the data in it."""
    text = path.read_text(encoding="utf-8")
    (data,) = re.findall('<script type="application/json" id="data">(.*?)</script>', text)
    return text, json.loads(data)


def report(run, tmp_path, *arguments):
    page = tmp_path / "report.html"
    code, output, error = run("report", *arguments, "-o", page)
    assert (code, error) == (0, "") and output.startswith(f"{page}: ")
    return read_page(page)


def test_content(run, table, tmp_path):
    text, data = report(run, tmp_path, table)
    (one,) = data["tables"]
    assert ["Measured rows", "6"] in one["facts"] and ["Predicted rows", "1"] in one["facts"]
    assert [site["label"] for site in one["sites"]] == [
        "embed_tokens", "L0 in_proj", "L0 in_proj:input", "L1 in_proj", "L1 in_proj:input"]
    assert one["floors"][0]["name"] == "weights in bf16"
    views = {view["title"]: view for view in one["views"]}
    assert list(views) == [I4, I8] and one["start"] == 0
    # The worst first; the first two are certain.
    assert views[I4]["rows"][:4] == [0, 1, 2, 3] and views[I4]["ranks"][:2] == [[1, 1], [2, 2]]
    shares = dict(map(tuple, views[I4]["layers"]))
    assert shares["pre"] == pytest.approx(0.1 / 0.1915, rel=0.05)
    assert sum(shares.values()) == pytest.approx(1)
    sentences = " ".join(views[I4]["sentences"])
    assert "embed_tokens holds" in sentences and "By kind of value: weight " in sentences
    assert one["gaps"] == []
    # Without a KL there is no rank, and the row stands last.
    assert views[I8]["ranks"] == [[1, 1], None] and one["rows"][6][5] is None
    assert {row[4] for row in one["rows"]} == {"measured", "predicted"}
    # Nothing that could be fetched.
    assert not re.search(r'<(script|img|iframe)[^>]*\ssrc=|<link[^>]*href="(?!data:)|@import|url\(',
                         re.sub("<script>.*?</script>", "", text, flags=re.DOTALL))


def test_views_without_a_common_format(run, tmp_path):
    """Sites that share no format are compared by bits."""
    sites = [make_site("a.0.x:weight"), make_site("a.0.x:state", "state")]
    rows = [make_row("a.0.x:weight", I4, 128, 0.1), make_row("a.0.x:weight", I8, 256, 0.01),
            make_row("a.0.x:state", "f8E4M3 per_head", 256, 0.02)]
    _, data = report(run, tmp_path, make_table(tmp_path / "table.json", sites, rows))
    views = data["tables"][0]["views"]
    assert [(view["title"], view["rows"]) for view in views if view["isMixed"]] == [
        ("best up to 5 bits", [0]), ("best up to 9 bits", [2, 1])]
    assert data["tables"][0]["start"] == 3


def test_assignment(run, table, fails, tmp_path):
    chosen = {"model.embed_tokens:weight": I8, "model.layers.0.mixer.in_proj:weight": I4}
    assignment = make_assignment(tmp_path / "assignment.json", chosen)
    text, data = report(run, tmp_path, table, "--assignment", assignment)
    (one,) = data["tables"]
    view = one["views"][one["start"]]
    assert view["title"] == "as assigned" and view["rows"] == [1, 5]
    assert one["assignment"] == [I8, I4, None, None, None]
    assert "What each site got" in text
    page = tmp_path / "other.html"
    fails("names no site of", "report", table, "-o", page, "--assignment",
          make_assignment(tmp_path / "other.json", {"b": I4}))
    fails("is not a document of type ssmq-assignment", "report", table, "-o", page, "--assignment",
          table)


def test_results(run, table, tmp_path):
    """A model that is as good as the original has no place on a logarithmic axis."""
    results = make_results(tmp_path / "results.json", kl=Estimate(0.0, 0.0))
    text, data = report(run, tmp_path, table, "--results", results)
    assert "Whole models" in text and "perplexity 17.00 ± 0.50 on 1,000 tokens" in (
        data["results"]["summary"])
    first, second = data["results"]["points"][:2]
    assert first["kl"] is None and first["ratio"] == pytest.approx(1.05)
    assert second["kl"] == pytest.approx(0.05 / 8) and second["klHigh"] > second["kl"]
    assert {one["seriesOrder"] for one in data["results"]["points"]} == {0, 1}


@pytest.mark.parametrize("old, new, message", [
    ('"version": 1', '"version": 2', "has version 2; this ssmq reads 1"),
    ('"label": "4 bits"', '"name": "4 bits"', "is no whole document of results (KeyError 'label')"),
    ('"mean": 1.05', '"mean": 1e999', "uniform, 4 bits has a number that cannot be"),
    ("ssmq-results", "ssmq-assignment", "is not a document of type ssmq-results")])
def test_bad_results(fails, table, tmp_path, old, new, message):
    results = make_results(tmp_path / "results.json")
    text = results.read_text()
    assert old in text
    results.write_text(text.replace(old, new))
    fails(message, "report", table, "--results", results, "-o", tmp_path / "report.html")


def test_several_tables(run, table, tmp_path):
    other = make_table(tmp_path / "other.json", [make_site("a")], [make_row("a", I4, 128, 0.1)])
    _, data = report(run, tmp_path, table, other)
    assert [one["file"] for one in data["tables"]] == ["table.json", "other.json"]
    assert [len(one["rows"]) for one in data["tables"]] == [7, 1]


def test_hostile_names(run, tmp_path):
    table = make_table(tmp_path / "table.json", [make_site(name) for name in HOSTILE],
                       [make_row(name, '</script>"&<b>', 128, 0.1) for name in HOSTILE])
    document = json.loads(table.read_text())
    document["run"]["model"] = "</title><script>alert(2)</script>"
    table.write_text(json.dumps(document))
    text, data = report(run, tmp_path, table)
    assert [site["name"] for site in data["tables"][0]["sites"]] == HOSTILE
    assert len({site["label"] for site in data["tables"][0]["sites"]}) == len(HOSTILE)
    # The scripts are those of the page: theme, data, charts, the page's own.
    assert len(re.findall("<script", re.sub("(?s)<script>.*?</script>", "<script", text))) == 4
    assert "<title>Sensitivity of &lt;/title&gt;" in text

    code, _, _ = run("export", table, "--to", "csv", "-o", tmp_path / "table.csv")
    assert code == 0
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # A name that a spreadsheet would run is quoted; the others are as they were.
    assert [row["site"] for row in rows] == [
        "'" + name if name[0] in "=+-@" else name for name in HOSTILE]


def test_csv(run, table, tmp_path):
    path = tmp_path / "table.csv"
    code, output, _ = run("export", table, "--to", "csv", "-o", path)
    assert code == 0 and "7 rows" in output
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    source = json.loads(table.read_text())["rows"]
    first = rows[0]
    assert float(first["forwardKL"]) == pytest.approx(source[0]["estimates"]["forwardKL"]["mean"],
                                                     rel=1e-15)
    expected = {"kind": "weight", "layer": "pre", "role": "embed_tokens", "method": "measured",
                "bits": "5.0", "bytes": "160", "sequences": "8", "positions": "80",
                "sameTop1": "0.9", "rank_low": "1", "rank_high": "1"}
    assert {name: first[name] for name in expected} == expected
    low, kl, high = (float(first["forwardKL" + end]) for end in ("_low", "", "_high"))
    assert low < kl < high
    # What is missing is empty.
    assert rows[4]["method"] == "predicted" and rows[4]["sameTop1"] == ""
    assert (rows[6]["forwardKL"], rows[6]["forwardKL_low"], rows[6]["rank_low"]) == ("", "", "")
    assert rows[5]["belowNoiseFloor"] == "1"


@pytest.mark.parametrize("sequences", [1, 0])
def test_one_site(run, tmp_path, sequences):
    """One site, and one sequence, which decides nothing; or no row with a KL."""
    row = make_row("lm_head:weight", I4, 128, 0.1)
    row["sums"] = {name: column[:sequences] for name, column in row["sums"].items()}
    if not sequences:
        row["estimates"]["forwardKL"] = {"mean": None, "standardError": None}
    table = make_table(tmp_path / "table.json", [make_site("lm_head:weight")], [row], noiseFloor=[])
    _, data = report(run, tmp_path, table)
    (one,) = data["tables"]
    assert one["rows"][0][6:8] == [None, None] and one["floors"] == []
    assert one["gaps"][0] == "there is no noise floor"
    assert "the one site" in one["views"][0]["sentences"][0]
    assert run("export", table, "--to", "csv", "-o", tmp_path / "table.csv")[0] == 0


@pytest.mark.parametrize("change, message", [
    ({"rows": []}, "holds no rows; measure at least one site"),
    ({"sites": []}, "its rows and its sites do not agree"),
    ({"sites": [make_site("a"), make_site("a")]}, "its rows and its sites do not agree"),
    ({"sites": [make_site("a") | {"name": 5}]}, "its rows and its sites do not agree"),
    ({"rows": [make_row("a", I4, 128, 0.1)] * 2}, "its rows and its sites do not agree"),
    ({"rows": [{"site": "a"}]}, "is no whole sensitivity table"),
    ({"document": "other"}, "is not a document of type ssmq-sensitivity"),
    ({"version": 1}, "has version 1"),
])
def test_bad_tables(fails, tmp_path, change, message):
    table = make_table(tmp_path / "table.json", [make_site("a")], [make_row("a", I4, 128, 0.1)])
    table.write_text(json.dumps(json.loads(table.read_text()) | change))
    fails(message, "report", table, "-o", tmp_path / "report.html")
    fails(message, "export", table, "--to", "csv", "-o", tmp_path / "table.csv")


def test_outputs(fails, table, tmp_path):
    fails("does not exist", "report", tmp_path / "none.json", "-o", tmp_path / "report.html")
    fails("table.json exists", "report", table, "-o", table)
    fails("table.json exists", "export", table, "--to", "csv", "-o", table)
    fails("none is not a directory", "export", table, "--to", "csv", "-o",
          tmp_path / "none" / "table.csv")


def test_without_the_extra(fails, table, monkeypatch, tmp_path):
    import ssmq.html as package

    for name in ("page", "charts"):
        monkeypatch.delitem(sys.modules, f"ssmq.html.{name}", raising=False)
        monkeypatch.delattr(package, name, raising=False)
    monkeypatch.setitem(sys.modules, "altair", None)
    fails("the report needs altair: pip install 'ssmq[report]'", "report", table, "-o",
          tmp_path / "report.html")


def test_places():
    names = ["a.embed:weight", "a.layers.0.mlp.in_proj:weight", "a.layers.0.mamba.in_proj:weight",
             "a.layers.0.mamba.in_proj:input", "a.layers.10.mamba.in_proj:weight",
             "a.layers.10.moe.experts.3.up", "a.layers.10.moe.experts.4.up", "norm", "norm:weight"]
    assert [(place.layer, place.role) for place in name_places(names).values()] == [
        ("pre", "embed"), ("0", "mlp.in_proj"), ("0", "mamba.in_proj"),
        ("0", "mamba.in_proj:input"), ("10", "mamba.in_proj"), ("10", "3.up"), ("10", "4.up"),
        ("post", "norm"), ("post", "norm:weight")]
