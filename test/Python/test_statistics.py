"""Intervals, ties and Kendall's tau against plain re-statements and against what is known."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from ssmq import statistics
from ssmq.sensitivity import Estimate, Row


def make_row(kl, counts=None, site="s", sequences=None):
    kl = np.asarray(kl, dtype=float)
    counts = np.full(len(kl), 10.0) if counts is None else np.asarray(counts, dtype=float)
    return Row(site, "f", 1, False, {}, np.arange(len(kl)) if sequences is None else sequences,
               {"forwardKL": kl, "positions": counts, "sameTop1": counts - 1,
                "squaredError": kl, "squaredTeacher": 2 * counts})


def make_predicted(mean, error, site="p"):
    unknown = Estimate(math.nan, math.nan)
    return Row(site, "f", 1, True, {"forwardKL": Estimate(mean, error), "sameTop1": unknown,
                                    "signalToNoise": Estimate(20.0, 1.0)},
               np.arange(0), {"forwardKL": np.arange(0.0), "positions": np.arange(0.0)})


def test_values_are_ratios_of_sums():
    row = make_row([1, 2, 6], [10, 20, 15])
    assert statistics.draw([row]).values[0] == pytest.approx(9 / 45)
    assert statistics.draw([row], "changedTop1").values[0] == pytest.approx(3 / 45)
    assert statistics.draw([row], "noiseToSignal").values[0] == pytest.approx(9 / 90)


@pytest.mark.parametrize("size", [4, 40])
def test_spread_is_the_standard_error(size):
    """Of the ratio estimator, Estimate.h: sqrt(K / (K - 1) sum (S - n m)^2) / sum n."""
    generator = np.random.default_rng(1)
    counts = generator.integers(240, 260, size).astype(float)
    sums = counts * generator.lognormal(0, 0.3, size)
    drawn = statistics.draw([make_row(sums, counts)], resamples=20000)
    residuals = sums - counts * drawn.values[0]
    error = math.sqrt(size / (size - 1) * (residuals ** 2).sum()) / counts.sum()
    wider = scipy.stats.t.ppf(0.975, size - 1) / scipy.stats.norm.ppf(0.975)
    assert drawn.samples[0].std() == pytest.approx(wider * error, rel=0.03)
    low, high = drawn.get_intervals()[0]
    assert low < drawn.values[0] < high


@pytest.mark.parametrize("size, least", [(4, 0.85), (16, 0.89), (64, 0.92)])
def test_intervals_cover(size, least):
    """Of 400 skewed samples, 95 % intervals hold the true mean about as often as they say."""
    generator = np.random.default_rng(size)
    truth = math.exp(0.5 ** 2 / 2)
    rows = [make_row(10 * generator.lognormal(0, 0.5, size)) for _ in range(400)]
    intervals = statistics.draw(rows, resamples=1000).get_intervals()
    share = np.mean((intervals[:, 0] <= truth) & (truth <= intervals[:, 1]))
    assert least < share < 0.99


def test_drawing_is_seeded_and_does_not_depend_on_company():
    rows = [make_row([1, 2, 3], site="a"), make_predicted(1, 0.1), make_row([3, 1, 2], site="b")]
    all_rows = statistics.draw(rows, seed=3).samples
    for index, row in enumerate(rows):
        assert np.array_equal(statistics.draw([row], seed=3).samples[0], all_rows[index])
    assert not np.array_equal(statistics.draw(rows, seed=4).samples, all_rows)


def test_rows_are_paired():
    """Sequences differ much, rows by a tenth of a percent: only the pairing tells."""
    base = np.random.default_rng(2).lognormal(0, 1, 16)
    drawn = statistics.draw([make_row(base), make_row(1.001 * base)])
    difference, low, high = drawn.get_difference(1, 0)
    assert 0 < low < difference < high
    assert statistics.decide(drawn).tolist() == [[0, -1], [1, 0]]
    # Other sequences, no pairs.
    apart = statistics.draw([make_row(base), make_row(1.001 * base, sequences=np.arange(16, 32))])
    assert not statistics.decide(apart).any()


def test_predicted_rows():
    drawn = statistics.draw([make_predicted(2.0, 0.5)], resamples=50000)
    assert drawn.values[0] == 2 and (drawn.samples > 0).all()
    assert drawn.samples.mean() == pytest.approx(2, rel=0.01)
    assert drawn.samples.std() == pytest.approx(0.5, rel=0.02)
    noise = statistics.draw([make_predicted(2.0, 0.5)], "noiseToSignal")
    assert noise.values[0] == pytest.approx(0.01)
    unknown = statistics.draw([make_predicted(2.0, 0.5), make_row([1, 2])], "changedTop1")
    assert not statistics.decide(unknown).any()


def test_a_wild_prediction_decides_nothing():
    """Most of its distribution lies below the other row, its mean above."""
    drawn = statistics.draw([make_predicted(2.0, 1e6), make_row(np.linspace(14.9, 15.1, 8))])
    assert (drawn.samples[0] < drawn.samples[1]).mean() > 0.99
    assert not statistics.decide(drawn).any()


def test_one_sequence_decides_nothing():
    drawn = statistics.draw([make_row([1]), make_row([9])])
    assert not statistics.decide(drawn).any()
    assert [(one.low, one.high) for one in statistics.rank(drawn)] == [(1, 2), (1, 2)]
    assert np.isnan(drawn.get_intervals()).all()


def test_rank():
    generator = np.random.default_rng(5)
    noise = generator.normal(0, 1e-3, (5, 32))
    # Two apart, two alike, and two below the floor that are apart.
    means = [1.0, 5.0, 1.0, 0.10, 0.05]
    ranks = statistics.rank(statistics.draw(
        [make_row(10 * (mean + one)) for mean, one in zip(means, noise)]), floor=0.2)
    assert ranks[0].index == 1 and {ranks[1].index, ranks[2].index} == {0, 2}
    assert [(one.low, one.high) for one in ranks] == [(1, 1), (2, 3), (2, 3), (4, 5), (4, 5)]
    assert [one.is_tied_with_previous for one in ranks] == [False, False, True, False, True]
    assert [one.is_below_floor for one in ranks] == [False, False, False, True, True]
    above = statistics.rank(statistics.draw(
        [make_row(10 * (mean + one)) for mean, one in zip(means, noise)]))
    assert [(one.low, one.high) for one in above][3:] == [(4, 4), (5, 5)]


def test_false_orders_are_rare():
    """Among 60 rows that are all alike, about 5 % of the pairs look decided."""
    generator = np.random.default_rng(6)
    rows = [make_row(10 * generator.lognormal(0, 0.5, 16)) for _ in range(60)]
    assert 0.005 < statistics.get_share_decided(statistics.draw(rows)) < 0.09


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2 ** 32), st.integers(2, 12), st.integers(1, 9), st.floats(0, 2))
def test_places_lie_in_their_rank_intervals(seed, size, sequences, floor):
    generator = np.random.default_rng(seed)
    sums = 10 * generator.lognormal(0, 2, (size, sequences))
    drawn = statistics.draw([make_row(one) for one in sums], resamples=200)
    decided = statistics.decide(drawn, floor)
    assert np.array_equal(decided, -decided.T)
    ranks = statistics.rank(drawn, floor)
    assert [one.value for one in ranks] == sorted(drawn.values, reverse=True)
    assert all(one.low <= place <= one.high for place, one in enumerate(ranks, 1))
    # Units do not matter.
    scaled = statistics.draw([make_row(1e6 * one) for one in sums], resamples=200)
    assert np.array_equal(statistics.decide(scaled, 1e6 * floor), decided)


vectors = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=20)


@settings(max_examples=200, deadline=None)
@given(vectors)
def test_tau_is_scipys(pairs):
    x, y = np.array(pairs, dtype=float).T
    expected = scipy.stats.kendalltau(x, y).statistic
    assert statistics.kendall_tau(x, y) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_tau_of_many():
    x, y = np.random.default_rng(7).normal(size=(2, 50, 12))
    each = [scipy.stats.kendalltau(a, b).statistic for a, b in zip(x, y)]
    assert statistics.kendall_tau(x, y) == pytest.approx(np.array(each))


def draw_noisy(means, spread, seed):
    generator = np.random.default_rng(seed)
    return statistics.draw([make_row(10 * generator.normal(mean, spread, 32)) for mean in means],
                           seed=seed)


def test_compare():
    same = statistics.compare(draw_noisy(range(1, 11), 0.01, 1), draw_noisy(range(1, 11), 0.01, 2))
    assert (same.value, same.by_both, *same.interval) == pytest.approx((1, 1, 1, 1))
    assert same.num_by_both == same.num_by_reference == same.num_pairs == 45
    # Each row twice, apart by less than the noise: all that is decided agrees.
    means = np.repeat(np.arange(1, 11), 2)
    ties = statistics.compare(draw_noisy(means, 0.3, 3), draw_noisy(means, 0.3, 4))
    assert ties.interval[0] < ties.value < 1 and ties.by_both == 1
    assert 150 < ties.num_by_both < ties.num_by_reference <= 185
    # Nothing but noise: the interval holds zero.
    noise = statistics.compare(draw_noisy(np.ones(20), 1, 5), draw_noisy(np.ones(20), 1, 6))
    assert noise.interval[0] < 0 < noise.interval[1] and noise.num_by_both < 10


@pytest.mark.parametrize("noise", [0.5, 3])
def test_tau_intervals_cover(noise):
    """They hold the mean over many texts about as often as they say."""
    generator = np.random.default_rng(8)
    x, y = np.linspace(1, 3, 15), np.linspace(1, 3, 15) + generator.normal(0, 0.3, 15)

    def draw(means, seed):
        rows = [make_row(10 * generator.normal(mean, noise, 32)) for mean in means]
        return statistics.draw(rows, resamples=200, seed=seed)

    results = [statistics.compare(draw(x, 0), draw(y, 1)) for _ in range(80)]
    mean = np.mean([tau.value for tau in results])
    assert np.mean([tau.interval[0] <= mean <= tau.interval[1] for tau in results]) > 0.88
    # And say no more than they must.
    spread = np.std([tau.value for tau in results])
    width = np.mean([tau.interval[1] - tau.interval[0] for tau in results])
    assert width < 1.5 * 3.92 * spread
