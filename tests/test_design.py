"""Factors, donors and events to skip in a study: what is taken, what is refused, and the same for the placebo."""

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import events
from market_reaction.design import skipped_sessions
from market_reaction.errors import EstimationError, UnknownInstrumentError, WindowError
from market_reaction.instruments import Instrument
from market_reaction.normal_models import NORMAL_MODELS, fit_normal_model
from market_reaction.placebo import MarketMoves, placebo_test
from market_reaction.prices import PriceData
from market_reaction.study import event_study
from market_reaction.windows import EventWindows

CLOSES = seeded_closes(rows=900, columns=4)
WHEN = {"one": "2023-01-11 12:00 UTC"}
MODELS = [name for name in NORMAL_MODELS if name not in ("garch", "gjr_garch")]


def options_of(model: str) -> dict:
    """Arguments that a model needs on the panel m0 to m3."""
    kind = NORMAL_MODELS[model].regressors
    extra = {"benchmark": {"benchmark": "m1"}, "factors": {"factors": ["m1", "m2"]}, "donors": {"donors": ["m1", "m2"]}}
    return {"normal_model": model, "markets": ["m0"]} | extra.get(kind, {})


def study(closes: pd.DataFrame = CLOSES, when: dict | None = None, **options):
    return event_study(price_data(closes), events.load_events(when or WHEN), **options)


def moves(name: str, closes: pd.DataFrame = CLOSES) -> np.ndarray:
    return np.log(closes[name]).diff().to_numpy()


def test_factors_are_the_loaded_markets_named() -> None:
    result = study(normal_model="factors", factors=["m1", "m2"])
    assert set(result.design.units) == {"m0", "m3"} and result.design.regressors["m0"] == ("m1", "m2")
    at = CLOSES.index.get_loc("2023-01-11")
    inside = slice(at - 130, at - 10)
    x = np.column_stack([moves("m1"), moves("m2")])
    fit = fit_normal_model("factors", moves("m0")[inside], x[inside])
    pair = result.pairs["one", "m0"]
    np.testing.assert_allclose(pair.abnormal[:2], fit.abnormal(moves("m0")[at : at + 2], x[at : at + 2]), atol=1e-15)
    np.testing.assert_allclose(pair.forecast_cov[:2, :2], fit.forecast_covariance(2, x[at : at + 2]), rtol=1e-9)
    assert {"intercept", "m1", "m2"} <= set(result.fits().columns)
    assert result.car().at[("one", "m0"), "df"] == 117


@pytest.mark.parametrize("model", NORMAL_MODELS)
def test_the_placebo_measures_the_event_as_the_study_does(model: str) -> None:
    result = study(skip=events.load_events({"other": "2022-10-05 12:00 UTC"}), **options_of(model))
    pair = result.pairs["one", "m0"]
    market = MarketMoves.of(result.prices["m0"], result, result.prices, None)
    assert market.abnormal(result, np.array([pair.position]))[0] == pytest.approx(pair.day_zero, abs=1e-15)
    assert pair.n_skipped == 6


@pytest.mark.parametrize("model", ["factors", "dimson", "synthetic_control"])
def test_a_pseudo_announcement_has_the_model_of_its_own_window(model: str) -> None:
    result = study(**options_of(model))
    placebo = placebo_test(result, result.prices, history=150).markets["one", "m0"]
    session = placebo.pool_sessions[40]
    alone = study(when={"then": f"{session:%Y-%m-%d} 12:00 UTC"}, **options_of(model)).pairs["then", "m0"]
    assert alone.position == CLOSES.index.get_loc(session)
    assert placebo.pool[40] == pytest.approx(alone.day_zero / alone.ewma_std, rel=1e-9)


def test_dimson_takes_the_session_before_the_first_of_the_event_window() -> None:
    result = study(**options_of("dimson"), windows=EventWindows(event=(-1, 1)), dimson=(2, 1))
    pair = result.pairs["one", "m0"]
    at, benchmark = pair.position, moves("m1")
    fit = fit_normal_model("dimson", moves("m0")[at - 130 : at - 10], benchmark[at - 130 : at - 10], lags=2, leads=1)
    np.testing.assert_allclose(pair.abnormal, fit.abnormal(moves("m0")[at - 1 : at + 2], benchmark[at - 3 : at + 3]))


def test_the_joint_regression_has_the_columns_of_the_model() -> None:
    for model in ("constant_mean", "zero_mean", "market_adjusted", "market", "factors", "dimson"):
        result = study(**options_of(model))
        counterfactual = result.design.counterfactual(result.prices["m0"], result.prices, result.windows)
        offset, design = counterfactual.linear_design()
        pair = result.pairs["one", "m0"]
        used = pair.estimation_rows(result.windows.estimation)
        estimated = pair.fit.coefficients if design.shape[1] else np.empty(0)
        residuals = (counterfactual.moves - offset)[used] - design[used] @ estimated
        np.testing.assert_allclose(residuals, pair.fit.residuals, atol=1e-15)
    for model in ("scholes_williams", "synthetic_control", "rolling_mean"):
        result = study(**options_of(model))
        assert result.design.counterfactual(result.prices["m0"], result.prices, result.windows).linear_design() is None


def test_sessions_of_other_events_do_not_enter_the_estimation() -> None:
    others = {"a": "2022-09-14 12:00 UTC", "b": "2022-11-02 22:00 UTC", "late": "2023-01-12 12:00 UTC"}
    changed = CLOSES.copy()
    for day in ("2022-09-14", "2022-11-03"):  # b comes after the New York close
        at = changed.index.get_loc(day)
        changed.iloc[at:] *= 1.3  # moves of 26% that only the sessions of a and b hold
    window = EventWindows(event=((0, 1), (0, 2)))
    skipping = study(changed, skip=events.load_events(others), windows=window).pairs["one", "m0"]
    clean = study(skip=events.load_events(others), windows=window).pairs["one", "m0"]
    assert skipping.n_skipped == clean.n_skipped == 6
    assert skipping.fit.residual_std == pytest.approx(clean.fit.residual_std, rel=1e-9)
    assert skipping.fit.nobs == 114 and skipping.fit.df_resid == 113
    assert study(changed, windows=window).pairs["one", "m0"].fit.residual_std > 2 * skipping.fit.residual_std
    assert study().pairs["one", "m0"].n_skipped == 0


def test_the_event_itself_among_the_events_to_skip_changes_nothing() -> None:
    table = events.load_events(WHEN)
    with_own, without = study(skip=table).pairs["one", "m0"], study().pairs["one", "m0"]
    np.testing.assert_array_equal(with_own.abnormal, without.abnormal)


def test_an_uncertain_event_takes_every_session_it_may_be_in() -> None:
    series = price_data(CLOSES)["m0"]
    table = events.load_events({"x": "2022-09-14 20:00 UTC"})  # a minute either side of the New York close
    held = np.flatnonzero(skipped_sessions(series, table, EventWindows(event=(0, 0))))
    assert [f"{series.sessions[at]:%m-%d}" for at in held] == ["09-14", "09-15"]
    around = np.flatnonzero(skipped_sessions(series, table, EventWindows(event=(-1, 2))))
    assert [f"{series.sessions[at]:%m-%d}" for at in around] == ["09-13", "09-14", "09-15", "09-16", "09-19"]


def test_too_many_sessions_taken_away_are_refused_with_the_count() -> None:
    days = pd.bdate_range("2022-07-20", periods=20, freq="5B")
    crowded = events.load_events({f"e{i}": f"{day:%Y-%m-%d} 12:00 UTC" for i, day in enumerate(days)})
    with pytest.raises(
        WindowError, match=r"event 'one' in 'm0': skip= takes away \d+ of the 120 sessions.*least 60 must"
    ):
        study(skip=crowded)
    result = study(skip=crowded, windows=EventWindows(event=(0, 0)))
    assert 15 <= result.pairs["one", "m0"].n_skipped <= 20


def test_the_table_of_a_study_says_what_is_relative_approximate_and_left_out() -> None:
    html = study(skip=events.load_events({"other": "2022-10-05 12:00 UTC"}), **options_of("dimson"))._repr_html_()
    assert "Relative effect: moves beyond what m1 would explain" in html
    assert "Approximate: dimson has no exact forecast error; take p from placebo_test" in html
    assert "Other events take 6 to 6 of the 120 sessions" in html
    plain = study()._repr_html_()
    assert not any(word in plain for word in ("Relative effect", "Approximate", "Other events take"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"normal_model": "factors"}, "normal_model='factors' needs factors=, a list of loaded markets"),
        ({"normal_model": "synthetic_control"}, "needs donors="),
        ({"factors": ["m1"]}, "factors= names m1, but normal_model='constant_mean' takes no factors"),
        ({"normal_model": "market", "donors": ["m1"]}, "Use normal_model='synthetic_control', or leave donors= out"),
        (
            {"normal_model": "factors", "factors": "m1"},
            r"factors='m1' is one string; give a list of names, such as \['m1",
        ),
        ({"normal_model": "factors", "factors": ["m1", "M1"]}, "factors= names a market twice: m1, M1"),
        ({"normal_model": "factors", "factors": ["m0"], "markets": ["m0"]}, "'m0' is among its own factors"),
        ({"normal_model": "synthetic_control", "donors": ["m1"]}, "event 'one' in 'm0': .* has 1 donor"),
        ({"normal_model": "marke"}, "normal_model='marke' is not known; Did you mean 'market'"),
    ],
)
def test_choices_that_do_not_belong_together_are_refused(options, says) -> None:
    with pytest.raises(WindowError, match=says):
        study(**options)
    with pytest.raises(UnknownInstrumentError, match="'gold' is not among the loaded markets"):
        study(normal_model="factors", factors=["gold"])


def test_collinear_factors_and_constant_series_name_market_and_event() -> None:
    closes = CLOSES.assign(m3=CLOSES["m1"] ** 2)
    with pytest.raises(EstimationError, match="event 'one' in 'm0': m1 and m3 are collinear over the 120 sessions"):
        study(closes, normal_model="factors", factors=["m1", "m3"], markets=["m0"])
    flat = CLOSES.assign(m0=7.8)
    with pytest.raises(
        WindowError, match="event 'one' in 'm0': the 120 returns of the estimation window are all 0: a con"
    ):
        study(flat)
    below = CLOSES.assign(m0=-CLOSES["m0"])  # levels below zero have no log return
    with pytest.raises(
        EstimationError, match="event 'one' in 'm0': only 0 of 120 sessions of the estimation window have"
    ):
        study(below, markets=["m0"])
    result = study(flat, on_bad_event="exclude")
    assert ("one", "m0") not in result.pairs and ("one", "m1") in result.pairs
    assert result.excluded.iloc[0]["reason"].startswith("event 'one' in 'm0': the 120 returns")


def test_donors_must_be_open_in_the_same_hours() -> None:
    closes = CLOSES.rename(columns={"m0": "treated", "m1": "same", "m2": "shanghai", "m3": "too"})
    clocks = {"shanghai": "15:00 Asia/Shanghai"}
    instruments = {
        name: Instrument(name, asset_class="index", bar_close=clocks.get(name, "16:00 America/New_York"))
        for name in closes
    }
    prices = PriceData.from_frame(closes, instruments)
    table = events.load_events(WHEN)
    model = {"normal_model": "synthetic_control", "markets": ["treated"]}
    assert event_study(prices, table, donors=["same", "too"], **model).fits()["exact"].tolist() == [False]
    with pytest.raises(
        WindowError, match="donor 'shanghai' closes at 15:00 Asia/Shanghai and 'treated' at 16:00 America"
    ):
        event_study(prices, table, donors=["same", "shanghai"], **model)
    # other clocks are no reason against a factor: the user says what explains what
    assert event_study(prices, table, factors=["shanghai"], normal_model="factors", markets=["treated"]).pairs


def test_donors_of_one_calendar_are_open_in_the_same_hours_whatever_their_close() -> None:
    prices = mr.load_prices(["Apple", "S&P 500", "Microsoft"], "2017-06-01", "2018-04-30", source="bundled")
    table = mr.load_events({"tariff": "2018-03-22 16:45 UTC"})
    result = event_study(
        prices, table, markets=["Apple"], normal_model="synthetic_control", donors=["S&P 500", "Microsoft"]
    )
    weights = result.fits().loc[("tariff", "Apple"), ["S&P 500", "Microsoft"]]
    assert weights.sum() == pytest.approx(1) and (weights >= 0).all()


def test_react_loads_factors_without_showing_them_and_notes_what_they_mean() -> None:
    result = mr.react(
        "2018-03-22 16:45 UTC", markets=["Apple"], normal_model="factors", factors=["S&P 500", "VIX"], source="bundled",
        skip=mr.load_events({"fed": "2018-01-31 19:00 UTC"}), progress=False,
    )  # fmt: skip
    assert [row.market for row in result.reactions] == ["Apple"]
    notes = " ".join(result["Apple"].notes)
    assert "beyond what S&P 500 and VIX explain (factors)" in notes
    assert "6 of 120 sessions of the estimation window are left out because other events" in notes
    assert result.parameters["factors"] == ["S&P 500", "VIX"] and result.parameters["skipped_events"] == 1
    assert result["Apple"].headline.placebo.scaled.n_placebo == 500


def test_react_names_the_market_whose_model_cannot_be_fitted() -> None:
    result = mr.react(
        "2018-03-22 16:45 UTC", markets=["Apple", "Microsoft"], normal_model="factors", factors=["Microsoft"],
        source="bundled", progress=False,
    )  # fmt: skip
    assert [row.market for row in result.reactions] == ["Apple"]
    lost = result.prices.unavailable.set_index("market")["reason"]
    assert "'Microsoft' is among its own factors" in lost["Microsoft"]
