"""The effect on a basket of shares from a study, against the array form and by brute force."""

import numpy as np
import pytest

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import events
from market_reaction.baskets import basket_effect
from market_reaction.errors import WindowError
from market_reaction.instruments import Instrument
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
