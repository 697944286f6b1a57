"""The effect on a basket of shares from a study, against the array form and by brute force."""

import numpy as np
import pytest

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import events
from market_reaction.baskets import basket_effect
from market_reaction.counterfactuals.studies import merged
from market_reaction.errors import UnknownInstrumentError, WindowError
from market_reaction.inference.scales import ewma_volatility
from market_reaction.instruments import Instrument
from market_reaction.normal_models.baskets import basket_effect as effect_of_arrays
from market_reaction.prices import PriceData
from market_reaction.study import event_study

CLOSES = seeded_closes(rows=400, columns=8)
WHEN = {"a": "2020-11-11 12:00 UTC", "b": "2021-01-13 12:00 UTC"}
MODEL = {"normal_model": "synthetic_control", "markets": ["m0", "m1"], "donors": [f"m{i}" for i in range(2, 8)]}


def test_the_effect_weighs_each_car_by_its_fit() -> None:
    result = event_study(price_data(CLOSES), events.load_events(WHEN), **MODEL)
    frame = basket_effect(result, window=(0, 1))
    assert frame.index.tolist() == ["a", "b"]
    for event_id, row in frame.iterrows():
        pairs = [result.pairs[event_id, market] for market in ("m0", "m1")]
        cars = np.array([pair.abnormal[:2].sum() for pair in pairs])
        errors = np.array([np.sqrt(np.mean(pair.fit.residuals**2)) for pair in pairs])
        assert row["estimate"] == pytest.approx((cars / errors).sum() / (1 / errors).sum(), rel=1e-9)
        assert (row["n_treated"], row["n_donors"], row["placebo_p_floor"]) == (2, 6, 1 / 16)
        assert 1 / 16 <= row["placebo_p"] <= 1 and row["note"] == "15 groups of 2 among 6 donors"


def test_sessions_to_skip_leave_the_basket_too() -> None:
    other = events.load_events({"x": "2020-09-16 12:00 UTC"})
    changed = CLOSES.copy()
    at = changed.index.get_loc("2020-09-16")
    changed.iloc[at:, :] *= np.linspace(0.7, 1.4, 8)
    estimates = [
        basket_effect(event_study(price_data(closes), events.load_events(WHEN), skip=other, **MODEL))["estimate"]
        for closes in (CLOSES, changed)
    ]
    np.testing.assert_allclose(*estimates, rtol=1e-9)


def test_a_market_without_a_return_is_not_counted_and_is_named() -> None:
    closes = CLOSES.copy()
    closes.loc["2020-11-12", "m1"] = np.nan
    frame = basket_effect(event_study(price_data(closes), events.load_events(WHEN), **MODEL), window=(0, 2))
    assert frame["n_treated"].tolist() == [1, 2]
    assert frame.loc["a", "note"] == (
        "6 groups of 1 among 6 donors; 1 of 2 markets have a return on every session of the window"
    )
    assert frame.loc["a", "placebo_p_floor"] == 1 / 7 and frame.loc["b", "note"] == "15 groups of 2 among 6 donors"


def test_american_shares_on_22_march_2018() -> None:
    """Apple and AMD against 15 other shares on the day of the Section 301 memorandum, all from data/bundled."""
    donors = [
        "Bank of America", "Best Buy", "Chevron", "General Electric", "Home Depot", "Johnson & Johnson",
        "JPMorgan Chase", "Coca-Cola", "Eli Lilly", "Merck", "PepsiCo", "Pfizer", "Procter & Gamble", "Walmart",
        "ExxonMobil",
    ]  # fmt: skip
    table = mr.load_events({"memorandum": "2018-03-22 16:45 UTC"})
    prices = mr.load_prices(["Apple", "AMD", *donors], events=table, source="bundled")
    result = event_study(prices, table, markets=["Apple", "AMD"], normal_model="synthetic_control", donors=donors)
    row = mr.basket_effect(result).loc["memorandum"]
    assert row["placebo_p_floor"] == pytest.approx(1 / 106)  # 15 choose 2 groups
    assert abs(row["estimate"]) < 0.03 and row["placebo_p"] > 0.05


def test_a_basket_needs_synthetic_controls_one_session_and_a_window_of_the_study() -> None:
    prices, table = price_data(CLOSES), events.load_events(WHEN)
    with pytest.raises(WindowError, match="the study has normal_model='constant_mean'; run event_study with"):
        basket_effect(event_study(prices, table))
    with pytest.raises(WindowError, match=r"window=\(0, 9\) reaches beyond the offsets 0 to 5"):
        basket_effect(event_study(prices, table, **MODEL), window=(0, 9))


def test_a_basket_over_two_sessions_is_refused() -> None:
    closes = CLOSES.copy()
    closes.loc["2021-01-13", "m1"] = np.nan  # m1 sees the news a session later
    instruments = {
        name: Instrument(name, asset_class="index", bar_close="16:00 America/New_York") for name in closes.columns
    }
    result = event_study(PriceData.from_frame(closes, instruments), events.load_events({"b": WHEN["b"]}), **MODEL)
    with pytest.raises(WindowError, match=r"in one session: m0 2021-01-13, m1 2021-01-14\. Study them apart"):
        basket_effect(result)


def test_a_basket_may_be_some_of_the_markets_studied() -> None:
    result = event_study(price_data(CLOSES), events.load_events(WHEN), **MODEL)
    row = basket_effect(result, markets=["M1"], window=(0, 1)).loc["a"]
    assert row["estimate"] == pytest.approx(result.pairs["a", "m1"].abnormal[:2].sum()) and row["n_treated"] == 1
    with pytest.raises(UnknownInstrumentError, match="markets names 'm7', which is not among the markets"):
        basket_effect(result, markets=["m7"])


def test_the_rank_in_time_is_that_of_the_same_basket_on_earlier_days() -> None:
    """By brute force: an event study on each of the days before, scaled by the EWMA volatility of the day-0 effects."""
    prices = price_data(seeded_closes(rows=500, columns=8))
    days = prices["m0"].sessions
    study = event_study(prices, events.load_events({"b": f"{days[470]:%Y-%m-%d} 12:00 UTC"}), **MODEL)
    row = basket_effect(study, window=(0, 1), history=120).loc["b"]
    effects = {
        window: [_effect(prices, at, window) for at in range(470 - 10 - 180, 470)] for window in ((0, 0), (0, 1))
    }
    sigma = ewma_volatility(np.append(effects[0, 0], np.nan))
    pool = (np.array(effects[0, 1]) / sigma[:-1])[60:-10]
    value = abs(row["estimate"] / sigma[-1])
    assert row["n_placebo"] == len(pool) == 120
    assert row["time_p"] == (1 + np.count_nonzero(np.abs(pool) >= value)) / 121


def _effect(prices: PriceData, at: int, window: tuple[int, int]) -> float:
    """phi of m0 and m1 on donors m2 to m7, from arrays."""
    moves = np.column_stack([prices[f"m{i}"].returns() for i in range(8)])
    inside, ahead = moves[at - 130 : at - 10], moves[at : at + window[1] + 1]
    return float(effect_of_arrays(inside[:, :2], ahead[:, :2], inside[:, 2:], ahead[:, 2:]).phi[-1])


def test_no_window_of_an_earlier_day_reaches_the_event() -> None:
    """A jump of the basket on day 0 changes nothing on the days it is ranked among, though windows hold 16 sessions."""
    closes = seeded_closes(rows=500, columns=8)
    table = events.load_events({"b": f"{price_data(closes)['m0'].sessions[470]:%Y-%m-%d} 12:00 UTC"})
    jumped = closes.copy()
    jumped.iloc[470:, :2] *= 1.2
    rows = [
        basket_effect(
            event_study(price_data(one), table, windows=mr.EventWindows(event=(0, 15)), **MODEL), history=120
        ).loc["b"]
        for one in (closes, jumped)
    ]
    assert rows[1]["estimate"] > rows[0]["estimate"] + 0.15 and rows[1]["n_placebo"] == 120
    assert rows[1]["time_mde"] == pytest.approx(rows[0]["time_mde"])


def test_the_rank_in_time_of_american_shares() -> None:
    donors = ["Johnson & Johnson", "Pfizer", "Coca-Cola", "PepsiCo", "JPMorgan Chase", "ExxonMobil"]
    table = mr.load_events().loc[["2019-08-01-us"]]
    prices = mr.load_prices(["Best Buy", "Apple", *donors], events=table, source="bundled")
    study = event_study(prices, table, markets=["Best Buy", "Apple"], normal_model="synthetic_control", donors=donors)
    both, alone = (
        basket_effect(study, markets=markets, window=(0, 0), history=100).iloc[0] for markets in (None, ["Best Buy"])
    )
    assert both["n_placebo"] == 100 and both["time_p_floor"] == 1 / 101
    test = mr.placebo_test(study, prices, history=100).markets["2019-08-01-us", "Best Buy"]
    assert alone["time_p"] == pytest.approx(
        test.scaled.p_value, abs=0.02
    )  # other volatility: of the gap, not the share
    assert 0 < both["time_mde"] < 0.1 and both["time_note"] == ""


def test_a_basket_with_two_sets_of_donors_is_refused() -> None:
    prices, table = price_data(CLOSES), events.load_events({"a": WHEN["a"]})
    studies = [
        event_study(prices, table, normal_model="synthetic_control", markets=[name], donors=donors)
        for name, donors in (("m0", ["m2", "m3", "m4"]), ("m1", ["m5", "m6", "m7"]))
    ]
    with pytest.raises(WindowError, match="the markets of a basket must have the same donors: m0, m1"):
        basket_effect(merged(studies))
