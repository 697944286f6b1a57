"""The price of a basket of currencies in one currency, from pairs that are struck at the same instant."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from market_reaction.errors import DataUnavailableError, MarketReactionError, UnknownInstrumentError, did_you_mean
from market_reaction.instruments import Instrument
from market_reaction.prices import PriceData, PriceSeries, Vintage

_PAIR = re.compile(r"([A-Z]{3})/([A-Z]{3})")


def currency_basket(
    prices: PriceData, currency: str, weights: Mapping[str, float], *, name: str | None = None
) -> PriceData:
    """Add the price of a basket of currencies in one of them, as a market like any other.

    Parameters
    ----------
    prices : PriceData
        Holds the pairs, such as ``"USD/CNY"`` (yuan per dollar) and ``"EUR/USD"``; other markets may be in it.
    currency : str
        The currency that is priced against the basket, ``"CNY"``.
    weights : mapping of str to float
        Weights of the other currencies, above zero; they are scaled to sum to one.
    name : str, optional
        Name of the new market; ``"Basket/CNY"`` when left out.

    Returns
    -------
    PriceData
        The markets given and, last, the basket: units of ``currency`` per basket, 100 on the first session. Up = that
        currency weaker. Sessions in between on which a pair is missing are in its ``excluded``. Without the pairs it
        needs, the basket is in ``unavailable``, with the reason.

    Raises
    ------
    UnknownInstrumentError
        A name that is taken.
    MarketReactionError
        No weights, a weight that is not above zero, or a weight for the currency itself.

    Notes
    -----
    log B = sum of w_i log(price of currency i). A price comes from one pair, or from two through a third currency, so
    that the moves of the basket are the weighted moves of ``currency`` against each of its members. A common shock to
    the dollar, which fills USD/CNY, weighs here only with the dollar's own weight.

    Examples
    --------
    >>> import market_reaction as mr
    >>> pairs = mr.load_prices(["USD/CNY", "EUR/USD"], "2018-06-01", "2018-06-29", source="bundled")
    >>> basket = mr.currency_basket(pairs, "CNY", {"USD": 1, "EUR": 1})["Basket/CNY"]
    >>> usd, eur = (pairs[name].returns()[-250:] for name in ("USD/CNY", "EUR/USD"))
    >>> bool(abs(basket.returns()[-250:] - (usd + eur / 2)).max() < 1e-12)  # half USD/CNY, half EUR/CNY
    True
    """
    label = name or f"Basket/{currency}"
    shares = _shares(currency, weights)
    pairs = _pairs(prices)
    if label in prices.series:
        raise UnknownInstrumentError(f"{label!r} is a market of these prices already; give the basket another name=.")
    try:
        routes = {member: _route(pairs, member, currency) for member in shares}
        used = {leg.name: leg for legs in routes.values() for leg, _ in legs}
        closes = pd.DataFrame({key: pd.Series(leg.closes, leg.sessions) for key, leg in used.items()})
        shared = closes.dropna()
        _check(used, shared)
    except DataUnavailableError as error:
        missing = pd.DataFrame([{"market": label, "reason": str(error)}])
        return replace(prices, unavailable=pd.concat([prices.unavailable, missing], ignore_index=True))
    exponents = pd.Series(0.0, index=list(used))
    for member, legs in routes.items():
        for leg, sign in legs:
            exponents[leg.name] += sign * shares[member]
    basket = pd.Series(np.log(shared.to_numpy()) @ exponents.to_numpy(), index=shared.index)
    level = 100 * np.exp(basket - basket.iloc[0])
    inside = closes.loc[level.index[0] : level.index[-1]]
    series = _series(label, currency, shares, list(used.values()), level, inside.index.difference(shared.index))
    return replace(prices, series={**prices.series, label: series})


def _shares(currency: str, weights: Mapping[str, float]) -> dict[str, float]:
    """Weights that sum to one."""
    if not weights:
        raise MarketReactionError("weights is empty; give at least one currency, such as {'USD': 1, 'EUR': 1}.")
    for member, weight in weights.items():
        if not (np.isfinite(weight) and weight > 0):
            raise MarketReactionError(
                f"weights[{member!r}]={weight} is not above zero; leave the currency out instead."
            )
    if currency in weights:
        raise MarketReactionError(f"weights names {currency!r}, the currency that is priced; leave it out.")
    total = sum(weights.values())
    return {member: weight / total for member, weight in weights.items()}


def _pairs(prices: PriceData) -> dict[tuple[str, str], PriceSeries]:
    """Loaded exchange rates by (base, quote): quote units per unit of base."""
    found = {}
    for series in prices:
        match = _PAIR.fullmatch(series.instrument.name)
        if match and series.instrument.asset_class == "fx":
            found[match[1], match[2]] = series
    return found


def _route(pairs: Mapping[tuple[str, str], PriceSeries], member: str, currency: str) -> list[tuple[PriceSeries, float]]:
    """Series and signs whose logs add up to the log price of a currency in another."""
    direct = _leg(pairs, member, currency)
    if direct:
        return [direct]
    known = {code for pair in pairs for code in pair}
    for middle in sorted(known, key=lambda code: code != "USD"):
        first, second = _leg(pairs, member, middle), _leg(pairs, middle, currency)
        if first and second:
            return [first, second]
    raise DataUnavailableError(
        f"no loaded pair leads from {member!r} to {currency!r}. {did_you_mean(member, known)}"
        f"Loaded: {', '.join('/'.join(pair) for pair in pairs) or 'no pair'}. Load {member}/USD or USD/{member} too.",
        symbol=member,
        cause="no rows",
    )


def _leg(pairs: Mapping[tuple[str, str], PriceSeries], base: str, quote: str) -> tuple[PriceSeries, float] | None:
    """Pair that prices one currency in another, with -1 where it is quoted the other way round."""
    if (base, quote) in pairs:
        return pairs[base, quote], 1.0
    return (pairs[quote, base], -1.0) if (quote, base) in pairs else None


def _check(used: Mapping[str, PriceSeries], shared: pd.DataFrame) -> None:
    """Refuse pairs without a common session, or whose closes of one session lie at different instants."""
    names = ", ".join(used)
    if shared.empty:
        raise DataUnavailableError(
            f"its pairs {names} share no session; load them for the same years.", symbol=names, cause="no rows"
        )
    struck = {key: pd.Series(leg.close_utc, leg.sessions).reindex(shared.index) for key, leg in used.items()}
    first = next(iter(struck))
    for key, instants in struck.items():
        apart = instants.ne(struck[first])
        if apart.any():
            day = shared.index[apart.to_numpy()][0]
            raise DataUnavailableError(
                f"{first} and {key} are not struck at the same instant ({struck[first][day]:%Y-%m-%d %H:%M} and "
                f"{instants[day]:%Y-%m-%d %H:%M} UTC), so their cross rate is no price; load all pairs from one "
                "source.",
                symbol=names,
                cause="different clocks",
            )


def _series(
    label: str, currency: str, shares: Mapping[str, float], legs: list[PriceSeries], level: pd.Series,
    missing: pd.Index,
) -> PriceSeries:  # fmt: skip
    """The basket as a series with the clock of its pairs."""
    pattern = legs[0]
    rows = pattern.sessions.get_indexer(level.index)
    words = ", ".join(f"{member} {100 * share:.1f}%" for member, share in shares.items())
    instrument = Instrument(
        name=label,
        asset_class="fx",
        unit=f"{currency} per basket, first session 100",
        quote_note=f"up = {currency} weaker",  # short, for titles; the weights are in the vintage
        bar_close=pattern.instrument.bar_close,
    )
    digest = hashlib.sha256("".join([words, *(leg.vintage.sha256 for leg in legs)]).encode()).hexdigest()
    detail = f"basket of {words}, from {', '.join(leg.name for leg in legs)}"
    retrieved = [leg.vintage.retrieved_utc for leg in legs if leg.vintage.retrieved_utc is not None]
    vintage = Vintage(
        pattern.source, label, min(retrieved, default=None), level.index[0], level.index[-1], len(level), digest, detail
    )
    reasons = pd.DataFrame({"session": missing, "reason": "a pair of the basket has no close"})
    return PriceSeries(
        instrument=instrument,
        name=label,
        source=pattern.source,
        bars=level.rename("close").rename_axis("session").to_frame(),
        close_earliest_utc=pattern.close_earliest_utc[rows],
        close_utc=pattern.close_utc[rows],
        price_basis=pattern.price_basis,
        vintage=vintage,
        excluded=reasons,
    )
