"""Lead and lag as sentences and as HTML: rounding happens here, no statistic is computed."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction import tables, wording
from market_reaction.timing import shared
from market_reaction.wording import UNUSUAL

if TYPE_CHECKING:
    from market_reaction.timing.lead_lag_result import LeadLag


def lead_lag_answer(result: LeadLag) -> str:
    """Strongest lag, what the clocks explain of it, the synchronised correlation, and what is left."""
    if result.reason:
        reason = result.reason.rstrip(".")
        return wording.clean(f"No lead or lag of {result.leader} and {result.follower} is measured: {reason}.")
    sentences = [_strongest(result), _clock(result), _synchronised(result), _beyond(result), *_parts(result)]
    return wording.clean(" ".join(text for text in sentences if text))


def strongest(result: LeadLag) -> int:
    """Lag of the largest correlation, in absolute value."""
    frame = result.correlations
    return int(frame.index[int(frame["correlation"].abs().to_numpy().argmax())])


def lag_name(lag: int) -> str:
    """A lag in words: ``of the same date``, ``of the date before``, ``2 dates after``."""
    if lag == 0:
        return "of the same date"
    side = "before" if lag > 0 else "after"
    return f"of the date {side}" if abs(lag) == 1 else f"{abs(lag)} dates {side}"


def _with_interval(row: Any, name: str = "correlation") -> str:
    return f"{wording.signed(row[name])} [{_interval(row)}]"


def _interval(row: Any) -> str:
    return f"{wording.signed(row['conf_low'])} to {wording.signed(row['conf_high'])}"


def sample(result: LeadLag) -> str:
    """Dates that hold a return of both markets, and their span: ``3,912 common dates, 2006-01-05 to 2022-12-30``."""
    dates = result.moves.index
    return f"{len(dates):,} common dates, {wording.day(dates[0])} to {wording.day(dates[-1])}"


def _strongest(result: LeadLag) -> str:
    lag, frame = strongest(result), result.correlations
    same: Any = frame.loc[0]
    level = f"{100 * result.parameters['level']:g}%"
    found: Any = frame.loc[lag]
    text = (
        f"Over {sample(result)}, {result.follower} moves most closely with {result.leader}'s return {lag_name(lag)} "
        f"(correlation {_with_interval(found)}, {level} interval in brackets"
    )
    if lag == 0:
        return f"{text})."
    return f"{text}; same date {wording.signed(same['correlation'])})."


def _clock(result: LeadLag) -> str:
    """Which lags the clocks explain, from the hours the returns have in common."""
    apart = result.closes_apart
    later, earlier = (result.leader, result.follower) if apart > 0 else (result.follower, result.leader)
    if abs(apart) < 0.5:
        return "Both closes are struck at about the same time, so the clocks explain the same date only."
    lag = 1 if apart > 0 else -1
    row: Any = result.correlations.loc[lag]
    whole = ""
    if apart > 0 and row["leader_trading_hours"] > 0.995:
        whole = f", and all of {result.leader}'s trading hours"
    elif apart > 0 and row["leader_trading_hours"] > 0.005:
        whole = f", and {wording.share(row['leader_trading_hours'])} of {result.leader}'s trading hours"
    share = f"{wording.share(row['hours_in_common'])} of the hours of each {result.follower} return"
    return (
        f"{later} closes {wording.duration(60 * abs(apart))} after {earlier}, so {share} lie in "
        f"{result.leader}'s return {lag_name(lag)}{whole}: the clocks alone bring about a correlation there."
    )


def _synchronised(result: LeadLag) -> str:
    row = result.synchronised.iloc[0]
    if not math.isfinite(row["correlation"]):
        return ""
    return f"Synchronised, the correlation is {_with_interval(row)}."


def _beyond(result: LeadLag) -> str:
    """What is left at the lags without hours in common."""
    beyond = result.correlations[result.correlations["beyond_the_clock"]]
    if beyond.empty:
        return ""
    found = beyond[beyond["holm_p"] <= UNUSUAL]
    least = wording.p_value(float(beyond["holm_p"].min()))
    if found.empty:
        lags = f"At the {len(beyond)} lags without hours in common"
        return f"{lags} nothing is distinguishable from zero (smallest p {least}, by Holm)."
    parts = [
        f"{result.leader}'s return {lag_name(int(lag))} ({_with_interval(row)}, p {wording.p_value(row['holm_p'])})"
        for lag, (_, row) in zip(found.index.tolist(), found.iterrows(), strict=True)
    ]
    family = f"p by Holm over {len(beyond)} lags"
    return f"{result.follower} is related to what shares no hours with it: {wording.listed(parts)}; {family}."


def _parts(result: LeadLag) -> list[str]:
    """Whether the follower takes the leader's last move in at its open, or after it."""
    gap: Any = result.parts.loc["gap"]
    session: Any = result.parts.loc["session"]
    if not math.isfinite(gap["correlation"]):
        return []
    in_gap, later = gap["p_value"] <= UNUSUAL, session["p_value"] <= UNUSUAL
    same = session["correlation"] * gap["correlation"] > 0
    if in_gap:
        after = (
            "is not found after it" if not later else "goes on after it" if same else "is partly taken back after it"
        )
        text = f"is in {result.follower}'s gap (correlation {_with_interval(gap)}) and {after}"
    else:
        found = f"is not found in {result.follower}'s gap (correlation {_with_interval(gap)})"
        text = f"{found}, {'but' if later else 'nor'} after it"
    old = "; the open of this index seems to hold old prices, which may do that alone"
    stale = old if later and same and result.stale else ""
    test = f"correlation {_with_interval(session)}, p {wording.p_value(session['p_value'])}"
    return [f"{result.leader}'s last move before the open {text} ({test}){stale}."]


def lead_lag_html(result: LeadLag) -> str:
    """HTML of a pair: the answer, correlations by lag, betas, gap and session move, where the figures come from."""
    parts = [
        f"<h3>{escape(wording.clean(f'{result.leader} and {result.follower}: lead and lag'))}</h3>",
        f'<p class="mr-answer">{tables.cell(result.answer())}</p>',
    ]
    if not result.reason:
        parts += [
            tables.lines_table(lag_lines(result)),
            f'<p class="mr-quiet">{escape(_LEGEND)}</p>',
            tables.section("Dimson betas", tables.lines_table(beta_lines(result))),
            tables.section("At the open and after", _part_table(result)),
            tables.bullets(result.notes),
        ]
    return tables.wrapped([*parts, tables.sources(result.vintage)])


def printed_lead_lag(result: LeadLag) -> dict[str, pd.DataFrame]:
    """Correlations and betas for a paper; why there are none where there are none."""
    if result.reason:
        return {"Lead and lag, not measured": result.excluded.rename(columns=str.capitalize)}
    return {
        f"Correlation of {result.follower} with {result.leader} by lag": lag_lines(result).drop(columns=_TRADING),
        f"Dimson betas of {result.follower} on {result.leader}": beta_lines(result),
    }


_LEGEND = (
    "Interval: of each lag alone, HAC. Hours in common: share of the follower's hours from close to close that lie in "
    "the leader's return of that lag; its trading hours: share of the leader's that lie in the follower's return; both "
    "on days without a weekend between. From the clocks: the correlations of the date before, the same and the one "
    "after together, shared out by the hours in common, as if news came evenly over the hours; it comes in trading "
    "hours, so this is a rough guide. p: for zero; Holm over the lags without hours in common (less than "
    f"{wording.share(shared.LOWEST_OVERLAP)} of them)."
)


_TRADING = "Its trading hours"


def _interval_of(result: LeadLag) -> str:
    return f"{100 * result.parameters['level']:g}% interval"


def lag_lines(result: LeadLag) -> pd.DataFrame:
    """Correlation at every lag and of synchronised returns, as they are read."""
    rows = []
    for lag, (_, row) in zip(result.correlations.index.tolist(), result.correlations.iterrows(), strict=True):
        trading = row["leader_trading_hours"]
        rows.append([
            f"{result.leader} {lag_name(int(lag))}", wording.signed(row["correlation"]), _interval(row),
            wording.p_value(row["p_value"]), wording.p_value(row["holm_p"]) if row["beyond_the_clock"] else "",
            wording.share(row["hours_in_common"]),
            wording.share(trading) if math.isfinite(trading) else wording.NOT_AVAILABLE,
            wording.signed(row["from_the_clock"]), f"{row['nobs']:,.0f}",
        ])  # fmt: skip
    both = result.synchronised.iloc[0]
    rows.append(["synchronised", wording.signed(both["correlation"]), _interval(both),
                 wording.p_value(both["p_value"]), "", "", "", "", f"{both['nobs']:,.0f}"])  # fmt: skip
    headings = ["Return of the leader", "Correlation", _interval_of(result), "p", "Holm p", "Hours in common",
                _TRADING, "From the clocks", "Rows"]  # fmt: skip
    return pd.DataFrame(rows, columns=headings, dtype=str)


def beta_lines(result: LeadLag) -> pd.DataFrame:
    """Dimson betas as they are read."""
    names = [str(name) for name in result.betas.index]
    return _estimates(result, result.betas, "beta", names, "Return of the leader")


def _part_table(result: LeadLag) -> str:
    note = result.parts["note"].iloc[0]
    if note:
        return f'<p class="mr-quiet">{tables.cell(note)}</p>'
    names = [f"{result.follower}: overnight gap", f"{result.follower}: session move"]
    heading = f"With {result.leader}'s last move known at the open"
    return tables.lines_table(_estimates(result, result.parts, "correlation", names, heading))


def _estimates(result: LeadLag, frame: pd.DataFrame, column: str, names: list[str], heading: str) -> pd.DataFrame:
    rows = [
        [name, wording.signed(row[column]), _interval(row), wording.p_value(row["p_value"]), f"{row['nobs']:,.0f}"]
        for name, (_, row) in zip(names, frame.iterrows(), strict=True)
    ]
    headings = [heading, column.capitalize(), _interval_of(result), "p", "Rows"]
    return pd.DataFrame(rows, columns=headings, dtype=str)
