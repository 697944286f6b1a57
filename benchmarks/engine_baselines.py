"""What the engine is measured against: loops over events as people write them, another package, and a floor."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from market_reaction.engine.gather import rows_of, stretches

LENGTH, FIRST, LAST = 250, -10, 10  # estimation sessions right before the event window, and the event window
COUNT = LAST - FIRST + 1


class Study(NamedTuple):
    """CAR and its standard error at each event."""

    car: np.ndarray
    std_error: np.ndarray


def _windows(day: int) -> tuple[slice, slice]:
    return slice(day + FIRST - LENGTH, day + FIRST), slice(day + FIRST, day + LAST + 1)


def statsmodels_loop(returns: np.ndarray, market: np.ndarray, assets: np.ndarray, days: np.ndarray) -> Study:
    """One ``statsmodels.OLS`` an event; its forecast gives the abnormal returns."""
    import statsmodels.api as sm

    study = Study(np.empty(len(assets)), np.empty(len(assets)))
    for number, (asset, day) in enumerate(zip(assets, days, strict=True)):
        before, around = _windows(day)
        fit = sm.OLS(returns[asset, before], sm.add_constant(market[before])).fit()
        ahead = sm.add_constant(market[around], has_constant="add")
        study.car[number] = (returns[asset, around] - fit.predict(ahead)).sum()
        total = ahead.sum(axis=0)
        study.std_error[number] = np.sqrt(fit.mse_resid * COUNT + total @ fit.cov_params() @ total)
    return study


def lstsq_loop(returns: np.ndarray, market: np.ndarray, assets: np.ndarray, days: np.ndarray) -> Study:
    """One ``numpy.linalg.lstsq`` an event and the textbook formula of the forecast error; abnormal returns are kept."""
    study = Study(np.empty(len(assets)), np.empty(len(assets)))
    paths = np.empty((len(assets), COUNT))
    ones = np.ones(LENGTH)
    for number, (asset, day) in enumerate(zip(assets, days, strict=True)):
        before, around = _windows(day)
        x, ahead = market[before], market[around]
        (level, slope), rest, *_ = np.linalg.lstsq(np.column_stack([ones, x]), returns[asset, before], rcond=None)
        paths[number] = returns[asset, around] - level - slope * ahead
        mean = x.mean()
        leverage = COUNT**2 / LENGTH + (ahead - mean).sum() ** 2 / ((x - mean) ** 2).sum()
        study.car[number] = paths[number].sum()
        study.std_error[number] = np.sqrt(rest[0] / (LENGTH - 2) * (COUNT + leverage))
    return study


def chunked_gather(returns: np.ndarray, market: np.ndarray, assets: np.ndarray, days: np.ndarray) -> Study:
    """Fancy indexing of all estimation windows and einsum, 4,096 events at a time."""
    study = Study(np.empty(len(assets)), np.empty(len(assets)))
    paths = np.empty((len(assets), COUNT))
    for at in range(0, len(assets), 4096):
        rows, cols = assets[at : at + 4096, None], days[at : at + 4096, None]
        before, around = cols + np.arange(FIRST - LENGTH, FIRST), cols + np.arange(FIRST, LAST + 1)
        x, y = market[before], returns[rows, before]
        mean, level = x.mean(axis=1, keepdims=True), y.mean(axis=1, keepdims=True)
        x -= mean
        y -= level
        squares = np.einsum("ij,ij->i", x, x)
        slope = (np.einsum("ij,ij->i", x, y) / squares)[:, None]
        y -= slope * x
        variance = np.einsum("ij,ij->i", y, y) / (LENGTH - 2)
        ahead = market[around] - mean
        path = returns[rows, around] - level - slope * ahead
        paths[at : at + 4096] = path
        study.car[at : at + 4096] = path.sum(axis=1)
        leverage = COUNT**2 / LENGTH + ahead.sum(axis=1) ** 2 / squares
        study.std_error[at : at + 4096] = np.sqrt(variance * (COUNT + leverage))
    return study


def eventstudy_package() -> Callable[..., Study] | None:
    """The package ``eventstudy``, one ``Single`` an event; None where it is not installed."""
    try:
        from eventstudy import Single, models
    except ImportError:
        return None

    def run(returns: np.ndarray, market: np.ndarray, assets: np.ndarray, days: np.ndarray) -> Study:
        study = Study(np.empty(len(assets)), np.empty(len(assets)))
        for number, (asset, day) in enumerate(zip(assets, days, strict=True)):
            span = slice(day + FIRST - LENGTH, day + LAST + 1)
            data = {"security_returns": returns[asset, span], "market_returns": market[span]}
            event = Single(models.market_model, data, event_window=(FIRST, LAST), estimation_size=LENGTH, buffer_size=0)
            study.car[number] = event.CAR[-1]
            study.std_error[number] = np.sqrt(event.var_CAR[-1])
        return study

    return run


def floor(returns: np.ndarray, market: np.ndarray, assets: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, ...]:
    """What nobody can leave out: read the panel once and copy the event windows of both, as fast as numpy can."""
    total = returns.sum() + market.sum()
    return rows_of(returns, assets, days + FIRST, COUNT), stretches(market, days + FIRST, COUNT), np.array(total)


def copy_by_index(
    returns: np.ndarray, market: np.ndarray, assets: np.ndarray, days: np.ndarray
) -> tuple[np.ndarray, ...]:
    """The same as people write it, with an index for every value."""
    total = returns.sum() + market.sum()
    around = days[:, None] + np.arange(FIRST, LAST + 1)
    return returns[assets[:, None], around], market[around], np.array(total)
