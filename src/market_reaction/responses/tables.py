"""Responses and projected paths as sentences and as HTML: rounding happens here, no statistic is computed."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from market_reaction import tables, wording
from market_reaction.inference.identification import WEAK_F
from market_reaction.tables import cell, html_table

if TYPE_CHECKING:
    from market_reaction.inference.identification import RigobonSack
    from market_reaction.responses.results import EventProjections, NewsResponse


def summary_frame(result: NewsResponse) -> pd.DataFrame:
    """Rows of ``NewsResponse.summary``."""
    fit = result.fit
    low, high = _ends(fit)
    common = {"market": result.market, "to": result.to, "unit": result.unit, "to_unit": result.to_unit}
    nan = float("nan")
    rows = [
        {"estimator": "rigobon_sack", **common, "estimate": fit.estimate, "std_error": nan, "conf_low": low,
         "conf_high": high, "bounded": fit.bounded, "p_value": fit.p_value},
        {"estimator": "event_day_ols", **common, "estimate": fit.event_study_ols,
         "std_error": fit.event_study_std_error, "conf_low": nan, "conf_high": nan, "bounded": False, "p_value": nan},
    ]  # fmt: skip
    counts = {"n_event": fit.n_event, "n_other": fit.n_other, "first_stage_f": fit.first_stage_f,
              "variance_ratio": fit.variance_ratio}  # fmt: skip
    return pd.DataFrame([row | counts for row in rows]).set_index("estimator")


def _ends(fit: RigobonSack) -> tuple[float, float]:
    return (fit.conf_set[0][0], fit.conf_set[-1][1]) if fit.conf_set else (float("nan"), float("nan"))


def response_answer(result: NewsResponse) -> str:
    """Direction and size of a response with its confidence set; or why there is none."""
    fit = result.fit
    if not math.isfinite(fit.estimate):
        return f"{result.market} on {result.to}: no response is estimated. {fit.note}"
    step, size = wording.unit_step(result.to_unit)
    found = (
        f"{result.market} moves {wording.amount(step * fit.estimate, result.unit)} when news raises {result.to} by "
        f"{size} ({_per_cent(fit.level)} set {confidence_set(result)}; p {wording.p_value(fit.p_value)}; "
        f"{fit.n_event} event sessions against {fit.n_other:,} others)."
    )
    sessions = _uncertain(result)
    if fit.bounded:
        weak = f"First-stage F {_first_stage(fit)}." if is_weak(fit) else ""
        return " ".join(text for text in (found, weak, sessions) if text)
    return (
        f"What {result.market} does when news moves {result.to} is not pinned down (first-stage F "
        f"{_first_stage(fit)}). Point estimate: {found} {sessions}"
    ).rstrip()


def is_weak(fit: RigobonSack) -> bool:
    """Whether the first stage is too weak for the estimate to be read."""
    return math.isfinite(fit.first_stage_f) and fit.first_stage_f < WEAK_F


def _first_stage(fit: RigobonSack, link: str = " is") -> str:
    """First-stage F, and what it means where it is low; below 10 it never rounds up to it."""
    if not is_weak(fit):
        return f"{fit.first_stage_f:.1f}"
    return f"{min(fit.first_stage_f, WEAK_F - 0.1):.1f}{link} below {WEAK_F:g}: read the set, not the estimate"


def _uncertain(result: NewsResponse) -> str:
    """How many events may belong to another session."""
    count = result.n_ambiguous
    return f"{count} of these {result.fit.n_event} events may belong to another session." if count else ""


def confidence_set(result: NewsResponse) -> str:
    """Confidence set for the step that responses are stated for: an interval, two rays, or any response."""
    step, _ = wording.unit_step(result.to_unit)
    parts = []
    for low, high in result.fit.conf_set:
        ends = [wording.amount(step * end, result.unit) for end in (low, high)]
        if math.isinf(low) and math.isinf(high):
            parts.append("any response")
        elif math.isinf(low):
            parts.append(f"{ends[1]} or less")
        else:
            parts.append(f"{ends[0]} or more" if math.isinf(high) else f"{ends[0]} to {ends[1]}")
    return ", or ".join(parts) or wording.NOT_AVAILABLE


def _per_cent(level: float) -> str:
    return f"{100 * level:g}%"


def response_lines(result: NewsResponse) -> pd.DataFrame:
    """Both estimates as they are read: the response to the step of the answer, its error, interval and p."""
    fit = result.fit
    step, size = wording.unit_step(result.to_unit)
    error = wording.amount(step * fit.event_study_std_error, result.unit).removeprefix("+")
    ols = wording.amount(step * fit.event_study_ols, result.unit)
    known, counts = math.isfinite(fit.estimate), [str(fit.n_event), str(result.n_ambiguous)]
    rows = [
        ["Rigobon-Sack", wording.amount(step * fit.estimate, result.unit), "", confidence_set(result),
         wording.p_value(fit.p_value), _first_stage(fit, ","), *counts],
        ["least squares over event days", ols, error, "", "", "", *counts],
    ]  # fmt: skip
    headings = ["Estimate", f"Response to {size}", "Std. error", "Interval", "p", "First-stage F", "Events"]
    return pd.DataFrame(rows if known else [], columns=[*headings, "May belong to another session"])


def response_html(result: NewsResponse) -> str:
    """HTML of a response: the answer, both estimates, the first stage, what was left out."""
    fit, lines = result.fit, response_lines(result)
    _, size = wording.unit_step(result.to_unit)
    method = (
        f"Response of {result.market} to a move of {result.to} by {size} that news caused, each in its own session, "
        f"from abnormal moves. Interval: {_per_cent(fit.level)} set. Variance of {result.to} on event days over other "
        f"days: {fit.variance_ratio:.2f}; first-stage F {fit.first_stage_f:.1f}. Least squares is biased by what else "
        "moves both markets; Rigobon-Sack assumes that this is no larger on event days, and counts as response what "
        f"the news does to {result.market} otherwise than through {result.to}."
    )
    parts = [
        f"<h3>{escape(wording.clean(f'Response of {result.market} to news in {result.to}'))}</h3>",
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        _table(lines) if len(lines) else "",
        *quiet([method, *result.notes] if len(lines) else []),
        tables.left_out(result.excluded["reason"]),
        tables.sources(result.vintage),
    ]
    return tables.wrapped(parts)


def projections_answer(result: EventProjections) -> str:
    """Where the path starts and ends, what random dates do, and which event matters most."""
    fit = result.fit
    sentence = (
        f"{path_in_words(result)} (joint p {wording.p_value(fit.permutation_joint_p)} against random dates; "
        f"{result.n_events} sessions with a shock)."
    )
    without = result.step * result.paths_without.iloc[0]
    if not np.isfinite(without).all():
        return sentence
    return (
        f"{sentence} Most depends on {result.paths_without.index[0]}: without it {_path(without.to_numpy(), result)}."
    )


def path_in_words(result: EventProjections) -> str:
    """First and last response: ``CSI 300 after an escalation: −1.03% in its session, −1.12% by session +10``."""
    path = _path(result.step * result.fit.coefficients, result)
    return f"{result.market} after {result.shock}: {path}"


def _path(values: np.ndarray, result: EventProjections) -> str:
    first, last = (wording.amount(float(values[at]), result.unit) for at in (0, -1))
    return f"{first} in its session" + (f", {last} by session +{len(values) - 1}" if len(values) > 1 else "")


def path_lines(result: EventProjections) -> pd.DataFrame:
    """The path as it is read, one row a session: response to the shock, what chance does, and what one event does."""

    def move(value: float) -> str:
        return wording.amount(result.step * value, result.unit)

    def between(row: Mapping[Hashable, float], low: str, high: str) -> str:
        return f"{move(row[low])} to {move(row[high])}" if math.isfinite(row[low]) else wording.NOT_AVAILABLE

    rows = [
        [
            f"{row['horizon']:+.0f}" if row["horizon"] else "0", move(row["coefficient"]),
            between(row, "conf_low", "conf_high"), between(row, "simultaneous_low", "simultaneous_high"),
            between(row, "permutation_low", "permutation_high"), wording.p_value(row["permutation_p"]),
            between(row, "without_one_low", "without_one_high"), str(row["n_events"]),
        ]
        for row in result.to_frame().reset_index().to_dict("records")
    ]  # fmt: skip
    headings = ["Session", "Response", "Interval", "Band of the path", "Random dates", "p", "Without one event"]
    return pd.DataFrame(rows, columns=[*headings, "Events"])


def projections_html(result: EventProjections) -> str:
    """HTML of a projected path: the answer, a row for each horizon, what was left out."""
    level = _per_cent(result.fit.level)
    legend = (
        f"Cumulated response to {result.shock} from the close before. Interval: {level} of each session alone. Band: "
        f"{level} of the whole path. Random dates: what {level} of the same shocks on random dates stay within, and p "
        "against them. Without one event: range when each session of events is left out in turn."
    )
    excluded = result.events.loc[result.events["reason"].ne(""), ["reason"]]
    parts = [
        f"<h3>{escape(wording.clean(f'Path of {result.market} after {result.shock}'))}</h3>",
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        _table(path_lines(result)),
        *quiet([legend, *result.notes]),
        tables.left_out(excluded["reason"]),
        tables.sources(result.vintage),
    ]
    return tables.wrapped(parts)


def _table(lines: pd.DataFrame) -> str:
    """Lines as they are read, as a table of HTML."""
    rows = [[cell(text) for text in row] for row in lines.itertuples(index=False, name=None)]
    return html_table(list(lines.columns), rows)


def quiet(texts: Iterable[str]) -> list[str]:
    """HTML of remarks, one paragraph each."""
    return [f'<p class="mr-quiet">{cell(text)}</p>' for text in texts]
