"""Reactions and exposures put together: the slope, its placebo, its dependence on single shares, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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

FEW_SHARES = 10  # below this one share can make the slope


def benchmarks_of(study: EventStudyResult, benchmark: str | None) -> dict[str, PriceSeries]:
    """Benchmark of each share studied."""
    return {
        share: find_benchmark(study.prices, study.prices[share], benchmark, study.design.normal_model)
        for _, share in study.pairs
    }


def regressed(
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
    benchmarks = benchmarks_of(study, parameters["benchmark"]) if exposure.sensitivity_to else {}  # type: ignore[arg-type]
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
        return without_slope(event, study, exposure, frame, lost, few, prices, parameters)
    if np.ptp(frame["exposure"].to_numpy()) == 0:
        same = "all shares have the same exposure, so there is no slope on it"
        return without_slope(event, study, exposure, frame, lost, same, prices, parameters)
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


def without_slope(
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
