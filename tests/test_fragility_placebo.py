"""Joint placebo over markets and windows at once: against placebo_test, and against models fitted window by window."""

from __future__ import annotations

import numpy as np
import pytest

import market_reaction as mr
from market_reaction.engine import Panel
from market_reaction.engine.placebo import joint_placebo, joint_ranks, own_spread, scaled_cars
from market_reaction.errors import WindowError
from market_reaction.inference.scales import ewma_volatility
from market_reaction.normal_models import rolling_paths
from market_reaction.placebo import pseudo_announcements, sessions_at
from market_reaction.sessions import SessionClock, locate

MARKETS = ["CSI 300", "VIX", "US 10y", "USD/CNY"]


@pytest.fixture(scope="module")
def moves() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    found = [rng.standard_t(5, 900) * 0.01 for _ in range(3)]
    found[1][400:410] = np.nan
    return found


def test_day_zero_gives_the_joint_test_of_placebo_test() -> None:
    events = mr.load_events({"london": "2025-06-10 22:50 UTC"})
    prices = mr.load_prices(MARKETS, events=events, source="bundled")
    study = mr.event_study(prices, events)
    expected = mr.placebo_test(study, prices).joint["london"]
    event = events.iloc[0]
    clocks = [SessionClock.of(series) for series in prices]
    day_zero = np.array([locate(clock, event).position for clock in clocks])
    stamps = pseudo_announcements(event, 900)
    positions = np.column_stack([sessions_at(clock, event, stamps) for clock in clocks])
    usable = (positions <= day_zero - 11).all(axis=1)
    positions = positions[np.argmax(usable) :]
    returns = [series.returns() for series in prices]
    found = joint_placebo(
        [Panel(row[None]) for row in returns], day_zero, positions, [ewma_volatility(row) for row in returns],
        windows=[(0, 0), (0, 1)],
    )  # fmt: skip
    assert found[0, 0].event == pytest.approx(expected.event, rel=1e-9)
    assert found[0, 0].pool == pytest.approx(expected.pool, rel=1e-7, abs=1e-10)
    for name, rank in expected.ranks.items():
        assert found[0, 0].ranks[name].p_value == rank.p_value
    assert found[0, 1].ranks["maximum"].n_placebo == 500


def test_every_window_equals_models_fitted_one_by_one(moves: list[np.ndarray]) -> None:
    positions = np.column_stack(
        [np.arange(850, 250, -1), np.arange(849, 249, -1), np.repeat(np.arange(850, 550, -1), 2)]
    )
    scales = [ewma_volatility(row) for row in moves]
    windows = [(0, 0), (-1, 3)]
    found = scaled_cars([Panel(row[None]) for row in moves], positions, scales, windows=windows)
    for market, row in enumerate(moves):
        for at, (first, last) in enumerate(windows):
            taus = np.arange(first, last + 1)
            paths = rolling_paths("constant_mean", row, None, positions[:, market], (-130, -11), taus=taus)
            expected = paths.sum(axis=1) / scales[market][positions[:, market]] / np.sqrt(len(taus))
            assert found[:, market, at] == pytest.approx(expected, rel=1e-8, abs=1e-10, nan_ok=True)
    assert np.isnan(found[:, 1]).any() and np.isfinite(found[:, 0]).all()


def test_each_set_of_sessions_counts_once_and_must_be_complete() -> None:
    positions = np.array([[9, 5], [9, 5], [8, 5], [7, 4], [6, 4]])
    values = np.array([[1.0, 2.0], [1.0, 2.0], [0.5, 2.0], [np.nan, 3.0], [4.0, 3.0]])
    found = joint_ranks(np.array([3.0, -3.5]), values, positions, np.array([1.0, 1.0]), count=3)
    assert found.rows.tolist() == [0, 2, 4]
    assert found.pool.tolist() == [[1.0, 2.0], [0.5, 2.0], [4.0, 3.0]]
    assert found.ranks["maximum"].statistic == 3.5 and found.ranks["maximum"].n_placebo == 3
    assert np.isnan(found.ranks["maximum"].p_value)  # fewer than 100
    assert own_spread(values, positions, 3) == pytest.approx([np.std([1, 0.5, 4], ddof=1), np.std([2, 3], ddof=1)])
    assert joint_ranks(np.array([3.0, 3.0]), values[:0], positions[:0], np.ones(2)).ranks["maximum"].n_placebo == 0


def test_a_market_that_does_not_vary_leaves_no_joint_rank_and_says_so() -> None:
    positions = np.column_stack([np.arange(200, 0, -1)] * 2)
    values = np.column_stack([np.sin(np.arange(200.0)), np.zeros(200)])
    for scale in (np.array([1.0, 0.0]), np.array([1.0, np.nan])):
        found = joint_ranks(np.array([3.0, 0.0]), values, positions, scale, signs=np.array([1.0, 1.0]))
        assert set(found.ranks) == {"maximum", "quadratic", "signed_mean"} and found.pool.shape == (0, 2)
        for rank in found.ranks.values():
            assert np.isnan(rank.p_value) and "in 1 of 2 markets the statistic does not vary" in rank.note


def test_sessions_outside_a_panel_have_no_statistic(moves: list[np.ndarray]) -> None:
    found = scaled_cars([Panel(moves[0][None])], np.array([[5], [899], [2000]]), [ewma_volatility(moves[0])])
    assert np.isnan(found[[0, 2]]).all() and np.isfinite(found[1]).all()


def test_shapes_that_do_not_fit_are_refused(moves: list[np.ndarray]) -> None:
    panels, scales = [Panel(row[None]) for row in moves], [ewma_volatility(row) for row in moves]
    with pytest.raises(WindowError, match=r"positions has shape \(4, 2\).*one column a panel"):
        scaled_cars(panels, np.zeros((4, 2), dtype=int), scales)
    with pytest.raises(WindowError, match=r"positions has shape .* and type float64"):
        scaled_cars(panels, np.zeros((4, 3)), scales)
    with pytest.raises(WindowError, match=r"scales holds 2 arrays for 3 panels"):
        scaled_cars(panels, np.zeros((4, 3), dtype=int), scales[:2])
    with pytest.raises(WindowError, match="market 0 has 3 securities"):
        scaled_cars([Panel(np.array(moves))], np.zeros((4, 1), dtype=int), scales[:1])
