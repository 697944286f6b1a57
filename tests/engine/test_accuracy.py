"""How near the engine comes to a centred least-squares fit in extended precision, on panels that are hard on sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_reaction.engine import AbnormalReturns, Panel, abnormal_returns

ESTIMATION = (-80, -11)
WINDOWS = ((-5, 5), (0, 1), (0, 0))
SESSIONS, ASSETS = 500, 3
EXTENDED = np.longdouble
ROUNDING = np.finfo(float).eps / 2


def extended_fit(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients, inverse cross products and residuals of a regression on centred columns in extended precision."""
    design = np.column_stack([np.ones(len(y), EXTENDED), x])
    gram, moments = design.T @ design, design.T @ y
    full = np.column_stack([gram, np.eye(len(gram), dtype=EXTENDED), moments])
    for pivot in range(len(gram)):
        full[pivot] /= full[pivot, pivot]
        for row in range(len(gram)):
            if row != pivot:
                full[row] -= full[row, pivot] * full[pivot]
    coefficients, inverse = full[:, -1], full[:, len(gram) : -1]
    for _ in range(2):
        coefficients = coefficients + inverse @ (design.T @ (y - design @ coefficients))
    return coefficients, inverse, y - design @ coefficients


def reference(panel: Panel, asset: int, day: int, window: tuple[int, int]) -> tuple[float, float, float] | None:
    """CAR, its standard error, and what rounding of the inputs alone does to the CAR; None where there is a hole."""
    first, last = ESTIMATION
    if day + first < 0 or day + window[1] >= panel.n_sessions:
        return None
    rows = slice(day + first, day + last + 1)
    factors = panel.factors.astype(EXTENDED)
    returns = panel.returns[asset].astype(EXTENDED)
    known = np.isfinite(panel.returns[asset, rows])
    x, y = factors[rows][known], returns[rows][known]
    centre, level = x.mean(axis=0), y.mean()
    scale = np.abs(x - centre).max(axis=0)
    coefficients, inverse, residuals = extended_fit(y - level, (x - centre) / scale)
    at = slice(day + window[0], day + window[1] + 1)
    ahead = np.column_stack([np.ones(at.stop - at.start, EXTENDED), (factors[at] - centre) / scale])
    abnormal = returns[at] - level - ahead @ coefficients
    total = ahead.sum(axis=0)
    variance = residuals @ residuals / (known.sum() - len(coefficients))
    error = np.sqrt(variance * (len(ahead) + total @ inverse @ total))
    moved = np.abs(returns[at] - level).sum() + np.abs(ahead * coefficients).sum()
    moved += np.abs(y - level).max() * (1 + np.sqrt(np.abs(total[1:] @ inverse[1:, 1:] @ total[1:]) * len(y)))
    return float(abnormal.sum()), float(error), float(64 * ROUNDING * moved)


def assert_near(panel: Panel, found: AbnormalReturns, assets: np.ndarray, days: np.ndarray) -> int:
    """Compare with the reference where there is one; gives the number of comparisons."""
    compared = 0
    for at, (asset, day) in enumerate(zip(assets, days, strict=True)):
        for number, window in enumerate(WINDOWS):
            expected = reference(panel, asset, day, window) if found.df[at] > 0 else None
            if expected is None or np.isnan(expected[0]):
                continue
            car, error, rounding = expected
            if rounding > error * 1e-4:  # nothing of a spread is left in double precision
                continue
            assert abs(found.car[at, number] - car) <= 1e-10 * error + rounding
            assert abs(found.car_std_error[at, number] / error - 1) <= 1e-10 + rounding / error
            compared += 1
    return compared


@st.composite
def panels(draw: st.DrawFn) -> Panel:
    """Returns with holes and outliers, tiny spreads, offsets, and factors in any unit."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    width = draw(st.integers(1, 4))
    factors = rng.standard_t(4, (SESSIONS, width)) * 0.01
    slopes = rng.normal(0.8, 0.5, (ASSETS, width))
    spread = draw(st.sampled_from([0.02, 1e-4, 1e-6, 1e-9]))
    returns = slopes @ factors.T + spread * rng.standard_normal((ASSETS, SESSIONS))
    units = np.array([10.0 ** draw(st.integers(-8, 8)) for _ in range(width)])
    factors = factors * units + draw(st.sampled_from([0.0, 0.0, 100.0])) * units
    returns += draw(st.sampled_from([0.0, 0.0, 1.0, 1e3]))
    for _ in range(draw(st.integers(0, 3))):
        size = draw(st.sampled_from([1e4, -1e4, 10.0]))
        returns[rng.integers(ASSETS), rng.integers(SESSIONS)] += size
    if draw(st.booleans()):
        factors[rng.integers(SESSIONS), 0] += 1e4 * units[0]
    holes = rng.random(returns.shape) < draw(st.sampled_from([0.0, 0.0, 0.1]))
    returns[holes] = np.nan
    return Panel(returns, factors=factors)


@pytest.mark.parametrize("kernel", ["gather", "sums"])
@pytest.mark.parametrize("paths", [True, False])
@given(panel=panels(), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_hard_panels(paths, kernel, panel, seed):
    rng = np.random.default_rng(seed)
    assets, days = rng.integers(0, ASSETS, 12), rng.integers(80, SESSIONS - 5, 12)
    found = abnormal_returns(
        panel, assets, days, model="factors", estimation=ESTIMATION, windows=WINDOWS, kernel=kernel, paths=paths
    )
    assert_near(panel, found, assets, days)


@pytest.mark.parametrize("kernel", ["gather", "sums"])
@pytest.mark.parametrize("paths", [True, False])
def test_levels_of_a_million(paths, kernel):
    rng = np.random.default_rng(2)
    market = rng.normal(0, 0.01, SESSIONS)
    panel = Panel(1e6 + market + rng.normal(0, 0.02, (ASSETS, SESSIONS)), factors=1e3 + market)
    assets, days = rng.integers(0, ASSETS, 60), rng.integers(80, SESSIONS - 5, 60)
    found = abnormal_returns(
        panel, assets, days, estimation=ESTIMATION, windows=WINDOWS, kernel=kernel, paths=paths
    )  # fmt: skip
    assert not found.fell_back.any()
    for at, (asset, day) in enumerate(zip(assets, days, strict=True)):
        for number, window in enumerate(WINDOWS):
            car, error, _ = reference(panel, asset, day, window)
            assert abs(found.car[at, number] - car) <= 1e-10 * error
            assert abs(found.car_std_error[at, number] / error - 1) <= 1e-10


def test_the_plain_loop_is_not_exact_at_levels_of_a_million():
    rng = np.random.default_rng(2)
    market = 1e3 + rng.normal(0, 0.01, SESSIONS)
    panel = Panel(1e6 + market + rng.normal(0, 0.02, (ASSETS, SESSIONS)), factors=market)
    rows = slice(200 + ESTIMATION[0], 200 + ESTIMATION[1] + 1)
    design = np.column_stack([np.ones(70), market[rows]])
    plain = np.linalg.lstsq(design, panel.returns[0, rows], rcond=None)[0]
    car, error, _ = reference(panel, 0, 200, (0, 0))
    assert abs(panel.returns[0, 200] - plain[0] - plain[1] * market[200] - car) > 1e-9 * error


def test_events_after_an_outlier_fall_back_and_those_before_it_do_not():
    rng = np.random.default_rng(4)
    market = rng.normal(0, 0.01, SESSIONS)
    returns = market + rng.normal(0, 0.02, (ASSETS, SESSIONS))
    returns[0, 250] = 1e4
    panel = Panel(returns, factors=market)
    days = np.arange(80, SESSIONS - 5)
    found = abnormal_returns(
        panel, np.zeros(len(days), int), days, estimation=ESTIMATION, windows=WINDOWS, kernel="sums"
    )
    after = days - 11 >= 250
    assert found.fell_back[after & (days - 80 > 250)].all()
    others = abnormal_returns(
        panel, np.ones(len(days), int), days, estimation=ESTIMATION, windows=WINDOWS, kernel="sums"
    )
    assert not others.fell_back.any()
    assert assert_near(panel, found, np.zeros(len(days), int), days) > 1000


@pytest.mark.parametrize("model", ["zero_mean", "market_adjusted"])
def test_fixed_models_after_an_outlier(model):
    rng = np.random.default_rng(6)
    returns = rng.normal(0, 0.02, (1, SESSIONS))
    returns[0, 100] = 1e4
    panel = Panel(returns, factors=rng.normal(0, 0.01, SESSIONS))
    days = np.arange(300, 480)
    options = {"model": model, "estimation": ESTIMATION, "windows": WINDOWS}
    found = abnormal_returns(panel, np.zeros(180, int), days, kernel="sums", **options)
    exact = abnormal_returns(panel, np.zeros(180, int), days, kernel="gather", **options)
    assert found.fell_back.all()
    np.testing.assert_array_equal(found.car_std_error, exact.car_std_error)
    lean = abnormal_returns(panel, np.zeros(180, int), days, kernel="sums", paths=False, **options)
    np.testing.assert_array_equal(lean.car, exact.car)


def test_a_constant_security_has_no_spread_and_no_warning():
    panel = Panel(np.zeros((1, SESSIONS)), factors=np.random.default_rng(0).normal(0, 0.01, SESSIONS))
    for kernel in ("gather", "sums"):
        found = abnormal_returns(panel, [0], [200], kernel=kernel)
        assert found.residual_std[0] == 0 and (found.car == 0).all() and found.df[0] == 118


def test_typical_long_history_needs_no_fall_back():
    rng = np.random.default_rng(8)
    market = rng.standard_t(4, 7500) * 0.01
    panel = Panel(market + rng.standard_t(4, (4, 7500)) * 0.02, factors=market)
    assets, days = rng.integers(0, 4, 2000), rng.integers(260, 7489, 2000)
    for estimation in ((-70, -11), (-130, -11), (-260, -11)):
        found = abnormal_returns(panel, assets, days, estimation=estimation, windows=((-10, 10), (0, 1)), kernel="sums")
        assert found.fell_back.mean() < 0.01


def with_breaks(rng: np.random.Generator, sessions: int) -> Panel:
    """Spreads and levels that change by powers of ten, trending factors, gaps in both, and sessions to skip."""
    factors = rng.standard_t(4, sessions) * 0.01
    returns = factors + rng.standard_normal((ASSETS, sessions)) * 10.0 ** rng.integers(-6, -1)
    factors *= 10.0 ** rng.integers(-6, 7)
    factors += np.cumsum(rng.standard_normal(sessions)) * factors.std() * rng.choice([0.0, 0.1, 10.0])
    factors[: sessions // 2] *= 10.0 ** rng.integers(0, 4)
    returns[:, : sessions // 2] *= 10.0 ** rng.integers(0, 6)
    returns[:, sessions // 3 :] += rng.choice([0.0, 0.01, 10.0])
    returns[1:][rng.random((ASSETS - 1, sessions)) < 0.1] = np.nan
    factors[rng.random(sessions) < rng.choice([0.0, 0.05])] = np.nan
    skip = (None, rng.random(sessions) < 0.1, rng.random(returns.shape) < 0.1)[rng.integers(3)]
    return Panel(returns, factors, skip)


@pytest.mark.parametrize("paths", [True, False])
@pytest.mark.parametrize("model", ["constant_mean", "zero_mean", "market_adjusted", "market", "dimson"])
def test_sums_of_long_histories_with_breaks_are_near_gather_or_fall_back(model, paths):
    rng = np.random.default_rng(12)
    stayed = 0
    for number in range(24):
        sessions = (600, 3000, 20_000)[number % 3]
        panel = with_breaks(rng, sessions)
        assets, days = rng.integers(0, ASSETS, 200), rng.integers(0, sessions, 200)
        options = {"model": model, "estimation": ESTIMATION, "windows": ((-10, 10), (0, 0), (3, 30))}
        options |= {"lags": 2, "leads": 1} if model == "dimson" else {}
        exact = abnormal_returns(panel, assets, days, kernel="gather", **options)
        found = abnormal_returns(panel, assets, days, kernel="sums", paths=paths, **options)
        np.testing.assert_array_equal(np.isnan(found.car), np.isnan(exact.car))
        np.testing.assert_array_equal(found.df, exact.df)
        np.testing.assert_array_equal(found.n_known, exact.n_known)
        known = ~np.isnan(exact.car)
        assert (np.abs(found.car - exact.car)[known] <= 1e-10 * exact.car_std_error[known]).all()
        np.testing.assert_allclose(found.car_std_error[known], exact.car_std_error[known], rtol=1e-10)
        stayed += int((known.any(axis=1) & ~found.fell_back).sum())
    assert stayed > 300
