"""Every statistic of `ssmq eval` against plain NumPy, and the layout of what it prints."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import ssmq
from ssmq import evaluation_report
from tiny import make_model, make_text

LENGTH = 12
# Eight sequences, the last shorter; each is scored from its second token on.
TOKENS = np.random.default_rng(4).integers(0, 11, 8 * LENGTH - 5).astype(np.int32)
DIVERGENCE_LEVELS = [1, .999, .99, .95, .9, .5, .1, .05, .01, .001, 0]
PROBABILITY_LEVELS = [1, .999, .99, .95, .9, .75, .5, .25, .1, .05, .01, .001, 0]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def programs(directory, tmp_path_factory):
    """Student and teacher, of different engines."""
    teacher = ssmq.load(directory)
    student = teacher.clone()
    weights = tmp_path_factory.mktemp("quantized") / "model.safetensors"
    student.run_pipeline("ssmq-assign{method=uniform format=int4:channel},"
                         f"ssmq-quantize{{output={weights}}}")
    return student.compile(threads=1), teacher.interpreter("reference", threads=1)


def log_softmax(logits):
    logits = logits.astype(np.longdouble)
    logits = logits - logits.max(1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


@pytest.fixture(scope="module")
def plain(programs):
    """Per sequence, an array of what each position gives."""
    names = ("forward", "reverse", "error", "power", "teacher", "student", "change", "top")
    result = {name: [] for name in names}
    for start in range(0, len(TOKENS), LENGTH):
        window = TOKENS[start:start + LENGTH]
        q, p = (program.forward(window[:-1]) for program in programs)
        log_q, log_p = log_softmax(q), log_softmax(p)
        at = np.arange(len(window) - 1), window[1:]
        add = {"forward": (np.exp(log_p) * (log_p - log_q)).sum(1),
               "reverse": (np.exp(log_q) * (log_q - log_p)).sum(1),
               "error": ((p.astype(np.longdouble) - q)**2).sum(1),
               "power": (p.astype(np.longdouble)**2).sum(1),
               "teacher": -log_p[at], "student": -log_q[at],
               "change": np.exp(log_q[at]) - np.exp(log_p[at]),
               "top": (p.argmax(1) == q.argmax(1)).astype(np.longdouble)}
        for name in names:
            result[name].append(add[name])
    return result


@pytest.fixture(scope="module")
def result(programs):
    student, teacher = programs
    return student.evaluate(TOKENS, teacher, sequence_length=LENGTH, threads=2)


def ratio(sums, counts):
    """Cochran's ratio estimator and its error."""
    mean = sum(sums) / sum(counts)
    residuals = np.array([a - n * mean for a, n in zip(sums, counts, strict=True)])
    k = len(residuals)
    return mean, np.sqrt(k / (k - 1) * (residuals**2).sum()) / sum(counts)


def mean(sequences, per_position=1):
    return ratio([one.sum() for one in sequences], [per_position * len(one) for one in sequences])


def delta(function, *columns):
    """A function of means over positions: its error by the delta method, whose derivatives are
    taken numerically in the weight of each sequence."""
    count = len(columns[0])

    def weighted(weights):
        total = sum(w * len(one) for w, one in zip(weights, columns[0], strict=True))
        return function(*(sum(w * one.sum() for w, one in zip(weights, column, strict=True)) / total
                          for column in columns))

    step, ones = np.longdouble(1e-6), np.ones(count, np.longdouble)
    slopes = [(weighted(ones + step * unit) - weighted(ones - step * unit)) / (2 * step)
              for unit in np.eye(count, dtype=np.longdouble)]
    return weighted(ones), np.sqrt(count / (count - 1) * sum(slope**2 for slope in slopes))


def check(estimate, expected):
    value, error = expected
    assert estimate.mean == pytest.approx(float(value), rel=1e-9, abs=1e-13)
    assert estimate.standard_error == pytest.approx(float(error), rel=1e-6, abs=1e-13)


def test_counts(result):
    assert (result.num_sequences, result.num_scored) == (8, 8 * (LENGTH - 1) - 5)


def test_divergence(result, plain):
    assert result.forward_kl.mean > 1e-5
    check(result.forward_kl, mean(plain["forward"]))
    check(result.reverse_kl, mean(plain["reverse"]))
    check(result.same_top1, mean(plain["top"]))


def test_logits(result, plain):
    check(result.mean_squared_error, mean(plain["error"], per_position=11))
    check(result.signal_to_noise,
          delta(lambda error, power: 10 * np.log10(power / error), plain["error"], plain["power"]))


def test_perplexity(result, plain):
    teacher, student = plain["teacher"], plain["student"]
    check(result.cross_entropy, mean(student))
    check(result.perplexity, delta(np.exp, student))
    check(result.teacher_perplexity, delta(np.exp, teacher))
    check(result.cross_entropy_change,
          mean([b - a for a, b in zip(teacher, student, strict=True)]))
    check(result.perplexity_ratio, delta(lambda a, b: np.exp(b - a), teacher, student))
    check(result.perplexity_change, delta(lambda a, b: np.exp(b) - np.exp(a), teacher, student))


def test_correlation(result, plain):
    teacher, student = plain["teacher"], plain["student"]
    moments = [teacher, student, [a * a for a in teacher], [b * b for b in student],
               [a * b for a, b in zip(teacher, student, strict=True)]]

    def correlation(x, y, xx, yy, xy):
        return (xy - x * y) / np.sqrt((xx - x * x) * (yy - y * y))

    check(result.cross_entropy_correlation, delta(correlation, *moments))
    whole = np.corrcoef(*(np.concatenate(one).astype(float) for one in (teacher, student)))
    assert result.cross_entropy_correlation.mean == pytest.approx(whole[0, 1])


def test_probability(result, plain):
    check(result.probability_change, mean(plain["change"]))
    check(result.rms_probability_change, delta(np.sqrt, [one**2 for one in plain["change"]]))


@pytest.mark.parametrize("name, column, levels", [
    ("forward_kl_quantiles", "forward", DIVERGENCE_LEVELS),
    ("probability_change_quantiles", "change", PROBABILITY_LEVELS)])
def test_quantiles(result, plain, name, column, levels):
    quantiles, sequences = getattr(result, name), plain[column]
    assert [one.level for one in quantiles] == levels
    values = np.quantile(np.concatenate(sequences).astype(float), levels)
    np.testing.assert_allclose([one.value.mean for one in quantiles], values, rtol=1e-9, atol=1e-13)
    # Resamples of whole sequences; ours are others, 200 of them.
    random = np.random.default_rng(0)
    resampled = [np.quantile(np.concatenate([sequences[k] for k in random.integers(0, 8, 8)]),
                             levels) for _ in range(2000)]
    errors = np.std(np.array(resampled, float), axis=0, ddof=1)
    np.testing.assert_allclose([one.value.standard_error for one in quantiles], errors, rtol=0.35)


def test_teacher_cache(programs, result, tmp_path):
    student, teacher = programs
    cache = tmp_path / "teacher.safetensors"
    for one in (teacher, None):
        again = student.evaluate(TOKENS, one, LENGTH, teacher_cache=cache, teacher_identity="x")
        assert again.forward_kl.mean == result.forward_kl.mean
        assert again.signal_to_noise.standard_error == result.signal_to_noise.standard_error
    expected = np.concatenate([teacher.forward(TOKENS[start:start + LENGTH][:-1])
                               for start in range(0, len(TOKENS), LENGTH)])
    load = pytest.importorskip("safetensors.numpy").load_file
    np.testing.assert_array_equal(load(cache)["logits"], expected)
    for tokens, identity, message in [(TOKENS, "y", "its teacher is 'x', and here it is 'y'"),
                                      (TOKENS[::-1], "x", "its tokensDigest is")]:
        with pytest.raises(ssmq.Error, match=message):
            student.evaluate(tokens, None, LENGTH, teacher_cache=cache, teacher_identity=identity)


def test_command(run, fails, directory, tmp_path):
    student, cache = tmp_path / "student", tmp_path / "cache.safetensors"
    assert run("quantize", directory, "--uniform", "int4:channel", "-o", student)[0] == 0
    text = make_text(tmp_path / "text.txt", 2)
    arguments = ["eval", student, "--text", text, "--engine", "reference", "--sequence-length", 16]
    first = run(*arguments, "--teacher", directory, "--json")[1]
    for teacher in (["--teacher", directory], ["--teacher", directory], []):
        assert run(*arguments, *teacher, "--teacher-cache", cache, "--json")[:2] == (0, first)
    report = json.loads(first)
    assert report["kl_teacher_student"]["mean"] > 0
    assert len(report["probability_change_quantiles"]) == len(PROBABILITY_LEVELS)
    assert "Mean    KLD:" in run(*arguments, "--teacher", directory)[1]
    fails("its teacher is", *arguments, "--teacher", student, "--teacher-cache", cache)
    fails("its teacher is", *arguments, "--teacher", directory, "--teacher-cache", cache,
          "--engine", "fast")
    fails("its sequenceLength is '16', and here it is '9'", *arguments[:-1], 9, "--teacher-cache",
          cache)
    fails("does not exist, and no teacher", *arguments, "--teacher-cache", tmp_path / "none")
    fails("safetensors", *arguments, "--teacher-cache", text)
    fails("is not a directory", *arguments, "--teacher", directory, "--teacher-cache",
          tmp_path / "none" / "cache")
    # A student that fails leaves no teacher behind.
    (student / "model.safetensors").write_bytes(b"")
    fails("safetensors", *arguments, "--teacher", directory, "--teacher-cache", tmp_path / "new")


def test_json_of_what_has_no_error(run, directory, tmp_path):
    text = make_text(tmp_path / "text.txt", 2)
    report = json.loads(run("eval", directory, "--text", text, "--teacher", directory, "--json",
                            "--engine", "reference")[1],
                        parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert report["perplexity"]["standard_error"] is None
    assert report["signal_to_noise_db"]["mean"] is None


def estimate(mean, error):
    return SimpleNamespace(mean=mean, standard_error=error)


def quantiles(levels, scale):
    return [SimpleNamespace(level=level, value=estimate(scale * (level - 0.45), scale * 0.01))
            for level in levels]


LAYOUT = """\
scored 8192 tokens in 32 sequences, all but the first of each; ± is the standard error over sequences

====== Perplexity statistics ======
Mean PPL(Q)                   :  12.345679 ±   0.250000
Mean PPL(base)                :  12.000000 ±   0.240000
Cor(ln(PPL(Q)), ln(PPL(base))):  98.77% ± 0.12%
Mean ln(PPL(Q)/PPL(base))     :   0.028399 ±   0.001000
Mean PPL(Q)/PPL(base)         :   1.028806 ±   0.001029
Mean PPL(Q)-PPL(base)         :   0.345679 ±   0.012000

====== KL divergence statistics ======
Mean    KLD:   0.012300 ±   0.000450
Maximum KLD:   1.100000 ±   0.020000
99.9%   KLD:   1.098000 ±   0.020000
99.0%   KLD:   1.080000 ±   0.020000
95.0%   KLD:   1.000000 ±   0.020000
90.0%   KLD:   0.900000 ±   0.020000
Median  KLD:   0.100000 ±   0.020000
10.0%   KLD:  -0.700000 ±   0.020000
 5.0%   KLD:  -0.800000 ±   0.020000
 1.0%   KLD:  -0.880000 ±   0.020000
 0.1%   KLD:  -0.898000 ±   0.020000
Minimum KLD:  -0.900000 ±   0.020000

====== Token probability statistics ======
Mean    Δp: -0.123 ± 0.045 %
Maximum Δp: 55.000% ± 1.000%
99.9%   Δp: 54.900% ± 1.000%
99.0%   Δp: 54.000% ± 1.000%
95.0%   Δp: 50.000% ± 1.000%
90.0%   Δp: 45.000% ± 1.000%
75.0%   Δp: 30.000% ± 1.000%
Median  Δp:  5.000% ± 1.000%
25.0%   Δp: -20.000% ± 1.000%
10.0%   Δp: -35.000% ± 1.000%
 5.0%   Δp: -40.000% ± 1.000%
 1.0%   Δp: -44.000% ± 1.000%
 0.1%   Δp: -44.900% ± 1.000%
Minimum Δp: -45.000% ± 1.000%
RMS Δp    :  3.210 ± 0.054 %
Same top p: 91.234 ± 0.321 %

====== Logit statistics ======
Mean KL(base||Q):  1.2300e-02 ± 4.5e-04 nats
Mean KL(Q||base):  1.3400e-02 ± 4.6e-04 nats
Mean squared err:  5.6000e-02 ± 7.8e-04
SQNR            :      21.500 ± 0.250 dB"""


def test_layout():
    """llama-perplexity's blocks, fields, order, widths and units: parsers know them by heart."""
    text = evaluation_report.to_text(SimpleNamespace(
        num_scored=8192, num_sequences=32, has_teacher=True,
        perplexity=estimate(12.3456789, 0.25), teacher_perplexity=estimate(12, 0.24),
        cross_entropy_correlation=estimate(0.98765, 0.0012),
        cross_entropy_change=estimate(0.0283987, 0.001),
        perplexity_ratio=estimate(1.028806, 0.001029),
        perplexity_change=estimate(0.3456789, 0.012),
        forward_kl=estimate(0.0123, 0.00045), reverse_kl=estimate(0.0134, 0.00046),
        mean_squared_error=estimate(0.056, 0.00078), signal_to_noise=estimate(21.5, 0.25),
        probability_change=estimate(-0.00123, 0.00045),
        rms_probability_change=estimate(0.0321, 0.00054), same_top1=estimate(0.91234, 0.00321),
        forward_kl_quantiles=quantiles(DIVERGENCE_LEVELS, 2),
        probability_change_quantiles=quantiles(PROBABILITY_LEVELS, 1)))
    assert text == LAYOUT
