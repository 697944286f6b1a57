import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import events
from market_reaction.design import benchmark_moves
from market_reaction.engine import Panel, abnormal_returns
from market_reaction.errors import (
    AmbiguousSessionWarning,
    DataQualityWarning,
    InstrumentTableError,
    OverlappingEventsWarning,
    UnknownInstrumentError,
    WindowError,
)
from market_reaction.inference.selection import record_lengths
from market_reaction.instruments import find_instrument
from market_reaction.prices import moves_between
from market_reaction.records import DaysAsLarge, record_of
from market_reaction.sources.bundled import BundledSource
from market_reaction.study import event_study
from market_reaction.windows import EventWindows

CLOSES = seeded_closes(rows=400, columns=3)
WHEN = {"one": "2021-01-13 12:00 UTC"}


def study(closes: pd.DataFrame = CLOSES, when: dict | None = None, **options):
    changes = options.pop("instrument", {})
    return event_study(price_data(closes, **changes), events.load_events(when or WHEN), **options)


def test_day_zero_and_windows_are_measured_from_the_reaction_session() -> None:
    result = study()
    pair = result.pairs["one", "m0"]
    at = CLOSES.index.get_loc("2021-01-13")
    moves = np.log(CLOSES["m0"]).diff().to_numpy()
    mean = moves[at - 130 : at - 10].mean()
    assert pair.day_zero == pytest.approx(moves[at] - mean, abs=1e-15)
    car, error = pair.car((0, 5))
    s = moves[at - 130 : at - 10].std(ddof=1)
    assert car == pytest.approx(moves[at : at + 6].sum() - 6 * mean, abs=1e-14)
    assert error == pytest.approx(s * np.sqrt(6 + 36 / 120), rel=1e-12)
    assert result.fits().loc[("one", "m0"), "nobs"] == 120


def test_scaling_shifting_order_and_an_unrelated_market_change_nothing() -> None:
    base = study().car()
    shifted = CLOSES.set_axis(CLOSES.index + pd.Timedelta(days=7))
    moved = study(shifted, {"one": "2021-01-20 12:00 UTC"}).car()
    np.testing.assert_allclose(base.to_numpy(), moved.to_numpy(), rtol=1e-12)
    alone = study(CLOSES[["m1"]]).car()
    np.testing.assert_array_equal(base.loc[("one", "m1")].to_numpy(), alone.loc[("one", "m1")].to_numpy())
    squared = study(CLOSES**2).car()  # log returns double
    np.testing.assert_allclose(squared["estimate"], 2 * base["estimate"], rtol=1e-9)
    np.testing.assert_allclose(squared["statistic"], base["statistic"], rtol=1e-9)
    two = {"a": "2020-12-01 12:00 UTC", "b": "2021-01-13 12:00 UTC"}
    forward, backward = study(when=two).car(), study(when=dict(reversed(two.items()))).car()
    pd.testing.assert_frame_equal(forward.sort_index(), backward.sort_index())


def test_inputs_are_not_changed() -> None:
    closes, table = CLOSES.copy(), events.load_events(WHEN)
    prices, before = price_data(closes), table.copy()
    event_study(prices, table)
    pd.testing.assert_frame_equal(closes, CLOSES)
    pd.testing.assert_frame_equal(table, before)


def test_differences_stay_differences_whatever_is_asked() -> None:
    yields = {"asset_class": "yield", "return_kind": "difference"}
    pair = study(instrument=yields, returns="simple").pairs["one", "m0"]
    at = CLOSES.index.get_loc("2021-01-13")
    assert pair.actual[0] == pytest.approx(CLOSES["m0"].iloc[at] - CLOSES["m0"].iloc[at - 1])


def test_several_events_use_the_event_values() -> None:
    when = {"a": "2020-11-02 12:00 UTC", "b": "2020-12-01 12:00 UTC", "c": "2021-01-13 12:00 UTC"}
    result = study(when=when)
    cars = result.car()["estimate"].xs("m0", level="market")
    row = result.caar().loc["m0"]
    assert row["estimate"] == pytest.approx(cars.mean())
    assert row["std_error"] == pytest.approx(cars.std(ddof=1) / np.sqrt(3))
    assert (row["df"], row["n_events"]) == (2, 3)
    assert result.summary().loc["m0", "n_excluded"] == 0


def test_the_market_model_takes_the_benchmark_over_the_same_sessions() -> None:
    sparse = CLOSES.copy()
    sparse.loc[sparse.index[250], "m0"] = (
        np.nan
    )  # the asset did not trade: its next return spans two benchmark sessions
    prices = price_data(sparse)
    series, market = prices["m0"], prices["m2"]
    moves = benchmark_moves(series, market, None)
    at = series.sessions.get_loc(sparse.index[251])
    two_days = np.log(sparse["m2"].iloc[251] / sparse["m2"].iloc[249])
    assert moves[at] == pytest.approx(two_days)


def test_a_benchmark_must_be_loaded_and_another_market() -> None:
    with pytest.raises(UnknownInstrumentError, match="no default benchmark"):
        study(normal_model="market")
    with pytest.raises(UnknownInstrumentError, match="'S&P 500' is not among the loaded markets: m0, m1, m2"):
        study(normal_model="market", benchmark="S&P 500")
    with pytest.raises(WindowError, match="cannot be its own benchmark"):
        study(normal_model="market", benchmark="m0")


def test_events_beyond_the_data_are_listed_together_or_excluded() -> None:
    when = WHEN | {"early": "2020-03-02 12:00 UTC", "late": "2030-01-02 12:00 UTC"}
    with pytest.raises(WindowError) as caught:
        study(when=when)
    assert "event 'early' needs 131 sessions before 2020-03-02 for 'm0', but its prices start 2020-01-01 (43" in str(
        caught.value
    )
    assert "event 'late' has its reaction session after the last row of 'm0'" in str(caught.value)
    result = study(when=when, on_bad_event="exclude")
    assert set(result.excluded["event_id"]) == {"early", "late"}
    assert result.car().index.get_level_values("event_id").unique().tolist() == ["one"]


def test_a_window_that_is_not_over_is_nan_and_not_shortened() -> None:
    last = CLOSES.index[-3]
    result = study(when={"e": f"{last:%Y-%m-%d} 12:00 UTC"}, windows=EventWindows(event=((0, 1), (0, 5))))
    assert np.isfinite(result.car((0, 1))["estimate"]).all()
    assert result.car((0, 5))["estimate"].isna().all()


def test_non_positive_levels_have_no_log_return_and_are_named() -> None:
    closes = CLOSES.copy()
    closes.iloc[200, 0] = -36.98
    result = study(closes)
    assert result.pairs["one", "m0"].fit.nobs == 118
    rows = result.excluded[result.excluded["market"] == "m0"]
    assert rows["session"].tolist() == [closes.index[200], closes.index[201]]
    assert rows["reason"].str.contains("-36.98").all()


def test_an_ambiguous_session_and_a_bad_row_warn() -> None:
    with pytest.warns(
        AmbiguousSessionWarning, match=r"straddle a close of 'm0': 2021-01-13 and 2021-01-14 are possible"
    ):
        study(CLOSES[["m0"]], {"a": "2021-01-13 21:00 UTC"})
    closes = CLOSES[["m0"]].copy()
    closes.loc["2021-01-15"] *= 100
    with pytest.warns(DataQualityWarning, match="'one' uses 'm0' on 2021-01-15: spike"):
        study(closes)


def test_overlapping_events_warn() -> None:
    with pytest.warns(
        OverlappingEventsWarning, match="'a' and 'b' share sessions of 'm0'.* one cluster; their single CARs share"
    ):
        study(CLOSES[["m0"]], {"a": "2021-01-13 12:00 UTC", "b": "2021-01-15 12:00 UTC"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study(when={"a": "2021-01-13 12:00 UTC", "b": "2021-01-21 12:00 UTC"})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            {"estimation": (-250, 0), "event": (0, 20)},
            r"estimation=\(-250, 0\) and the event window from 0 share session 0",
        ),
        ({"estimation": (-130, -3), "event": (-5, 5)}, "End estimation at -6 or earlier"),
        ({"event": (5, 0)}, r"event=\(5, 0\) is no window"),
        ({"estimation": (-20, -11)}, "at least 30"),
        ({"event": ()}, "no window"),
    ],
)
def test_windows_that_cannot_work_are_refused(arguments, says) -> None:
    with pytest.raises(WindowError, match=says):
        EventWindows(**arguments)


def test_windows_as_the_command_line_gives_them() -> None:
    assert EventWindows.parse("0:1,-1:5").event == ((0, 1), (-1, 5))
    assert EventWindows(event=(0, 1)) == EventWindows.parse("0:1")
    with pytest.raises(WindowError, match="not of the form first:last"):
        EventWindows.parse("0-1")


def test_records_in_words() -> None:
    days = pd.bdate_range("2025-05-12", periods=8)
    moves = np.array([np.nan, 0.02, -0.01, 0.004, -0.02, 0.0, 0.01, 0.03])
    row = record_of(moves, days, 6)
    assert (row.direction, row.sessions, row.chance, row.since) == ("gain", 5, 0.2, days[1])
    assert row.text == "largest one-day gain since 2025-05-13, 5 sessions earlier (1 day in 5 by chance)"
    assert record_of(moves, days, 7).text.startswith("largest one-day gain of the 7 sessions at hand, since 2025-05-13")
    assert record_of(moves, days, 5).text == "unchanged"
    assert record_of(moves, days, 0) is None
    assert "no record" in record_of(np.array([np.nan, 0.03, 0.02]), days[:3], 2).text


def test_a_yield_that_rose_as_much_before_is_no_record_by_its_last_digit() -> None:
    """US 2-year, 4.09 - 4.02 and 4.02 - 3.95: 7 basis points each, though no binary number is."""
    levels = np.array([3.90, 3.95, 4.02, 4.09, 4.05])
    moves = moves_between(levels, "difference")
    assert np.diff(levels)[1] != np.diff(levels)[2]
    np.testing.assert_array_equal(moves[1:], [0.05, 0.07, 0.07, -0.04])
    record = record_of(moves, pd.bdate_range("2025-06-02", periods=5), 3)
    assert record is not None and record.since == pd.Timestamp("2025-06-04") and record.sessions == 1


def test_a_share_that_moved_as_much_before_is_no_record_by_its_last_digit() -> None:
    """10.00 to 11.00 and 14.50 to 15.95 are 10% each, as shares at their daily limit move; no binary number is."""
    moves = np.array([np.nan, 15.95 / 14.5 - 1, -0.05, 11 / 10 - 1])
    assert moves[1] < moves[3]
    days = pd.bdate_range("2025-06-02", periods=4)
    record = record_of(moves, days, 3)
    assert record is not None and record.since == days[1] and record.sessions == 2
    assert record_lengths(moves, 1).tolist()[1:] == [1.0, 0.0, 2.0]
    assert DaysAsLarge.of(moves, 3) == (1, 2)


def test_a_rise_as_large_as_an_earlier_fall_counts_it_among_the_days_as_large() -> None:
    """100.00 to 88.80 and 75.00 to 83.40 are 11.2% each."""
    moves = np.array([np.nan, 88.8 / 100 - 1, 83.4 / 75 - 1])
    assert -moves[1] < moves[2]
    assert DaysAsLarge.of(moves, 2) == (1, 1)


def test_records_of_the_two_year_yield_are_those_of_whole_basis_points() -> None:
    ends = pd.Timestamp("2003-01-02"), pd.Timestamp("2004-03-31")
    series = BundledSource().fetch(find_instrument("US 2y"), *ends)
    points = np.rint(100 * series.closes).astype(int)
    steps = np.diff(points, prepend=points[0])
    row = series.sessions.get_loc("2004-01-28")
    earlier = max(at for at in range(row) if steps[at] >= steps[row])
    record = record_of(series.returns(), series.sessions, row)
    assert record is not None and record.since == series.sessions[earlier] == pd.Timestamp("2003-10-16")


def test_instrument_rows_are_validated() -> None:
    with pytest.raises(InstrumentTableError, match="'diff'; allowed are log, simple, difference"):
        price_data(CLOSES, return_kind="diff")
    with pytest.raises(InstrumentTableError, match="take 'difference'"):
        price_data(CLOSES, asset_class="yield")


def test_only_events_left_out_whole_count_as_excluded() -> None:
    closes = CLOSES[["m0"]].copy()
    closes.iloc[200, 0] = -36.98
    assert study(closes).summary().loc["m0", "n_excluded"] == 0


def test_options_outside_their_range_are_refused() -> None:
    with pytest.raises(WindowError, match="returns='difference' is not known"):
        study(returns="difference")
    with pytest.raises(WindowError, match="level=95 is no coverage"):
        study().car(level=95)


def test_a_session_on_which_all_events_moved_alike_has_no_band() -> None:
    days = {"a": "2018-01-22 15:00 UTC", "b": "2018-03-01 15:00 UTC"}
    events = mr.load_events(days)
    prices = mr.load_prices(["US 2y"], events=events, source="bundled")
    study = mr.event_study(prices, events, normal_model="zero_mean")
    paths = np.array([np.cumsum(pair.abnormal) for pair in study.pairs.values()])
    alike = np.isclose(paths[0], paths[1], rtol=0, atol=1e-9)
    assert alike.any() and not alike.all()
    bands = study.bands()
    np.testing.assert_allclose(bands["car"], paths.mean(axis=0))
    edges = bands[["conf_low", "conf_high", "simultaneous_low", "simultaneous_high"]]
    assert edges[alike].isna().all(axis=None) and edges[~alike].notna().all(axis=None)
    error = np.abs(paths[0] - paths[1])[~alike] / 2
    np.testing.assert_allclose(edges["conf_high"][~alike] - bands["car"][~alike], stats.t.ppf(0.975, 1) * error)


def test_a_yield_that_comes_back_has_moved_by_nothing() -> None:
    """Six moves of the 10-year yield add up to 0 on paper and to 3e-18 in binary numbers, which counted as a rise."""
    chosen = ["2018-04-03-us", "2018-04-04-cn", "2018-12-05-us"]
    prices = mr.load_prices(["US 10y"], "2015-01-02", "2019-12-31", source="bundled")
    with pytest.warns(match="straddle|share sessions"):
        study = mr.event_study(prices, mr.load_events().loc[chosen], normal_model="zero_mean")
    moves = study.to_frame().groupby("event_id")["abnormal_return"].sum()
    assert moves.abs().max() < 1e-15 and moves.ne(0).any()
    assert study.car((0, 5))["estimate"].eq(0).all()
    positions = np.array([pair.position for pair in study.pairs.values()])
    for kernel in ("gather", "sums"):
        for paths in (True, False):
            found = abnormal_returns(
                Panel(prices["US 10y"].returns()[None]), np.zeros(3, dtype=int), positions, model="zero_mean",
                windows=[(0, 5)], kernel=kernel, paths=paths,
            )  # fmt: skip
            assert (found.car == 0).all()


def test_two_events_that_moved_a_yield_alike_have_no_t() -> None:
    """Both CARs are 0.06 on paper; they differ in their last binary digit, and t was 1e16."""
    prices = mr.load_prices(["US 2y"], "2015-01-02", "2019-12-31", source="bundled")
    chosen = mr.load_events().loc[["2018-03-08-us", "2018-07-20-us"]]
    with pytest.warns(match="straddle"):
        study = mr.event_study(prices, chosen, normal_model="zero_mean")
    cars = study.car((0, 5))["estimate"]
    assert cars.nunique() == 2 and cars.to_numpy() == pytest.approx(0.06)
    row = study.caar((0, 5)).loc["US 2y"]
    assert row[["statistic", "p_value", "conf_low", "conf_high", "mde"]].isna().all()
    assert (row["estimate"], row["n_clusters"]) == (pytest.approx(0.06), 2)
