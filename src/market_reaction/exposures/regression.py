"""One call: reactions of several shares to an announcement, regressed on how exposed each of them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date as Date
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from market_reaction.battery.cases import cases_of_markets
from market_reaction.counterfactuals.studies import loaded_series, study_shares
from market_reaction.errors import WindowError
from market_reaction.exposures import measures
from market_reaction.exposures.measures import Exposure, ExposureLike
from market_reaction.exposures.pool import LEAST_DAYS, ShareHistory, SlopePlacebo, share_histories, slope_placebo
from market_reaction.exposures.result import ExposureRegression
from market_reaction.exposures.slopes import FEWEST_SHARES, hat_values, hc3_rejection_rate, hc3_std_errors
from market_reaction.instruments import Instrument, find_instruments
from market_reaction.loading import SourceName, load_prices
from market_reaction.normal_models import NORMAL_MODELS, NormalModel
from market_reaction.placebo import HISTORY
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.reaction import _announcement
from market_reaction.reaction_notes import on_announcement, on_study
from market_reaction.regressors import find_benchmark
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EventWindows, Window, check_history

FEW_SHARES = 10  # below this one share can make the slope


def exposure_regression(
    announcement: str | datetime | None = None,
    exposure: ExposureLike = "earlier_reactions",
    *,
    date: str | Date | None = None,
    shares: Sequence[str | Instrument],
    label: str = "",
    to: str | None = None,
    earlier: pd.DataFrame | None = None,
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
    earlier : pandas.DataFrame, optional
        Announcements of ``"earlier_reactions"``. When left out, the catalogue rows of the same direction and instrument
        whose time is known to the minute or hour.
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
        Without a slope, and with the reason, where fewer than four shares have a reaction and an exposure.

    Raises
    ------
    AnnouncementTimeError
        No zone, no clock time, or both or none of ``announcement`` and ``date``.
    EventTableError
        ``"earlier_reactions"`` of an announcement that is not in the catalogue, without ``earlier``.
    UnknownInstrumentError
        A share or benchmark that is not known, or an exposure of a share that is not in ``shares``.
    WindowError
        An exposure, model or window that cannot be used.

    Notes
    -----
    CAR_i = a + b x_i + u_i by least squares over N shares; b is the return of a portfolio sum_i w_i CAR_i with
    w_i = (x_i - mean x) / sum_j (x_j - mean x)^2. Shares move together, so standard errors that suppose independent
    u_i are wrong, robust ones as well. The same regression is run on ``history`` pseudo-announcements at the same local
    clock time that end 11 sessions before day 0, all shares of a day kept together: T = b / sigma, sigma the EWMA(0.97)
    volatility of the day-0 slope known before; p = (1 + #{|T_s| >= |T_0|}) / (1 + S). Numbers given, and reactions to
    earlier announcements, stay the same on every placebo day; slopes are estimated anew for each.

    An exposure that is itself estimated draws the slope towards zero.

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
    {'exposure': 0.939, 'reaction': -0.104}
    """
    check_history(history)
    measures.check_exposure(exposure)
    _check_model(normal_model, exposure, to)
    table = _announcement(announcement, date)
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
    if study is None:
        nothing = "none of the shares has a reaction"
        return _without_slope(event, None, None, None, lost, nothing, prices, parameters)
    found = _exposure(exposure, study, asked, label=label, to=to, past=past, benchmark=benchmark, sessions=sessions)
    return _regressed(event, study, found, exclude, lost, prices, parameters)


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
    return measures.slope_exposure(study, _benchmarks(study, benchmark), prices[to] if to else None, sessions)


def _benchmarks(study: EventStudyResult, benchmark: str | None) -> dict[str, PriceSeries]:
    """Benchmark of each share studied."""
    return {
        share: find_benchmark(study.prices, study.prices[share], benchmark, study.design.normal_model)
        for _, share in study.pairs
    }


def _regressed(
    event: pd.Series,
    study: EventStudyResult,
    exposure: Exposure,
    exclude: pd.DataFrame | None,
    lost: pd.DataFrame,
    prices: PriceData,
    parameters: Mapping[str, object],
) -> ExposureRegression:
    """Slope over the shares that have everything, with its placebo."""
    window, history = study.windows.event[0], int(str(parameters["history"]))
    benchmarks = _benchmarks(study, parameters["benchmark"]) if exposure.sensitivity_to else {}  # type: ignore[arg-type]
    left_out = [table for table in (exclude, exposure.used_events) if table is not None and len(table)]
    histories = share_histories(
        event, study, exposure, benchmarks, window, history, pd.concat(left_out) if left_out else None,
        int(str(parameters["sessions"])),
    )  # fmt: skip
    cars = study.car(window)["estimate"].droplevel("event_id")
    frame = pd.DataFrame({"exposure": exposure.by_share.reindex(cars.index), "reaction": cars})
    frame.insert(
        0,
        "session",
        [study.prices[share].sessions[study.pairs[str(event.name), share].position] for share in cars.index],
    )
    reasons = {share: _why_not(row, share, exposure, histories[str(share)]) for share, row in frame.iterrows()}
    out = {str(share): why for share, why in reasons.items() if why}
    lost = pd.concat([lost, pd.DataFrame(list(out.items()), columns=["share", "reason"], dtype=str)], ignore_index=True)
    frame = frame[~frame.index.isin(list(out))].rename_axis("share")
    if len(frame) < FEWEST_SHARES:
        few = f"{len(frame)} share(s) have both a reaction and an exposure; a slope needs at least {FEWEST_SHARES}"
        return _without_slope(event, study, exposure, frame, lost, few, prices, parameters)
    if np.ptp(frame["exposure"].to_numpy()) == 0:
        same = "all shares have the same exposure, so there is no slope on it"
        return _without_slope(event, study, exposure, frame, lost, same, prices, parameters)
    chosen = [histories[share] for share in frame.index]
    test = slope_placebo(chosen, frame["reaction"].to_numpy(), frame["exposure"].to_numpy(), history)
    frame = _fitted(frame, test).join(_influence(frame, chosen, test, history))
    daily = np.column_stack([one.window for one in chosen])[test.rows]
    known = np.column_stack([one.exposure for one in chosen])[test.rows]
    first = study.prices[frame.index[0]].sessions
    pool = pd.DataFrame(
        {"slope": test.slopes, "statistic": test.statistics},
        index=pd.Index(first[chosen[0].positions[test.rows]], name="session"),
    )
    used = {share: study.pairs[str(event.name), share] for share in frame.index}
    return ExposureRegression(
        event=event, exposure=exposure, window=window, shares=frame, test=test, pool=pool,
        hc3_std_error=float(hc3_std_errors(frame["reaction"].to_numpy(), frame["exposure"].to_numpy())[0]),
        hc3_rejects=hc3_rejection_rate(daily, known), correlation=cases_of_markets(study, used, window).correlation,
        excluded=lost, notes=_notes(event, study, exposure, frame, test), prices=prices, parameters=parameters,
    )  # fmt: skip


def _without_slope(
    event: pd.Series,
    study: EventStudyResult | None,
    exposure: Exposure | None,
    frame: pd.DataFrame | None,
    lost: pd.DataFrame,
    why: str,
    prices: PriceData,
    parameters: Mapping[str, object],
) -> ExposureRegression:
    """Result that says why there is no slope."""
    empty = pd.DataFrame(columns=["session", "exposure", "reaction"], index=pd.Index([], name="share"))
    nan = float("nan")
    notes = on_announcement(event) if study is None else (*on_announcement(event), *on_study(study))
    return ExposureRegression(
        event=event, exposure=exposure, window=parameters["window"],  # type: ignore[arg-type]
        shares=empty if frame is None else frame, test=None, pool=pd.DataFrame(columns=["slope", "statistic"]),
        hc3_std_error=nan, hc3_rejects=nan, correlation=nan, excluded=lost, notes=notes, prices=prices,
        parameters=parameters, why_not=why,
    )  # fmt: skip


def _why_not(row: pd.Series, share: object, exposure: Exposure, history: ShareHistory) -> str:
    """Why a share is no part of the regression; empty where it is."""
    if not np.isfinite(row["reaction"]):
        return "it has no abnormal return on every session of the window"
    if not np.isfinite(row["exposure"]):
        return exposure.reasons.get(str(share), "it has no exposure")
    days = int(history.complete.sum())
    if days < LEAST_DAYS:
        return f"its series has {days} comparable days before the announcement; at least {LEAST_DAYS} are needed"
    return ""


def _fitted(frame: pd.DataFrame, test: SlopePlacebo) -> pd.DataFrame:
    """The frame with fitted values, residuals and leverage."""
    fitted = test.intercept + test.slope * frame["exposure"]
    return frame.assign(
        fitted=fitted, residual=frame["reaction"] - fitted, leverage=hat_values(frame["exposure"].to_numpy())
    )


def _influence(
    frame: pd.DataFrame, histories: Sequence[ShareHistory], test: SlopePlacebo, history: int
) -> pd.DataFrame:
    """Slope, its change and p without each share; NaN where too few would be left, or all with one exposure."""
    reactions, exposure = (frame[name].to_numpy(dtype=float) for name in ("reaction", "exposure"))
    rows = []
    for at in range(len(frame)):
        keep = np.arange(len(frame)) != at
        if keep.sum() < FEWEST_SHARES or np.ptp(exposure[keep]) == 0:
            rows.append((float("nan"), float("nan")))
            continue
        others = [one for one, kept in zip(histories, keep, strict=True) if kept]
        without = slope_placebo(others, reactions[keep], exposure[keep], history)
        rows.append((without.slope, without.scaled.p_value))
    found = pd.DataFrame(rows, columns=["slope_without", "placebo_p_without"], index=frame.index)
    return found.assign(change=found["slope_without"] - test.slope)


def _notes(
    event: pd.Series, study: EventStudyResult, exposure: Exposure, frame: pd.DataFrame, test: SlopePlacebo
) -> tuple[str, ...]:
    """What a reader must bear in mind."""
    said = [*on_announcement(event), *on_study(study)]
    if len(frame) < FEW_SHARES:
        said.append(
            f"Only {len(frame)} shares: one of them can make the slope, and the smallest detectable effect is large. "
            f"Ten or more are better."
        )
    if exposure.details.size:
        counts = exposure.details["n"].reindex(frame.index)
        low, high = int(counts.min()), int(counts.max())
        of = "announcements" if exposure.used_events is not None else "sessions"
        said.append(
            f"The exposure is an estimate, from {low if low == high else f'{low} to {high}'} {of} that end by "
            f"{exposure.details['last'].reindex(frame.index).max():%Y-%m-%d}; its own error draws the slope to zero."
        )
    unsure = study.sessions[study.sessions["ambiguous"]]
    if len(unsure):
        names = ", ".join(unsure.index.get_level_values("market"))
        said.append(
            f"Another session is possible for {names}; react() measures each of them, and the headline is used here."
        )
    if test.n_left_out:
        said.append(f"{test.n_left_out} days are left out of the pool because of the announcements they hold.")
    return tuple(said)
