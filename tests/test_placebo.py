"""The placebo test against its definition, worked out day by day, and its pure parts against known values."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from helpers import price_data, seeded_closes
from market_reaction import events
from market_reaction.inference.placebo import as_large, joint_statistics, latest_distinct, placebo_rank
from market_reaction.inference.scales import ewma_volatility, mad_std
from market_reaction.instruments import find_instrument
from market_reaction.placebo import placebo_test
from market_reaction.prices import PriceData
from market_reaction.sources.bundled import BundledSource
from market_reaction.study import event_study
from market_reaction.windows import EventWindows

MARKETS = ("CSI 300", "VIX", "USD/CNY")


@pytest.fixture(scope="module")
def prices() -> PriceData:
    bundled, ends = BundledSource(), (pd.Timestamp("2022-01-01"), pd.Timestamp("2025-12-01"))
    series = [bundled.fetch(find_instrument(name), *ends) for name in MARKETS]
    return PriceData({item.name: item for item in series})


def slow_volatility(moves: np.ndarray) -> np.ndarray:
    sigma, seen, variance = np.full(len(moves), np.nan), [], None
    for at, move in enumerate(moves):
        if variance is not None:
            sigma[at] = variance**0.5
        if not np.isfinite(move):
            continue
        if variance is None:
            seen.append(move**2)
            if len(seen) == 60:
                variance = sum(seen) / 60
        else:
            variance = 0.97 * variance + 0.03 * move**2
    return sigma


def slow_placebo(prices: PriceData, instant: dt.datetime, zone: str, history: int) -> tuple[dict, float]:
    """The definition in plain loops: returns p by market and the joint maximum p."""
    scaled, day_zero, lookup = {}, {}, {}
    for series in prices:
        moves = series.returns()
        sigma = slow_volatility(moves)
        values = np.full(len(moves), np.nan)
        for at in range(131, len(moves)):
            values[at] = (moves[at] - np.mean(moves[at - 130 : at - 10])) / sigma[at]
        scaled[series.name] = values
        closes = [close.to_pydatetime() for close in series.close_utc]
        lookup[series.name] = lambda t, closes=closes: next((i for i, c in enumerate(closes) if c > t), len(closes))
        day_zero[series.name] = lookup[series.name](instant)
    local = instant.astimezone(ZoneInfo(zone))
    day, pseudo = local.date(), []
    while len(pseudo) < history * 2:
        day -= dt.timedelta(days=1)
        if day.weekday() < 5:
            t = dt.datetime.combine(day, local.time(), tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
            pseudo.append({name: find(t) for name, find in lookup.items()})
    while any(pseudo[0][name] > day_zero[name] - 11 for name in pseudo[0]):
        pseudo.pop(0)
    result = {}
    pools = {}
    for name, values in scaled.items():
        order = list(dict.fromkeys(row[name] for row in pseudo))
        pools[name] = [values[at] for at in order if np.isfinite(values[at])][:history]
        event = abs(values[day_zero[name]])
        result[name] = (1 + sum(abs(v) >= event for v in pools[name])) / (1 + len(pools[name]))
    vectors = list(dict.fromkeys(tuple(row.values()) for row in pseudo))[:history]
    sd = {name: np.std(pool, ddof=1) for name, pool in pools.items()}
    most = [max(abs(scaled[n][at]) / sd[n] for n, at in zip(scaled, row, strict=True)) for row in vectors]
    at_event = max(abs(scaled[n][day_zero[n]]) / sd[n] for n in scaled)
    return result, (1 + sum(m >= at_event for m in most)) / (1 + len(most))


@pytest.mark.parametrize(
    ("when", "zone"),
    [("2025-06-10 22:50", "Europe/London"), ("2025-05-12 06:00", "UTC"), ("2025-04-02 20:10", "America/New_York")],
)
def test_the_placebo_equals_its_definition_worked_out_day_by_day(prices, when, zone) -> None:
    instant = dt.datetime.fromisoformat(when).replace(tzinfo=dt.UTC)
    local = pd.Timestamp(instant).tz_convert(zone)
    table = events.load_events({"e": f"{local:%Y-%m-%d %H:%M} {zone}"})
    got = placebo_test(event_study(prices, table, windows=EventWindows(event=(0, 1))), prices, history=150)
    own, joint = slow_placebo(prices, instant, zone, 150)
    for name, p_value in own.items():
        assert got.markets["e", name].scaled.p_value == pytest.approx(p_value, abs=1e-12)
        assert got.markets["e", name].scaled.n_placebo == 150
    assert got.joint["e"]["maximum"].p_value == pytest.approx(joint, abs=1e-12)


def test_the_london_framework_left_the_csi_300_within_its_ordinary_days(prices) -> None:
    result = event_study(prices, events.load_events("2025-06-10-jt"))
    found = placebo_test(result, prices).markets["2025-06-10-jt", "CSI 300"]
    z, _, z_ewma = result.pairs["2025-06-10-jt", "CSI 300"].z_values()
    assert z == pytest.approx(0.70, abs=0.005)
    assert z_ewma == pytest.approx(0.79, abs=0.005)
    assert found.scaled.p_value == pytest.approx(0.36, abs=0.01)
    assert (found.scaled.n_placebo, found.scaled.floor) == (500, pytest.approx(1 / 501))


def test_the_last_pool_session_lies_eleven_before_day_zero(prices) -> None:
    result = event_study(prices, events.load_events("2025-06-10-jt"))
    for (_, name), found in placebo_test(result, prices).markets.items():
        sessions = prices[name].sessions
        assert sessions.get_loc("2025-06-11") - sessions.get_loc(found.pool_sessions[0]) >= 11
        assert found.pool_sessions.is_unique


def test_excluded_events_leave_the_pool_and_are_counted(prices) -> None:
    result = event_study(prices, events.load_events("2025-06-10-jt"))
    catalogue = events.load_events()
    clean = placebo_test(result, prices, history=200, exclude=catalogue)
    found = clean.markets["2025-06-10-jt", "CSI 300"]
    assert found.n_left_out > 0
    assert found.scaled.n_placebo == 200
    full = placebo_test(result, prices, history=200).markets["2025-06-10-jt", "CSI 300"]
    gone = set(full.pool_sessions) - set(found.pool_sessions)
    assert pd.Timestamp("2025-05-13") in gone and pd.Timestamp("2025-04-07") in gone


def test_a_short_history_gives_no_p_and_says_why() -> None:
    prices = price_data(seeded_closes(rows=240))
    table = events.load_events({"e": f"{prices['m0'].sessions[-3]:%Y-%m-%d} 12:00 UTC"})
    found = placebo_test(event_study(prices, table, windows=EventWindows(event=(0, 1))), prices).markets["e", "m0"]
    assert np.isnan(found.scaled.p_value)
    assert "at least 100 are needed" in found.scaled.note
    assert found.mde == np.inf


def test_rank_counts_ties_and_has_the_floor_of_its_pool() -> None:
    pool = np.arange(1, 200) / 100
    assert placebo_rank(-1.99, pool).p_value == pytest.approx(2 / 200)
    assert placebo_rank(5.0, pool).p_value == placebo_rank(5.0, pool).floor == 1 / 200
    assert np.isnan(placebo_rank(np.nan, pool).p_value)
    assert np.isnan(placebo_rank(1.0, pool[:99]).p_value)


def test_days_equal_but_for_rounding_are_as_large() -> None:
    pool = np.append(np.linspace(0.5, 1, 100), [0.1 + 0.2, -0.3, 0.3 - 1e-6])
    assert pool[100] != 0.3
    for value in (0.3, pool[100]):  # equal on paper
        assert as_large(pool, value).tolist() == [True] * 102 + [False]
        assert placebo_rank(value, pool).p_value == pytest.approx(103 / 104)
    assert as_large(np.array([0.0, np.nan]), 0.0).tolist() == [True, False]
    assert not as_large(pool, np.nan).any() and not as_large(np.empty(0), 1.0).any()


@pytest.mark.parametrize("model", ["constant_mean", "rolling_mean"])
def test_events_studied_together_get_the_pools_they_get_alone(prices, model) -> None:
    days = {"a": "2024-11-06 12:00 UTC", "b": "2025-04-03 18:00 America/New_York", "c": "2025-06-10 22:50 UTC"}
    windows = EventWindows(event=(0, 1))
    together = event_study(prices, events.load_events(days), normal_model=model, windows=windows)
    found = placebo_test(together, prices, history=120)
    for name, when in days.items():
        study = event_study(prices, events.load_events({name: when}), normal_model=model, windows=windows)
        alone = placebo_test(study, prices, history=120)
        pd.testing.assert_frame_equal(found.summary().loc[[name]], alone.summary(), rtol=1e-9)
        pd.testing.assert_frame_equal(found.joint_summary().loc[[name]], alone.joint_summary(), rtol=1e-9)


def test_joint_statistics_divide_each_market_first() -> None:
    got = joint_statistics(np.array([1.0, 10.0]), np.array([[2.0, 5.0], [0.5, 40.0]]), np.array([1.0, 10.0]))
    assert got["maximum"][0] == 1.0 and got["maximum"][1].tolist() == [2.0, 4.0]
    assert got["quadratic"][0] == 2.0 and got["quadratic"][1].tolist() == [4.25, 16.25]


def test_distinct_rows_keep_their_order() -> None:
    assert latest_distinct(np.array([[3, 1], [3, 1], [2, 1], [3, 0]]), 2).tolist() == [[3, 1], [2, 1]]


def test_volatility_is_known_the_session_before() -> None:
    moves = np.random.default_rng(3).normal(0, 0.01, 300)
    moves[[0, 50, 120]] = np.nan
    np.testing.assert_allclose(ewma_volatility(moves), slow_volatility(moves), rtol=1e-12)
    changed = moves.copy()
    changed[200] = 1.0
    assert ewma_volatility(changed)[200] == ewma_volatility(moves)[200]
    assert ewma_volatility(changed)[201] > ewma_volatility(moves)[201]
    assert np.isnan(ewma_volatility(moves[:60])).all()


def test_mad_is_the_normal_standard_deviation_for_normal_data() -> None:
    assert mad_std(np.array([1.0, 2.0, 3.0, 4.0, 100.0])) == pytest.approx(1.4826)
    assert mad_std(np.random.default_rng(1).normal(0, 2, 100_000)) == pytest.approx(2, rel=0.02)
    assert np.isnan(mad_std(np.array([np.nan])))


def test_a_long_gap_before_day_zero_does_not_shorten_the_pool(prices) -> None:
    windows = EventWindows(estimation=(-400, -201), event=(0, 1))
    found = placebo_test(event_study(prices, events.load_events("2025-06-10-jt"), windows=windows), prices)
    assert found.markets["2025-06-10-jt", "CSI 300"].scaled.n_placebo == 500


def test_a_dated_event_is_left_out_of_the_pool_by_its_session(prices) -> None:
    result = event_study(prices, events.load_events("2025-06-10-jt"))
    both = pd.concat([events.dated("2024-10-08"), events.load_events("2025-04-07 03:00 UTC")])
    found = placebo_test(result, prices, exclude=both).markets["2025-06-10-jt", "CSI 300"]
    full = placebo_test(result, prices).markets["2025-06-10-jt", "CSI 300"]
    assert set(full.pool_sessions) - set(found.pool_sessions) == {
        pd.Timestamp("2024-10-08"),
        pd.Timestamp("2025-04-07"),
    }
    assert found.n_left_out == 2
