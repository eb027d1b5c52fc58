"""Benchmarks: how samples are read, summarised and shown. Nothing is asserted about times."""

import json
import math
import sys

import pytest
from ssmq.bench import document, llama_cpp, traffic
from ssmq.bench.contender import Contender, read_sample, take_turn
from ssmq.bench.peaks import Peaks
from ssmq.bench.rounds import Entry, run_rounds
from ssmq.bench.sampling import Sample, Work, time_repeats
from ssmq.bench.table import Limits, compute_ratio, find_best, make_table
from ssmq.errors import Error
from tiny import make_model

PEAKS = Peaks("avx2", 2, fma=100e9, dot=400e9, read={1 << 20: 100e9, 1 << 26: 40e9})


def make_entry(engine, format, bits, decode, prefill=(100.0,), **fields):
    samples = [Sample([one], [two], 512, 128, weight_bytes=10_000_000)
               for one, two in zip(prefill * len(decode), decode, strict=False)]
    return Entry(Contender(engine, format, bits, [], read_sample, **fields), samples)


def speak(script, **fields):
    """A contender that runs Python."""
    return Contender("engine", "format", 4, [sys.executable, "-c", script], read_sample, **fields)


LLAMA_TESTS = [
    {"build_commit": "abc", "type_k": "f16", "model_size": 88, "n_prompt": 512, "n_gen": 0,
     "samples_ts": [10.0, 30.0, 20.0]},
    {"build_commit": "abc", "type_k": "f16", "model_size": 88, "n_prompt": 0, "n_gen": 128,
     "samples_ts": [4.0, 5.0]},
]


def test_reads_llama_bench():
    sample = llama_cpp.parse(json.dumps(LLAMA_TESTS))
    assert (sample.prefill_speed, sample.decode_speed) == (20, 4.5)
    assert (sample.prompt, sample.tokens, sample.weight_bytes) == (512, 128, 88)


@pytest.mark.parametrize("name, bits", [("F16", 16), ("model-f32", 16), ("Q8_0", 8), ("Q4_K_M", 4),
                                        ("iq4_nl", 4)])
def test_bits_of_gguf_types(name, bits):
    assert llama_cpp.get_bits(name) == bits


def test_ratios_are_within_rounds():
    ours = make_entry("ssmq", "int4", 4, (20.0, 10.0, 90.0))
    theirs = make_entry("llama.cpp", "Q4_0", 4, (10.0, 5.0))
    assert compute_ratio(ours, theirs, lambda sample: sample.decode_speed) == 2


def test_best_of_the_same_bits():
    entries = [make_entry("llama.cpp", "Q8_0", 8, (9.0,)), make_entry("llama.cpp", "Q4_0", 4, (5.0,)),
               make_entry("llama.cpp", "Q4_K_M", 4, (6.0,)), make_entry("ssmq", "int4", 4, (99.0,)),
               Entry(Contender("llama.cpp", "Q4_1", 4, [], read_sample), error="no")]

    def find(bits):
        return find_best(entries, "llama.cpp", bits, lambda sample: sample.decode_speed)

    assert (find(4), find(None), find(16)) == (entries[2], entries[0], None)


def test_shares_of_the_limits():
    limits = Limits(PEAKS, operations=1_000_000_000)
    floats = make_entry("ssmq", "int4", 4, (100.0,), prefill=(50.0,))
    # 10 MB at 100 tokens/s are 1 GB/s; the buffer lies between those that were measured.
    part = math.log(10_000_000 / (1 << 20)) / math.log(64)
    assert limits.get_bandwidth_share(floats) == pytest.approx(1 / (100 - 60 * part))
    assert limits.get_arithmetic_share(floats) == pytest.approx(0.5)
    integers = make_entry("ssmq", "int4 a8", 4, (100.0,), prefill=(50.0,), multiplies_integers=True)
    assert limits.get_arithmetic_share(integers) == pytest.approx(0.125)
    # A state is read and written.
    stateful = make_entry("ssmq", "int4", 4, (100.0,), state_bytes=54 << 20)
    moved = 10_000_000 + 2 * (54 << 20)
    assert limits.get_bandwidth_share(stateful) == pytest.approx(
        moved * 100 / PEAKS.get_bandwidth(10_000_000 + (54 << 20)))


@pytest.mark.parametrize("footprint, rate", [(1, 100e9), (1 << 20, 100e9), (1 << 23, 70e9),
                                             (1 << 26, 40e9), (1 << 30, 40e9)])
def test_bandwidth_of_any_footprint(footprint, rate):
    assert PEAKS.get_bandwidth(footprint) == pytest.approx(rate)


def test_table_shows_what_ran():
    entries = [make_entry("ssmq", "int4", 4, (20.0, 30.0)), make_entry("llama.cpp", "Q4_0", 4, (10.0,)),
               Entry(Contender("OpenVINO", "int4", 4, [], read_sample), error="OpenVINO int4: no")]
    entries[1].samples[0].tokens = 16
    entries[0].samples[0].load_seconds, entries[0].samples[1].load_seconds = 3, 0.5
    result = document.Result("m", "host", Work(), 2, entries, Limits(PEAKS, 10**9), ["x: absent"])
    rows = {row[0]: row for row in result.to_table().rows}
    assert list(rows) == ["ssmq int4", "llama.cpp Q4_0"]
    assert rows["ssmq int4"][7:10] == ["25.0 (20.0-30.0)", "2.00x", "-"]
    assert (rows["ssmq int4"][11], rows["llama.cpp Q4_0"][11]) == ("3.00, 0.50", "-")
    assert result.list_notes() == ["x: absent", "OpenVINO int4: no",
                                   "llama.cpp Q4_0: 1 of 2 rounds, it is slow",
                                   "llama.cpp Q4_0: 16 of 128 tokens"]
    report = document.Document("machine", "avx2", [], [result])
    assert "| llama.cpp Q4_0 |" in document.to_markdown(report)
    assert json.loads(document.to_json(report))["results"][0]["entries"][0]["samples"][1]["decode"] \
        == [30]


def test_table_without_limits():
    row = make_table("t", [make_entry("ssmq", "f32", 16, (20.0,))], None).rows[0]
    assert (row[6], row[10]) == ("-", "-")


def test_turns_until_one_fails():
    # As long as its memory is looked at.
    good = "import time; time.sleep(0.5); print('{\"prefill\": [1.0], \"decode\": [2.0], \"prompt\": 1, \"tokens\": 1}')"
    told = []
    entries = run_rounds([speak(good), speak("import sys; sys.exit('out of order')"),
                          speak("print('none')")], 2, 1e9, told.append)
    assert [len(entry.samples) for entry in entries] == [2, 0, 0]
    assert "out of order" in entries[1].error and "cannot be read" in entries[2].error
    assert entries[0].samples[0].peak_bytes > 1 << 20 and len(told) == 4


def test_slow_contenders_take_one_turn():
    entry, = run_rounds([speak("print('{\"prefill\": [1], \"decode\": [2], \"prompt\": 1, "
                               "\"tokens\": 1}')")], 3, 0.0, lambda _: None)
    assert len(entry.samples) == 1


def test_turns_end_in_time():
    with pytest.raises(Error, match="not done after 1 s"):
        take_turn(speak("import time; time.sleep(60)"), timeout=1)


def test_repeats(monkeypatch):
    calls, now = [], [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def run(prompt, num_tokens, tick):
        """A prompt takes 2 seconds, a token half a second."""
        calls.append((len(prompt), num_tokens))
        now[0] += 1.5
        for _ in range(num_tokens + 1):
            now[0] += 0.5
            tick()

    sample = time_repeats(run, Work(prompt=4, tokens=9, repeats=2, limit=100))
    assert calls == [(4, 8), (4, 9), (4, 9)]
    assert (sample.prefill, sample.decode, sample.tokens) == ([2, 2], [2, 2], 9)
    # Half of 8 seconds are 8 tokens, and 6 of the 8 leave time for a second repeat, but no third.
    calls.clear()
    sample = time_repeats(run, Work(prompt=4, tokens=90, repeats=9, limit=8))
    assert calls[1:] == [(4, 8), (4, 8)] and sample.tokens == 8
    # A warm-up of 6 seconds is longer than the limit.
    calls.clear()
    sample = time_repeats(run, Work(prompt=4, tokens=90, repeats=9, limit=5))
    assert calls == [(4, 8)] and (sample.prefill, sample.decode, sample.tokens) == ([2], [2], 8)


def read_model(tmp_path, family):
    directory = make_model(tmp_path / family, family=family)
    return directory, json.loads((directory / "config.json").read_text())


@pytest.mark.parametrize("family", ["mamba", "mamba2", "granitemoehybrid", "bamba"])
def test_linear_weights_of_a_model(tmp_path, family):
    directory, config = read_model(tmp_path, family)
    matrices = [math.prod(tensor["shape"]) for name, tensor in traffic.read_headers(directory).items()
                if name.endswith(".weight") and len(tensor["shape"]) == 2
                and not any(word in name for word in ("embed", "lm_head"))]
    assert traffic.count_linear_weights(config) == sum(matrices)


def test_tied_embedding_is_read(tmp_path):
    directory, config = read_model(tmp_path, "mamba")
    others = 11 * 8 + 8 + 8 + 16 * 3 + 16 + 16 * 4 + 16 + 16
    weights = traffic.count_linear_weights(config) + others
    assert traffic.count_weight_bytes(directory) == 2 * weights  # in f16
    assert traffic.count_state_elements(config) == 16 * 3


def test_embedding_without_head_is_not_read(tmp_path):
    directory, config = read_model(tmp_path, "granitemoehybrid")
    headers = traffic.read_headers(directory)
    total = sum(end - begin for begin, end in (one["data_offsets"] for one in headers.values()))
    assert traffic.count_weight_bytes(directory) == total - 2 * 11 * 8
    assert traffic.count_state_elements(config) == 3 * 16


BENCH = ["--prompt", 8, "--tokens", 2, "--rounds", 1, "--repeats", 1, "--threads", 1, "--no-peaks"]


def test_command(run, tmp_path):
    model = make_model(tmp_path / "model")
    assert run("quantize", model, "--uniform", "int4:g4", "-o", tmp_path / "int4")[0] == 0
    code, output, _ = run("bench", model, tmp_path / "int4", *BENCH, "--json")
    entries = json.loads(output)["results"][0]["entries"]
    assert code == 0 and [(one["format"], one["bits"]) for one in entries] == [("model", 16),
                                                                            ("int4", 4)]
    assert all(one["samples"][0]["decode"][0] > 0 for one in entries)


@pytest.mark.parametrize("arguments, message, status", [
    (["nowhere"], "config.json is missing", 1),
    (["model", "--peer", "openvino=x"], "a peer is given as llama.cpp=", 2),
    (["model", "--peer", "llama.cpp=x.gguf"], "is not a file", 1),
    (["model", "--peer", "llama.cpp=model/config.json", "--llama-bench", "no-such"],
     "is no program", 1),
    (["model", "--target", "luna"], "unknown target 'luna'", 1),
])
def test_command_fails(fails, tmp_path, monkeypatch, arguments, message, status):
    make_model(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    # What a round tells is no error of its own.
    monkeypatch.setattr("ssmq.bench.command.run_rounds", silence(run_rounds))
    fails(message, "bench", *arguments, *BENCH, status=status)


def silence(function):
    return lambda *arguments: function(*arguments[:-1], lambda _: None)


@pytest.mark.parametrize("config", ["[]", "{}", '{"model_type": "mamba"}', "no"])
def test_foreign_configs(fails, tmp_path, config):
    (tmp_path / "config.json").write_text(config)
    fails("is not of a model that can be timed", "bench", tmp_path, *BENCH)
