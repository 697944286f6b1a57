"""A comparison of counterfactuals as sentences and as HTML: rounding and escaping, no statistic."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction import tables, wording
from market_reaction.counterfactuals.result import LEADING
from market_reaction.tables import PLACEBO, cell, html_table, lines_table

if TYPE_CHECKING:
    from market_reaction.counterfactuals.result import CounterfactualComparison

NAMES = {
    "constant_mean": "own mean",
    "market": "market",
    "factors": "factors",
    "synthetic_control": "synthetic control",
}


def answer(result: CounterfactualComparison) -> str:
    """Which shares moved beyond their market, alone and together; or why that cannot be said."""
    frame = result.headline(LEADING)
    if frame.empty:
        return wording.clean(_nothing(result))
    tested = frame[frame["placebo_p"].notna()]
    unusual = tested[tested["placebo_p"] <= wording.UNUSUAL]
    alone = result.joint is not None and result.joint["maximum"].p_value > wording.UNUSUAL
    against = wording.listed(list(result.benchmarks.index)) or "the market"
    sentences = [f"Beyond {against}: {_finding(frame, tested, unusual, alone)}{_together(result, unusual)}."]
    agreeing = _across_models(result, unusual if len(unusual) else tested)
    if agreeing:
        sentences.append(agreeing)
    other = _other_sessions(result)
    if other:
        sentences.append(other)
    missing = list(dict.fromkeys(result.excluded.loc[result.excluded["model"].isin(["all", LEADING]), "share"]))
    if missing:
        sentences.append(f"Not measured: {wording.listed(missing)}.")
    return wording.clean(" ".join(sentences))


def _nothing(result: CounterfactualComparison) -> str:
    rows = result.excluded[result.excluded["model"].isin(["all", LEADING])]
    reasons = "; ".join(f"{row.share}: {row.reason}" for row in rows.head(3).itertuples())
    more = f"; and {len(rows) - 3} more" if len(rows) > 3 else ""
    return f"Whether these shares reacted beyond the market cannot be said: none could be measured. {reasons}{more}"


def _finding(frame: pd.DataFrame, tested: pd.DataFrame, unusual: pd.DataFrame, alone: bool) -> str:
    if tested.empty:
        first = frame.iloc[0]
        return f"{first.name} {wording.move(first['abnormal'], 'return')}; no share has a placebo p: {first['note']}"
    if unusual.empty:
        first = tested.iloc[int(tested["placebo_p"].argmin())]
        least = f"smallest detectable {wording.size(first['mde'], 'return')}"
        if len(tested) == 1:
            return f"{_one(first)} is not distinguishable from an ordinary day; {least}"
        return (
            f"none of {len(tested)} shares is distinguishable from an ordinary day; smallest p: {_one(first)}, {least}"
        )
    named = wording.listed([_one(row) for _, row in unusual.sort_values("placebo_p").iterrows()])
    rest = len(tested) - len(unusual)
    others = f"; the other {rest} {'is' if rest == 1 else 'are'} not distinguishable from ordinary days" if rest else ""
    verb = "was" if len(unusual) == 1 else "were"
    return f"{named} {verb} unusual{' taken alone' if alone else ''}{others}"


def _one(row: pd.Series) -> str:
    return f"{row.name} {wording.move(row['abnormal'], 'return')} (placebo p {wording.p_value(row['placebo_p'])})"


def _together(result: CounterfactualComparison, unusual: pd.DataFrame) -> str:
    """What the joint test over the shares says; empty where there is none."""
    joint = result.joint
    if joint is None or not math.isfinite(joint["maximum"].p_value):
        return ""
    p, count = joint["maximum"].p_value, len(joint.markets)
    if p > wording.UNUSUAL and len(unusual):
        return f"; the {count} shares together are not unusual (joint p {wording.p_value(p)})"
    return f" (joint p over {count} shares {wording.p_value(p)})"


def _other_sessions(result: CounterfactualComparison) -> str:
    """What the shares did on other possible sessions, the smallest p first; empty where all sessions are certain."""
    rows = result.rows[result.rows["model"].eq(LEADING) & ~result.rows["headline"].astype(bool)]
    if rows.empty:
        return ""
    shown = [
        f"{row['share']} {wording.move(row['abnormal'], 'return')} (p {wording.p_value(row['placebo_p'])}) on "
        f"{wording.day(row['session'])}"
        for row in rows.sort_values("placebo_p", kind="stable").head(3).to_dict("records")
    ]
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return f"Another session is possible: {', '.join(shown)}{more}."


def _across_models(result: CounterfactualComparison, leading: pd.DataFrame) -> str:
    """What the other models say of the share with the smallest p."""
    if leading.empty or len(result.models) < 2:
        return ""
    share = str(leading["placebo_p"].astype(float).idxmin())
    found = []
    for model in result.models:
        frame = result.headline(model)
        if model != LEADING and share in frame.index:
            value, p = (float(frame[name].loc[share]) for name in ("abnormal", "placebo_p"))
            found.append(f"{NAMES[model]} ({wording.move(value, 'return')}, p {wording.p_value(p)})")
    return f"{share} against other counterfactuals: {wording.listed(found)}." if found else ""


def comparison_html(result: CounterfactualComparison) -> str:
    """HTML of a comparison: the answer, a row a share and model, windows, benchmarks, weights, what was left out."""
    lost = [
        [row["share"], NAMES.get(row["model"], row["model"]), row["reason"]]
        for row in result.excluded.to_dict("records")
    ]
    parts = [
        f"<h3>{cell(result.event['title'])}: beyond the market?</h3>",
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        lines_table(model_lines(result), result.rows["placebo_p"].le(wording.UNUSUAL).tolist()),
        f'<p class="mr-quiet">{cell(_legend(result))}</p>' if len(result.rows) else "",
        _benchmark_table(result),
        tables.folded("Windows after day 0", lines_table(window_lines(result))) if len(result.rows) else "",
        tables.folded("Weights of the synthetic controls", _weight_table(result)),
        "<h4>Notes</h4>" + tables.bullets(result.notes) if result.notes else "",
        _folded(f"{len(lost)} left out", ["Share", "Counterfactual", "Reason"], lost),
        tables.folded("Where the figures come from", tables.vintage_table(result.prices.vintage)),
    ]
    return tables.wrapped(parts)


def _folded(summary: str, headings: list[str], rows: list[list[str]]) -> str:
    cells = [[cell(text) for text in row] for row in rows]
    return tables.folded(summary, html_table(headings, cells)) if rows else ""


def _session(row: Mapping[Hashable, Any]) -> str:
    day = wording.day(row["session"])
    return day if row["headline"] else f"or {day}"


def model_lines(result: CounterfactualComparison) -> pd.DataFrame:
    """Day 0 of every share under every counterfactual, as it is read."""
    rows, last = [], None
    for row in result.rows.to_dict("records"):
        same = last == (row["share"], row["session"])
        p = wording.p_and_floor(row["placebo_p"], row["placebo_p_floor"])
        rows.append([
            "" if same else row["share"], "" if same else _session(row),
            "" if same else wording.move(row["change"], "return"), NAMES[row["model"]],
            wording.move(row["abnormal"], "return"), p, wording.size(row["mde"], "return"),
        ])  # fmt: skip
        last = (row["share"], row["session"])
    headings = ["Share", "Session", "Change", "Counterfactual", "CAR[0,0]", PLACEBO, "Smallest detectable"]
    return pd.DataFrame(rows, columns=headings, dtype=str)


def _legend(result: CounterfactualComparison) -> str:
    factors = [str(one) for one in result.parameters["factors"]]  # type: ignore[attr-defined]
    donors = [str(one) for one in result.parameters["donors"]]  # type: ignore[attr-defined]
    told = [
        "CAR[0,0]: log return of day 0 beyond the counterfactual. Change: simple return of day 0, nothing taken off.",
        "Own mean: the share's mean return before. Market: its benchmark times its slope.",
        f"Factors: benchmark, {', '.join(factors)}." if factors else "",
        f"Synthetic control: a mix of {len(donors)} donors on the share's calendar." if donors else "",
        "Placebo p: share of comparable earlier days that went as far beyond the same counterfactual, for the "
        f"volatility of their time; unusual: p of at most {wording.UNUSUAL:g}.",
        "Smallest detectable: the effect found with 80% power.",
    ]
    return " ".join(text for text in told if text)


def benchmark_lines(result: CounterfactualComparison) -> pd.DataFrame:
    """What the benchmarks did themselves, as it is read."""
    rows = [
        [str(name), wording.day(row["session"]), wording.move(row["change"], "return"),
         wording.p_value(row["placebo_p"]), row["shares"]]
        for name, row in result.benchmarks.iterrows()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["Benchmark", "Session", "Change", "p", "Of"], dtype=str)


def _benchmark_table(result: CounterfactualComparison) -> str:
    table = lines_table(benchmark_lines(result))
    note = (
        "Relative effect: what the news did to the benchmark itself is not in the figures above. A small p here says "
        "that the benchmark moved unusually that day as well."
    )
    return f'<h4>What the benchmarks did</h4>{table}<p class="mr-quiet">{cell(note)}</p>' if table else ""


def window_lines(result: CounterfactualComparison) -> pd.DataFrame:
    """Changes and CARs beyond the market over every event window, as they are read."""
    windows = result.parameters["windows"]
    rows = []
    for row in result.rows[result.rows["model"].eq(LEADING)].to_dict("records"):
        cells = [row["share"], _session(row)]
        for first, last in windows:  # type: ignore[attr-defined]
            name = f"[{first},{last}]"
            error = wording.size(row[f"car_std_error{name}"], "return")
            cells += [
                wording.move(row[f"change{name}"], "return"),
                f"{wording.move(row[f'car{name}'], 'return')} ± {error}",
            ]
        rows.append(cells)
    heads = [(f"Change [{a},{b}]", f"CAR[{a},{b}] ± std. error") for a, b in windows]  # type: ignore[attr-defined]
    return pd.DataFrame(rows, columns=["Share", "Session", *(name for pair in heads for name in pair)], dtype=str)


def printed_comparison(result: CounterfactualComparison) -> dict[str, pd.DataFrame]:
    """Tables of a paper by caption: those of the HTML that have a row, the counterfactuals always."""
    more = {
        "Windows, beyond the market": window_lines(result),
        "What the benchmarks did": benchmark_lines(result),
    }
    return {"Shares by counterfactual": model_lines(result)} | {name: one for name, one in more.items() if len(one)}


def _weight_table(result: CounterfactualComparison) -> str:
    weights = result.weights()
    if weights.empty:
        return ""
    used = weights[weights.max(axis=1) > 0]
    rows = [
        [str(donor), *(wording.share(value) if value > 0 else "" for value in row)]
        for donor, row in zip(used.index, used.to_numpy().tolist(), strict=True)
    ]
    return html_table(["Donor", *used.columns], [[cell(text) for text in row] for row in rows])
