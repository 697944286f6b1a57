"""One effect for a basket of markets, each against its own synthetic control, good matches weighing more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from market_reaction.battery.options import one_market
from market_reaction.design import regressor_moves
from market_reaction.errors import EstimationError, WindowError
from market_reaction.inference.placebo import placebo_rank
from market_reaction.inference.power import placebo_mde
from market_reaction.inference.scales import ewma_volatility
from market_reaction.normal_models.baskets import basket_effect as effect_of_arrays
from market_reaction.normal_models.baskets import basket_placebo
from market_reaction.pair_study import PairStudy
from market_reaction.placebo import clear_windows, pool_gap, pseudo_announcements, sessions_at
from market_reaction.prices import PriceSeries
from market_reaction.progress import progress
from market_reaction.rows import rows_or_nan
from market_reaction.sessions import SessionClock, sessions_holding
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EWMA_START, Window


def basket_effect(
    study: EventStudyResult,
    *,
    markets: Sequence[str] | None = None,
    window: Window | None = None,
    draws: int = 1000,
    seed: int = 0,
    history: int = 0,
    exclude: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Precision-weighted effect of every event on a basket, ranked among random groups of donors.

    Parameters
    ----------
    study : EventStudyResult
        Run with ``normal_model="synthetic_control"``: its markets are the basket, its donors the controls.
    markets : sequence of str, optional
        Markets of the study that are the basket; all of them when left out.
    window : tuple of int, optional
        Inclusive session offsets; the first event window when left out.
    draws : int
        Number of random groups of donors.
    seed : int
        Seed of the draws.
    history : int
        Pseudo-announcements for a second rank, among earlier days instead of among donors; none when 0.
    exclude : pandas.DataFrame, optional
        Events whose sessions are left out of those days.

    Returns
    -------
    pandas.DataFrame
        Indexed by event_id: window, estimate (phi, in the unit of the moves), placebo_p, placebo_p_floor, n_treated and
        n_donors (those with a return on every session of the window), note (also says when markets lack a return). The
        estimate has no standard error; its p is the rank among groups of donors. With ``history`` also time_p,
        time_p_floor, n_placebo, time_mde (smallest effect found with 80% power) and time_note.

    Raises
    ------
    WindowError
        Another model, markets whose reaction sessions or donors differ, or a window beyond the study's.
    UnknownInstrumentError
        ``markets`` names one that is not studied.
    EstimationError
        A market that is an exact mix of donors.

    Notes
    -----
    phi = [sum_i CAR_i / s_i] / [sum_i 1 / s_i], s_i the root mean squared estimation residual. Assumes that treated
    markets and donors are exchangeable without the event, and that the event does not reach the donors. Each member of
    a group of donors is fitted on the donors outside it, as the basket is on donors outside the basket. Where the
    basket is more volatile than the donors, as chip shares are than food shares, the rank among donors rejects too
    often. The rank in time does not compare the two: phi over its EWMA(0.97) volatility among the same at
    pseudo-announcements, the weights found anew for each, the latest at least 11 sessions before day 0 and none with a
    window that reaches it.

    References
    ----------
    Acemoglu, Johnson, Kermani, Kwak and Mitton (2016), Journal of Financial Economics 121:368.
    """
    if study.design.normal_model != "synthetic_control":
        raise WindowError(
            f"the study has normal_model={study.design.normal_model!r}; run event_study with "
            "normal_model='synthetic_control' and donors= for the effect on a basket."
        )
    low, high = study.windows.span_offsets
    chosen = study.windows.event[0] if window is None else window
    if not low <= chosen[0] <= chosen[1] <= high:
        raise WindowError(
            f"window={chosen} reaches beyond the offsets {low} to {high} of this study. Run event_study with a larger "
            "event window."
        )
    studied = list(dict.fromkeys(market for _, market in study.pairs))
    names = studied if markets is None else [one_market("markets", name, studied) for name in markets]
    rows = []
    for event_id, event in study.events.iterrows():
        pairs = {market: study.pairs[key] for market in names if (key := (str(event_id), market)) in study.pairs}
        if not pairs:
            continue
        row = {"event_id": event_id, "window": chosen} | _one_event(study, pairs, chosen, draws, seed)
        if history:
            row |= _in_time(study, pairs, event, chosen, history, exclude)
        rows.append(row)
    columns = ["event_id", "window", "estimate", "placebo_p", "placebo_p_floor", "n_treated", "n_donors", "note"]
    columns += ["time_p", "time_p_floor", "n_placebo", "time_mde", "time_note"] if history else []
    return pd.DataFrame(rows, columns=columns).set_index("event_id")


def _one_event(
    study: EventStudyResult, pairs: dict[str, PairStudy], window: Window, draws: int, seed: int
) -> dict[str, object]:
    """Effect and rank of one event."""
    arrays = _arrays(study, pairs, window)
    effect = effect_of_arrays(*arrays)
    test = basket_placebo(*arrays, draws=draws, seed=seed)
    n_treated = int(np.isfinite(effect.cars[-1]).sum())
    absent = f"{n_treated} of {len(pairs)} markets have a return on every session of the window"
    return {
        "estimate": float(effect.phi[-1]),
        "placebo_p": test.p_value,
        "placebo_p_floor": test.floor,
        "n_treated": n_treated,
        "n_donors": test.n,
        "note": "; ".join(text for text in (test.note, absent if n_treated < len(pairs) else "") if text),
    }


def _in_time(
    study: EventStudyResult,
    pairs: dict[str, PairStudy],
    event: pd.Series,
    window: Window,
    history: int,
    exclude: pd.DataFrame | None,
) -> dict[str, object]:
    """Rank of the effect among those of earlier days, the volatility of the effect known before each taken off."""
    first, basket, donors, left_out = _moves(study, pairs)
    clock, day_zero = SessionClock.of(first), next(iter(pairs.values())).position
    gap = pool_gap(window, study.windows.estimation)
    count = 60 + (history + EWMA_START + gap) * 5 // 4
    rows = np.unique(sessions_at(clock, event, pseudo_announcements(event, count)))
    rows = rows[(rows + study.windows.estimation[0] >= 1) & (rows < day_zero)]
    clean = clear_windows(~sessions_holding(clock, exclude), rows, window) & (rows <= day_zero - gap)
    rows, clean = (part[-(history + EWMA_START + int((~clean).sum())) :] for part in (rows, clean))
    offsets = [np.array([0]), *([np.arange(window[0], window[1] + 1)] if window != (0, 0) else [])]
    effects = np.full((2, len(rows)), np.nan)
    for number, row in enumerate(progress(rows.tolist(), "basket on earlier days")):
        inside = row + np.arange(study.windows.estimation[0], study.windows.estimation[1] + 1)
        fitted = np.where(left_out[inside][:, None], np.nan, basket[inside])
        for which, taus in enumerate(offsets):
            try:
                found = effect_of_arrays(
                    fitted, rows_or_nan(basket, row + taus), donors[inside], rows_or_nan(donors, row + taus)
                )
            except EstimationError:
                continue  # a day without enough returns is no placebo day
            effects[which, number] = found.phi[-1]
    sigma = ewma_volatility(np.append(effects[0], np.nan), start=EWMA_START)
    pool = (effects[len(offsets) - 1] / sigma[:-1])[clean]
    pool = pool[np.isfinite(pool)][::-1][:history]
    at_event = effect_of_arrays(*_arrays(study, pairs, window)).phi[-1]
    rank = placebo_rank(at_event / sigma[-1], pool)
    return {
        "time_p": rank.p_value,
        "time_p_floor": rank.floor,
        "n_placebo": rank.n_placebo,
        "time_mde": placebo_mde(pool, float(sigma[-1])),
        "time_note": rank.note,
    }


def _moves(
    study: EventStudyResult, pairs: dict[str, PairStudy]
) -> tuple[PriceSeries, np.ndarray, np.ndarray, np.ndarray]:
    """First market, moves of the basket (T, N) and the donors (T, J) by its sessions, and those left out (T,)."""
    days = {market: study.prices[market].sessions[pair.position] for market, pair in pairs.items()}
    if len(set(days.values())) > 1:
        found = ", ".join(f"{market} {day:%Y-%m-%d}" for market, day in days.items())
        raise WindowError(f"the markets of a basket must see the news in one session: {found}. Study them apart.")
    if len({study.design.regressors[market] for market in pairs}) > 1:
        raise WindowError(f"the markets of a basket must have the same donors: {', '.join(pairs)}. Study them apart.")
    first = study.prices[next(iter(pairs))]
    basket, donors = (
        regressor_moves(first, [study.prices[name] for name in names], study.design.returns)
        for names in (list(pairs), study.design.regressors[first.name])
    )
    assert basket is not None and donors is not None  # neither list is empty
    skipped = study.design.counterfactual(first, study.prices, study.windows).skipped
    return first, basket, donors, np.zeros(len(basket), dtype=bool) if skipped is None else skipped


def _arrays(
    study: EventStudyResult, pairs: dict[str, PairStudy], window: Window
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Moves of the basket and of the donors in the estimation and the event window, by session of the first market."""
    _, basket, donors, left_out = _moves(study, pairs)
    position = next(iter(pairs.values())).position
    estimation = position + np.arange(study.windows.estimation[0], study.windows.estimation[1] + 1)
    event = position + np.arange(window[0], window[1] + 1)
    parts = []
    for moves in (basket, donors):
        parts.append(np.where(left_out[estimation][:, None], np.nan, moves[estimation]))
        parts.append(rows_or_nan(moves, event))
    return parts[0], parts[1], parts[2], parts[3]
