"""The demo on a tiny random model, and its table in a README."""

import json

import pytest
from tiny import make_model, make_text


@pytest.fixture
def model(tmp_path):
    directory = make_model(tmp_path / "model")
    (directory / "data").mkdir()
    make_text(directory / "data" / "calibration.txt", 1)
    make_text(directory / "data" / "evaluation.txt", 2, words=600)
    return directory


ARGUMENTS = ["--engine", "fast", "--prompt", "a b", "--sequence-length", "16", "--num-sequences", 2,
             "--budget", "9bpw", "--budget", "8bpw"]


def test_demo(run, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- demo table -->\nold\n<!-- end of demo table -->\nafter\n")
    for _ in range(2):  # A second demo replaces the first.
        code, output, error = run("demo", model, "--update-readme", *ARGUMENTS)
        assert code == 0 and "a b" in output
    rows = [line for line in (tmp_path / "demo-out" / "table.md").read_text().splitlines()
            if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows] == [
        "model", "original", "int8:channel", "int4:g64", "mix 9bpw", "mix 8bpw"]
    # Compared with itself, the original differs by nothing.
    assert "0.000 ± 0.000 | 100.00%" in rows[1]
    text = readme.read_text()
    assert text.startswith("before\n<!-- demo table -->\n`ssmq demo") and rows[-1] in text
    assert text.endswith("<!-- end of demo table -->\nafter\n") and "old" not in text
    report = json.loads((tmp_path / "demo-out" / "mix-8bpw" / "assignment.json").read_text())
    assert report["report"]["bitsPerWeight"] <= 8


def test_refusals(fails, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = model / "data"
    for evaluation in ("calibration.txt", "copy.txt"):
        (data / "copy.txt").write_text((data / "calibration.txt").read_text() + " a\n")
        fails("evaluate on another text", "demo", model, "--evaluation", data / evaluation,
              *ARGUMENTS)
    (tmp_path / "README.md").write_text("no markers\n")
    fails("has no place for the table", "demo", model, "--update-readme", *ARGUMENTS)
    fails("budget", "demo", model, *ARGUMENTS, "--budget", "0.1bpw")
    (tmp_path / "demo-out").mkdir()
    fails("demo-out exists", "demo", model, *ARGUMENTS)
