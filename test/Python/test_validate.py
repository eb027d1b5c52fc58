"""`ssmq validate`: the agreement on tables with known answers, and the command on a tiny model."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from ssmq import agreement, validate
from ssmq.sensitivity import Estimate, Row, SensitivityTable, Site
from tiny import make_model, make_text

SIZE = 40


def make_table(scores, change, noise, seed, name="text"):
    """Sites whose KL is `scores` and whose cross-entropy changes by `change`, with noise."""
    generator = np.random.default_rng(seed)

    def column(mean):
        return 10 * generator.normal(mean, noise, SIZE)

    rows = []
    for index, (score, delta) in enumerate(zip(scores, change)):
        sums = {name: column(score) for name in ("forwardKL", "reverseKL", "squaredError")}
        sums |= {"squaredTeacher": np.full(SIZE, 10.0), "positions": np.full(SIZE, 10.0),
                 "sameTop1": 10 - column(score), "crossEntropyChange": column(delta)}
        rows.append(Row(f"s{index}", "f", 1, False,
                        {"teacherCrossEntropy": Estimate(math.log(8), 0)}, np.arange(SIZE), sums))
    sites = [Site(row.site, "weight", 1, 1, 1, 1) for row in rows]
    run = {"calibration": name, "numSequences": SIZE, "sequenceLength": 11}
    return SensitivityTable(None, run, 1, 0, sites, rows, [])


def test_known_agreement():
    order = np.arange(1, 13)
    result = agreement.judge(make_table(-order, order / 100, 1e-4, 1),
                             make_table(order, -order, 1e-4, 2),
                             make_table(-order, order, 1e-4, 3))
    assert result.perplexity == pytest.approx(8)
    one, = result.formats
    assert one.num_sites == 12 and one.share_decided == 1 and one.halves == pytest.approx(1)
    assert one.perplexities == pytest.approx((8 * math.exp(0.01), 8 * math.exp(0.12)), rel=1e-4)
    metrics = {metric.name: metric for metric in one.metrics}
    # What the calibration text says, and what the other says, each with its own sign.
    assert metrics["forwardKL"].tau.value == pytest.approx(1)
    assert metrics["forwardKL"].other.value == pytest.approx(-1)
    assert metrics["crossEntropyChange"].tau.by_both == -1
    # The evaluation text's KL has the order of its changes of cross-entropy, turned round.
    assert metrics["forwardKL"].fidelity.value == pytest.approx(-1)
    assert metrics["crossEntropyChange"].other.value == pytest.approx(1)
    for metric in one.metrics:
        tenth, twentieth = metric.parts
        assert (tenth.num_sequences, len(tenth.taus)) == (4, 10)
        assert (twentieth.num_sequences, len(twentieth.taus)) == (2, 20)
        assert tenth.taus == pytest.approx([metric.tau.value] * 10)


def test_noisy_truth_is_said():
    order = np.arange(1, 13)
    result = agreement.judge(make_table(order, np.zeros(12), 1, 1), make_table(order, order, 1, 2),
                             None)
    one, = result.formats
    assert one.share_decided < 0.15 and abs(one.halves) < 0.5
    kl = one.metrics[0]
    assert kl.other is None and kl.tau.interval[0] < 0 < kl.tau.interval[1]
    assert kl.tau.num_by_reference < 10
    markdown = validate.to_markdown(result)
    assert f"decides {one.share_decided:.0%} of the pairs" in markdown
    assert f"halves agree with tau {one.halves:.2f}" in markdown


def test_predicted_rows_are_a_metric_of_their_own():
    order = np.arange(1, 13)
    measured = make_table(order, order, 1e-4, 1)
    rows = [replace(row, is_predicted=True, sequences=row.sequences[:0],
                    estimates={"forwardKL": Estimate(13.0 - score, 0.01)})
            for score, row in zip(order, measured.rows)]
    result = agreement.judge(measured, measured, measured, replace(measured, rows=rows))
    predicted, kl = result.formats[0].metrics[:2]
    assert predicted.name == agreement.PREDICTED and predicted.tau.by_both == -1
    assert kl.name == "forwardKL" and kl.tau.by_both == 1
    assert "| KL(p‖q), predicted | -1.00 (" in validate.to_markdown(result)
    # Nothing was predicted: one row less.
    result = agreement.judge(measured, measured, None, measured)
    assert result.formats[0].metrics[0].name == "forwardKL"


def test_parts_differ():
    """A tenth of the text knows less than all of it."""
    order = np.arange(1, 13) / 12
    result = agreement.judge(make_table(order, order, 1e-4, 1), make_table(order, order, 0.5, 2),
                             None)
    kl = result.formats[0].metrics[0]
    assert np.mean(kl.parts[1].taus) < np.mean(kl.parts[0].taus) < kl.tau.value
    assert len(set(kl.parts[0].taus)) > 3


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def texts(tmp_path):
    return [make_text(tmp_path / f"{name}.txt", seed, words=200)
            for seed, name in enumerate(("calibration", "other", "evaluation"))]


def test_command(run, model, texts, tmp_path):
    out, markdown = tmp_path / "out.json", tmp_path / "out.md"
    arguments = ["validate", model, "--calibration", texts[0], "--calibration-other", texts[1],
                 "--evaluation", texts[2], "--sequence-length", "16",
                 "--formats", "int4:channel,int8:channel"]
    code, output, error = run(*arguments, "-o", out, "--markdown", markdown)
    assert code == 0, error
    result = json.loads(out.read_text())
    assert result["document"] == "ssmq-validation" and result["evaluation"]["numSequences"] == 13
    assert [one["format"] for one in result["formats"]] == ["i4 sym per_channel",
                                                            "i8 sym per_channel"]
    for one in result["formats"]:
        assert 0 <= one["shareDecided"] <= 1
        assert one["perplexities"][0] <= result["perplexity"] * 1.01
        assert len([metric for metric in one["metrics"] if "otherDomain" in metric]) == 6
        for metric in one["metrics"]:
            # Predictions are not judged on the other domain.
            for tau in (metric["calibration"], metric.get("otherDomain", metric["calibration"])):
                low, high = tau["interval"]
                # No tau where a metric is the same everywhere, as same top-1 may be here.
                assert tau["tau"] is None or -1 <= low <= tau["tau"] <= high <= 1
    assert "KL(p‖q)" in output and markdown.read_text().count("| KL(p‖q) |") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "calibration.txt", "evaluation.txt", "other.txt", "out.json", "out.md"]


def test_refusals(fails, model, texts, tmp_path):
    arguments = ["--formats", "int4:channel", "--sequence-length", "16", "-o",
                 tmp_path / "out.json"]
    fails("is the calibration text", "validate", model, "--calibration", texts[0], "--evaluation",
          texts[0], *arguments)
    fails("is the calibration text (evaluation.txt)", "validate", model, "--calibration", texts[0],
          "--calibration-other", texts[2], "--evaluation", texts[2], *arguments)
    fails("exists", "validate", model, "--calibration", texts[0], "--evaluation", texts[2],
          "--markdown", texts[1], *arguments)
