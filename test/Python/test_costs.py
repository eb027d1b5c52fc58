"""`ssmq costs`: the document, the cache, and that the programs that are timed compute what they
should. Times themselves are not asserted."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from ssmq.costs import cache, estimate, table, timing
from ssmq.costs.kernel import Kernel, compile
from ssmq.costs.table import CostTable, Site
from ssmq.costs.timing import Times
from ssmq.errors import Error
from tiny import make_model, make_text

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schema" / "cost-table.v1.json"


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path_factory):
    """Few repeats, and a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    for name in ("_DECODE_REPEATS", "_PREFILL_REPEATS", "_MODEL_REPEATS"):
        monkeypatch.setattr(timing, name, 4)


@pytest.mark.parametrize("format", ["keep", "i8 sym per_channel"])
def test_linear_program(format):
    """The first 8 columns of the input and of two products."""
    program = compile(Kernel("linear", 12, 16, format, "F32"), 2, 1)
    generator = np.random.default_rng(0)
    weights = [generator.standard_normal((12, 16), np.float32) for _ in range(2)]
    inputs = generator.standard_normal((8, 16), np.float32)[[3, 1]]
    expected = inputs[:, :8] + sum((inputs @ weight.T)[:, :8] for weight in weights)
    tolerance = 1e-4 if format == "keep" else 0.3
    assert abs(program.forward([3, 1]) - expected).max() < tolerance
    nothing = compile(Kernel("linear", 12, 16, "keep", "F32"), 0, 1)
    first = np.random.default_rng(0).standard_normal((8, 16), np.float32)[[3, 1], :8]
    assert np.array_equal(nothing.forward([3, 1]), first)


@pytest.mark.parametrize("kernel", [
    Kernel("embedding", 20, 6, "i4 sym per_channel"), Kernel("embedding", 5, 6, "keep", "BF16"),
    Kernel("causal_conv1d", 10, 4, "i8 sym per_channel"),
    Kernel("causal_conv1d", 10, 3, "keep", "F16"), Kernel("linear", 3, 40, "i4 asym group=16")])
def test_other_programs(kernel):
    once, twice = (compile(kernel, copies, 1).forward([0, 1, 2]) for copies in (1, 2))
    assert np.isfinite(twice).all() and not np.array_equal(once, twice)


def test_document(run, monkeypatch, tmp_path):
    def time_kernel(kernel, *rest):
        if kernel.format.startswith("i3"):
            raise Error('loc("x.mlir":2:1): no kernel (see current operation: %1)')
        return timing.time_kernel(kernel, *rest)

    monkeypatch.setattr(table, "time_kernel", time_kernel)
    model, out = make_model(tmp_path / "model", family="mamba"), tmp_path / "costs.json"
    arguments = ["costs", model, "--formats", "int8:channel,int3:channel", "--threads", 1, "-o"]
    code, output, error = run(*arguments, out)
    assert code == 0, error
    assert "i3 sym per_channel is left out at 6 shapes: no kernel\n" in output
    assert "i8 sym per_channel" in output and "everything else" in output
    document = json.loads(out.read_text())
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    ops = {site["site"]: site["ops"] for site in document["sites"]}
    # The head is tied.
    assert sorted(ops["backbone.embeddings:weight"]) == ["embedding", "linear"]
    assert ops["backbone.layers.0.mixer.conv1d:weight"] == ["causal_conv1d"]
    entries = {(one["op"], one["rows"], one["columns"], one["format"])
               for one in document["entries"]}
    assert len(entries) == len(document["entries"])
    shapes = {(op, site["rows"], site["columns"]) for site in document["sites"]
              for op in site["ops"]}
    assert entries == {(*shape, format) for shape in shapes
                       for format in ("keep", "i8 sym per_channel")}

    # Nothing is measured twice, reasons included.
    again = tmp_path / "again.json"
    code, output, _ = run(*arguments, again)
    assert code == 0 and " 0 measured now" in output and "left out" in output
    assert again.read_bytes() == out.read_bytes()


def test_cache():
    def get(answer, is_fresh=False, **target):
        store = cache.Cache({"cpu": "a"} | target, is_fresh)
        return store.get({"kernel": 1}, lambda: answer), store.num_measured

    assert get(Times(1, 2)) == (Times(1, 2), 1)
    assert get(Times(3, 4)) == (Times(1, 2), 0)
    assert get(Times(5, 6), cpu="b") == (Times(5, 6), 1)
    assert get(Times(7, 8), is_fresh=True) == (Times(7, 8), 1)
    for damage in ("{", "[]", "{}", '{"decode": "x", "prefill": 1}'):
        for path in cache.get_directory().iterdir():
            path.write_text(damage)
        assert get(Times(9, 9)) == (Times(9, 9), 1)


def test_sums():
    """Of a tied embedding both ops; of the rest what the sum does not explain."""
    sites = [Site("e:weight", 4, 2, ["embedding", "linear"], "F16", 16),
             Site("w:weight", 4, 2, ["linear"], "F16", 16)]
    one = CostTable("m", {"cpu": "c", "threads": 1}, sites, ["keep", "i8 sym per_channel"])
    one.entries = {Kernel("embedding", 4, 2, "keep", "F16"): Times(1, 10),
                     Kernel("linear", 4, 2, "keep", "F16"): Times(2, 20)}
    # The second has no sum to compare with.
    one.whole = {"keep": Times(12, 40), "i8 sym per_channel": Times(1, 1)}
    assert one.sum("keep") == Times(5, 50) and one.rest == Times(7, 0)
    assert one.sum("i8 sym per_channel") is None
    assert json.loads(one.to_json())["rest"] == {
        "decodeNanoseconds": 7, "prefillNanosecondsPerToken": 0}
    # Of several models the median.
    one.entries |= {Kernel("embedding", 4, 2, "i8 sym per_channel"): Times(1, 5),
                    Kernel("linear", 4, 2, "i8 sym per_channel"): Times(1, 5)}
    one.whole["i8 sym per_channel"] = Times(5, 80)
    assert one.rest == Times(4.5, 27.5)
    one.whole["i4 sym per_channel"] = Times(100, 100)
    assert one.rest == Times(4.5, 27.5)


def test_sweep():
    assert timing.get_sweep(10 << 20, 2 << 20) == 8 << 20
    assert timing.get_sweep(100, 50) == 1 << 20
    assert timing.get_sweep(1 << 40, 0) == timing.SWEEP_LIMIT


def test_bad_input(fails, run, tmp_path):
    model, out = make_model(tmp_path / "model"), tmp_path / "costs.json"
    fails("is not a directory", "costs", tmp_path / "none", "-o", out)
    fails("int9", "costs", model, "--formats", "int9:channel", "-o", out)
    fails("exists", "costs", model, "-o", model)
    assert run("quantize", model, "--uniform", "int8:channel", "-o", tmp_path / "q")[0] == 0
    fails("is quantized already", "costs", tmp_path / "q", "-o", out)


def test_xe2_kernels():
    """Least times of Lunar Lake's GPU: 4 us a launch, and bytes at 136.528 GB/s. A layer reads its
    input and weight and writes its result; codes of 4 bits have scales of 2 bytes."""
    for format, num_bytes in (("keep", 4 * 64 + 2 * 48 * 64 + 4 * 48),
                              ("i4 sym group=32", 4 * 64 + 48 * 32 + 2 * 2 * 48 + 4 * 48)):
        times = estimate.time_kernel(Kernel("linear", 48, 64, format, "F16"), 1)
        assert times.decode == pytest.approx(4000 + num_bytes / 136.528)


def test_xe2_assignment(run, tmp_path):
    """A limit on time takes other formats than one on size: a token reads one row of the embedding,
    whose bytes a limit on size has to count."""
    model, table = make_model(tmp_path / "model", family="mamba2"), tmp_path / "table.json"
    text, costs = make_text(tmp_path / "text", 1, 600), tmp_path / "costs.json"
    formats = "int4:channel,int8:channel"
    assert run("measure", model, "--calibration", text, "--formats", formats, "-o", table)[0] == 0
    code, output, error = run("costs", model, "--formats", formats, "--device", "xe2", "-o", costs)
    assert code == 0, error
    assert "Xe2 (Lunar Lake), estimated" in output
    jsonschema.validate(json.loads(costs.read_text()), json.loads(SCHEMA.read_text()))
    # Estimates are kept nowhere.
    assert not cache.get_directory().exists()

    def assign(*limit):
        code, output, error = run("assign", table, "--costs", costs, *limit, "--json")
        assert code == 0, error
        result = json.loads(output)
        return result["formats"], result["report"]["decodeNanoseconds"]

    small, time = assign("--budget", "8bpw")
    fast, least = assign("--decode-ms", time / 1e6)
    assert least <= time * (1 + 1e-9)
    assert small["backbone.embeddings:weight"] != "none"
    assert fast["backbone.embeddings:weight"] == "none"
