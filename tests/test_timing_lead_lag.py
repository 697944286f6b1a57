"""Lead and lag: against statsmodels and numpy, on closes struck at other times, and where a market is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import market_reaction as mr
from market_reaction import theme
from market_reaction.errors import UnknownInstrumentError, WindowError
from market_reaction.inference.lead_lag import cross_correlations, dimson_betas, synchronised_correlation
from market_reaction.instruments import Instrument
from market_reaction.normal_models import fit_normal_model
from market_reaction.timing.hours import trading_hours
from market_reaction.timing.opens import opens_of
from market_reaction.timing.pairing import common_moves


@pytest.fixture(scope="module")
def prices() -> mr.PriceData:
    return mr.load_prices(["S&P 500", "CSI 300", "VIX", "E-mini S&P 500"], "2006-01-01", "2022-12-31", source="bundled")


@pytest.fixture(scope="module")
def found(prices) -> object:
    return mr.lead_lag(prices, "S&P 500", "CSI 300")


def asynchronous(correlation: float, apart: int, days: int = 4000, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Returns of two markets of a known synchronous correlation; the leader closes so many hours after the other."""
    rng = np.random.default_rng(seed)
    common, *own = rng.standard_normal((3, 24 * (days + 2)))
    paths = [np.cumsum(np.sqrt(correlation) * common + np.sqrt(1 - correlation) * noise) for noise in own]
    rows = np.arange(1, days + 2) * 24
    return np.diff(paths[0][rows + apart]), np.diff(paths[1][rows])


def test_correlations_and_dimson_betas_are_those_of_the_lagged_frame(found) -> None:
    moves = found.moves
    lagged = pd.concat({lag: moves["leader"].shift(lag) for lag in (1, 0, -1)}, axis=1)
    for lag in (-2, 0, 1, 3):
        expected = moves["follower"].corr(moves["leader"].shift(lag))
        assert found.correlations.loc[lag, "correlation"] == pytest.approx(expected)
    frame = pd.concat([moves["follower"], lagged], axis=1).dropna()
    fit = sm.OLS(frame["follower"], sm.add_constant(frame[[1, 0, -1]])).fit(cov_type="HAC", cov_kwds={"maxlags": 9})
    np.testing.assert_allclose(found.betas["beta"].iloc[:3], fit.params.iloc[1:])
    np.testing.assert_allclose(found.betas["std_error"].iloc[:3], fit.bse.iloc[1:])
    total = fit.t_test([[0, 1, 1, 1]])
    assert found.betas.loc["sum", "beta"] == pytest.approx(float(total.effect[0]))
    assert found.betas.loc["sum", "std_error"] == pytest.approx(float(total.sd[0, 0]))


def test_the_moves_are_log_returns_between_common_dates(prices, found) -> None:
    closes = pd.concat([prices[name].bars["close"] for name in ("S&P 500", "CSI 300")], axis=1, sort=True).dropna()
    expected = np.log(closes).diff().dropna()
    np.testing.assert_allclose(found.moves, expected)
    assert "416 dates between only one had a close" in found.notes[0]


def test_independent_normal_returns_have_the_textbook_error() -> None:
    x, y = np.random.default_rng(1).standard_normal((2, 20_000))
    y = 0.6 * x + 0.8 * y
    fit = cross_correlations(x, y, 0)
    assert fit.std_errors[0] == pytest.approx((1 - 0.6**2) / np.sqrt(20_000), rel=0.05)
    assert fit.conf_low[0] < 0.6 < fit.conf_high[0]


def test_intervals_hold_under_changing_volatility() -> None:
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(300):
        scale = np.exp(rng.standard_normal(800).cumsum() * 0.1)
        x, y = rng.standard_normal((2, 800)) * scale
        wrong += int(cross_correlations(x, y, 0).p_values[0] < 0.05)
    assert wrong / 300 < 0.11  # a textbook error would reject in about a third of the cases


@pytest.mark.parametrize("apart", [0, 5, 13, 20])
def test_synchronised_returns_give_back_the_correlation_that_the_clocks_hide(apart) -> None:
    leader, follower = asynchronous(0.6, apart)
    fit = cross_correlations(leader, follower, 2)
    assert fit.estimates[2] == pytest.approx(0.6 * (24 - apart) / 24, abs=0.05)  # same row
    assert fit.estimates[3] == pytest.approx(0.6 * apart / 24, abs=0.05)  # the leader's row before
    together = synchronised_correlation(leader, follower)
    assert together.estimates[0] == pytest.approx(0.6, abs=0.06)
    assert together.conf_low[0] < 0.6 < together.conf_high[0]


def test_the_synchronised_beta_is_that_of_scholes_and_williams() -> None:
    leader, follower = asynchronous(0.6, 13, days=3000)
    together = synchronised_correlation(leader, follower).estimates[0]
    spread = [np.cov(x[1:], x[:-1])[0, 1] * 2 + x.var() for x in (leader, follower)]
    fit = fit_normal_model("scholes_williams", follower, leader)
    slope = dict(zip(fit.names, fit.params, strict=True))["slope"]
    assert together * np.sqrt(spread[1] / spread[0]) == pytest.approx(slope, rel=0.01)


def test_dimson_is_the_normal_return_model_of_that_name() -> None:
    leader, follower = asynchronous(0.5, 13, days=500)
    each, _ = dimson_betas(leader, follower, lags=1, leads=0)
    fit = sm.OLS(follower[1:], sm.add_constant(np.column_stack([leader[:-1], leader[1:]]))).fit()
    np.testing.assert_allclose(each.estimates, fit.params[1:])


def test_the_clocks_of_new_york_and_shanghai_explain_the_lag(found) -> None:
    rows = found.correlations
    assert found.closes_apart == 13.0  # in summer 20:00 against 07:00 UTC; in winter 14
    assert rows.loc[1, "hours_in_common"] == pytest.approx(13.35 / 24, abs=0.005)
    assert rows.loc[0, "hours_in_common"] + rows.loc[1, "hours_in_common"] == pytest.approx(1, abs=0.001)
    assert rows.loc[1, "leader_trading_hours"] == 1.0  # all of New York's day
    assert list(rows.index[rows["beyond_the_clock"]]) == [-3, -2, -1, 2, 3]
    assert rows.loc[[0, 1], "holm_p"].isna().all()
    together = rows["correlation"].loc[-1:1].sum()
    assert rows.loc[1, "from_the_clock"] == pytest.approx(together * rows.loc[1, "hours_in_common"])
    assert "all of S&P 500's trading hours: the clocks alone bring about a correlation there" in found.answer()
    assert "nothing is distinguishable from zero" in found.answer()


def test_the_gap_takes_in_what_new_york_did(prices, found) -> None:
    gap = found.parts.loc["gap"]
    assert gap["correlation"] > 0.4 > abs(found.parts.loc["session", "correlation"])
    shanghai, york = prices["CSI 300"], prices["S&P 500"]
    opens = opens_of(shanghai)
    day = shanghai.sessions.get_loc(pd.Timestamp("2020-03-13"))
    moves = np.log(opens.levels[day] / shanghai.closes[day - 1])
    pairs = common_moves(york, shanghai, None, None)
    from market_reaction.timing.pairing import known_before_open

    known = known_before_open(york, shanghai, pairs)
    at = known.sessions.get_loc(pd.Timestamp("2020-03-13"))
    assert known.gap[at] == pytest.approx(moves)
    assert known.leader[at] == pytest.approx(np.log(2480.64 / 2741.38))  # New York on 12 March 2020, -9.99%


def test_swapping_the_two_mirrors_the_lags(prices, found) -> None:
    other = mr.lead_lag(prices, "CSI 300", "S&P 500")
    np.testing.assert_allclose(other.correlations["correlation"].to_numpy()[::-1], found.correlations["correlation"])
    assert other.synchronised.iloc[0]["correlation"] == pytest.approx(found.synchronised.iloc[0]["correlation"])
    assert "holds no open" in other.excluded["reason"].iloc[0]


def test_two_markets_with_one_clock_are_told_so(prices) -> None:
    closes = prices["S&P 500"].bars["close"].iloc[-400:]
    frame = pd.DataFrame({"a": closes, "b": closes.iloc[::-1].to_numpy()}, index=closes.index)
    maker = {name: Instrument(name, "index", bar_close="16:00 America/New_York") for name in ("a", "b")}
    result = mr.lead_lag(mr.PriceData.from_frame(frame, maker), "a", "b")
    assert "Both closes are struck at about the same time" in result.answer()


def test_a_missing_market_gives_the_reason_and_no_figures(prices) -> None:
    result = mr.lead_lag(prices, "E-mini S&P 500", "CSI 300")
    assert result.answer().startswith("No lead or lag of E-mini S&P 500 and CSI 300 is measured: E-mini S&P 500 is not")
    assert result.to_frame().empty and result.summary().empty
    assert "no figures" in theme.plain_title(result.plot())
    assert "is not available" in result._repr_html_()
    assert len(result.excluded) == 1


def test_the_printed_tables_are_correlations_and_betas_or_the_reason_for_none(prices, found) -> None:
    lags, betas = found.printed().values()
    assert list(found.printed()) == ["Correlation of CSI 300 with S&P 500 by lag", "Dimson betas of CSI 300 on S&P 500"]
    assert lags.columns.tolist() == [
        "Return of the leader", "Correlation", "95% interval", "p", "Holm p", "Hours in common", "From the clocks",
        "Rows",
    ]  # fmt: skip
    assert betas.columns.tolist() == ["Return of the leader", "Beta", "95% interval", "p", "Rows"]
    before = found.moves["follower"].corr(found.moves["leader"].shift(1))
    shown = lags.set_index("Return of the leader")["Correlation"]
    assert shown["S&P 500 of the date before"] == f"{before:+.2f}" == "+0.15"
    assert betas["Return of the leader"].tolist() == ["date before", "same date", "date after", "sum"]
    assert all(f">{name}</th>" in found._repr_html_() for name in lags.columns)
    none = mr.lead_lag(prices, "E-mini S&P 500", "CSI 300")
    (left,) = none.printed().values()
    assert left["Market"].tolist() == ["E-mini S&P 500, CSI 300"] and "not available" in left["Reason"].iloc[0]
    assert r"E-mini S\&P 500 is not available" in none.to_latex()


def test_the_answer_and_the_provenance_name_the_dates_that_were_used(prices, found) -> None:
    closes = pd.concat([prices[name].bars["close"] for name in ("S&P 500", "CSI 300")], axis=1, sort=True).dropna()
    closes = closes.loc["2015-01-01":"2019-12-31"]
    part = mr.lead_lag(prices, "S&P 500", "CSI 300", start="2015-01-01", end="2019-12-31")
    span = f"{len(closes) - 1:,} common dates, {closes.index[1]:%Y-%m-%d} to {closes.index[-1]:%Y-%m-%d}"
    assert part.answer().startswith(f"Over {span}, CSI 300 moves most closely")
    assert part.provenance().parameters["sample"] == span != found.provenance().parameters["sample"]
    assert f"sample {span}" in part.to_latex()
    empty = mr.lead_lag(prices, "E-mini S&P 500", "CSI 300")
    assert empty.provenance().parameters["sample"] == "none"


def test_the_gap_is_said_to_be_correlated(prices, found) -> None:
    assert "is in CSI 300's gap (correlation +0." in found.answer()
    assert "after it (correlation " in found.answer()


def test_too_few_common_dates_give_the_reason(prices) -> None:
    result = mr.lead_lag(prices, "S&P 500", "CSI 300", start="2022-12-01")
    assert "returns in common; at least 36 are needed" in result.answer()


def test_bad_arguments_name_themselves(prices) -> None:
    with pytest.raises(UnknownInstrumentError, match="'Gold' is not among the loaded markets"):
        mr.lead_lag(prices, "Gold", "CSI 300")
    with pytest.raises(WindowError, match="leader and follower are both 'CSI 300'; name two markets"):
        mr.lead_lag(prices, "CSI 300", "000300.SS")
    with pytest.raises(WindowError, match="max_lag=0 is no number of sessions from 1 to 20"):
        mr.lead_lag(prices, "VIX", "CSI 300", max_lag=0)
    with pytest.raises(WindowError, match="level=95 is no share"):
        mr.lead_lag(prices, "VIX", "CSI 300", level=95)
    with pytest.raises(WindowError, match="follower does not vary over its 50 rows"):
        cross_correlations(np.arange(50.0), np.ones(50))
    with pytest.raises(WindowError, match=r"leader holds 1 absent value\(s\)"):
        cross_correlations(np.append(np.nan, np.arange(49.0)), np.arange(50.0))
    with pytest.raises(WindowError, match="leader and follower have 5 rows in common"):
        synchronised_correlation(np.arange(5.0), np.arange(5.0) ** 2)


def test_the_chart_and_the_tables_hold_the_figures(found, tmp_path) -> None:
    figure = found.plot()
    drawn = {
        x: y for trace in figure.data if "hours in common" in trace.name for x, y in zip(trace.x, trace.y, strict=True)
    }
    assert drawn == found.correlations["correlation"].to_dict()
    clock = next(trace for trace in figure.data if trace.name == "shared out by the clocks")
    assert list(clock.y) == list(found.correlations["from_the_clock"])
    assert theme.plain_title(figure).startswith("CSI 300 moves most closely with S&P 500's return of the date before")
    assert set(found.summary().index.get_level_values("statistic")) == {
        "correlation", "synchronised correlation", "Dimson beta", "correlation with the leader known at the open",
    }  # fmt: skip
    assert next(iter(found.tables())) == "correlations"
    assert len(found.to_parquet(tmp_path)) == len(found.tables())
    assert found.provenance().parameters["leader"] == "S&P 500"
    assert "From the clocks" in found._repr_html_() and "(less than 2.0% of them)" in found._repr_html_()
    with pytest.raises(ValueError, match="kind='x' is not known; choose one of lags"):
        found.plot(kind="x")


@pytest.mark.reference
def test_an_open_that_holds_old_prices_is_named(reference: Path) -> None:
    folder = reference / "data" / "series"
    prices = mr.load_prices(["E-mini S&P 500", "Nikkei 225"], "2016-01-01", "2025-12-31", source="files", folder=folder)
    result = mr.lead_lag(prices, "E-mini S&P 500", "Nikkei 225")
    assert result.parts.loc["gap", "correlation"] > 0.5
    assert "seems to hold old prices" in result.answer()
    assert result.synchronised.iloc[0]["correlation"] > result.correlations["correlation"].max()


@pytest.mark.reference
def test_a_future_rests_for_an_hour_and_news_then_waits_for_it(reference: Path) -> None:
    folder = reference / "data" / "series"
    result = mr.react("2025-06-10 21:30 UTC", markets=["E-mini S&P 500"], source="files", folder=folder)
    assert result.reactions[0].where.phase == "after close"
    assert result.reactions[0].where.minutes_to_first_trade == 30
    start, end = pd.Timestamp("2025-06-10 12:00", tz="UTC"), pd.Timestamp("2025-06-11 12:00", tz="UTC")
    hours = trading_hours(result.reactions[0].series, start, end)
    assert [f"{low:%H:%M}-{high:%H:%M}" for low, high in hours] == ["12:00-21:00", "22:00-12:00"]
