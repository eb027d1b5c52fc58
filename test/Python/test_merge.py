"""Tables of shards, merged, are the table of one run, byte for byte; other mixtures are refused."""

import itertools
import json
from dataclasses import replace

import pytest
from ssmq import sensitivity
from tiny import make_model, make_text

FORMATS = ["int4:channel", "int8:channel", "int3:channel"]
LENGTH = ["--sequence-length", "16"]
# Predictions need all formats of a site in one run.
EXACT = ["--precision", "0"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("merge")
    return make_model(folder / "model"), make_text(folder / "text.txt", 1)


@pytest.fixture
def measure(run, files, tmp_path):
    model, text = files

    def measure(name, formats, *more, calibration=text):
        table = tmp_path / name
        code, _, error = run("measure", model, "--calibration", calibration, "-o", table,
                             "--formats", formats, *LENGTH, *more)
        assert code == 0, error
        return table

    return measure


def test_order_and_number_do_not_matter(run, measure, tmp_path):
    all_formats = ",".join(FORMATS)
    whole = measure("whole.json", all_formats, *EXACT).read_bytes()
    parts = [measure(f"{index}.json", name, *EXACT) for index, name in enumerate(FORMATS)]
    # A part may overlap with others.
    parts.append(measure("3.json", ",".join(FORMATS[1:]), *EXACT))
    orders = [*itertools.permutations(parts[:3]), (parts[3], parts[0]), parts, parts * 2]
    for index, order in enumerate(orders):
        merged = tmp_path / f"merged{index}.json"
        code, output, error = run("merge", *order, "-o", merged)
        assert code == 0 and "i3 sym per_channel" in output, error
        assert merged.read_bytes() == whole


def test_shards_are_parts_of_one_run(run, measure, tmp_path):
    all_formats = ",".join(FORMATS)
    whole = measure("whole.json", all_formats).read_bytes()
    assert b'"predicted"' in whole
    parts = [measure(f"{index}.json", all_formats, "--shard", f"{index}/3") for index in (2, 0, 1)]
    assert run("merge", *parts, "-o", tmp_path / "merged.json")[0] == 0
    assert (tmp_path / "merged.json").read_bytes() == whole


def test_gaps_are_told(run, measure, tmp_path):
    part = measure("part.json", FORMATS[0], *EXACT)
    assert "missing" not in run("merge", part, "-o", tmp_path / "same.json")[1]
    table = json.loads(part.read_text())
    site = table["sites"][0]["name"]
    table["rows"] = [row for row in table["rows"] if row["site"] != site]
    table["noiseFloor"] = []
    part.write_text(json.dumps(table))
    code, output, _ = run("merge", part, "-o", tmp_path / "merged.json")
    assert code == 0 and "there is no noise floor" in output
    assert f"sites have no row ({site} ...)" in output
    assert "lack sequences" not in output

    source = sensitivity.read(part)
    rows = [replace(row, sequences=row.sequences[:1]) for row in source.rows[:1]] + source.rows[1:]
    assert f"1 of {len(rows)} rows lack sequences" in replace(source, rows=rows).gaps[-1]


def test_wrong_mixtures(measure, fails, tmp_path):
    part = measure("part.json", FORMATS[0])
    other = measure("other.json", FORMATS[1], calibration=make_text(tmp_path / "other.txt", 2))
    fewer = measure("fewer.json", FORMATS[1], "--num-sequences", "2",
                    calibration=make_text(tmp_path / "text.txt", 1))
    out = tmp_path / "merged.json"
    fails(f"{other} does not belong to {part}: ", "merge", part, other, "-o", out)
    fails("numSequences", "merge", part, fewer, "-o", out)
    fails("none.json", "merge", part, tmp_path / "none.json", "-o", out)
    fails("exists", "merge", part, "-o", part)
    fails("", "merge", "-o", out, status=2)


def test_contradicting_measurements(measure, fails, tmp_path):
    part = measure("part.json", FORMATS[0])
    table = json.loads(part.read_text())
    row = table["rows"][0]
    # In the sums alone, where readers of estimates do not see it.
    row["sums"]["teacherCrossEntropy"][0] *= 1 + 1e-12
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(table))
    fails("two measurements contradict", "merge", part, changed, "-o", tmp_path / "merged.json")
    row["sums"]["forwardKL"][0] *= 2
    changed.write_text(json.dumps(table))
    fails("not what the sums give", "merge", part, changed, "-o", tmp_path / "merged.json")
