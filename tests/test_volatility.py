"""GARCH fits against arch called directly and simulation; the GARCH rank against plain counting."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from arch import arch_model
from hypothesis import given, settings
from hypothesis import strategies as st

from market_reaction.errors import WindowError
from market_reaction.inference.volatility import fit_garch, garch_rank
from market_reaction.instruments import find_instrument
from market_reaction.sources.bundled import BundledSource

POOL = np.arange(300, 800)


def garch_moves(rows: int, seed: int = 0) -> np.ndarray:
    """GARCH(1,1) with t(6) errors, persistence 0.96, unconditional standard deviation 1%."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(6, rows + 200) * np.sqrt(4 / 6)
    moves, variance = np.empty(rows + 200), 1.0
    for row, shock in enumerate(shocks):
        moves[row] = np.sqrt(variance) * shock
        variance = 0.04 + 0.08 * moves[row] ** 2 + 0.88 * variance
    return 0.01 * moves[200:]


@pytest.fixture(scope="module")
def moves() -> np.ndarray:
    return garch_moves(900)


@pytest.fixture(scope="module")
def csi300() -> np.ndarray:
    series = BundledSource().fetch(find_instrument("CSI 300"), pd.Timestamp("2021-01-01"), pd.Timestamp("2025-06-10"))
    return series.returns()


@pytest.mark.parametrize("asymmetric", [False, True])
def test_the_fit_is_that_of_arch_on_returns_in_per_cent(csi300, asymmetric: bool) -> None:
    known = csi300[np.isfinite(csi300)]
    model = arch_model(100 * known, mean="Constant", vol="GARCH", p=1, o=int(asymmetric), q=1, dist="t", rescale=False)
    outside = model.fit(disp="off")
    found = fit_garch(csi300, asymmetric)
    assert found.converged
    # Two optimiser runs from differently scaled starts: agreement to the optimiser's tolerance.
    np.testing.assert_allclose(
        100 * found.conditional_std[np.isfinite(csi300)], outside.conditional_volatility, rtol=2e-3
    )
    forecast = outside.forecast(horizon=1, reindex=False).variance.iloc[-1, 0]
    assert 100 * found.next_std == pytest.approx(np.sqrt(forecast), rel=2e-3)
    assert 100 * found.params["mean"] == pytest.approx(outside.params["mu"], abs=2e-4)
    assert found.params["arch"] == pytest.approx(outside.params["alpha[1]"], abs=2e-3)
    assert found.params["garch"] == pytest.approx(outside.params["beta[1]"], abs=2e-3)
    assert found.params["asymmetry"] == pytest.approx(outside.params.get("gamma[1]", 0.0), abs=2e-3)
    assert found.degrees_of_freedom == pytest.approx(outside.params["nu"], rel=5e-3)


@pytest.mark.parametrize("asymmetric", [False, True])
def test_the_conditional_variance_follows_the_recursion(moves, asymmetric: bool) -> None:
    found = fit_garch(moves, asymmetric)
    params = found.params
    variance = np.append(found.conditional_std, found.next_std) ** 2
    shocks = moves - params["mean"]
    for row, shock in enumerate(shocks):
        weight = params["arch"] + (params["asymmetry"] if shock < 0 else 0.0)
        expected = params["omega"] + weight * shock**2 + params["garch"] * variance[row]
        assert variance[row + 1] == pytest.approx(expected, rel=1e-9)


def test_the_fit_finds_the_parameters_that_made_the_moves() -> None:
    found = fit_garch(garch_moves(6000, seed=2))
    assert found.params["arch"] == pytest.approx(0.08, abs=0.03)
    assert found.params["arch"] + found.params["garch"] == pytest.approx(0.96, abs=0.03)
    assert found.degrees_of_freedom == pytest.approx(6, abs=1.2)


def test_rows_without_a_move_are_left_out(moves) -> None:
    holed = np.insert(moves, [0, 100, 900], np.nan)
    found, whole = fit_garch(holed), fit_garch(moves)
    assert np.isnan(found.conditional_std[[0, 101, 902]]).all()
    np.testing.assert_array_equal(found.conditional_std[np.isfinite(holed)], whole.conditional_std)
    assert found.next_std == whole.next_std


@settings(max_examples=5, deadline=None)
@given(st.sampled_from([2.0**-20, 0.25, 2.0, 2.0**20]))
def test_the_unit_of_the_moves_does_not_matter(unit: float) -> None:
    base_moves = garch_moves(600)
    found, whole = fit_garch(unit * base_moves), fit_garch(base_moves)
    assert found.next_std == pytest.approx(unit * whole.next_std, rel=1e-9)
    rank = garch_rank(unit * base_moves, unit * 0.02, np.arange(100, 500))
    assert rank.statistic == pytest.approx(garch_rank(base_moves, 0.02, np.arange(100, 500)).statistic, rel=1e-9)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full(600, 0.001), "the moves are constant"),
        (np.full(600, np.nan), "there are no moves"),
        (np.append(np.zeros(599), 1e-12), r"did not converge \(optimiser flag 9: Iteration limit"),
    ],
)
def test_what_cannot_be_fitted_says_why_and_warns_of_nothing(values, reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit_garch(values)
    assert not found.converged and np.isnan(found.next_std) and np.isnan(found.conditional_std).all()
    assert re.search(reason, found.note)


def test_the_filters_for_warnings_are_as_before(moves) -> None:
    before = list(warnings.filters)
    fit_garch(moves)
    assert list(warnings.filters) == before


def test_the_rank_counts_standardised_moves_at_least_as_large(moves) -> None:
    model = arch_model(100 * moves, mean="Constant", vol="GARCH", p=1, q=1, dist="t", rescale=False).fit(disp="off")
    pool = np.abs(np.asarray(model.std_resid))[POOL]
    ahead = np.sqrt(model.forecast(horizon=1, reindex=False).variance.iloc[-1, 0])
    for move in (0.001, -0.012, 0.025, 0.2):
        z_value = (100 * move - model.params["mu"]) / ahead
        found = garch_rank(moves, move, POOL)
        assert found.statistic == pytest.approx(z_value, rel=2e-3, abs=1e-3)
        # The two fits differ in the fourth digit, so that a tie may fall on either side.
        assert found.p_value == pytest.approx((1 + np.sum(pool >= abs(z_value))) / 501, abs=2.1 / 501)
        assert (found.n, found.floor, found.distribution) == (500, 1 / 501, "500 pool days")
        assert found.validity == "approximate" and "Student-t" in found.note
    assert found.p_value == found.floor


def test_the_rank_allows_for_today_s_volatility(moves) -> None:
    calm = np.append(moves, np.full(60, 0.001) * np.tile([1, -1], 30))
    wild = np.append(moves, np.full(60, 0.03) * np.tile([1, -1], 30))
    assert garch_rank(calm, 0.02, POOL).p_value < 0.05 < garch_rank(wild, 0.02, POOL).p_value


def test_pool_days_without_a_move_do_not_count(moves) -> None:
    holed = moves.copy()
    holed[[310, 400]] = np.nan
    assert garch_rank(holed, 0.02, POOL).n == 498


@pytest.mark.parametrize(
    ("count", "move", "rows", "reason"),
    [
        (320, 0.01, np.arange(320), "stable GARCH parameters need 500 sessions; 320 given"),
        (900, 0.01, np.arange(99), "99 pool days; at least 100 are needed"),
        (900, np.nan, POOL, "the event day has no move"),
    ],
)
def test_the_rank_does_not_apply_to_too_little(moves, count, move, rows, reason: str) -> None:
    found = garch_rank(moves[:count], move, rows)
    assert not found.applies and found.validity == "not applicable"
    assert found.note == reason


@pytest.mark.parametrize("values", [np.full(600, 0.001), np.append(np.zeros(599), 1e-12)])
def test_the_rank_does_not_apply_without_a_fit(values) -> None:
    found = garch_rank(values, 0.01, np.arange(200))
    assert not found.applies
    assert found.note == fit_garch(values).note != ""


def test_wrong_arguments_are_refused(moves) -> None:
    with pytest.raises(WindowError, match="pool_rows run from -1 to 98; give rows of moves_before, 0 to 899"):
        garch_rank(moves, 0.01, np.arange(-1, 99))
    with pytest.raises(WindowError, match=r"moves has shape \(900, 1\)"):
        fit_garch(moves[:, None])
