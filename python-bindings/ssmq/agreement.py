"""Does a metric on calibration text rank sites as perplexity on another text does?

The truth about a site in a format is the perplexity on the evaluation text with that site alone in
that format. What the pass measures as the change of cross-entropy is the change of its logarithm,
and has the same ranking. Each metric is measured on the calibration text, and Kendall's tau over
sites says how well it ranks them. With a share of the calibration tokens the text is cut into as
many disjoint parts as there are, each part ranks for itself, and the taus of all are told.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from . import statistics
from .errors import Error
from .sensitivity import Row, SensitivityTable

TRUTH = "crossEntropyChange"
SHARES = (0.1, 0.05)
# Resamples of the two texts must not be of one drawing.
CALIBRATION_SEED, EVALUATION_SEED = 0, 1
# The metric that is KL where some of it was predicted, as users have it.
PREDICTED = "predictedKL"


@dataclass(frozen=True)
class Parts:
    """The taus of disjoint parts of the calibration text; none where it has too few sequences."""

    share: float
    num_sequences: int
    taus: list[float]


@dataclass(frozen=True)
class MetricResult:
    name: str
    tau: statistics.Tau
    parts: list[Parts]
    other: statistics.Tau | None
    fidelity: statistics.Tau
    """Against KL on the evaluation text instead of perplexity: how far the model's answers move,
    be it for better or worse."""


@dataclass(frozen=True)
class FormatResult:
    format: str
    num_sites: int
    perplexities: tuple[float, float]
    """The least and the largest with one site in this format."""
    share_decided: float
    """Of the pairs of sites, those whose order of perplexity the evaluation text decides."""
    halves: float
    """Kendall's tau between the perplexities on two halves of the evaluation text: where the truth
    does not agree with itself, no metric can agree with it."""
    metrics: list[MetricResult]


@dataclass(frozen=True)
class Agreement:
    evaluation: dict
    calibration: dict
    other: dict | None
    perplexity: float
    formats: list[FormatResult]


def _take(row: Row, sequences: slice) -> Row:
    return replace(row, sequences=row.sequences[sequences],
                   sums={name: column[sequences] for name, column in row.sums.items()})


def _cut(rows: list[Row], share: float, num_sequences: int) -> Iterator[list[Row]]:
    size = round(share * num_sequences)
    if size:
        for start in range(0, num_sequences - size + 1, size):
            yield [_take(row, slice(start, start + size)) for row in rows]


def _get_value(row: Row, metric: str) -> float:
    return float(statistics.draw([row], metric, resamples=1).values[0])


@dataclass(frozen=True)
class _Truth:
    """On the evaluation text, with one site quantized: the change of cross-entropy, and KL."""

    change: statistics.Draws
    kl: statistics.Draws


def _judge_metric(name: str, truth: _Truth, rows: list[Row], other: list[Row] | None,
                  num_sequences: int) -> MetricResult:
    def draw(given: list[Row]) -> statistics.Draws:
        return statistics.draw(given, name, seed=CALIBRATION_SEED)

    def rank(part: list[Row]) -> float:
        values = np.array([_get_value(row, name) for row in part])
        return float(statistics.kendall_tau(values, truth.change.values))

    parts = [Parts(share, round(share * num_sequences),
                   [rank(part) for part in _cut(rows, share, num_sequences)]) for share in SHARES]
    drawn = draw(rows)
    return MetricResult(name, statistics.compare(drawn, truth.change), parts,
                        statistics.compare(draw(other), truth.change) if other else None,
                        statistics.compare(drawn, truth.kl))


def _judge_format(format: str, evaluation: SensitivityTable, calibration: SensitivityTable,
                  other: SensitivityTable | None, predicted: SensitivityTable | None
                  ) -> FormatResult:
    judged = evaluation.select(format)
    truth = _Truth(*(statistics.draw(judged, name, seed=EVALUATION_SEED)
                     for name in (TRUTH, "forwardKL")))
    teacher = [row.estimates["teacherCrossEntropy"].mean for row in judged]
    perplexities = np.exp(np.array(teacher) + truth.change.values)
    halves = float(statistics.kendall_tau(*(
        np.array([_get_value(_take(row, slice(start, None, 2)), TRUTH) for row in judged])
        for start in range(2))))
    metrics = [_judge_metric(name, truth, calibration.select(format),
                             other.select(format) if other else None,
                             calibration.run["numSequences"]) for name in statistics.METRICS]
    rows = predicted.select(format) if predicted else []
    if any(row.is_predicted for row in rows):
        drawn = statistics.draw(rows, seed=CALIBRATION_SEED)
        metrics.insert(0, MetricResult(PREDICTED, statistics.compare(drawn, truth.change), [], None,
                                       statistics.compare(drawn, truth.kl)))
    return FormatResult(format, len(judged), (float(perplexities.min()), float(perplexities.max())),
                        statistics.get_share_decided(truth.change), halves, metrics)


def _drop_unusable(table: SensitivityTable, all_tables: list[SensitivityTable]
                   ) -> SensitivityTable:
    """Without what overflows on any of the texts."""
    dropped = {(row.site, row.format) for one in all_tables for row in one.unusable}
    return replace(table, rows=[row for row in table.rows
                                if (row.site, row.format) not in dropped])


def judge(evaluation: SensitivityTable, calibration: SensitivityTable,
          other: SensitivityTable | None, predicted: SensitivityTable | None = None) -> Agreement:
    """Takes tables of the same sites and formats, measured on all sequences; `predicted` is of the
    calibration text too, and may hold predicted rows."""
    given = [one for one in (evaluation, calibration, other, predicted) if one]
    evaluation, calibration, other, predicted = (
        one and _drop_unusable(one, given) for one in (evaluation, calibration, other, predicted))
    if not evaluation.rows:
        raise Error("the model overflows with every format, so that nothing can be compared")
    teacher = evaluation.rows[0].estimates["teacherCrossEntropy"].mean
    return Agreement(evaluation.run, calibration.run, other.run if other else None,
                     math.exp(teacher),
                     [_judge_format(format, evaluation, calibration, other, predicted)
                      for format in evaluation.formats])
