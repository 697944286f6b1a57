"""A basket of currencies: against cross rates worked out by hand, its clock, and pairs that do not fit."""

import re

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from market_reaction.errors import MarketReactionError, UnknownInstrumentError

DAYS = pd.bdate_range("2025-06-02", periods=4)
CLOSES = pd.DataFrame(
    {"USD/CNY": [7.0, 7.1, 7.2, 7.1], "EUR/USD": [1.10, 1.12, 1.11, 1.15], "USD/JPY": [150.0, 148.0, 151.0, 150.0]},
    index=DAYS,
)


@pytest.fixture
def pairs() -> mr.PriceData:
    return mr.PriceData.from_frame(CLOSES, bar_close="14:15 Europe/Berlin")


def test_moves_are_the_weighted_moves_of_the_cross_rates(pairs: mr.PriceData) -> None:
    basket = mr.currency_basket(pairs, "CNY", {"USD": 2, "EUR": 1, "JPY": 1})["Basket/CNY"]
    usd, eur, jpy = CLOSES["USD/CNY"], CLOSES["USD/CNY"] * CLOSES["EUR/USD"], CLOSES["USD/CNY"] / CLOSES["USD/JPY"]
    wanted = 100 * (usd / usd.iloc[0]) ** 0.5 * (eur / eur.iloc[0]) ** 0.25 * (jpy / jpy.iloc[0]) ** 0.25
    np.testing.assert_allclose(basket.closes, wanted, rtol=1e-13)
    assert basket.closes[0] == pytest.approx(100)


def test_it_has_the_clock_of_its_pairs_and_says_what_up_means(pairs: mr.PriceData) -> None:
    found = mr.currency_basket(pairs, "CNY", {"USD": 1, "EUR": 3}, name="Yuan basket")
    basket = found["Yuan basket"]
    assert list(found.series) == ["USD/CNY", "EUR/USD", "USD/JPY", "Yuan basket"]
    assert (basket.close_utc == pairs["USD/CNY"].close_utc).all()
    assert basket.instrument.quote_note == "up = CNY weaker"
    assert "basket of USD 25.0%, EUR 75.0%, from USD/CNY, EUR/USD" in found.vintage.loc["Yuan basket", "detail"]
    assert "Yuan basket" not in pairs.series


def test_a_session_without_one_pair_is_left_out_and_named() -> None:
    holes = CLOSES.copy()
    holes.loc[DAYS[1], "EUR/USD"] = np.nan
    prices = mr.PriceData.from_frame(holes, bar_close="14:15 Europe/Berlin")
    basket = mr.currency_basket(prices, "CNY", {"USD": 1, "EUR": 1})["Basket/CNY"]
    assert list(basket.sessions) == [DAYS[0], DAYS[2], DAYS[3]]
    assert basket.excluded.to_dict("records") == [{"session": DAYS[1], "reason": "a pair of the basket has no close"}]


def test_a_basket_is_studied_like_any_market() -> None:
    names = ["USD/CNY", "EUR/USD", "USD/JPY", "USD/KRW", "AUD/USD", "USD/HKD", "GBP/USD"]
    events = mr.load_events().loc[["2018-03-22-us", "2019-08-01-us"]]
    prices = mr.load_prices(names, events=events, source="bundled")
    weights = {"USD": 22.40, "EUR": 16.34, "JPY": 11.53, "KRW": 10.77, "AUD": 4.40, "HKD": 4.28, "GBP": 3.17}
    prices = mr.currency_basket(prices, "CNY", weights)
    study = mr.event_study(prices, events, windows=mr.EventWindows(event=(0, 1)))
    moves = study.car((0, 1))["estimate"].xs("2019-08-01-us")
    assert moves["USD/CNY (ECB)"] > 0.005  # the yuan fell through 6.9, then 7, after the tariff of 1 August 2019
    assert moves["Basket/CNY"] > 0
    assert str(study.sessions.loc[("2019-08-01-us", "Basket/CNY"), "session"])[:10] == "2019-08-02"


@pytest.mark.parametrize(
    ("currency", "weights", "error", "message"),
    [
        ("CNY", {}, MarketReactionError, "weights is empty"),
        ("CNY", {"USD": 0.0}, MarketReactionError, r"weights\['USD'\]=0.0 is not above zero"),
        ("CNY", {"USD": 1, "CNY": 1}, MarketReactionError, "weights names 'CNY', the currency that is priced"),
    ],
)
def test_mistakes(
    pairs: mr.PriceData, currency: str, weights: dict[str, float], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        mr.currency_basket(pairs, currency, weights)


def test_a_name_that_is_taken(pairs: mr.PriceData) -> None:
    with pytest.raises(UnknownInstrumentError, match="'USD/JPY' is a market of these prices already"):
        mr.currency_basket(pairs, "CNY", {"USD": 1}, name="USD/JPY")


def test_a_basket_without_its_pairs_is_unavailable_with_the_reason(pairs: mr.PriceData) -> None:
    found = mr.currency_basket(pairs, "CNY", {"USD": 1, "GBP": 1})
    assert list(found.series) == list(pairs.series)
    (row,) = found.unavailable.to_dict("records")
    assert row["market"] == "Basket/CNY"
    assert "no loaded pair leads from 'GBP' to 'CNY'" in row["reason"]
    assert row["reason"].endswith("Load GBP/USD or USD/GBP too.")


def test_pairs_struck_at_different_instants_are_no_cross_rate() -> None:
    first = mr.PriceData.from_frame(CLOSES[["USD/CNY"]], bar_close="14:15 Europe/Berlin")
    second = mr.PriceData.from_frame(CLOSES[["EUR/USD"]], bar_close="17:00 America/New_York")
    both = mr.PriceData({**first.series, **second.series})
    found = mr.currency_basket(both, "CNY", {"USD": 1, "EUR": 1})
    assert "Basket/CNY" not in found.series
    assert re.search(
        r"USD/CNY and EUR/USD are not struck at the same instant \(2025-06-02 12:15 and 2025-06-02 21:00 UTC\)|"
        r"EUR/USD and USD/CNY are not struck at the same instant \(2025-06-02 21:00 and 2025-06-02 12:15 UTC\)",
        found.unavailable["reason"][0],
    )
