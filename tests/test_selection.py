"""Chance rates of ranks, counts of large days and drifts against plain loops and exact probabilities."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_reaction.errors import WindowError
from market_reaction.inference.scales import ewma_volatility
from market_reaction.inference.selection import (
    days_at_least_as_large,
    record_chance,
    record_chance_any,
    record_lengths,
    scaled_drifts,
)
from market_reaction.instruments import find_instrument
from market_reaction.records import record_of
from market_reaction.sources.bundled import BundledSource

MOVE = st.one_of(st.just(np.nan), st.integers(-4, 4).map(float))


def slow_lengths(moves: np.ndarray, direction: int) -> list[float]:
    lengths = []
    for row, move in enumerate(moves):
        if np.isnan(move):
            lengths.append(np.nan)
        elif direction * move <= 0:
            lengths.append(0)
        else:
            back = 1
            while back <= row and not direction * moves[row - back] >= direction * move:
                back += 1
            lengths.append(back if back <= row else sum(not np.isnan(m) for m in moves[: row + 1]))
    return lengths


@settings(max_examples=50, deadline=None)
@given(st.lists(MOVE, max_size=40), st.sampled_from([1, -1]))
def test_lengths_are_those_of_a_walk_back(values: list[float], direction: int) -> None:
    moves = np.array(values, dtype=float)
    np.testing.assert_array_equal(record_lengths(moves, direction), slow_lengths(moves, direction))
    np.testing.assert_array_equal(record_lengths(moves, direction), record_lengths(-moves, -direction))


@settings(max_examples=30, deadline=None)
@given(st.lists(MOVE, min_size=1, max_size=30))
def test_lengths_are_those_of_the_records_in_words(values: list[float]) -> None:
    moves = np.array(values, dtype=float)
    days = pd.bdate_range("2025-01-01", periods=len(moves))
    up, down = record_lengths(moves, 1), record_lengths(moves, -1)
    for row in range(len(moves)):
        record = record_of(moves, days, row)
        if record is None:
            assert np.isnan(up[row]) and np.isnan(down[row])
        else:
            assert max(up[row], down[row]) == record.sessions


def test_the_largest_gain_of_19_sessions_comes_on_one_day_in_19() -> None:
    """methods.md 8.5b: 5.3% in one direction, 10.5% in either."""
    moves = np.random.default_rng(0).standard_t(4, 200_000)
    up, down = record_lengths(moves, 1)[1000:], record_lengths(moves, -1)[1000:]
    assert record_chance(up, 19) == pytest.approx(1 / 19, abs=0.0015)
    assert record_chance_any(up[:, None], down[:, None], 19) == pytest.approx(2 / 19, abs=0.002)


def test_one_of_three_markets_earns_such_a_record_on_a_quarter_of_days() -> None:
    """methods.md 8.5b gives 25% for CSI, Hang Seng and S&P; three independent ones would give 1 - (1 - 2/19)^3, 28%.

    The Hang Seng is not at hand; CSI 300, S&P 500 and dollar against yuan, on common days, should lie near that.
    """
    ends = (pd.Timestamp("2005-01-01"), pd.Timestamp("2025-06-10"))
    series = [BundledSource().fetch(find_instrument(name), *ends) for name in ("CSI 300", "S&P 500", "USD/CNY")]
    frame = pd.concat(
        {item.name: pd.Series(item.returns(), item.sessions) for item in series}, axis=1, sort=True
    ).dropna()
    up, down = (
        np.column_stack([record_lengths(frame[name].to_numpy(), direction) for name in frame])[100:]
        for direction in (1, -1)
    )
    assert record_chance_any(up, down, 19) == pytest.approx(0.25, abs=0.05)
    assert record_chance_any(up[:, :1], down[:, :1], 19) == pytest.approx(2 / 19, abs=0.02)


def test_absent_pool_days_do_not_count() -> None:
    lengths = np.array([0.0, 19.0, np.nan, 25.0, 3.0])
    assert record_chance(lengths, 19) == 0.5
    assert np.isnan(record_chance(np.array([np.nan]), 19))
    up = np.array([[19.0, np.nan], [np.nan, np.nan], [0.0, 2.0], [3.0, 0.0]])
    down = np.array([[0.0, np.nan], [np.nan, np.nan], [40.0, 0.0], [0.0, 18.0]])
    assert record_chance_any(up, down, 19) == pytest.approx(2 / 3)
    assert np.isnan(record_chance_any(up[1:2], down[1:2], 19))


@settings(max_examples=40, deadline=None)
@given(st.lists(MOVE, min_size=1, max_size=30), st.integers(1, 35), st.data())
def test_large_days_are_those_of_a_plain_count(values, window: int, data) -> None:
    moves = np.array(values, dtype=float)
    position = data.draw(st.integers(0, len(moves) - 1))
    if np.isnan(moves[position]):
        with pytest.raises(WindowError, match=f"position={position} has no move"):
            days_at_least_as_large(moves, position, window)
        return
    before = [m for m in values[max(0, position - window) : position] if not np.isnan(m)]
    expected = (sum(abs(m) >= abs(moves[position]) for m in before), len(before))
    assert days_at_least_as_large(moves, position, window) == expected


def test_drifts_are_sums_before_the_row_at_the_volatility_known_before_them() -> None:
    rng = np.random.default_rng(6)
    moves = rng.normal(0, 0.01, 400)
    moves[[90, 250]] = np.nan
    sigma = ewma_volatility(moves)
    rows = np.array([3, 60, 64, 65, 92, 200, 252, 399, 400])
    expected = [
        sum(moves[row - back] for back in range(1, 6)) / (sigma[row - 5] * 5**0.5) if row >= 5 else np.nan
        for row in rows
    ]
    found = scaled_drifts(moves, sigma, rows)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.isfinite(found).tolist() == [False, False, False, True, False, True, False, True, True]
    np.testing.assert_allclose(scaled_drifts(moves, sigma, rows, 1)[5], moves[199] / sigma[199], rtol=1e-12)


def test_day_zero_and_later_are_no_part_of_the_drift() -> None:
    moves = np.random.default_rng(6).normal(0, 0.01, 300)
    changed = moves.copy()
    changed[200:] = 1.0
    rows = np.array([200])
    found = scaled_drifts(changed, ewma_volatility(changed), rows)
    assert found == scaled_drifts(moves, ewma_volatility(moves), rows)
    assert np.isnan(scaled_drifts(moves, np.zeros(300), rows)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: record_lengths(x, 0), "direction=0 is not known; give 1 for gains or -1 for falls"),
        (lambda x: record_chance_any(x[:, None], x[:5, None], 3), r"shape \(9, 1\) and down_lengths \(5, 1\)"),
        (lambda x: days_at_least_as_large(x, 9), "position=9 has no move among the 9 rows"),
        (lambda x: days_at_least_as_large(x, -1), "position=-1 has no move"),
        (lambda x: days_at_least_as_large(x, 4, 0), "window=0 holds no session"),
        (lambda x: scaled_drifts(x, x[:5], np.array([6])), r"abnormal has shape \(9,\) and sigma \(5,\)"),
        (lambda x: scaled_drifts(x, x, np.array([6]), 0), "length=0 holds no session"),
        (lambda x: scaled_drifts(x, x, np.array([10])), "row 10 lies beyond the 9 sessions"),
    ],
)
def test_wrong_arguments_are_refused(call, message: str) -> None:
    with pytest.raises(WindowError, match=message):
        call(np.ones(9))
