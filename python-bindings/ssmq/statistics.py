"""What measured numbers can tell and what they cannot: intervals, ties, agreement of rankings.

Tokens of a sequence depend on each other, so sequences are what is drawn again (the bootstrap).
All rows share the drawing, so that a comparison of two rows is a paired one: what is easy for all
of them in a sequence cancels. K - 1 of K sequences are drawn with replacement, which makes the
variance unbiased (Rao & Wu, JASA 83, 1988), and deviations are widened by the quotient of the
quantiles of Student's t with K - 1 degrees and of the normal distribution, since few sequences
know little about their own spread. One sequence alone decides nothing: its samples are NaN.

Scores are ratios sum S / sum n of sums over sequences, the larger the worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats

from .sensitivity import Row

LEVEL = 0.95
RESAMPLES = 2000

# The bytes that the pairs of a block of resamples take.
_BLOCK_BYTES = 1 << 26


@dataclass(frozen=True)
class Metric:
    """`numerator` and `denominator` are columns of sums; `estimate` is the name in the table."""

    title: str
    numerator: str
    denominator: str
    estimate: str


METRICS = {
    "forwardKL": Metric("KL(p‖q)", "forwardKL", "positions", "forwardKL"),
    "reverseKL": Metric("KL(q‖p)", "reverseKL", "positions", "reverseKL"),
    "meanSquaredError": Metric("MSE", "squaredError", "positions", "meanSquaredError"),
    "noiseToSignal": Metric("SQNR", "squaredError", "squaredTeacher", "signalToNoise"),
    "crossEntropyChange": Metric("Δ cross-entropy", "crossEntropyChange", "positions",
                                 "crossEntropyChange"),
    "changedTop1": Metric("1 − same top-1", "changedTop1", "positions", "sameTop1"),
}


@dataclass(frozen=True)
class Draws:
    """Scores [rows] and what they might have been, samples [rows, resamples]; samples of one
    resample belong together."""

    values: np.ndarray
    samples: np.ndarray

    def get_intervals(self, level: float = LEVEL) -> np.ndarray:
        """[rows, 2], by percentiles."""
        tails = [(1 - level) / 2, (1 + level) / 2]
        return np.quantile(self.samples, tails, axis=1).T

    def get_difference(self, a: int, b: int, level: float = LEVEL) -> tuple[float, float, float]:
        """values[a] - values[b] and its paired interval."""
        low, high = np.quantile(self.samples[a] - self.samples[b],
                                [(1 - level) / 2, (1 + level) / 2])
        return float(self.values[a] - self.values[b]), float(low), float(high)

    def take(self, rows: Sequence[int] | np.ndarray) -> "Draws":
        return Draws(self.values[rows], self.samples[rows])


def _get_column(row: Row, name: str) -> np.ndarray:
    if name == "changedTop1":
        return row.sums["positions"] - row.sums["sameTop1"]
    return row.sums[name]


def _weigh(sequences: tuple[int, ...], resamples: int, seed: int) -> np.ndarray:
    """How often each resample has drawn each sequence, [resamples, sequences]. Rows that know the
    same sequences get the same drawing; where rows know different ones, they are independent."""
    size = len(sequences)
    generator = np.random.default_rng([seed, *sequences])
    return generator.multinomial(size - 1, np.full(size, 1 / size), size=resamples).astype(float)


def _draw_measured(rows: list[Row], metric: Metric, resamples: int, seed: int) -> Draws:
    sums = np.stack([_get_column(row, metric.numerator) for row in rows])
    counts = np.stack([_get_column(row, metric.denominator) for row in rows])
    size = sums.shape[1]
    values = sums.sum(axis=1) / counts.sum(axis=1)
    if size < 2:
        return Draws(values, np.full((len(rows), resamples), np.nan))
    weights = _weigh(tuple(rows[0].sequences.tolist()), resamples, seed)
    upper = (1 + LEVEL) / 2
    wider = scipy.stats.t.ppf(upper, size - 1) / scipy.stats.norm.ppf(upper)
    samples = (sums @ weights.T) / (counts @ weights.T)
    return Draws(values, values[:, None] + wider * (samples - values[:, None]))


def _draw_predicted(row: Row, name: str, resamples: int, generator: np.random.Generator) -> Draws:
    """From the log-normal distribution of the row's mean and standard error."""
    estimate = row.estimates[METRICS[name].estimate]
    mean, error = estimate.mean, estimate.standard_error
    if name == "noiseToSignal":
        mean = 10 ** (-mean / 10)
        error *= mean * np.log(10) / 10
    elif name == "changedTop1":
        mean = 1 - mean
    normal = generator.standard_normal(resamples)
    if mean <= 0:
        return Draws(np.array([mean]), (mean + error * normal)[None])
    sigma = np.sqrt(np.log1p((error / mean) ** 2))
    return Draws(np.array([mean]), mean * np.exp(sigma * normal - sigma ** 2 / 2)[None])


def draw(rows: Sequence[Row], metric: str = "forwardKL", resamples: int = RESAMPLES,
         seed: int = 0) -> Draws:
    """The scores of rows by a metric of METRICS. Rows of two tables over different texts need
    different seeds; rows of one table the same."""
    values = np.empty(len(rows))
    samples = np.empty((len(rows), resamples))
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, row in enumerate(rows):
        if row.is_predicted or not len(row.sequences):
            # A name decides, so that a row's samples do not depend on which rows are asked for.
            name = f"{row.site}\0{row.format}".encode()
            drawn = _draw_predicted(row, metric, resamples, np.random.default_rng([seed, *name]))
            values[index], samples[index] = drawn.values[0], drawn.samples[0]
        else:
            groups.setdefault(tuple(row.sequences.tolist()), []).append(index)
    for members in groups.values():
        drawn = _draw_measured([rows[index] for index in members], METRICS[metric], resamples, seed)
        values[members], samples[members] = drawn.values, drawn.samples
    return Draws(values, samples)


def decide(draws: Draws, floor: float = -np.inf, level: float = LEVEL) -> np.ndarray:
    """[rows, rows] of 1 where the first is surely larger, -1 where it is surely smaller, 0 where
    the data cannot tell: where the paired interval of the difference holds zero, or both values
    lie below the floor. Each pair is judged for itself, without a correction for their number."""
    size, resamples = draws.samples.shape
    enough = (1 + level) / 2 * resamples
    larger = np.zeros((size, size), dtype=bool)
    for index in range(size):
        larger[index] = (draws.samples[index] > draws.samples).sum(axis=1) >= enough
        # Most of a skewed distribution may lie on the other side of its mean.
        larger[index] &= draws.values[index] > draws.values
    result = larger.astype(np.int8) - larger.T
    below = draws.values < floor
    result[np.ix_(below, below)] = 0
    return result


@dataclass(frozen=True)
class Rank:
    """The place of a row, 1 for the largest value. `low` is 1 + the number of rows that are surely
    larger, `high` the number of rows less those that are surely smaller."""

    index: int
    value: float
    interval: tuple[float, float]
    low: int
    high: int
    is_below_floor: bool
    is_tied_with_previous: bool


def rank(draws: Draws, floor: float = -np.inf, level: float = LEVEL) -> list[Rank]:
    """From the largest value to the smallest; equal values keep their order. Rows below the noise
    floor are all tied with each other."""
    order = np.argsort(-draws.values, kind="stable")
    decided = decide(draws, floor, level)
    intervals = draws.get_intervals(level)
    low = 1 + (decided == -1).sum(axis=1)
    high = len(order) - (decided == 1).sum(axis=1)
    return [Rank(int(index), float(draws.values[index]), tuple(intervals[index].tolist()),
                 int(low[index]), int(high[index]), bool(draws.values[index] < floor),
                 place > 0 and bool(decided[order[place - 1], index] != 1))
            for place, index in enumerate(order)]


def get_floor(noise_floor: Sequence[Row], metric: str = "forwardKL") -> float:
    """The largest score among changes that should not matter; 0 without any."""
    return max((float(draw([row], metric, 1).values[0]) for row in noise_floor
                if len(row.sequences)), default=0.0)


def _get_signs(values: np.ndarray) -> np.ndarray:
    """[..., n] -> [..., n (n - 1) / 2], the order of each pair."""
    first, second = np.triu_indices(values.shape[-1], 1)
    return np.sign(values[..., first] - values[..., second])


def kendall_tau(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Kendall's tau-b along the last axis, as scipy.stats.kendalltau gives it for one pair of
    vectors; NaN where one of both is constant."""
    a, b = _get_signs(x), _get_signs(y)
    size = np.sqrt((a * a).sum(axis=-1)) * np.sqrt((b * b).sum(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a * b).sum(axis=-1) / size


@dataclass(frozen=True)
class Tau:
    """Agreement of a ranking with a reference: over all pairs of rows; over those whose order the
    reference decides, the same for all that are compared with it; and over those that both sides
    decide. The last two are NaN without such a pair."""

    value: float
    interval: tuple[float, float]
    by_reference: float
    num_by_reference: int
    by_both: float
    num_by_both: int
    num_pairs: int


def _agree(signs: np.ndarray, decided: np.ndarray) -> tuple[float, int]:
    """Of the pairs decided, the share of equal signs less that of opposite ones, and their
    number."""
    count = int(np.count_nonzero(decided))
    return float((signs * decided).sum() / count) if count else float("nan"), count


def compare(x: Draws, reference: Draws, level: float = LEVEL) -> Tau:
    """The interval holds what other texts of these lengths would give, which is nearer to zero than
    the tau of endless texts: noise spoils ranks. Resampling adds noise once more, so the
    distribution of the resampled taus is moved until its mean is the measured tau."""
    value = float(scipy.stats.kendalltau(x.values, reference.values).statistic)
    size, resamples = x.samples.shape
    num_pairs = size * (size - 1) // 2
    block = max(1, _BLOCK_BYTES // (8 * max(1, num_pairs)))
    taus = np.concatenate([kendall_tau(x.samples[:, start:start + block].T,
                                       reference.samples[:, start:start + block].T)
                           for start in range(0, resamples, block)])
    low, high = value + np.quantile(taus - taus.mean(), [(1 - level) / 2, (1 + level) / 2])
    upper = np.triu_indices(size, 1)
    decided = decide(reference, level=level)[upper]
    by_reference = _agree(_get_signs(x.values), decided)
    own = decide(x, level=level)[upper]
    by_both = _agree(own, decided * np.abs(own))
    return Tau(value, (max(-1.0, float(low)), min(1.0, float(high))), *by_reference, *by_both,
               num_pairs)


def get_share_decided(draws: Draws, level: float = LEVEL) -> float:
    """The share of the pairs of rows whose order the data decide."""
    pairs = decide(draws, level=level)[np.triu_indices(len(draws.values), 1)]
    return float(np.count_nonzero(pairs) / len(pairs)) if len(pairs) else float("nan")
