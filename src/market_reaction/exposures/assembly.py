"""Reactions and exposures put together: the slope, its placebo, its dependence on single shares, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction.battery.cases import cases_of_markets
from market_reaction.exposures.measures import Exposure
from market_reaction.exposures.pool import LEAST_DAYS, ShareHistory, SlopePlacebo, share_histories, slope_placebo
from market_reaction.exposures.result import ExposureRegression
from market_reaction.exposures.slopes import FEWEST_SHARES, hat_values, hc3_rejection_rate, hc3_std_errors
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.reaction_notes import on_announcement, on_study
from market_reaction.regressors import find_benchmark
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window

FEW_SHARES = 10  # below this one share can make the slope


@dataclass(frozen=True, slots=True)
class Asked:
    """What a regression is asked to do.

    Attributes
    ----------
    event : pandas.Series
        The announcement.
    window : tuple of int
        Inclusive session offsets of the reaction.
    history : int
        Size of the placebo pool.
    sessions : int
        Sessions a slope is estimated on.
    benchmark : str or None
        Market to use for all; each share's own when None.
    exclude : pandas.DataFrame or None
        Events whose sessions are left out of the pool.
    prices : PriceData
        Series.
    parameters : mapping
        All that was asked for, as the result keeps it.
    """

    event: pd.Series
    window: Window
    history: int
    sessions: int
    benchmark: str | None
    exclude: pd.DataFrame | None
    prices: PriceData
    parameters: Mapping[str, object]


def own_benchmarks(study: EventStudyResult, benchmark: str | None) -> dict[str, PriceSeries]:
    """Benchmark of each share studied."""
    return {
        share: find_benchmark(study.prices, study.prices[share], benchmark, study.design.normal_model)
        for _, share in study.pairs
    }


def regressed(asked: Asked, study: EventStudyResult, exposure: Exposure, lost: pd.DataFrame) -> ExposureRegression:
    """Slope over the shares that have everything, with its placebo."""
    histories = _histories(asked, study, exposure)
    frame, lost = _complete(_reactions(asked, study, exposure), exposure, histories, lost)
    why = _no_slope(frame, lost)
    if why:
        return without_slope(asked, study, exposure, frame, lost, why)
    chosen = [histories[share] for share in frame.index]
    reactions, known = (frame[name].to_numpy(dtype=float) for name in ("reaction", "exposure"))
    test = slope_placebo(chosen, reactions, known, asked.history)
    frame = _fitted(frame, test).join(_influence(frame, chosen, test, asked.history))
    pool_reactions = np.column_stack([one.window for one in chosen])[test.rows]
    pool_exposure = np.column_stack([one.exposure for one in chosen])[test.rows]
    first = study.prices[frame.index[0]].sessions
    pool = pd.DataFrame(
        {"slope": test.slopes, "statistic": test.statistics},
        index=pd.Index(first[chosen[0].positions[test.rows]], name="session"),
    )
    used = {share: study.pairs[str(asked.event.name), share] for share in frame.index}
    return ExposureRegression(
        event=asked.event, exposure=exposure, window=asked.window, shares=frame, test=test, pool=pool,
        hc3_std_error=float(hc3_std_errors(reactions, known)[0]),
        hc3_rejects=hc3_rejection_rate(pool_reactions, pool_exposure),
        correlation=cases_of_markets(study, used, asked.window).correlation, excluded=lost,
        notes=_notes(asked, study, exposure, frame, test), prices=asked.prices, parameters=asked.parameters,
    )  # fmt: skip


def without_slope(
    asked: Asked,
    study: EventStudyResult | None,
    exposure: Exposure | None,
    frame: pd.DataFrame | None,
    lost: pd.DataFrame,
    why: str,
) -> ExposureRegression:
    """Result that says why there is no slope."""
    empty = pd.DataFrame(columns=["session", "exposure", "reaction"], index=pd.Index([], name="share"))
    nan, said = float("nan"), on_announcement(asked.event)
    return ExposureRegression(
        event=asked.event, exposure=exposure, window=asked.window, shares=empty if frame is None else frame, test=None,
        pool=pd.DataFrame(columns=["slope", "statistic"]), hc3_std_error=nan, hc3_rejects=nan, correlation=nan,
        excluded=lost, notes=said if study is None else (*said, *on_study(study)), prices=asked.prices,
        parameters=asked.parameters, why_not=why,
    )  # fmt: skip


def _histories(asked: Asked, study: EventStudyResult, exposure: Exposure) -> dict[str, ShareHistory]:
    """Reactions and exposure of every share on earlier days, without those an exposure was learned from."""
    benchmarks = own_benchmarks(study, asked.benchmark) if exposure.sensitivity_to else {}
    left_out = [table for table in (asked.exclude, exposure.used_events) if table is not None and len(table)]
    return share_histories(
        asked.event, study, exposure, benchmarks, asked.window, asked.history,
        pd.concat(left_out) if left_out else None, asked.sessions,
    )  # fmt: skip


def _reactions(asked: Asked, study: EventStudyResult, exposure: Exposure) -> pd.DataFrame:
    """Day 0, exposure and reaction of every share studied."""
    cars = study.car(asked.window)["estimate"].droplevel("event_id")
    days = [study.prices[share].sessions[study.pairs[str(asked.event.name), share].position] for share in cars.index]
    return pd.DataFrame({"session": days, "exposure": exposure.by_share.reindex(cars.index), "reaction": cars})


def _complete(
    frame: pd.DataFrame, exposure: Exposure, histories: Mapping[str, ShareHistory], lost: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shares that have everything, and all that were lost with the reason."""
    reasons = {str(share): _why_not(row, share, exposure, histories[str(share)]) for share, row in frame.iterrows()}
    out = {share: why for share, why in reasons.items() if why}
    more = pd.DataFrame(list(out.items()), columns=["share", "reason"], dtype=str)
    return frame[~frame.index.isin(list(out))].rename_axis("share"), pd.concat([lost, more], ignore_index=True)


def _no_slope(frame: pd.DataFrame, lost: pd.DataFrame) -> str:
    """Why the shares that are left have no slope; empty where they have one."""
    if len(frame) < FEWEST_SHARES:
        common = set(lost["reason"])
        why = f" ({common.pop()})" if frame.empty and len(common) == 1 else ""
        count = f"{len(frame) or 'no'} share{'' if len(frame) == 1 else 's'} {'has' if len(frame) == 1 else 'have'}"
        return f"{count} both a reaction and an exposure{why}; a slope needs at least {FEWEST_SHARES}"
    if np.ptp(frame["exposure"].to_numpy()) == 0:
        return "all shares have the same exposure, so there is no slope on it"
    return ""


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
    """The slope without each share; NaN where too few would be left, or all with one exposure."""
    reactions, exposure = (frame[name].to_numpy(dtype=float) for name in ("reaction", "exposure"))
    rows = []
    for at in range(len(frame)):
        keep = np.arange(len(frame)) != at
        if keep.sum() < FEWEST_SHARES or np.ptp(exposure[keep]) == 0:
            rows.append((float("nan"),) * 3)
            continue
        others = [one for one, kept in zip(histories, keep, strict=True) if kept]
        without = slope_placebo(others, reactions[keep], exposure[keep], history)
        rows.append((without.slope, without.slope * exposure[keep].std(ddof=1), without.scaled.p_value))
    columns = ["slope_without", "per_std_without", "placebo_p_without"]
    found = pd.DataFrame(rows, columns=columns, index=frame.index)
    return found.assign(change=found["per_std_without"] - test.slope * exposure.std(ddof=1))


def _notes(
    asked: Asked, study: EventStudyResult, exposure: Exposure, frame: pd.DataFrame, test: SlopePlacebo
) -> tuple[str, ...]:
    """What a reader must bear in mind."""
    said = [*on_announcement(asked.event), *on_study(study)]
    if len(frame) < FEW_SHARES:
        said.append(
            f"Only {len(frame)} shares: one of them can make the slope, and the smallest detectable effect is large. "
            f"{FEW_SHARES} or more are better."
        )
    if exposure.details.size:
        said.append(_on_estimate(exposure, frame))
    unsure = study.sessions[study.sessions["ambiguous"]]
    if len(unsure):
        names = ", ".join(unsure.index.get_level_values("market"))
        said.append(
            f"Another session is possible for {names}; react() measures each of them, and the headline is used here."
        )
    if asked.window[1] > asked.window[0]:
        said.append(
            "Windows of neighbouring earlier days overlap, so p is approximate: in simulation a test of 6 sessions "
            "calls 6.0 to 7.5% of days without an effect unusual, not 5%."
        )
    if test.n_left_out:
        said.append(f"{test.n_left_out} days are left out of the pool because of the announcements they hold.")
    return tuple(said)


def _on_estimate(exposure: Exposure, frame: pd.DataFrame) -> str:
    """From how much an exposure was estimated, and what its error does."""
    counts = exposure.details["n"].reindex(frame.index)
    low, high = int(counts.min()), int(counts.max())
    of = "announcements" if exposure.used_events is not None else "sessions"
    last = exposure.details["last"].reindex(frame.index).max()
    return (
        f"The exposure is an estimate, from {low if low == high else f'{low} to {high}'} {of} that end by "
        f"{last:%Y-%m-%d}; its own error draws the slope to zero."
    )
