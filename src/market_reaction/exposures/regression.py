"""One call: reactions of several shares to an announcement, regressed on how exposed each of them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date as Date
from datetime import datetime
from pathlib import Path

import pandas as pd

from market_reaction.counterfactuals.studies import loaded_series, study_shares
from market_reaction.errors import WindowError
from market_reaction.exposures import measures
from market_reaction.exposures.assembly import Asked, own_benchmarks, regressed, without_slope
from market_reaction.exposures.measures import Exposure, ExposureLike
from market_reaction.exposures.pool import LEAST_DAYS
from market_reaction.exposures.result import ExposureRegression
from market_reaction.instruments import Instrument, find_instruments
from market_reaction.loading import SourceName, load_prices
from market_reaction.normal_models import NORMAL_MODELS, NormalModel
from market_reaction.placebo import HISTORY
from market_reaction.prices import PriceData
from market_reaction.reaction import announcement_table
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EventWindows, Window, check_history


def exposure_regression(
    announcement: str | datetime | None = None,
    exposure: ExposureLike = "earlier_reactions",
    *,
    date: str | Date | None = None,
    shares: Sequence[str | Instrument],
    label: str = "",
    to: str | None = None,
    earlier: pd.DataFrame | Sequence[str] | None = None,
    benchmark: str | None = None,
    normal_model: NormalModel = "market",
    window: Window = (0, 0),
    estimation: Window = (-130, -11),
    sessions: int = measures.SESSIONS,
    history: int = HISTORY,
    exclude: pd.DataFrame | None = None,
    prices: PriceData | None = None,
    source: SourceName = "auto",
    folder: str | Path | None = None,
    as_of: str | None = None,
    refresh: bool = False,
    progress: bool = True,
) -> ExposureRegression:
    """Regress the reactions of shares to one announcement on their exposure, and rank the slope among placebo days.

    Parameters
    ----------
    announcement : str or datetime
        A time stamp with a zone, or an id of the catalogue.
    exposure : mapping of str to float, Series, or {"earlier_reactions", "beta", "sensitivity"}
        Numbers by share, known before the announcement; or an estimate that ends before each estimation window begins:
        the mean abnormal return on earlier announcements, the slope on the share's benchmark, or the slope on ``to``
        with the benchmark held fixed.
    date : str or date, optional
        Instead of ``announcement``: a bare date whose clock is unknown.
    shares : sequence of str or Instrument
        The cross-section; ten or more are better than four.
    label : str
        What numbers given are, in words: ``"sales in China, share of total"``.
    to : str, optional
        Market of ``"sensitivity"``, such as ``"CSI 300"`` or ``"Broad dollar"``.
    earlier : pandas.DataFrame or sequence of str, optional
        Announcements of ``"earlier_reactions"``, as a table or as ids of the catalogue. When left out, the catalogue
        rows of the same direction and instrument whose time is known to the minute or hour.
    benchmark : str, optional
        Market to use for all; each share's own when left out (S&P 500, CSI 300...).
    normal_model : str
        Counterfactual: one that takes no factors or donors.
    window : tuple of int
        Inclusive session offsets of the reaction; day 0 when left out.
    estimation : tuple of int
        Inclusive offsets of the estimation window.
    sessions : int
        Sessions that ``"beta"`` and ``"sensitivity"`` are estimated on.
    history : int
        Size of the placebo pool.
    exclude : pandas.DataFrame, optional
        Events whose sessions are left out of the pool; those an exposure was learned from always are.
    prices : PriceData, optional
        Series loaded before, such as those of another result; they are loaded when left out.
    source, folder, as_of, refresh, progress
        As in ``react``.

    Returns
    -------
    ExposureRegression
        Without a slope, and with the reason, where fewer than four shares have a reaction and an exposure, or where the
        class of an announcement that is not in the catalogue is not known and ``earlier`` is left out.

    Raises
    ------
    AnnouncementTimeError
        No zone, no clock time, or both or none of ``announcement`` and ``date``.
    EventTableError
        ``earlier`` names an id that is not in the catalogue.
    UnknownInstrumentError
        A share or benchmark that is not known, or an exposure of a share that is not in ``shares``.
    WindowError
        An exposure, model or window that cannot be used.

    Notes
    -----
    CAR_i = a + b x_i + u_i by least squares over N shares; b is the return of a portfolio sum_i w_i CAR_i with
    w_i = (x_i - mean x) / sum_j (x_j - mean x)^2. Shares move together, so standard errors that suppose independent
    u_i are wrong, robust ones as well. The same regression is run on ``history`` pseudo-announcements at the same local
    clock time, the latest at least 11 sessions before day 0 and none with a window that reaches it, all shares of a day
    kept together: T = b / sigma, sigma the EWMA(0.97) volatility of the day-0 slope known before;
    p = (1 + #{|T_s| >= |T_0|}) / (1 + S). Numbers given, and reactions to earlier announcements, stay the same on every
    placebo day; slopes are estimated anew for each.

    The error of an exposure that is itself estimated draws the slope towards zero; p holds all the same, because the
    placebo days use an exposure with the same error. A window of several sessions overlaps with that of the next day:
    its p is approximate. A market of ``to`` that closes at other hours is taken by date.

    References
    ----------
    Sefcik and Thompson (1986), Journal of Accounting Research 24:316, for b as a portfolio; Acemoglu, Johnson, Kermani,
    Kwak and Mitton (2016), Journal of Financial Economics 121:368, for reactions of shares by their ties, with placebo
    days; Amiti, Kong and Weinstein (2020), NBER Working Paper 27114, for returns of firms exposed to China around the
    tariff announcements of 2018 and 2019.

    Examples
    --------
    >>> import market_reaction as mr
    >>> shares = ["Apple", "AMD", "Best Buy", "Coca-Cola", "Pfizer", "Walmart"]
    >>> found = mr.exposure_regression("2019-08-01-us", "beta", shares=shares, source="bundled")
    >>> found.to_frame()[["exposure", "reaction"]].loc["Best Buy"].round(3).to_dict()
    {'exposure': 1.081, 'reaction': -0.104}
    """
    check_history(history)
    measures.check_exposure(exposure)
    _check_model(normal_model, exposure, to)
    table = announcement_table(announcement, date)
    event = table.iloc[0]
    asked = find_instruments(shares)
    learned = isinstance(exposure, str) and exposure == "earlier_reactions"
    past = measures.earlier_events(event, earlier) if learned else None
    windows = EventWindows(estimation=estimation, event=(window,))
    if prices is None:
        prices = load_prices(
            [*asked, *_inputs(asked, benchmark, to)], events=table if past is None else pd.concat([past, table]),
            windows=windows, history=history + sessions + LEAST_DAYS, source=source, folder=folder, as_of=as_of,
            refresh=refresh, progress=progress,
        )  # fmt: skip
    parameters: dict[str, object] = {
        "announcement": str(event.name), "exposure": exposure if isinstance(exposure, str) else dict(exposure),
        "shares": [one.name for one in asked], "to": to, "earlier": None if past is None else list(past.index),
        "benchmark": benchmark, "normal_model": normal_model, "window": tuple(window),
        "estimation": tuple(estimation), "sessions": sessions, "history": history,
        "excluded_events": 0 if exclude is None else len(exclude), "source": source, "as_of": as_of,
    }  # fmt: skip
    study, reasons = study_shares(
        prices, table, list(loaded_series(prices, asked)), windows, normal_model, benchmark=benchmark
    )
    lost = _lost(prices, asked, reasons)
    settings = Asked(event, window, history, sessions, benchmark, exclude, prices, parameters)
    missing = prices.unavailable.set_index("market")["reason"]
    why = ""
    if study is None:
        why = "none of the shares has a reaction"
    elif learned and past is None:
        why = measures.NO_CLASS
    elif to and find_instruments([to])[0].name in missing.index:
        why = f"{to}, the market of the sensitivity, could not be had: {missing[find_instruments([to])[0].name]}"
    if why or study is None:
        return without_slope(settings, study, None, None, lost, why)
    found = _exposure(exposure, study, asked, label=label, to=to, past=past, benchmark=benchmark, sessions=sessions)
    return regressed(settings, study, found, lost)


def _check_model(normal_model: str, exposure: ExposureLike, to: str | None) -> None:
    """Refuse a model that takes factors or donors, and ``to`` where it has no meaning or lacks."""
    known = [name for name, one in NORMAL_MODELS.items() if one.regressors in ("none", "benchmark")]
    if normal_model not in known:
        raise WindowError(f"normal_model={normal_model!r} is not for an exposure regression; use {', '.join(known)}.")
    wanted = isinstance(exposure, str) and exposure == "sensitivity"
    if wanted != (to is not None):
        raise WindowError(
            "exposure='sensitivity' needs to=, the market it is a slope on, such as 'CSI 300' or 'Broad dollar'."
            if wanted
            else f"to={to!r} belongs to exposure='sensitivity' only; leave it out."
        )


def _inputs(asked: Sequence[Instrument], benchmark: str | None, to: str | None) -> list[str]:
    """Benchmarks to load, each share's own unless one is named, and the market of a sensitivity."""
    own = [benchmark] if benchmark else [one.benchmark for one in asked if one.benchmark]
    return [*own, *([to] if to else [])]


def _lost(prices: PriceData, asked: Sequence[Instrument], reasons: Mapping[str, str]) -> pd.DataFrame:
    """Shares without a reaction: columns share, reason."""
    names = {one.name for one in asked}
    missing = [(row.market, row.reason) for row in prices.unavailable.itertuples() if row.market in names]
    return pd.DataFrame([*missing, *reasons.items()], columns=["share", "reason"], dtype=str)


def _exposure(
    exposure: ExposureLike,
    study: EventStudyResult,
    asked: Sequence[Instrument],
    *,
    label: str,
    to: str | None,
    past: pd.DataFrame | None,
    benchmark: str | None,
    sessions: int,
) -> Exposure:
    """Exposure of the shares studied."""
    prices = study.prices
    if not isinstance(exposure, str):
        return measures.given_exposure(exposure, [one.name for one in asked], label)
    if past is not None:
        kinds = set(past["direction"].dropna()) if "direction" in past else set()
        one = str(kinds.pop()) if len(kinds) == 1 else ""
        what = {"escalation": "escalations", "de-escalation": "de-escalations"}.get(one, "announcements")
        return measures.reaction_exposure(study, prices, past, benchmark, what)
    return measures.slope_exposure(study, own_benchmarks(study, benchmark), prices[to] if to else None, sessions)
