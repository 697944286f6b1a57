"""Responses to news and projected paths: known effects on clocks that differ, statsmodels, loops, and real events."""

import warnings
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.api as sm

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import theme
from market_reaction.errors import UnknownInstrumentError, WindowError
from market_reaction.instruments import Instrument
from market_reaction.responses.pairs import once_each

DAY_ZERO = mr.EventWindows(event=(0, 0))
RESPONSE = -2.0
EXACT = 1e-9  # float64 sums in another order

SHARED = {  # from the table of reaction sessions: of events that share one, the earliest counts
    "2018-04-04-cn": "2018-04-03-us",
    "2019-05-10-us-b": "2019-05-10-us",
    "2019-08-23-us": "2019-08-23-cn",
    "2019-08-23-us-b": "2019-08-23-cn",
    "2019-08-26-us": "2019-08-23-cn",
    "2025-02-04-cn": "2025-02-01-us",
    "2025-04-09-us": "2025-04-09-cn",
    "2025-05-12-jt": "2025-05-11-jt",
    "2025-06-11-us": "2025-06-10-jt",
}


def studied(prices: mr.PriceData, events: pd.DataFrame, **options: object) -> mr.EventStudyResult:
    """Event study whose warnings (overlaps, ambiguous sessions) other tests check."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mr.event_study(prices, events, **options)


def differing(name: str, bar_close: str) -> Instrument:
    return Instrument(name, "volatility", return_kind="difference", bar_close=bar_close)


def two_clocks(seed: int = 3, total: int = 1500, count: int = 100) -> tuple[mr.PriceData, pd.DataFrame, pd.Series]:
    """Y closes at 15:00 in Shanghai, X at 16:00 in New York; every second announcement comes between the two closes.

    A shock shared at 10:00 in Shanghai of every day moves both by as much. News moves X by its size and Y by RESPONSE
    times that, in the session of each that closes first.
    """
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2015-01-01", periods=total)
    shared = rng.normal(0, 3, total)
    y, x = shared + rng.normal(0, 0.5, total), shared + rng.normal(0, 0.5, total)
    at = np.sort(rng.choice(np.arange(200, total - 20, 4), count, replace=False))
    between = np.arange(count) % 2 == 1
    news = rng.normal(0, 5, count)
    x[at] += news
    y[at + between] += RESPONSE * news
    closes = pd.DataFrame({"Y": 1000 + y.cumsum(), "X": 1000 + x.cumsum()}, index=days)
    clocks = {"Y": differing("Y", "15:00 Asia/Shanghai"), "X": differing("X", "16:00 America/New_York")}
    hours = np.where(between, "17", "10")
    stamps = {
        f"event {i}": f"{day:%Y-%m-%d} {hour}:00 Asia/Shanghai"
        for i, (day, hour) in enumerate(zip(days[at], hours, strict=True))
    }
    events = mr.load_events(stamps)
    return mr.PriceData.from_frame(closes, clocks), events, pd.Series(news, index=events.index)


@pytest.fixture(scope="module")
def clocks() -> tuple[mr.EventStudyResult, pd.Series]:
    prices, events, news = two_clocks()
    return studied(prices, events, windows=DAY_ZERO), news


@pytest.fixture(scope="module")
def trade_war() -> mr.EventStudyResult:
    events = mr.load_events()
    events = events[events["precision"].isin(["minute", "hour"]) & (events["announced_utc"] < "2025-09-01")]
    prices = mr.load_prices(["CSI 300", "USD/CNY", "VIX", "US 10y"], events=events, source="bundled")
    return studied(prices, events)


def subtitle(result: object) -> str:
    """Method line of a chart without its tags."""
    return result.plot().layout.title.text.replace('</span><br><span style="font-size:12px">', " ")


# --- response to news


def test_a_known_response_is_found_through_both_clocks(clocks) -> None:
    study, _ = clocks
    result = mr.response_to_news(study, "Y", "X")
    fit, days = result.fit, result.days
    assert fit.estimate == pytest.approx(RESPONSE, abs=0.4)  # two standard deviations over seeds
    assert fit.conf_set[0][0] < RESPONSE < fit.conf_set[0][1]
    assert fit.conf_set[0][1] < fit.event_study_ols, "least squares is drawn towards the shared shock"
    assert (fit.n_event, fit.n_other) == (100, (days["regime"] == "other").sum())
    different = days["session"].ne(days["to_session"]).groupby(days["regime"]).mean()
    assert different["event"] == 0.5
    assert different["other"] == pytest.approx(0.5, abs=0.03), "other days are paired in the same proportions"


def test_the_estimate_is_the_ratio_of_moments_of_the_days_listed(clocks) -> None:
    study, _ = clocks
    result = mr.response_to_news(study, "Y", "X", level=0.9)
    moments = {regime: np.cov(rows["move"], rows["to_move"]) for regime, rows in result.days.groupby("regime")}
    ratio = (moments["event"][0, 1] - moments["other"][0, 1]) / (moments["event"][1, 1] - moments["other"][1, 1])
    assert result.fit.estimate == pytest.approx(ratio, rel=EXACT)
    assert result.fit.level == 0.9
    assert result.summary().loc["rigobon_sack", "estimate"] == result.fit.estimate


def test_other_days_are_those_of_a_loop_over_weekdays() -> None:
    """Three clocks in turn, earliest first; each close looked for one by one; no session of an event, none twice."""
    prices, events, _ = two_clocks(count=2)
    events = pd.concat([events, mr.load_events({"dawn": "2018-03-07 08:00 Asia/Tokyo"})])
    study = studied(prices, events, windows=DAY_ZERO)
    found = mr.response_to_news(study, "Y", "X").days.query("regime == 'other'")
    closes = {
        name: [(day, day.replace(hour=hour).tz_localize(zone)) for day in prices[name].sessions]
        for name, hour, zone in (("Y", 15, "Asia/Shanghai"), ("X", 16, "America/New_York"))
    }

    def session(name: str, instant: pd.Timestamp) -> pd.Timestamp | None:
        return next((day for day, close in closes[name] if close > instant), None)

    held = {name: {session(name, instant) for instant in events["announced_utc"]} for name in closes}
    positions = [pair.position for pair in study.pairs.values()]
    span = pd.bdate_range(prices["Y"].sessions[min(positions) - 130], prices["Y"].sessions[max(positions)])
    turns = [(8, "Asia/Tokyo"), (10, "Asia/Shanghai"), (17, "Asia/Shanghai")]
    expected, last = [], {name: pd.Timestamp(0) for name in closes}
    for number, day in enumerate(span):
        hour, zone = turns[number % 3]
        instant = day.replace(hour=hour, tzinfo=ZoneInfo(zone))
        pair = {name: session(name, instant) for name in closes}
        new = all(pair[name] is not None and pair[name] > last[name] for name in closes)
        if new and not any(pair[name] in held[name] for name in closes):
            expected.append((pair["Y"], pair["X"]))
            last = pair
    first = prices["Y"].sessions[131]  # a session of its own estimation window before the first return has no move
    expected = [pair for pair in expected if min(pair) >= first]
    assert len(expected) > 200
    assert [pair for pair in zip(found["session"], found["to_session"], strict=True) if min(pair) >= first] == expected


def test_events_that_share_a_session_of_either_market_count_once(trade_war) -> None:
    result = mr.response_to_news(trade_war, "CSI 300", "USD/CNY")
    assert result.excluded["reason"].to_dict() == {
        event: f"shares a session with {other}" for event, other in SHARED.items()
    }
    for column in ("session", "to_session"):
        assert not result.days[column].duplicated().any()
    assert result.fit.n_event == len(trade_war.events) - len(SHARED) == 42
    geneva = result.days.set_index("event_id").loc["2025-05-11-jt"]
    assert (f"{geneva['session']:%m-%d}", f"{geneva['to_session']:%m-%d}") == ("05-12", "05-12")


def test_yuan_and_mainland_shares_over_the_trade_war(trade_war) -> None:
    """A dearer dollar with falling shares: frozen figures of the bundled series, the interval far from symmetric."""
    result = mr.response_to_news(trade_war, "CSI 300", "USD/CNY")
    assert result.fit.estimate == pytest.approx(-3.12, abs=0.005)
    assert result.fit.event_study_ols == pytest.approx(-2.32, abs=0.005)
    assert result.answer() == (
        "CSI 300 moves −3.12% when news raises USD/CNY (ECB) by 1% (95% set −19.47% to −1.07%; p 0.019; 42 event "
        "sessions against 1,802 others). First-stage F 4.8 is below 10: read the set, not the estimate. 2 of these 42 "
        "events may belong to another session."
    )
    assert result.notes == (
        "USD/CNY (ECB): up = yuan weaker.",
        "First-stage F 4.77 is below 10: read the confidence set, not the estimate.",
        "2 event(s) may belong to another session; the headline one is taken.",
    )
    assert repr(result) == f"<NewsResponse: {result.answer()}>"
    html = result._repr_html_()
    assert "−19.47% to −1.07%" in html
    assert "9 left out" in html
    assert result.answer(40).replace("\n", " ") == result.answer()
    assert max(map(len, result.answer(40).splitlines())) <= 40
    printed = result.printed()["Response"]
    assert printed["Response to 1%"].tolist() == ["−3.12%", "−2.32%"]
    assert printed["Interval"].tolist() == ["−19.47% to −1.07%", ""]
    assert printed["First-stage F"].tolist() == ["4.8, below 10: read the set, not the estimate", ""]
    assert printed["Events"].iloc[0] == "42" and printed["May belong to another session"].iloc[0] == "2"
    assert "May belong to another session" in html and "May belong to another session" in result.to_latex()
    assert "otherwise than through USD/CNY (ECB)" in html
    assert "otherwise than through ``to`` counts as response" in str(mr.response_to_news.__doc__)
    assert r"$-$3.12\% &" in result.to_latex()


def test_units_and_sets_that_are_no_interval(trade_war) -> None:
    text = mr.response_to_news(trade_war, "US 10y", "CSI 300").answer()
    assert text.startswith("US 10y moves +1.6 bp when news raises CSI 300 by 1% (95% set +0.9 bp to +20.9 bp; p <0.001")
    text = mr.response_to_news(trade_war, "CSI 300", "VIX").answer()
    assert text.startswith(
        "What CSI 300 does when news moves VIX is not pinned down (first-stage F 2.7 is below 10: read"
    )
    assert "−0.31% when news raises VIX by 1 point (95% set any response;" in text
    rays = mr.response_to_news(trade_war, "CSI 300", "US 10y")
    assert "+4.82% when news raises US 10y by 10 bp (95% set −12.60% or less, or +2.12% or more;" in rays.answer()
    assert not rays.summary().loc["rigobon_sack", "bounded"]
    assert rays.notes[1].startswith("The variance of US 10y on event sessions is not clearly different")


def test_other_news_is_left_out_of_the_other_days(trade_war) -> None:
    all_days = mr.response_to_news(trade_war, "CSI 300", "USD/CNY")
    without = mr.response_to_news(trade_war, "CSI 300", "USD/CNY", exclude=mr.load_events())
    assert without.fit.n_other < all_days.fit.n_other
    assert without.fit.n_event == all_days.fit.n_event
    dropped = pd.Timestamp("2018-12-13")
    news = mr.load_events({"other": "2018-12-13 01:00 UTC"})
    assert dropped in set(all_days.days["session"])
    assert dropped not in set(mr.response_to_news(trade_war, "CSI 300", "USD/CNY", exclude=news).days["session"])


def test_scale_and_order_do_not_matter() -> None:
    prices, events, _ = two_clocks(count=30)
    first = mr.response_to_news(studied(prices, events, windows=DAY_ZERO), "Y", "X")
    before = events.copy()
    shuffled = studied(prices, events.sample(frac=1, random_state=1), windows=DAY_ZERO)
    again = mr.response_to_news(shuffled, "Y", "X")
    assert again.fit == first.fit
    pd.testing.assert_frame_equal(events, before)
    closes = pd.DataFrame({name: prices[name].bars["close"] for name in ("Y", "X")})
    closes["Y"] *= 10
    instruments = {name: prices[name].instrument for name in closes}
    tenfold = studied(mr.PriceData.from_frame(closes, instruments), events, windows=DAY_ZERO)
    assert mr.response_to_news(tenfold, "Y", "X").fit.estimate == pytest.approx(10 * first.fit.estimate, rel=1e-8)


def test_dates_without_a_clock_pair_sessions_of_one_date() -> None:
    prices, events, _ = two_clocks(count=15)
    dates = events["announced_utc"].dt.strftime("%Y-%m-%d")
    table = pd.DataFrame({"event_id": events.index, "announced_utc": "", "precision": "date", "session_date": dates})
    days = mr.response_to_news(studied(prices, mr.load_events(table), windows=DAY_ZERO), "Y", "X").days
    assert (days["session"] == days["to_session"]).all()
    assert days["regime"].eq("event").sum() == 15


def test_too_few_events_give_no_response_and_say_why() -> None:
    prices, events, _ = two_clocks(count=9)
    for chosen in (events, events.iloc[:1]):
        result = mr.response_to_news(studied(prices, chosen, windows=DAY_ZERO), "Y", "X")
        assert np.isnan(result.fit.estimate)
        assert result.notes[0].startswith(f"Needs at least 10 sessions in each regime; {len(chosen)} event")
        assert "Y on X: no response is estimated. Needs at least 10" in result.answer()
        assert "no response is estimated" in result._repr_html_()


def test_wrong_markets_are_refused(trade_war) -> None:
    with pytest.raises(UnknownInstrumentError, match="'Apple' is not among the loaded markets"):
        mr.response_to_news(trade_war, "Apple", "USD/CNY")
    with pytest.raises(WindowError, match=r"market and to both name 'USD/CNY \(ECB\)'"):
        mr.response_to_news(trade_war, "USD/CNY", "USD/CNY (ECB)")
    with pytest.raises(WindowError, match="level=95"):
        mr.response_to_news(trade_war, "CSI 300", "USD/CNY", level=95)
    closes = seeded_closes(columns=3)
    events = mr.load_events({f"e{day}": f"{day:%Y-%m-%d} 12:00 UTC" for day in closes.index[200:800:50]})
    chain = {
        name: Instrument(name, "index", benchmark=benchmark, bar_close="16:00 America/New_York")
        for name, benchmark in (("m0", "m1"), ("m1", "m2"), ("m2", ""))
    }
    prices = mr.PriceData.from_frame(closes, chain)
    market = studied(prices, events, markets=["m0", "m1"], normal_model="market")
    for pair in (("m0", "m1"), ("m1", "m0")):
        with pytest.raises(WindowError, match=r"normal return of 'm0' is made of 'm1' \(normal_model='market'\)"):
            mr.response_to_news(market, *pair)
    with pytest.raises(UnknownInstrumentError, match="to names 'm2', which is not among the markets of this study"):
        mr.response_to_news(market, "m0", "m2")


def test_events_measured_in_one_market_alone_are_named() -> None:
    prices, events, _ = two_clocks(count=20)
    closes = pd.DataFrame({name: prices[name].bars["close"] for name in ("Y", "X")})
    closes.loc[events["announced_utc"].iloc[12].tz_localize(None).normalize() :, "X"] = np.nan
    instruments = {name: prices[name].instrument for name in closes}
    study = studied(mr.PriceData.from_frame(closes, instruments), events, windows=DAY_ZERO, on_bad_event="exclude")
    result = mr.response_to_news(study, "Y", "X")
    assert result.excluded["reason"].to_dict() == {f"event {i}": "not measured in X" for i in range(12, 20)}
    assert result.fit.n_event == 12


def test_rows_that_move_on_in_both_columns() -> None:
    rows = np.array([[0, 5], [1, 5], [1, 6], [1, 7], [2, 6], [3, 9]])
    assert once_each(rows).tolist() == [True, False, True, False, False, True]


# --- projections


def by_hand(study: mr.EventStudyResult, market: str, shock: dict[str, float], horizon: int, first: int, last: int):
    """Least squares with the sessions looked up one event at a time; ``first`` and ``last`` are rows of the span."""
    closes = study.prices[market].bars["close"]
    levels = closes if study.prices[market].instrument.is_difference else np.log(closes)
    shocks = pd.Series(0.0, closes.index)
    sessions = study.sessions.xs(study.prices[market].name, level="market")["session"]
    for day, group in pd.Series(shock).groupby(sessions):
        shocks[day] = group.mean()
    target = levels.shift(-horizon) - levels.shift(1)
    rows = slice(first + 1, last + 1 - horizon)
    return sm.OLS(target.iloc[rows].to_numpy(), sm.add_constant(shocks.iloc[rows].to_numpy())).fit(cov_type="HC3")


@pytest.mark.parametrize("market", ["CSI 300", "US 10y"])
def test_paths_equal_least_squares_on_sessions_looked_up(trade_war, market) -> None:
    signs = {"escalation": 1.0, "de-escalation": -1.0, "mixed": 0.0}
    shock = trade_war.events["direction"].map(signs).to_dict()
    rows = [pair.position for (_, name), pair in trade_war.pairs.items() if name == market]
    result = mr.event_projections(trade_war, market, horizons=5, draws=19)
    frame = result.to_frame()
    for horizon in (0, 5):
        fit = by_hand(trade_war, market, shock, horizon, min(rows) - 130, max(rows) + 5)
        assert frame["coefficient"][horizon] == pytest.approx(fit.params[1], rel=1e-7)
        assert frame["nobs"][horizon] == fit.nobs
    augmented = mr.event_projections(trade_war, market, horizons=5, draws=19, errors="lag_augmented")
    assert (augmented.to_frame()["nobs"] == frame["nobs"] - 1).all()
    left_out = result.events.query("reason != ''")
    assert left_out["reason"].to_dict() == dict.fromkeys(["2025-04-09-us", "2025-06-04-us"], "its direction is mixed")


def test_a_known_path_is_found() -> None:
    """A jump of 3 on the session of the event that goes back by 2 two sessions later."""
    rng = np.random.default_rng(4)
    days = pd.bdate_range("2018-01-01", periods=900)
    rows = np.arange(200, 880, 20)
    sizes = rng.choice([-1.0, 1.0], len(rows))
    moves = rng.normal(0, 0.3, len(days))
    moves[rows] += 3 * sizes
    moves[rows + 2] -= 2 * sizes
    prices = mr.PriceData.from_frame(
        pd.DataFrame({"V": 500 + moves.cumsum()}, index=days), {"V": differing("V", "16:00 America/New_York")}
    )
    events = mr.load_events({f"e{i}": f"{day:%Y-%m-%d} 12:00 UTC" for i, day in enumerate(days[rows])})
    study = studied(prices, events.assign(direction=np.where(sizes > 0, "escalation", "de-escalation")))
    result = mr.event_projections(study, "V", horizons=4)
    frame = result.to_frame()
    np.testing.assert_allclose(frame["coefficient"], [3, 3, 1, 1, 1], atol=0.25)
    assert ((frame["simultaneous_low"] < [3, 3, 1, 1, 1]) & (frame["simultaneous_high"] > [3, 3, 1, 1, 1])).all()
    assert (frame["permutation_p"].loc[:1] == 0.001).all()
    assert (frame["without_one_low"] <= frame["coefficient"]).all()
    assert (frame["without_one_high"] >= frame["coefficient"]).all()
    assert result.n_events == 34
    assert len(result.paths_without) == 34
    influence = (result.paths_without - result.fit.coefficients).abs().max(axis=1)
    assert influence.is_monotonic_decreasing
    same = mr.event_projections(study, "V", shock=pd.Series(sizes, events.index), horizons=4)
    pd.testing.assert_frame_equal(same.to_frame(), frame)
    double = mr.event_projections(study, "V", shock=pd.Series(2 * sizes, events.index), horizons=4).to_frame()
    np.testing.assert_allclose(2 * double["coefficient"], frame["coefficient"], rtol=1e-9)
    without = mr.event_projections(study, "V", shock=pd.Series(sizes, events.index).iloc[1:], horizons=4)
    np.testing.assert_allclose(without.to_frame()["coefficient"], result.paths_without.loc["e0"], rtol=1e-9)
    assert without.events["reason"].to_dict()["e0"] == "shock gives no number for it"


def test_the_move_of_a_market_as_shock_takes_its_own_session(clocks) -> None:
    study, news = clocks
    result = mr.event_projections(study, "Y", shock="X", horizons=2, draws=99)
    moves = {event: pair.day_zero for (event, market), pair in study.pairs.items() if market == "X"}
    assert result.events["shock"].to_dict() == moves
    assert np.corrcoef(result.events["shock"], news)[0, 1] > 0.8
    own = mr.event_projections(study, "Y", shock=pd.Series(moves), horizons=2, draws=99)
    pd.testing.assert_frame_equal(own.to_frame(), result.to_frame())
    assert result.answer().startswith("Y after a rise of X by 1 point: −1.")
    assert result.notes[0].startswith("The move of X stands for the news")


def test_events_on_one_session_count_once_and_may_cancel(trade_war) -> None:
    result = mr.event_projections(trade_war, "VIX", horizons=1, draws=19)
    sessions = result.events.groupby("session")["shock"].mean()
    assert result.n_events == np.count_nonzero(sessions) == 41
    same = mr.event_projections(trade_war, "VIX", shock="CSI 300", horizons=1, draws=19)
    assert not same.events.loc[same.events["reason"].eq(""), "session"].duplicated().any()
    assert {"2019-08-23-us", "2019-08-23-us-b"} <= set(same.events.index[same.events["reason"].ne("")])


def test_fewer_than_ten_events_have_no_bands_but_random_dates() -> None:
    prices, events, news = two_clocks(count=9)
    study = studied(prices, events, windows=DAY_ZERO)
    for chosen in (news, news.iloc[:1]):
        result = mr.event_projections(study, "Y", shock=chosen, horizons=3, draws=99)
        frame = result.to_frame()
        assert frame["std_error"].isna().all()
        assert frame["simultaneous_low"].isna().all()
        assert frame["permutation_p"].notna().all()
        assert f"Standard errors need at least 10 events at every horizon; {len(chosen)} given." in result.notes
        assert "Standard errors need at least 10 events" in subtitle(result)
        assert "n/a" in result._repr_html_()
    assert frame["without_one_low"].isna().all(), "without its only event there is no path"


def test_shocks_that_cannot_be_used_are_refused(trade_war) -> None:
    ids = trade_war.events.index
    for shock, message in (
        (pd.Series(1.0, ["Rome"]), "shock is a series that names 'Rome', which is no event of the study"),
        (pd.Series(1.0, [ids[0], ids[0]]), "shock is a series that names one event twice"),
        (pd.Series(0.0, ids), "no event has a shock other than zero in 'CSI 300': its shock is 0"),
        ("CSI 300", "market and shock both name 'CSI 300'"),
    ):
        with pytest.raises(WindowError, match=message):
            mr.event_projections(trade_war, "CSI 300", shock=shock)
    with pytest.raises(UnknownInstrumentError, match="'tariffs' is not among the loaded markets"):
        mr.event_projections(trade_war, "CSI 300", shock="tariffs")
    with pytest.raises(WindowError, match="horizons=-1 is below 0"):
        mr.event_projections(trade_war, "CSI 300", horizons=-1)
    closes = seeded_closes()
    events = mr.load_events({"a": f"{closes.index[300]:%Y-%m-%d} 12:00 UTC"})
    with pytest.raises(WindowError, match="needs a column direction in the event table"):
        mr.event_projections(studied(price_data(closes), events), "m0")


def test_random_dates_avoid_sessions_of_other_news(trade_war) -> None:
    news = mr.load_events({"ever": "2020-01-01 00:00 UTC"})
    news["utc_earliest"], news["utc_latest"] = (
        pd.Timestamp("2010-01-01", tz="UTC"),
        pd.Timestamp("2026-01-01", tz="UTC"),
    )
    result = mr.event_projections(trade_war, "CSI 300", horizons=0, exclude=news, draws=19)
    assert result.to_frame()["permutation_p"].isna().all()
    assert "0 allowed dates for 44 events: no permutation band." in result.notes


@pytest.mark.parametrize("ink", ["light", "dark"])
def test_chart_draws_the_frame(trade_war, ink) -> None:
    result = mr.event_projections(trade_war, "US 10y", shock="USD/CNY", horizons=3, draws=99)
    figure = result.plot(theme=ink)
    frame = result.to_frame()
    traces = {trace.name: trace for trace in figure.data}
    basis_points = 100 * 0.01  # per 1% of the yuan
    np.testing.assert_allclose(traces["response"].y, [0, *(basis_points * frame["coefficient"])])
    assert list(traces["response"].x) == [-1, 0, 1, 2, 3]
    upper = list(traces["95%, whole path (simultaneous)"].y[:5])
    np.testing.assert_allclose(upper, [0, *(basis_points * frame["simultaneous_high"])])
    assert figure.layout.yaxis.ticksuffix == " bp"
    assert figure.layout.template.layout.font.color == theme.INK[ink]
    end = f"{basis_points * frame['coefficient'].iloc[-1]:+.1f}".replace("-", "−").removesuffix(".0")
    assert f"{end} bp by session +3; p " in theme.plain_title(figure)
    assert theme.plain_title(figure).startswith("US 10y after a rise of USD/CNY (ECB) by 1%: −7")
    assert "95% bands: inner for each session alone, outer for the whole path." in subtitle(result)
    html = result._repr_html_()
    assert html.count("<tr>") >= 5
    assert "up = lower bond prices" in html


def test_hostile_names_stay_text() -> None:
    name = "<b>Y</b><script>"
    closes = seeded_closes(rows=500).rename(columns={"m0": name})
    rows = closes.index[200:480:20]
    events = mr.load_events({f"<i>{day:%Y%m%d}</i>": f"{day:%Y-%m-%d} 12:00 UTC" for day in rows})
    study = studied(price_data(closes), events.assign(direction="escalation"), windows=DAY_ZERO)
    result = mr.event_projections(study, name, horizons=1, draws=19)
    assert "<script>" not in result._repr_html_()
    assert "<script>" not in result.plot().layout.title.text


# --- influence on the mean


def test_mean_without_each_event_equals_a_study_without_it() -> None:
    closes = seeded_closes(seed=8)
    events = mr.load_events({f"e{i}": f"{day:%Y-%m-%d} 12:00 UTC" for i, day in enumerate(closes.index[200:440:20])})
    study = studied(price_data(closes), events, windows=DAY_ZERO)
    found = mr.leave_one_event_out(study, "m0")
    cars = study.car()["estimate"].droplevel("market")
    for event_id, row in found.iterrows():
        rest = studied(price_data(closes), events.drop(event_id), windows=DAY_ZERO).caar().loc["m0"]
        assert row["mean_without"] == pytest.approx(rest["estimate"], rel=EXACT)
        assert row["p_value_without"] == pytest.approx(rest["p_value"], rel=1e-7)
        assert row["p_value_without"] == pytest.approx(scipy.stats.ttest_1samp(cars.drop(event_id), 0).pvalue, rel=1e-7)
    assert found["change"].abs().is_monotonic_decreasing
    assert found.index[0] == (cars - cars.mean()).abs().idxmax()
    assert (found["n_without"] == 11).all()


def test_events_that_overlap_leave_the_mean_together(trade_war) -> None:
    found = mr.leave_one_event_out(trade_war, "csi 300", window=(0, 0))
    together = found.loc[["2019-08-23-cn", "2019-08-23-us", "2019-08-23-us-b"]]
    assert (together.nunique()[["cluster", "mean_without", "change"]] == 1).all()
    of_cluster = found.groupby("cluster")["car"].mean()
    assert found["mean_car"].iloc[0] == pytest.approx(of_cluster.mean(), rel=EXACT)
    place = together["cluster"].iloc[0]
    assert together["mean_without"].iloc[0] == pytest.approx(of_cluster.drop(place).mean(), rel=EXACT)
    assert len(of_cluster) - 1 == found["n_without"].iloc[0]
    p_all = trade_war.tests(["event_level_t"], window=(0, 0)).query("market == 'CSI 300'")
    assert scipy.stats.ttest_1samp(of_cluster, 0).pvalue == pytest.approx(p_all["p_value"].iloc[0], rel=1e-7)


def test_one_event_leaves_nothing_to_leave_out(trade_war) -> None:
    prices, events, _ = two_clocks(count=2)
    one = studied(prices, events.iloc[:1], windows=DAY_ZERO)
    with pytest.raises(WindowError, match=r"'Y' has a CAR over \(0, 0\) for 1 separate event"):
        mr.leave_one_event_out(one, "Y")
    with pytest.raises(WindowError, match=r"window=\(0, 9\) reaches beyond the offsets 0 to 5"):
        mr.leave_one_event_out(trade_war, "VIX", window=(0, 9))
