"""The command: what it writes, and for each bad input one line, an exit code and no output."""

import json
import resource
import signal
import time

import numpy as np
import pytest
import ssmq
from process import start
from tiny import make_model, make_text

QUICK = ["--sequence-length", "16", "--formats", "int4:channel,int8:channel"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def text(tmp_path):
    return make_text(tmp_path / "calibration.txt", 1)


def test_quantize_then_use(run, fails, model, text, tmp_path):
    out = tmp_path / "out"
    code, output, _ = run("quantize", model, "--calibration", text, "--budget", "9bpw", "-o", out,
                          *QUICK)
    assert code == 0 and "bits a weight" in output
    assert {path.name for path in out.iterdir()} == {
        "assignment.json", "calibration.json", "config.json", "model.safetensors",
        "program.mlirbc", "table.json", "tokenizer.json"}
    report = json.loads((out / "assignment.json").read_text())["report"]
    assert 4 < report["bitsPerWeight"] <= 9
    assert str(out) not in ssmq.load(model).mlir()

    # A moved output still finds its weights.
    moved = out.rename(tmp_path / "moved")
    other = make_text(tmp_path / "evaluation.txt", 2)
    code, output, _ = run("eval", moved, "--text", other, "--teacher", model,
                          "--sequence-length", "20", "--json")
    assert code == 0
    result = json.loads(output)
    assert result["scored_tokens"] == 76
    assert 0 < result["kl_teacher_student"]["mean"] < 0.1

    code, output, _ = run("run", moved, "-p", "a b c", "-n", "5", "--engine", "fast")
    assert code == 0 and output.startswith("a b c")

    fails("is the calibration text", "eval", moved, "--text", text)
    fails("is quantized already", "quantize", moved, "--uniform", "int8:channel", "-o", out)
    (moved / "calibration.json").write_text("{}")
    fails("calibration.json is damaged", "eval", moved, "--text", text)


def test_stages_one_by_one(run, model, text, tmp_path):
    table, assignment, out = (tmp_path / name for name in ("t.json", "a.json", "out"))
    code, output, _ = run("measure", model, "--calibration", text, "-o", table, *QUICK)
    assert code == 0 and "i4 sym per_channel" in output
    assert not table.with_name("t.json.journal").exists()
    assert run("assign", table, "--budget", "8bpw", "-o", assignment)[0] == 0
    assert run("quantize", model, "--assignment", assignment, "-o", out)[0] == 0
    chosen = json.loads(assignment.read_text())["sites"]
    assert json.loads((out / "assignment.json").read_text())["sites"] == chosen


def test_weights_are_stored_in_tiles(run, model, tmp_path):
    """As kernels stream them, so that nothing is rearranged when the model is loaded."""
    out = tmp_path / "out"
    assert run("quantize", model, "--uniform", "int4:g4", "-o", out)[0] == 0
    loaded = ssmq.load(out)
    assert "tile_rows = 16" in loaded.mlir()
    tokens = [1, 4, 2, 2]
    expected = loaded.interpreter("reference", 1).forward(tokens)
    np.testing.assert_allclose(loaded.compile(1).forward(tokens), expected, rtol=1e-4, atol=1e-6)
    # A program in rows computes the same, and is tiled on its way.
    rows = ssmq.load(model)
    rows.run_pipeline("ssmq-assign{method=uniform format=int4:g4},"
                      f"ssmq-quantize{{output={tmp_path / 'rows'}}}")
    assert "tile_rows" not in rows.mlir()
    assert (rows.interpreter("reference", 1).forward(tokens) == expected).all()
    assert (rows.compile(1).forward(tokens) == loaded.compile(1).forward(tokens)).all()


def test_activations_and_states(run, fails, model, text, tmp_path):
    out = tmp_path / "out"
    code, output, _ = run("quantize", model, "--uniform", "int4:g4", "--activations", "int8:token",
                          "--states", "f16", "--calibration", text, "--sequence-length", "20",
                          "-o", out)
    assert code == 0 and "activations in i8 sym per_token" in output and "states in f16" in output
    document = json.loads((out / "assignment.json").read_text())
    report, formats = document["report"], {one["site"]: one["format"]
                                           for one in document["sites"]}
    assert 0 < report["roundedKL"] != report["measuredKL"] > 0
    assert formats["model.layers.0.mamba.in_proj:input"] == "i8 sym per_token"
    assert formats["lm_head:input"] == "i8 sym per_token"
    assert formats["model.layers.0.mamba.scan:state"] == "f16"
    assert formats["model.layers.0.mamba.in_proj:weight"] == "i4 sym group=4"
    # The program is what the assignment says.
    validated = ssmq.load(out)
    validated.run_pipeline(f"ssmq-validate{{assignment={out / 'assignment.json'} "
                           f"original={model}}}")

    # Only inputs that meet codes of 4 or 8 bits.
    assignment = tmp_path / "mix.json"
    assignment.write_text(json.dumps({
        "document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "",
        "sites": [{"site": "lm_head:weight", "format": "i8 sym per_channel"},
                  {"site": "model.layers.0.mamba.in_proj:weight", "format": "i3 sym group=4"}]}))
    other = tmp_path / "other"
    assert run("quantize", model, "--assignment", assignment, "--activations", "int8:token", "-o",
               other)[0] == 0
    sites = json.loads((other / "assignment.json").read_text())["sites"]
    assert [one["site"] for one in sites if one["site"].endswith(":input")] == ["lm_head:input"]
    assert "roundedKL" not in json.loads((other / "assignment.json").read_text())["report"]

    again = tmp_path / "again"
    fails("run --ssmq-quantize first", "quantize", model, "--uniform", "int3:g4", "--activations",
          "int8:token", "-o", again)
    fails("'int9' is not known", "quantize", model, "--uniform", "int4:g4", "--activations", "int9", "-o",
          again)
    assert not again.exists()


def test_path_with_spaces(run, model, tmp_path):
    out = tmp_path / "an out, 'quoted' {x}"
    assert run("quantize", model, "--uniform", "int8:channel", "-o", out)[0] == 0
    assert run("run", out, "-p", "a", "-n", "2", "--engine", "fast")[0] == 0


@pytest.mark.parametrize("faults, message", [
    (["no-config"], "holds neither config.json"),
    (["no-weights"], "no safetensors files"),
    (["truncate"], "model.safetensors"),
    (['model_type="gpt2"'], "gpt2"),
    (["drop=model.norm.weight"], "model.norm.weight"),
    (["shape=model.norm.weight"], "model.norm.weight"),
    (["type=model.norm.weight"], "model.norm.weight"),
    (["nan=lm_head.weight"], "lm_head.weight"),
])
def test_bad_models(fails, tmp_path, faults, message):
    broken = make_model(tmp_path / "broken", *faults)
    fails(message, "quantize", broken, "--uniform", "int8:channel", "-o", tmp_path / "out")


def test_bad_tokenizer(fails, tmp_path, text):
    broken = make_model(tmp_path / "broken")
    arguments = ["eval", broken, "--text", text, "--engine", "fast"]
    (broken / "tokenizer.json").write_text("{")
    fails("tokenizer.json is not a tokenizer", *arguments)
    (broken / "tokenizer.json").unlink()
    fails("tokenizer.json is missing", *arguments)


@pytest.mark.parametrize("content, message", [
    ("", "is empty"), ("a b c", "is too short: 3 tokens, at least 32")])
def test_bad_calibration(fails, model, tmp_path, content, message):
    text = tmp_path / "text.txt"
    text.write_text(content)
    for rest in (["measure"], ["quantize", "--budget", "6bpw"]):
        fails(message, *rest, model, "--calibration", text, "-o", tmp_path / "out",
              "--sequence-length", 16)


@pytest.mark.parametrize("budget, message", [
    ("0.5bpw", "budget"), ("4.5", "4.5"), ("-1bpw", "-1bpw"), ("nanbpw", "nanbpw")])
def test_bad_budgets(fails, run, model, text, tmp_path, budget, message):
    fails(message, "quantize", model, "--calibration", text, f"--budget={budget}", "-o",
          tmp_path / "out", *QUICK)
    table = tmp_path / "table.json"
    assert run("measure", model, "--calibration", text, "-o", table, *QUICK)[0] == 0
    fails(message, "assign", table, f"--budget={budget}", "-o", tmp_path / "a.json")


def test_bad_files(fails, model, text, tmp_path):
    fails("does not exist", "eval", model, "--text", tmp_path / "none")
    fails("none", "assign", tmp_path / "none", "--budget", "5bpw", "-o", tmp_path / "a.json")
    fails("calibration.txt:1:1: expected a value", "assign", text, "--budget", "5bpw", "-o",
          tmp_path / "a.json")
    fails("none", "quantize", model, "--assignment", tmp_path / "none", "-o", tmp_path / "out")
    fails("int3", "quantize", model, "--uniform", "int3:what", "-o", tmp_path / "out")
    fails("exists", "quantize", model, "--uniform", "int8:channel", "-o", text)
    fails("the prompt is empty", "run", model, "-p", "", "--engine", "fast")


@pytest.mark.parametrize("arguments", [
    ["quantize", "m", "-o", "out"],
    ["quantize", "m", "-o", "out", "--budget", "4bpw"],
    ["quantize", "m", "-o", "out", "--uniform", "int8:channel", "--assignment", "a"],
    ["run", "m"], ["eval", "m", "--bogus"], ["frobnicate"],
    ["run", "m", "-p", "x", "--engine", "gpu"],
])
def test_usage(fails, arguments):
    fails("", *arguments, status=2)


def test_full_disk_and_internal_errors(monkeypatch, fails, model, tmp_path):
    arguments = ["quantize", model, "--uniform", "int8:channel", "-o", tmp_path / "out"]

    def fail(error):
        def copy(*_):
            raise error
        monkeypatch.setattr("shutil.copyfile", copy)

    fail(OSError(28, "No space left on device"))
    fails("No space left on device", *arguments, status=3)
    fail(RuntimeError("a\nbug"))
    fails("internal error: RuntimeError: a bug", *arguments, status=70)


def test_process():
    good = start("--help")
    assert "quantize" in good.communicate()[0] and good.returncode == 0
    bad = start("run", "/none", "-p", "x")
    assert bad.communicate() == (
        "", "ssmq: /none is not a directory; give a model's directory\n")
    assert bad.returncode == 1


def test_files_that_do_not_fit(model, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    full = start("quantize", model, "--uniform", "int8:channel", "-o", tmp_path / "out",
                 before=limit)
    _, error = full.communicate()
    assert "File too large" in error and error.count("\n") == 1 and full.returncode == 3
    assert not list(tmp_path.iterdir())


def test_interrupt(model, tmp_path):
    text = make_text(tmp_path / "text.txt", 1, words=100000)
    work = start("quantize", model, "--calibration", text, "--budget", "9bpw", "-o",
                 tmp_path / "out", "--sequence-length", "32", "--num-sequences", 0,
                 # A shell's background job, as a CI may be, ignores the signal.
                 before=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
                 TMPDIR=str(tmp_path))
    while work.poll() is None and not list(tmp_path.glob("ssmq.*/*")):
        time.sleep(0.05)
    work.send_signal(signal.SIGINT)
    _, error = work.communicate(timeout=20)
    assert error == "ssmq: interrupted\n" and work.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]
