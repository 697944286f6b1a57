"""Buy-and-hold returns, volume and range against figures by hand, brute force and the bundled CSI 300 bars."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import events
from market_reaction.errors import MarketReactionWarning, WindowError
from market_reaction.outcomes import OUTCOMES, abnormal_outcome, buy_and_hold, log_garman_klass, log_range, log_volume
from market_reaction.placebo import placebo_test
from market_reaction.prices import PriceData
from market_reaction.study import EventStudyResult, event_study
from market_reaction.windows import EventWindows

WHEN = {"one": "2022-06-15 12:00 UTC"}


def with_bars(rows: int = 900) -> PriceData:
    """One series with seeded open, high, low, close and volume."""
    closes = seeded_closes(rows=rows)
    rng = np.random.default_rng(5)
    series = price_data(closes)["m0"]
    close = closes["m0"]
    first = close.shift(1).fillna(close)
    reach = np.exp(np.abs(rng.standard_normal((rows, 2))) * 0.006)
    bars = pd.DataFrame(
        {
            "open": first,
            "high": np.maximum(first, close) * reach[:, 0],
            "low": np.minimum(first, close) / reach[:, 1],
            "close": close,
            "volume": np.exp(15 + 0.3 * rng.standard_normal(rows)),
        }
    )
    return PriceData({"m0": replace(series, bars=bars)})


PRICES = with_bars()


def study(prices: PriceData = PRICES, when: dict | None = None, **options) -> EventStudyResult:
    return event_study(prices, events.load_events(when or WHEN), **options)


@pytest.mark.parametrize("outcome", ["volume", "range", "garman_klass"])
def test_the_outcome_is_the_log_less_its_mean_over_its_forecast_spread(outcome: str) -> None:
    result = study()
    bars = PRICES["m0"].bars
    spread = np.log(bars["high"] / bars["low"])
    body = np.log(bars["close"] / bars["open"])
    values = {
        "volume": np.log(bars["volume"]),
        "range": np.log(spread),
        "garman_klass": 0.5 * np.log(0.5 * spread**2 - (2 * np.log(2) - 1) * body**2),
    }[outcome].to_numpy()
    at = result.pairs["one", "m0"].position
    inside = values[at - 130 : at - 10]
    for window, ahead in (
        ((0, 0), values[at : at + 1]),
        ((0, 5), values[at : at + 6]),
        ((-2, 1), values[at - 2 : at + 2]),
    ):
        row = abnormal_outcome(result, outcome, window=window, history=120).loc[("one", "m0")]
        error = inside.std(ddof=1) * np.sqrt(1 / len(ahead) + 1 / 120)
        assert row["estimate"] == pytest.approx(ahead.mean() - inside.mean(), abs=1e-11)  # log(a / b) and log a - log b
        assert row["std_error"] == pytest.approx(error, rel=1e-10)
        assert row["statistic"] == pytest.approx(row["estimate"] / error, rel=1e-10)
        assert row["times_usual"] == pytest.approx(np.exp(row["estimate"]))
        assert "approximate; p is the placebo's" in row["note"]


def test_the_p_is_the_rank_among_the_same_statistic_on_the_pool_days_of_the_returns() -> None:
    result = study()
    row = abnormal_outcome(result, "volume", window=(0, 1), history=150).loc[("one", "m0")]
    pool = placebo_test(result, PRICES, history=150).markets["one", "m0"].pool_sessions
    values = np.log(PRICES["m0"].bars["volume"].to_numpy())

    def statistic(at: int) -> float:
        inside = values[at - 130 : at - 10]
        return (values[at : at + 2].mean() - inside.mean()) / (inside.std(ddof=1) * np.sqrt(1 / 2 + 1 / 120))

    others = np.array([statistic(PRICES["m0"].sessions.get_loc(day)) for day in pool])
    own = abs(statistic(result.pairs["one", "m0"].position))
    assert len(others) == row["n_placebo"] == 150
    assert row["placebo_p"] == pytest.approx((1 + (np.abs(others) >= own).sum()) / 151)


def test_buy_and_hold_compounds_both_returns() -> None:
    result = study(returns="simple", windows=EventWindows(event=(0, 5)))
    pair = result.pairs["one", "m0"]
    row = abnormal_outcome(result, "bhar", window=(0, 5), history=120).loc[("one", "m0")]
    closes, at = PRICES["m0"].closes, pair.position
    mean = (closes[at - 130 : at - 10] / closes[at - 131 : at - 11] - 1).mean()
    assert row["estimate"] == pytest.approx(closes[at + 5] / closes[at - 1] - (1 + mean) ** 6, abs=1e-13)
    gradient = np.full(6, (1 + mean) ** 5)
    assert row["std_error"] == pytest.approx(np.sqrt(gradient @ pair.forecast_cov @ gradient), rel=1e-9)
    assert np.isnan(row["times_usual"]) and row["n_placebo"] == 120
    one_day = abnormal_outcome(result, "bhar", history=120).loc[("one", "m0")]
    assert one_day["estimate"] == pytest.approx(pair.day_zero, abs=1e-15)
    test = placebo_test(result, PRICES, history=120).markets["one", "m0"]
    assert (one_day["placebo_p"], one_day["statistic"]) == pytest.approx((test.scaled.p_value, test.statistic))


def test_buy_and_hold_by_hand() -> None:
    # 1.1 * 0.9 - 1.01 * 1.01 = 0.99 - 1.0201
    assert buy_and_hold(np.array([0.1, -0.1]), np.array([0.01, 0.01])) == pytest.approx(-0.0301)


@settings(max_examples=25, deadline=None)
@given(unit=st.floats(1e-3, 1e3))
def test_the_unit_of_volume_and_of_prices_changes_nothing(unit: float) -> None:
    bars = PRICES["m0"].bars
    for of in (log_range, log_garman_klass):
        np.testing.assert_allclose(of(bars * unit), of(bars), atol=1e-9)
    np.testing.assert_allclose(log_volume(bars * unit) - log_volume(bars), np.log(unit), atol=1e-9)


def test_bars_without_volume_or_range_are_absent_and_no_zero() -> None:
    bars = pd.DataFrame({"volume": [0.0, np.nan, np.e], "high": [2.0, 1.0, np.e], "low": [2.0, np.nan, 1.0]})
    np.testing.assert_array_equal(log_volume(bars), [np.nan, np.nan, 1.0])
    np.testing.assert_array_equal(log_range(bars), [np.nan, np.nan, 0.0])


def test_an_asset_with_several_events_keeps_them_apart() -> None:
    when = {"a": "2022-06-15 12:00 UTC", "b": "2022-09-14 12:00 UTC"}
    both = abnormal_outcome(study(when=when), "volume", history=120)
    assert both.index.tolist() == [("a", "m0"), ("b", "m0")]
    for event_id, time in when.items():
        alone = abnormal_outcome(study(when={event_id: time}), "volume", history=120)
        pd.testing.assert_series_equal(both.loc[(event_id, "m0")], alone.loc[(event_id, "m0")])


def test_a_series_without_the_column_says_so() -> None:
    result = study(price_data(seeded_closes(rows=900)))
    row = abnormal_outcome(result, "volume").loc[("one", "m0")]
    assert row["note"] == "the frame series of 'm0' has no volume" and np.isnan(row["estimate"])
    assert "no open and no high and no low" in abnormal_outcome(result, "garman_klass").loc[("one", "m0"), "note"]
    yields = price_data(seeded_closes(rows=900), asset_class="yield", return_kind="difference")
    held = abnormal_outcome(study(yields, returns="simple"), "bhar").loc[("one", "m0")]
    assert held["note"] == "'m0' moves in percentage points, which do not compound"


def test_sessions_to_skip_do_not_enter_the_usual_level() -> None:
    other = events.load_events({"x": "2022-03-16 12:00 UTC"})
    loud = PRICES["m0"].bars.copy()
    at = loud.index.get_loc("2022-03-16")
    loud.iloc[at : at + 6, loud.columns.get_loc("volume")] *= 50
    prices = PriceData({"m0": replace(PRICES["m0"], bars=loud)})
    quiet, noisy = (
        abnormal_outcome(study(data, skip=other), "volume", history=120).loc[("one", "m0"), ["estimate", "std_error"]]
        for data in (PRICES, prices)
    )
    pd.testing.assert_series_equal(quiet, noisy)


@pytest.mark.parametrize(
    ("outcome", "options", "says"),
    [
        ("turnover", {}, "outcome='turnover' is not known; choose one of bhar, volume, range, garman_klass"),
        ("bhar", {}, "compounds simple returns; run event_study with returns='simple'"),
        ("volume", {"window": (1, 0)}, r"window=\(1, 0\) is no window"),
        (
            "volume",
            {"window": (0, 11)},
            r"window=\(0, 11\) holds 12 sessions, and the estimation window ends 11 before",
        ),
        ("volume", {"window": (-11, -8)}, "reach into the event's own"),
    ],
)
def test_what_cannot_be_measured_is_refused(outcome, options, says) -> None:
    with pytest.raises(WindowError, match=says):
        abnormal_outcome(study(), outcome, **options)
    with pytest.raises(WindowError, match=r"window=\(0, 6\) reaches beyond the offsets 0 to 5 of this study"):
        abnormal_outcome(study(returns="simple"), "bhar", window=(0, 6))


def test_the_chinese_market_on_7_april_2025() -> None:
    """The day after the tariffs: volume from data/bundled/csi300.csv, mean and spread worked out with pandas here."""
    table = mr.load_events({"reply": "2025-04-04 10:00 UTC"})
    prices = mr.load_prices(["CSI 300"], events=table, source="bundled")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarketReactionWarning)
        result = mr.event_study(prices, table, returns="simple")
    rows = {name: abnormal_outcome(result, name).loc[("reply", "CSI 300")] for name in OUTCOMES}
    bars = prices["CSI 300"].bars
    at = bars.index.get_loc("2025-04-07")
    volume = np.log(bars["volume"])
    usual = np.exp(volume.iloc[at - 130 : at - 10].mean())
    assert rows["volume"]["times_usual"] == pytest.approx(bars["volume"].iloc[at] / usual)
    assert rows["volume"]["times_usual"] == pytest.approx(1.62, abs=0.005)
    assert rows["range"]["times_usual"] == pytest.approx(3.64, abs=0.005)
    assert rows["bhar"]["estimate"] == pytest.approx(-0.0725, abs=5e-5)
    # a fall that no day of the pool matched, on a range few matched, with volume that was not unusual
    assert rows["bhar"]["placebo_p"] == rows["bhar"]["placebo_p_floor"] == pytest.approx(1 / 501)
    assert rows["range"]["placebo_p"] < 0.06 < 0.2 < rows["volume"]["placebo_p"]
