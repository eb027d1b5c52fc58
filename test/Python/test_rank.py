"""`ssmq rank` on a table with known means, and on damaged ones."""

import json
import random

import pytest
import tables
from ssmq import ranking, sensitivity
from ssmq.errors import Error

I4, I8 = "i4 sym per_channel", "i8 sym per_channel"


def make_table(path, change=lambda table: None):
    """Sites a > b = c in i4, and in i8 a above the noise floor, the others below."""
    sites = [tables.make_site("a"), tables.make_site("b"), tables.make_site("c", "state")]
    rows = [tables.make_predicted("a", I4, 40, 5, 0.1), tables.make_row("b", I4, 40, 2),
            tables.make_row("c", I4, 40, 2)]
    rows += [tables.make_row(site, I8, 80, kl) for site, kl in (("a", 0.2), ("b", 0.1),
                                                                ("c", 0.05))]
    tables.make_table(path, sites, rows, floor=0.15)
    table = json.loads(path.read_text())
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


def test_each_kind_has_its_smallest_format(run, tmp_path):
    """A format of few sites or of other kinds does not decide for weights."""
    sites = [tables.make_site(name) for name in "ab"] + [tables.make_site("s", "state")]
    rows = [tables.make_row(site, format, size, kl) for site, format, size, kl in (
        ("a", I4, 40, 5), ("b", I4, 40, 2), ("a", I8, 80, 0.2), ("b", I8, 80, 0.1),
        ("a", "mxfp4", 10, 9), ("s", "f16", 4, 3), ("s", "bf16", 4, 4), ("s", I8, 20, 1))]
    table = tables.make_table(tmp_path / "table.json", sites, rows)
    code, output, _ = run("rank", table, "--json")
    assert code == 0
    assert [(row["site"], row["format"]) for row in json.loads(output)["rows"]] == [
        ("a", I4), ("s", "bf16"), ("b", I4)]
    assert "in the smallest format of each kind" in " ".join(run("rank", table)[1].split())


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
        del table["rows"][0]
        for row in table["rows"]:
            row["sums"] = {name: column[:1] for name, column in row["sums"].items()}

    table = make_table(tmp_path / "table.json", cut)
    code, output, _ = run("rank", table, "--format", I4)
    assert code == 0 and output.count("unknown") == 2 and output.count(" 1-2 ") == 2


def test_rows_without_a_measurement_have_no_place(run, tmp_path):
    def empty(table):
        row = table["rows"][1]
        row["sums"] = {name: [] for name in row["sums"]}
        row["estimates"]["forwardKL"] = {"mean": None, "standardError": None}

    code, output, _ = run("rank", make_table(tmp_path / "table.json", empty), "--json")
    assert code == 0 and [row[0] for row in read_ranks(output)] == ["a", "c"]


@pytest.mark.parametrize("change, message", [
    (lambda table: table.update(version=1), "has version 1; this ssmq reads 3"),
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


def list_places(value, path=()):
    """Of everything in a JSON document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) \
        if isinstance(value, list) else ()
    for key, one in items:
        yield from list_places(one, (*path, key))


@pytest.mark.filterwarnings("error")
def test_changed_tables_end_in_an_error_or_a_ranking(tmp_path):
    """Any one value replaced or dropped."""
    generator = random.Random(1)
    path = make_table(tmp_path / "table.json")
    text = path.read_text()
    places = [place for place in list_places(json.loads(text)) if place]
    refused = 0
    for place in generator.choices(places, k=400):
        table = json.loads(text)
        holder = table
        for key in place[:-1]:
            holder = holder[key]
        if generator.random() < 0.2:
            del holder[place[-1]]
        else:
            holder[place[-1]] = generator.choice(
                [None, True, -1, 0, 2 ** 70, 1e308, -1e308, 1e-320, float("inf"), float("nan"),
                 "", "x", [], [1], [[1]], {}, {"mean": 1}])
        path.write_text(json.dumps(table))
        try:
            result = ranking.rank(sensitivity.read(path), generator.choice([None, I8, "all"]))
            result.to_table(), result.to_json(), result.note
        except Error as error:
            assert "table.json" in str(error)
            refused += 1
    assert 150 < refused < 390
