"""Frames of ``ClassStudies``: means by class, paths with bands, differences, single reactions, merged events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from market_reaction.battery.many_events import ManyEvents
from market_reaction.battery.options import BatteryOptions
from market_reaction.errors import EventTableError, WindowError, did_you_mean
from market_reaction.event_classes.groups import separate_pairs, studies_of
from market_reaction.event_filters import announced
from market_reaction.inference.multiple import holm
from market_reaction.inference.resampling import group_difference
from market_reaction.inference.two_samples import welch_difference
from market_reaction.responses.influence import leave_one_event_out
from market_reaction.study_frames import mean_paths, path_band
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window

if TYPE_CHECKING:
    from market_reaction.event_classes.result import ClassStudies

MEASURES = ["estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "mde"]
BAND_COLUMNS = ["class", "market", "unit", "tau", "estimate", "conf_low", "conf_high", "simultaneous_low",
                "simultaneous_high", "critical", "n_events", "n_clusters"]  # fmt: skip


def separate_studies(result: ClassStudies, window: Window) -> dict[str, EventStudyResult]:
    """Study of each class of the events that share no session of the window with another class."""
    return dict(studies_of(result.study, result.labels, result.classes, window))


def summary_frame(result: ClassStudies, window: Window, level: float) -> pd.DataFrame:
    """Rows of ``ClassStudies.summary``."""
    frames = []
    studies = separate_studies(result, window)
    for name, study in studies.items():
        frame = study.caar(window, level).reindex(pd.Index(result.markets, name="market"))
        counts = frame[["n_events", "n_clusters"]].fillna(0).astype(int)
        frame = frame[MEASURES].assign(
            unit=[study.design.units[market] for market in result.markets],
            n_events=counts["n_events"],
            n_clusters=counts["n_clusters"],
            n_shared=[_shared(result, studies, name, market) for market in result.markets],
            p_holm=holm(frame["p_value"].to_numpy(dtype=float)),
        )
        frame["note"] = [_why_none(count) for count in counts["n_clusters"]]
        frames.append(pd.concat({name: frame}, names=["class"]))
    order = ["unit", *MEASURES, "p_holm", "n_events", "n_clusters", "n_shared", "note"]
    return pd.concat(frames)[order]


def _measured_in(study: EventStudyResult, market: str) -> int:
    """Number of events measured in a market."""
    return sum(name == market for _, name in study.pairs)


def _shared(result: ClassStudies, studies: Mapping[str, EventStudyResult], name: str, market: str) -> int:
    """Events of a class that share sessions of a market with another class."""
    return _measured_in(result.studies[name], market) - _measured_in(studies[name], market)


def _why_none(count: int) -> str:
    if count > 1:
        return ""
    return f"{count} separate event{'' if count == 1 else 's'} with a complete window; a standard error needs 2"


def path_frame(result: ClassStudies, level: float, *, cumulated: bool) -> pd.DataFrame:
    """Rows of ``ClassStudies.aar`` and ``caar``."""
    frames = []
    for name, study in separate_studies(result, result.study.windows.span_offsets).items():
        for path in mean_paths(study, cumulated=cumulated):
            band = path_band(path, level)
            frames.append(
                pd.DataFrame(
                    {
                        "class": name, "market": path.market, "unit": study.design.units[path.market],
                        "tau": path.taus, "estimate": path.path, "conf_low": band.pointwise_low,
                        "conf_high": band.pointwise_high, "simultaneous_low": band.conf_low,
                        "simultaneous_high": band.conf_high, "critical": band.critical, "n_events": path.n_events,
                        "n_clusters": int(path.df) + 1,
                    }
                )
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=BAND_COLUMNS)


def check_classes(result: ClassStudies, first: str | None, second: str | None) -> tuple[str, str]:
    """The two classes to compare: the first two when none is named."""
    if len(result.classes) < 2:
        raise EventTableError(
            f"there is one class, {result.classes[0]!r}; a difference needs two. Take more events, or another by=."
        )
    for name in (first, second):
        if name is not None and name not in result.classes:
            raise EventTableError(
                f"{name!r} is no class. {did_you_mean(name, result.classes)}There are {', '.join(result.classes)}."
            )
    one = first or next(name for name in result.classes if name != second)
    two = second or next(name for name in result.classes if name != one)
    if one == two:
        raise EventTableError(f"{one!r} is compared with itself; name two of {', '.join(result.classes)}.")
    return one, two


def difference_frame(result: ClassStudies, window: Window, classes: tuple[str, str], level: float) -> pd.DataFrame:
    """Rows of ``ClassStudies.difference``."""
    studies = separate_studies(result, window)
    rows = []
    for market in result.markets:
        first, second = (_values(studies[name], market, window) for name in classes)
        shared = sum(
            _measured_in(result.studies[name], market) - _measured_in(studies[name], market) for name in classes
        )
        welch = welch_difference(first, second, level)
        permuted = group_difference(first, second)
        rows.append(
            {
                "market": market, "unit": result.study.design.units[market],
                "first": classes[0], "second": classes[1],
                "mean_first": first.mean() if len(first) else np.nan,
                "mean_second": second.mean() if len(second) else np.nan,
                "difference": welch.estimate, "std_error": welch.std_error, "statistic": welch.statistic,
                "df": welch.df, "conf_low": welch.conf_low, "conf_high": welch.conf_high, "mde": welch.mde,
                "welch_p": welch.p_value, "permutation_p": permuted.p_value, "p_holm": np.nan,
                "permutation_floor": permuted.floor,
                "n_first": len(first), "n_second": len(second),
                "n_shared": shared,
                "null": f"The mean CAR over {_words(window)} is the same in both classes.",
                "validity": permuted.validity, "note": permuted.note or welch.note,
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows).set_index("market")
    return frame.assign(p_holm=holm(frame["permutation_p"].to_numpy()))


def _values(study: EventStudyResult, market: str, window: Window) -> np.ndarray:
    """Mean CAR of each cluster of a market that has one."""
    if not _measured_in(study, market):
        return np.empty(0)
    values = ManyEvents(study, market, BatteryOptions(window=window)).cluster_cars
    return values[np.isfinite(values)]


def _words(window: Window) -> str:
    return f"sessions [{window[0]},{window[1]}]"


def influence_frame(result: ClassStudies, market: str, window: Window) -> pd.DataFrame:
    """Rows of ``ClassStudies.leave_one_out``."""
    frames = {}
    for name, study in separate_studies(result, window).items():
        if len(_values(study, market, window)) > 1:
            frames[name] = leave_one_event_out(study, market, window)
    if not frames:
        raise WindowError(
            f"no class has two separate events with a complete window [{window[0]},{window[1]}] in {market!r}; take "
            "more events or a shorter window."
        )
    return pd.concat(frames, names=["class"])


def reaction_frame(result: ClassStudies) -> pd.DataFrame:
    """Rows of ``ClassStudies.to_frame``."""
    rows = [row for name in result.classes for row in _class_rows(result, name)]
    return pd.DataFrame(rows)


def _class_rows(result: ClassStudies, name: str) -> Iterator[dict[str, object]]:
    """Reactions of one class by time, a row for each event and market, measured or not."""
    study = result.study
    when = announced(study.events)
    chosen = when[result.labels.eq(name)].sort_values(kind="stable").index
    reasons = {
        (event_id, market): reason
        for event_id, market, reason in zip(
            study.excluded["event_id"], study.excluded["market"], study.excluded["reason"], strict=True
        )
    }
    for event_id in chosen:
        for market in result.markets:
            place = study.sessions.loc[(event_id, market)]
            yield {
                "class": name, "event_id": event_id, "market": market, "title": study.events.at[event_id, "title"],
                "announced_utc": when[event_id], "session": place["session"], "ambiguous": bool(place["ambiguous"]),
                "unit": study.design.units[market], **_measured(result, event_id, market),
                "reason": reasons.get((event_id, market), ""),
            }  # fmt: skip


def _measured(result: ClassStudies, event_id: str, market: str) -> dict[str, float]:
    """Figures of one reaction; NaN where it could not be measured."""
    pair = result.study.pairs.get((event_id, market))
    nan = float("nan")
    names = ["change", "abnormal", "usual_day", "z_ewma", "placebo_p", "placebo_p_floor"]
    windows = {f"car[{low},{high}]": (low, high) for low, high in result.study.windows.event}
    if pair is None:
        return dict.fromkeys([*names, *windows], nan)
    found = None if result.placebo is None else result.placebo.markets.get((event_id, market))
    change = float(result.study.prices[market].returns("simple")[pair.position])
    values = [change, pair.day_zero, pair.ewma_std, pair.z_values()[2]]
    ranks = [nan, nan] if found is None else [found.scaled.p_value, found.scaled.floor]
    cars = {name: pair.car(window)[0] for name, window in windows.items()}
    return dict(zip(names, [*values, *ranks], strict=True)) | cars


def merged_frame(result: ClassStudies, window: Window) -> pd.DataFrame:
    """Rows of ``ClassStudies.merged``."""
    found = separate_pairs(result.study, result.labels, window).reset_index()
    clusters: dict[tuple[str, ...], list[str]] = {}
    for (market, _), rows in found[found["n_in_cluster"] > 1].groupby(["market", "cluster"], sort=False):
        when = announced(result.study.events)[rows["event_id"]].sort_values(kind="stable")
        clusters.setdefault(tuple(when.index), []).append(str(market))
    rows_out = []
    for events, markets in clusters.items():
        kinds = list(dict.fromkeys(result.labels[list(events)]))
        counted = kinds[0] if len(kinds) == 1 and kinds[0] in result.classes else ""
        rows_out.append(
            {
                "first_announced_utc": announced(result.study.events)[events[0]], "n_events": len(events),
                "events": ", ".join(events), "classes": ", ".join(kind or "none" for kind in kinds),
                "counted_as": counted or "left out: holds several classes", "markets": ", ".join(markets),
            }
        )  # fmt: skip
    columns = ["first_announced_utc", "n_events", "events", "classes", "counted_as", "markets"]
    frame = pd.DataFrame(rows_out, columns=columns)
    return frame.sort_values("first_announced_utc", kind="stable", ignore_index=True)


def coverage_frame(result: ClassStudies) -> pd.DataFrame:
    """Rows of ``ClassStudies.coverage``."""
    rows = []
    span = result.study.windows.span_offsets
    for name, study in result.studies.items():
        for market in result.markets:
            pairs = [pair for (_, found), pair in study.pairs.items() if found == market]
            series = study.prices[market]
            rows.append(
                {
                    "class": name, "market": market, "n_events": len(study.events), "n_measured": len(pairs),
                    "n_complete": sum(bool(np.isfinite(pair.car(span)[0])) for pair in pairs),
                    "source": series.source, "first": series.sessions[0], "last": series.sessions[-1],
                }
            )  # fmt: skip
    return pd.DataFrame(rows).set_index(["class", "market"])
