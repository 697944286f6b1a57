"""Adjusted p against loops, R's p.adjust and another program; bands against closed forms and their coverage."""

import io
import re
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from market_reaction.errors import WindowError
from market_reaction.inference.multiple import benjamini_yekutieli, holm, romano_wolf, simultaneous_band
from market_reaction.inference.permutations import sign_vectors
from market_reaction.inference.placebo import placebo_rank
from market_reaction.inference.resampling import sign_flip

FEW = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 10_000)
FIFTEEN_DIGITS = 1e-10


def joint_draws(seed: int, draws: int, markets: int, rho: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    common = rng.standard_t(5, size=(draws, 1))
    return np.sqrt(rho) * common + np.sqrt(1 - rho) * rng.standard_t(5, size=(draws, markets))


def slow_romano_wolf(event: np.ndarray, pool: np.ndarray) -> list[float]:
    """The step-down read off the paper: test the largest, drop it, go on with the rest."""
    left, adjusted, before = list(range(len(event))), [np.nan] * len(event), 0.0
    while left:
        largest = max(left, key=lambda at: abs(event[at]))
        as_large = sum(max(abs(row[at]) for at in left) >= abs(event[largest]) for row in pool)
        before = max(before, (1 + as_large) / (1 + len(pool)))
        adjusted[largest] = before
        left.remove(largest)
    return adjusted


# --- Romano and Wolf


def test_step_down_is_the_loop_of_the_paper():
    for seed in range(8):
        pool, event = joint_draws(seed, 60, 5), 2 * joint_draws(seed + 100, 1, 5)[0]
        np.testing.assert_allclose(romano_wolf(event, pool), slow_romano_wolf(event, pool), rtol=1e-14)


def test_step_down_worked_out_by_hand():
    # |t| = 3, 2, 1. Maxima over all three: 2.5, 2, 4, 0.5 -> one of 4 reaches 3. Over the last two: 2.5, 1, 2, 0.5 ->
    # two reach 2. Over the last: 0.1, 1, 0.3, 0.2 -> one reaches 1, which would be 0.4, below the 0.6 before it.
    pool = np.array([[1.0, -2.5, 0.1], [2.0, 0.5, -1.0], [4.0, 2.0, 0.3], [0.5, 0.5, 0.2]])
    np.testing.assert_allclose(romano_wolf(np.array([-3.0, 2.0, 1.0]), pool), [0.4, 0.6, 0.6], rtol=1e-14)


@FEW
@given(SEEDS, st.integers(1, 7))
def test_adjusted_p_is_no_less_than_its_own_and_monotone(seed, markets):
    pool, event = joint_draws(seed, 99, markets), 2 * joint_draws(seed + 1, 1, markets)[0]
    adjusted = romano_wolf(event, pool)
    own = [placebo_rank(value, column, minimum=1).p_value for value, column in zip(event, pool.T, strict=True)]
    assert (adjusted >= own).all()
    assert (np.diff(adjusted[np.argsort(-np.abs(event))]) >= 0).all()
    assert adjusted.min() == placebo_rank(np.abs(event).max(), np.abs(pool).max(axis=1), minimum=1).p_value
    order = np.random.default_rng(seed).permutation(markets)
    np.testing.assert_array_equal(romano_wolf(-event[order], pool[::-1, order]), adjusted[order])


def test_one_market_keeps_its_own_p():
    pool = joint_draws(1, 200, 1)
    assert romano_wolf(np.array([1.3]), pool)[0] == placebo_rank(1.3, pool[:, 0]).p_value


def test_equal_statistics_have_equal_p():
    adjusted = romano_wolf(np.array([1.5, -1.5, 0.2]), joint_draws(4, 99, 3))
    assert adjusted[0] == adjusted[1]


def test_absent_markets_stay_nan_and_the_rest_is_as_without_them():
    pool, event = joint_draws(2, 50, 5), np.array([2.0, np.nan, 1.0, 0.5, 3.0])
    pool[:, 3] = np.nan  # no draw of this market
    pool[7, 1] = np.nan  # of an absent market, so that the draw stays
    pool[9, 0] = np.nan
    kept = [0, 2, 4]
    expected = np.full(5, np.nan)
    expected[kept] = slow_romano_wolf(event[kept], np.delete(pool[:, kept], 9, axis=0))
    np.testing.assert_allclose(romano_wolf(event, pool), expected, rtol=1e-14)
    assert np.isnan(romano_wolf(np.full(2, np.nan), joint_draws(1, 9, 2))).all()
    assert romano_wolf(np.empty(0), np.empty((9, 0))).shape == (0,)


def test_step_down_rejects_any_true_null_as_often_as_it_says():
    runs, rejected = 3000, 0
    for seed in range(runs):
        draws = joint_draws(seed, 100, 5, rho=0.7)
        rejected += romano_wolf(draws[0], draws[1:]).min() <= 0.05
    assert abs(rejected / runs - 0.05) < 3 * np.sqrt(0.05 * 0.95 / runs)  # 5 of 100 ranks, so 5% is attained


def test_step_down_counts_draws_that_are_equal_on_paper():
    """Moves of whole basis points tie under sign flips; with one market the step-down p is that of the flips."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        values = np.round(rng.normal(0.01, 0.01, 9), 4)
        signs, _ = sign_vectors(9, 999, 0)
        scale = np.sqrt(np.square(values).mean() / 9)
        stepped = romano_wolf(np.array([values.mean() / scale]), (signs[1:] @ values / 9 / scale)[:, None])
        assert stepped[0] == pytest.approx(sign_flip(values).p_value, abs=1e-12)


def test_step_down_refuses_other_shapes_and_infinite_values():
    with pytest.raises(
        WindowError, match=r"event has shape \(3,\) and pool \(9, 2\); they must be \(N,\) and \(S, N\)"
    ):
        romano_wolf(np.ones(3), np.ones((9, 2)))
    with pytest.raises(WindowError, match="event or pool holds an infinite value"):
        romano_wolf(np.array([1.0, np.inf]), np.ones((9, 2)))


# --- Holm, Benjamini and Yekutieli


def test_adjusted_p_of_r():
    # R 4.2.2: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") and "BY"; BY is 0.05 * (1 + 1/2 + ... + 1/5).
    p_values = np.array([0.03, 0.01, 0.05, 0.02, 0.04])
    np.testing.assert_allclose(holm(p_values), [0.09, 0.05, 0.09, 0.08, 0.09], rtol=1e-12)
    np.testing.assert_allclose(benjamini_yekutieli(p_values), np.full(5, 0.05 * 137 / 60), rtol=1e-12)


@pytest.mark.reference
def test_adjusted_p_of_another_program(reference: Path):
    text = (reference / "reference" / "EventStudy" / "output_p_adjust.csv").read_text(encoding="utf-8")
    table = pd.read_csv(io.StringIO(re.sub(r"\[(-?\d+), (-?\d+)\]", r"\1 to \2", text)))  # windows are not quoted there
    compared = 0
    for method, function in (("holm", holm), ("BY", benjamini_yekutieli)):
        for _, rows in table[table["method"] == method].groupby(["dataset", "returns", "model"]):
            for kind in ("aar", "caar"):
                found = function(rows[f"p_raw_{kind}"].to_numpy())
                np.testing.assert_allclose(found, rows[f"p_adj_{kind}"], rtol=FIFTEEN_DIGITS)
                compared += len(rows)
    assert compared >= 120


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), SEEDS)
def test_nan_is_kept_and_not_counted(values, seed):
    p_values = np.array(values)
    at = np.random.default_rng(seed).integers(0, len(values) + 1)
    with_nan = np.insert(p_values, at, np.nan)
    for function in (holm, benjamini_yekutieli):
        with mock.patch("gc.collect"):  # statsmodels' Holm calls it: half a second where many objects are alive
            found, alone = function(with_nan), function(p_values)
        assert np.isnan(found[at])
        np.testing.assert_array_equal(np.delete(found, at), alone)
        assert (alone >= p_values - 1e-15).all()


def test_no_p_at_all_and_wrong_p():
    assert np.isnan(holm(np.full(3, np.nan))).all() and holm(np.empty(0)).shape == (0,)
    with pytest.raises(WindowError, match=r"p_values holds 1\.2; a p lies between 0 and 1"):
        holm(np.array([0.1, 1.2, np.nan]))
    with pytest.raises(WindowError, match="p_values holds inf"):
        benjamini_yekutieli(np.array([0.1, np.inf]))
    with pytest.raises(WindowError, match="p_values has shape"):
        benjamini_yekutieli(np.ones((2, 2)))


# --- simultaneous bands


@pytest.mark.parametrize("df", [np.inf, 4.0])
def test_one_session_has_the_pointwise_interval(df):
    band = simultaneous_band(np.array([0.4]), covariance=np.array([[0.25]]), df=df, level=0.9, simulations=50)
    quantile = stats.norm.ppf(0.95) if np.isinf(df) else stats.t.ppf(0.95, df)
    assert band.critical == pytest.approx(quantile, rel=1e-12)
    expected = [0.4 - 0.5 * quantile, 0.4 + 0.5 * quantile]
    np.testing.assert_allclose([band.conf_low[0], band.conf_high[0]], expected, rtol=1e-12)
    np.testing.assert_allclose([band.pointwise_low[0], band.pointwise_high[0]], expected, rtol=1e-12)


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("sessions", [2, 6, 21])
def test_critical_value_of_independent_sessions_is_sidaks(level, sessions):
    band = simultaneous_band(np.zeros(sessions), covariance=np.diag(np.arange(1.0, sessions + 1)), level=level)
    # P(max <= c) = (2 Phi(c) - 1)^m; the simulated quantile has a standard error of about 0.01
    assert band.critical == pytest.approx(stats.norm.ppf((1 + level ** (1 / sessions)) / 2), abs=0.03)


def test_critical_value_of_one_shock_is_the_pointwise_one():
    weights = np.array([1.0, 2.0, 5.0])
    band = simultaneous_band(np.zeros(3), covariance=np.outer(weights, weights))
    assert band.critical == pytest.approx(stats.norm.ppf(0.975), abs=0.03)
    np.testing.assert_allclose(band.pointwise_high, weights * stats.norm.ppf(0.975), rtol=1e-12)


def test_band_with_t_errors_is_that_of_the_multivariate_t():
    covariance = 0.6 * np.ones((4, 4)) + 0.4 * np.eye(4)
    band = simultaneous_band(np.zeros(4), covariance=covariance, df=8)
    outside = stats.multivariate_t(shape=covariance, df=8, seed=1)
    inside = outside.cdf(np.full(4, band.critical), lower_limit=np.full(4, -band.critical))
    assert inside == pytest.approx(0.95, abs=0.005)


@FEW
@given(SEEDS, st.floats(0.01, 100.0), st.sampled_from([0.8, 0.95]))
def test_joint_band_holds_the_pointwise_one_and_scales(seed, unit, level):
    rng = np.random.default_rng(seed)
    root, path = rng.normal(size=(4, 4)), rng.normal(size=4)
    band = simultaneous_band(path, covariance=root @ root.T, level=level, simulations=400)
    assert (band.conf_low <= band.pointwise_low).all() and (band.conf_high >= band.pointwise_high).all()
    assert band.critical <= stats.norm.ppf(1 - (1 - level) / 8) + 1e-12
    scaled = simultaneous_band(-unit * path, covariance=unit**2 * root @ root.T, level=level, simulations=400)
    np.testing.assert_allclose(scaled.conf_high, -unit * band.conf_low, rtol=1e-9, atol=1e-9 * unit)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_band_covers_the_whole_cumulated_path_at_its_level(level):
    length, sessions, runs = 60, 5, 4000
    rng, steps = np.random.default_rng(6), np.arange(1, sessions + 1)
    unit = np.minimum.outer(steps, steps) + np.outer(steps, steps) / length  # covariance of a CAR path, in s^2
    critical = simultaneous_band(np.zeros(sessions), covariance=unit, level=level, df=length - 1).critical
    draws = rng.normal(size=(runs, length + sessions))
    before = draws[:, :length]
    path = np.cumsum(draws[:, length:] - before.mean(axis=1, keepdims=True), axis=1)
    largest = np.abs(path / np.sqrt(np.diag(unit)) / before.std(axis=1, ddof=1, keepdims=True)).max(axis=1)
    error = np.sqrt(level * (1 - level) / runs)
    assert abs(np.mean(largest <= critical) - level) < 3.5 * error
    pointwise = np.mean(largest <= stats.t.ppf((1 + level) / 2, length - 1))
    assert pointwise < level - 10 * error


def test_band_from_draws_is_the_order_statistic():
    draws, path = joint_draws(3, 99, 4) * [1.0, 2.0, 3.0, 4.0], np.array([1.0, -1.0, 0.0, 2.0])
    band = simultaneous_band(path, draws=draws, level=0.9)
    scale = [np.sqrt(sum(value**2 for value in column) / 99) for column in draws.T]
    largest = sorted(max(abs(value) / s for value, s in zip(row, scale, strict=True)) for row in draws)
    assert band.critical == pytest.approx(largest[89], rel=1e-12)  # the 90th of 99: a tenth of 100 ranks lies above
    np.testing.assert_allclose(band.conf_high - path, largest[89] * np.array(scale), rtol=1e-12)
    for at, column in enumerate(draws.T):
        assert path[at] - band.pointwise_low[at] == pytest.approx(sorted(np.abs(column))[89], rel=1e-12)


def test_one_session_of_draws_has_the_pointwise_interval():
    band = simultaneous_band(np.array([0.4]), draws=joint_draws(5, 199, 1))
    np.testing.assert_allclose([band.conf_low, band.conf_high], [band.pointwise_low, band.pointwise_high], rtol=1e-12)


@FEW
@given(SEEDS)
def test_band_from_draws_leaves_zero_out_where_the_placebo_of_the_maximum_rejects(seed):
    draws = joint_draws(seed, 59, 3)
    path = 2.0 * joint_draws(seed + 1, 1, 3)[0]
    band = simultaneous_band(path, draws=draws)
    scale = np.sqrt(np.square(draws).mean(axis=0))
    p_value = placebo_rank(np.abs(path / scale).max(), np.abs(draws / scale).max(axis=1), minimum=1).p_value
    assert bool(((band.conf_low > 0) | (band.conf_high < 0)).any()) == (p_value <= 0.05)


def test_band_from_too_few_draws_is_unbounded():
    few = simultaneous_band(np.zeros(2), draws=joint_draws(1, 18, 2))
    assert few.critical == np.inf and (few.conf_high == np.inf).all() and (few.pointwise_low == -np.inf).all()
    assert np.isfinite(simultaneous_band(np.zeros(2), draws=joint_draws(1, 19, 2)).critical)


def test_draws_with_nan_are_left_out_and_an_absent_session_stays_nan():
    draws, path = joint_draws(2, 100, 3), np.array([0.1, np.nan, 0.3])
    holes = draws.copy()
    holes[13, 2] = np.nan
    band = simultaneous_band(path, draws=holes)
    expected = simultaneous_band(path, draws=np.delete(draws, 13, axis=0))
    np.testing.assert_array_equal(band.conf_low, expected.conf_low)
    assert np.isnan(band.conf_low).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "covariance and draws are two sources of one band; give exactly one"),
        ({"covariance": np.eye(2), "draws": np.ones((30, 2))}, "give exactly one"),
        ({"covariance": np.eye(3)}, r"covariance has shape \(3, 3\); the path needs \(2, 2\)"),
        ({"covariance": np.array([[1.0, 0.2], [0.4, 1.0]])}, "covariance is not symmetric"),
        ({"covariance": np.array([[1.0, 2.0], [2.0, 1.0]])}, "covariance has a negative eigenvalue"),
        ({"covariance": np.diag([1.0, 0.0])}, "variances above 0"),
        ({"covariance": np.diag([1.0, np.nan])}, "covariance must be finite"),
        ({"covariance": np.eye(2), "df": 0}, "df=0 is no number of degrees of freedom"),
        ({"covariance": np.eye(2), "level": 1.0}, r"level=1\.0 is no share"),
        ({"covariance": np.eye(2), "simulations": 0}, "simulations=0 gives nothing to compare with"),
        ({"draws": np.ones((30, 3))}, r"draws has shape \(30, 3\); the path needs \(S, 2\)"),
        ({"draws": np.zeros((30, 2))}, "draws must be finite and differ from 0 in every session"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(WindowError, match=message):
        simultaneous_band(np.zeros(2), **arguments)


def test_path_must_be_one_path():
    with pytest.raises(WindowError, match=r"path has shape \(2, 2\); it must be \(m,\)"):
        simultaneous_band(np.zeros((2, 2)), covariance=np.eye(2))


def test_simulation_repeats_with_the_seed():
    first, again, other = (
        simultaneous_band(np.zeros(3), covariance=np.eye(3), seed=seed, simulations=2000).critical for seed in (1, 1, 2)
    )
    assert first == again != other
