"""Sign flips, permutations and bootstraps against enumeration, scipy, another program and attainable sizes."""

from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from market_reaction.errors import WindowError
from market_reaction.inference.permutations import random_subsets, share_as_large, sign_vectors, subsets, webb_weights
from market_reaction.inference.resampling import (
    block_bootstrap,
    group_difference,
    sign_flip,
    studentised_permutation,
    wild_bootstrap,
)

FEW = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 10_000)


def normal(seed: int, count: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, size=count)


def monte_carlo(p_value: float, draws: int) -> float:
    """Four standard errors of a p from random draws."""
    return 4 * float(np.sqrt(p_value * (1 - p_value) / draws))


def welch(first: np.ndarray, second: np.ndarray) -> float:
    return float(stats.ttest_ind(first, second, equal_var=False).statistic)


def every_welch(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Statistic after each way to label the values, one by one."""
    pooled, labels = np.concatenate([first, second]), range(len(first) + len(second))
    chosen = [list(members) for members in combinations(labels, len(first))]
    return np.array([welch(pooled[members], np.delete(pooled, members)) for members in chosen])


# --- sign flips


def test_sign_flip_is_the_share_of_all_sign_vectors():
    for seed, count in ((1, 6), (2, 7), (3, 10)):
        values = normal(seed, count, 0.5)
        means = [abs(np.mean(np.array(signs) * values)) for signs in product([1, -1], repeat=count)]
        found = sign_flip(values)
        assert found.p_value == np.mean(np.array(means) >= abs(values.mean()) - 1e-12)
        assert found.statistic == pytest.approx(abs(values.mean()), rel=1e-12)
        assert (found.floor, found.n, found.validity) == (2 / 2**count, count, "exact")


def test_sign_flip_agrees_with_scipy():
    values = normal(4, 9, 0.4)
    outside = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(values).p_value == pytest.approx(outside.pvalue, abs=1e-12)


def test_sign_flip_draws_above_fourteen_events():
    values = normal(5, 15, 0.5)
    means = np.abs(np.array(list(product([1, -1], repeat=15))) @ values) / 15
    exact = float(np.mean(means >= abs(values.mean()) - 1e-12))
    found = sign_flip(values, draws=4000)
    assert found.distribution == "4000 random sign vectors" and found.floor == 1 / 4001
    assert 0 < abs(found.p_value - exact) < monte_carlo(exact, 4000)
    assert sign_flip(values[:14]).distribution == "all 16384 sign vectors"


def test_five_events_cannot_reach_five_percent_by_sign_flips():
    found = sign_flip(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert not found.applies
    assert (
        found.note
        == "sign flips need at least 6 events with a value other than 0; 5 given, which attain p = 0.0625 at best"
    )
    assert sign_flip(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).p_value == 2 / 64


def test_value_of_zero_has_no_sign_and_nan_is_absent():
    found = sign_flip(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0, np.nan]))
    assert (found.p_value, found.floor, found.n) == (2 / 64, 2 / 64, 7)
    assert "5 given" in sign_flip(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 0.0])).note
    assert "0 given, which attain p = 1 at best" in sign_flip(np.full(3, np.nan)).note


def test_values_that_cancel_have_p_one():
    assert sign_flip(np.array([0.1, -0.1, 0.7, -0.7, 0.3, -0.3])).p_value == 1.0
    assert sign_flip(np.full(6, 0.3)).p_value == 2 / 64


@FEW
@given(SEEDS, st.integers(6, 9), st.floats(0.001, 1000.0))
def test_sign_flip_keeps_under_unit_sign_and_order(seed, count, unit):
    values = normal(seed, count, 0.5)
    p_value = sign_flip(values).p_value
    assert sign_flip(-unit * values[::-1]).p_value == p_value


def test_sign_flip_has_its_attainable_size_under_unequal_variances():
    rng, runs = np.random.default_rng(8), 3000
    spread = np.array([5.0, 1, 1, 1, 1, 1, 2])
    rejected = np.mean([sign_flip(rng.normal(size=7) * spread).p_value <= 0.05 for _ in range(runs)])
    attainable = 6 / 128  # pairs of sign vectors come together, so 3 pairs of 64
    assert abs(rejected - attainable) < 3 * np.sqrt(attainable * (1 - attainable) / runs)


# --- permutations


@pytest.mark.parametrize(("n_event", "n_other"), [(5, 5), (5, 6), (6, 5)])
def test_permutation_is_the_share_of_all_labels(n_event, n_other):
    event, other = 2 * normal(1, n_event, 1.0), normal(2, n_other)
    every = every_welch(event, other)
    found = studentised_permutation(event, other)
    assert found.p_value == np.mean(np.abs(every) >= abs(every[0]) - 1e-9)
    assert found.statistic == pytest.approx(welch(event, other), rel=1e-12)
    assert found.distribution == f"all {len(every)} ways to label the values"
    assert found.floor == (2 if n_event == n_other else 1) / len(every)


def test_permutation_agrees_with_scipy():
    event, other = normal(3, 5, 0.8), normal(4, 6)
    outside = stats.permutation_test(
        (event, other), lambda a, b: abs(welch(a, b)), alternative="greater", n_resamples=np.inf
    )
    assert studentised_permutation(event, other).p_value == pytest.approx(outside.pvalue, abs=1e-12)


def test_random_permutations_agree_with_all_within_monte_carlo_error():
    event, other = normal(5, 6, 0.8), normal(6, 9)
    exact = studentised_permutation(event, other, draws=5005)
    drawn = studentised_permutation(event, other, draws=5004, seed=3)
    assert exact.distribution == "all 5005 ways to label the values"
    assert drawn.distribution == "5004 random permutations" and drawn.floor == 1 / 5005
    assert 0 < abs(drawn.p_value - exact.p_value) < monte_carlo(exact.p_value, 5004)


@FEW
@given(SEEDS, st.integers(4, 6), st.integers(4, 6), st.floats(0.01, 100.0), st.floats(-3.0, 3.0))
def test_exchanging_the_groups_changes_the_sign_alone(seed, one, two, unit, shift):
    first, second = normal(seed, one, 0.5), normal(seed + 1, two)
    found, reversed_ = group_difference(first, second), group_difference(second, first)
    moved = group_difference(unit * first[::-1] + shift, unit * second + shift)
    assert found.p_value == reversed_.p_value == moved.p_value
    assert found.statistic == pytest.approx(-reversed_.statistic, rel=1e-9)
    assert found.statistic == pytest.approx(moved.statistic, rel=1e-6)


def test_difference_of_groups_is_the_share_of_all_labels():
    first, second = np.array([0.3, -0.1, 0.8, 0.5]), np.array([1.0, np.nan, 0.2, 2.5, 1.4, 0.9])
    every = every_welch(first, second[np.isfinite(second)])
    found = group_difference(first, second)
    assert found.p_value == np.mean(np.abs(every) >= abs(every[0]) - 1e-9)
    assert (found.distribution, found.floor, found.n) == ("all 126 ways to label the values", 1 / 126, 9)


def test_one_group_without_spread_is_no_obstacle():
    assert 0 < group_difference(np.ones(4), np.array([0.0, 0.5, -0.4, 0.2])).p_value <= 1


def test_groups_far_apart_reach_the_floor():
    found = group_difference(np.array([9.0, 9.1, 9.2, 9.4]), np.array([1.0, 1.1, 1.3, 1.4]))
    assert found.p_value == found.floor == 2 / 70
    assert (found.name, found.validity, found.n) == ("group_difference", "approximate", 8)


def test_too_few_values_or_none_that_differ_give_a_reason():
    few = studentised_permutation(normal(1, 4), normal(2, 50))
    assert not few.applies and few.note == "the permutation needs at least 5 values in each group; 4 and 50 given"
    assert "at least 4 values in each group; 5 and 3 given" in group_difference(normal(1, 5), normal(1, 3)).note
    with_absent = group_difference(np.array([1.0, 2.0, 3.0, np.nan]), normal(1, 5))
    assert "3 and 5 given" in with_absent.note
    assert group_difference(np.ones(4), np.ones(4)).note.startswith("all 8 values are equal")


def test_groups_without_spread_give_an_infinite_statistic_and_the_floor():
    found = group_difference(np.ones(4), np.zeros(4))
    assert (found.statistic, found.p_value) == (np.inf, 2 / 70)


def test_studentising_keeps_the_size_where_event_days_are_more_volatile():
    rng, runs, draws = np.random.default_rng(3), 1000, 199
    studentised = plain = 0
    for run in range(runs):
        event, other = 2 * rng.normal(size=8), rng.normal(size=60)
        studentised += studentised_permutation(event, other, draws=draws, seed=run).p_value <= 0.05
        pooled = np.concatenate([event, other]) - np.concatenate([event, other]).mean()
        means = np.abs(pooled[random_subsets(68, 8, draws, run)].mean(axis=1))
        plain += (1 + np.sum(means >= abs(pooled[:8].mean()))) / (1 + draws) <= 0.05
    assert 0.03 < studentised / runs < 0.08
    assert plain / runs > 0.2


# --- wild bootstrap


@FEW
@given(SEEDS, st.integers(6, 10))
def test_wild_bootstrap_with_signs_is_the_sign_flip_test(seed, count):
    values = normal(seed, count, 0.5)
    wild, flips = wild_bootstrap(values, "rademacher"), sign_flip(values)
    assert (wild.p_value, wild.floor) == (flips.p_value, flips.floor)
    assert wild.statistic == pytest.approx(stats.ttest_1samp(values, 0).statistic, rel=1e-9)


def test_webb_weights_are_enumerated_for_few_events():
    values = normal(3, 4, 1.0)
    points = [sign * size**0.5 for sign in (-1, 1) for size in (0.5, 1.0, 1.5)]
    every = [stats.ttest_1samp(np.array(w) * values, 0).statistic for w in product(points, repeat=4)]
    found = wild_bootstrap(values)
    expected = np.mean(np.abs(every) >= abs(stats.ttest_1samp(values, 0).statistic) - 1e-9)
    assert found.p_value == pytest.approx(expected, abs=1e-12)
    assert (found.distribution, found.floor) == ("all 1296 Webb weights", 6 / 1296)
    drawn = wild_bootstrap(values, draws=1295)
    assert drawn.distribution == "1295 random Webb weights"
    assert 0 < abs(drawn.p_value - expected) < monte_carlo(expected, 1295)


def test_weights_follow_the_number_of_events():
    assert "Webb" in wild_bootstrap(normal(1, 11)).distribution
    assert "Rademacher" in wild_bootstrap(normal(1, 12)).distribution


def test_weights_have_mean_zero_and_variance_one():
    for weights in (webb_weights(3, 216, 0)[0], sign_vectors(8, 1, 0)[0][:, 1:]):
        np.testing.assert_allclose(weights.mean(axis=0), 0, atol=1e-15)
        np.testing.assert_allclose(np.square(weights).mean(axis=0), 1, rtol=1e-14)
        np.testing.assert_array_equal(weights[0], 1)
    drawn = webb_weights(12, 60_000, 1)[0]
    assert np.abs(drawn.mean(axis=0)).max() < 5 / np.sqrt(60_000)


def test_wild_bootstrap_fails_for_one_event_and_says_so():
    one = wild_bootstrap(np.array([3.0]))
    assert not one.applies and one.note.endswith("needs at least 3 events; 1 given, and fails for one event")
    five = wild_bootstrap(normal(1, 5), "rademacher")
    assert five.note == "the wild bootstrap with Rademacher weights needs at least 6 events; 5 given"
    assert wild_bootstrap(np.full(6, 0.1)).note.startswith("all 6 values are equal")


@pytest.mark.reference
def test_wild_bootstrap_agrees_with_another_program_within_monte_carlo_error(reference: Path):
    folder = reference / "reference" / "EventStudy"
    boots = pd.read_csv(folder / "output_wild_bootstrap.csv").query(
        "weights == 'rademacher' and dataset != 'covid5_w0_4_L240'"
    )
    single = pd.read_csv(folder / "output_single_event.csv").query("returns == 'log' and model == 'MarketModel'")
    distances = []
    for row in boots.itertuples():
        events = single[(single["dataset"] == row.dataset) & (single["day"] == row.relative_index)]
        for values, mean, outside in (
            (events["ar"], row.observed_aar, row.boot_p_aar),
            (events["car"], row.observed_caar, row.boot_p_caar),
        ):
            if len(values) < 16 and values.name == "car":
                continue  # a delisted firm's missing days count as 0 there, so that its mean CAR is another one
            found = wild_bootstrap(values.to_numpy(), "rademacher")
            assert sign_flip(values.to_numpy()).statistic == pytest.approx(abs(mean), rel=1e-10)
            # One standard error of 199 draws there, and of one draw where p is near 0.
            error = max(np.sqrt(found.p_value * (1 - found.p_value) / 200), 1 / 200)
            distances.append((outside - found.p_value) / error)
    assert len(distances) == 46
    assert np.abs(distances).max() < 3.5
    assert np.sqrt(np.mean(np.square(distances))) < 1.4


# --- block bootstrap


def test_block_bootstrap_statistic_is_the_mean_of_forecast_t():
    residuals, event = normal(1, 240).reshape(120, 2) * [1.0, 3.0], np.array([[1.0, 2.0], [0.5, -4.0], [0.2, 1.0]])
    found = block_bootstrap(residuals, event, draws=19)
    centred = residuals - residuals.mean(axis=0)
    error = centred.std(axis=0, ddof=1) * np.sqrt(3 + 9 / 120)
    assert found.statistic == pytest.approx((event.sum(axis=0) / error).mean(), rel=1e-12)
    assert (found.floor, found.n, found.validity) == (1 / 20, 120, "approximate")


@pytest.mark.parametrize("size", [1.0, 2.0])
def test_block_bootstrap_of_one_event_agrees_with_the_rank_among_its_own_residuals(size):
    residuals = normal(2, 400)
    residuals -= residuals.mean()
    found = block_bootstrap(residuals, np.array([size]), draws=1999, block=1)
    rank = (1 + np.sum(np.abs(residuals) >= size)) / 401
    assert abs(found.p_value - rank) < monte_carlo(rank, 1999) + 0.01  # the sample's own mean and s differ a little
    assert "one event is one draw" in found.note


def test_block_bootstrap_keeps_the_dependence_in_time():
    shocks = normal(3, 1500)
    residuals = np.array(pd.Series(shocks).ewm(alpha=0.3, adjust=False).mean())[500:]
    event = np.full(5, residuals.std())
    alone, blocks = (block_bootstrap(residuals, event, draws=999, block=block).p_value for block in (1, 20))
    automatic = block_bootstrap(residuals, event, draws=999)
    assert blocks > alone + 0.1
    assert "mean block length 1 " not in automatic.note and automatic.p_value > alone + 0.1


def test_markets_are_resampled_together():
    residuals = normal(4, 100)
    single = block_bootstrap(residuals, np.array([2.0]))
    twice = block_bootstrap(np.column_stack([residuals, 5 * residuals]), np.array([[2.0, 10.0]]))
    assert twice.p_value == single.p_value
    assert twice.statistic == pytest.approx(single.statistic, rel=1e-12)


def test_recentring_takes_the_mean_out_of_the_null():
    residuals = normal(4, 100)
    shifted = block_bootstrap(residuals + 7.0, np.array([2.0]))
    assert shifted.p_value == block_bootstrap(residuals, np.array([2.0])).p_value


def test_absent_market_and_incomplete_day_are_left_out():
    residuals, event = normal(5, 240).reshape(80, 3), np.array([[1.0, -1.0, np.nan]])
    holes = residuals.copy()
    holes[4, 1] = np.nan
    holes[9, 2] = np.nan  # of the absent market, so that the day stays
    found = block_bootstrap(holes, event)
    expected = block_bootstrap(np.delete(residuals[:, :2], 4, axis=0), event[:, :2])
    assert (found.p_value, found.statistic, found.n) == (expected.p_value, expected.statistic, 79)


def test_block_bootstrap_gives_its_reasons():
    assert (
        "at least 30 days on which all cases have a residual; 29 given"
        in block_bootstrap(normal(1, 29), np.ones(1)).note
    )
    assert "at least 40 days" in block_bootstrap(normal(1, 35), np.ones(40)).note
    assert block_bootstrap(normal(1, 60), np.array([np.nan])).note == "no case has all of its event sessions"
    empty = block_bootstrap(np.empty((0, 2)), np.ones((1, 2)), draws=1)
    assert "at least 30 days on which all cases have a residual; 0 given" in empty.note
    assert "do not vary" in block_bootstrap(np.column_stack([normal(1, 60), np.zeros(60)]), np.ones((1, 2))).note


# --- arguments and shared pieces


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sign_flip(np.ones((3, 3))), "values has shape"),
        (lambda: sign_flip(np.array([1.0, np.inf])), "values holds 1 infinite value"),
        (lambda: sign_flip(normal(1, 20), draws=0), "draws=0 gives nothing to compare with; the bound is 1"),
        (lambda: studentised_permutation(normal(1, 9), np.ones((2, 5))), "other has shape"),
        (lambda: group_difference(np.ones((2, 2)), normal(1, 9)), "first has shape"),
        (
            lambda: wild_bootstrap(normal(1, 9), "mammen"),
            "weights='mammen' is not offered. Choose 'rademacher' or 'webb'",
        ),
        (lambda: block_bootstrap(normal(1, 50), np.ones((2, 2))), r"residuals has shape \(50,\) and abnormal \(2, 2\)"),
        (lambda: block_bootstrap(np.ones((50, 3)), np.ones((1, 2))), "the same cases in the columns of both"),
        (lambda: block_bootstrap(np.full(50, np.inf), np.ones(1)), "residuals or abnormal holds an infinite value"),
        (lambda: block_bootstrap(normal(1, 50), np.ones(1), block=0), "block=0 is no mean block length"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(WindowError, match=message):
        call()


def test_random_subsets_are_uniform_and_without_repeats():
    drawn = np.sort(random_subsets(5, 2, 20_000, seed=1), axis=1)
    found, counts = np.unique(drawn, axis=0, return_counts=True)
    assert found.tolist() == [list(pair) for pair in combinations(range(5), 2)]
    assert stats.chisquare(counts).pvalue > 0.001


def test_subsets_and_signs_start_with_the_observed_and_hold_all_where_few():
    rows, complete = subsets(6, 2, draws=15, seed=0)
    assert complete and rows[0].tolist() == [4, 5]
    assert {tuple(row) for row in rows.tolist()} == set(combinations(range(6), 2))
    drawn, complete = subsets(6, 2, draws=14, seed=0)
    assert not complete and drawn.shape == (15, 2) and drawn[0].tolist() == [4, 5]
    signs, complete = sign_vectors(4, draws=1, seed=0)
    assert complete and {tuple(row) for row in signs.tolist()} == {
        (1.0, *rest) for rest in product([1.0, -1.0], repeat=3)
    }


def test_equal_on_paper_counts_as_large():
    assert share_as_large(np.array([0.1 + 0.2, 0.3, 0.29])) == 2 / 3
    assert share_as_large(np.array([np.inf, np.inf, 1e300])) == 2 / 3
    assert share_as_large(np.array([1e-17, 0.0, 1.0, 2.0])) == 1.0


def test_draws_repeat_with_the_seed_and_inputs_stay():
    values, other = normal(1, 16, 0.3), normal(2, 300)
    copies = values.copy(), other.copy()
    for run in (
        lambda seed: sign_flip(values, 500, seed),
        lambda seed: studentised_permutation(values, other, 500, seed),
        lambda seed: wild_bootstrap(values, "webb", 500, seed),
        lambda seed: block_bootstrap(other, values[:1], 200, seed),
    ):
        assert run(1).p_value == run(1).p_value
        assert len({run(seed).p_value for seed in range(6)}) > 1
    np.testing.assert_array_equal(values, copies[0])
    np.testing.assert_array_equal(other, copies[1])
