"""Specification curves as sentences and as HTML: rounding and escaping happen here, no statistic is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction import display, tables, wording
from market_reaction.fragility.curves import STATISTICS
from market_reaction.fragility.frames import AGREE, agreement, choice_frame, level_frame, summary_frame, verdicts
from market_reaction.fragility.grid import CHOICES, NAMES
from market_reaction.tables import cell, html_table

if TYPE_CHECKING:
    from market_reaction.fragility.result import MarketCurve, SpecificationCurve

_VERDICTS = {1: "a significant rise", -1: "a significant fall", 0: "no significant move"}
LEGEND = (
    "Significant: p at most 0.05 with the sign of the median. Placebo p: share of comparable days before on which the "
    "same grid gave a median, a share of significant specifications, or a mean z at least as large for their time (the "
    "event counted in); the floor is the smallest p attainable. The specifications share one event: their number is no "
    "evidence. Smallest detectable: shift of every estimate that the placebo of the median finds with 80% power."
)


def curve_answer(result: SpecificationCurve) -> str:
    """Whether the answer depends on the choices in the first market, what chance makes of it, and the other markets."""
    curve, summary = result.curves[0], summary_frame(result)
    row = summary.to_dict("index")[curve.market]
    note = wording.direction_note(curve.series.instrument)
    name = f"{curve.market}{f' ({note})' if note else ''}"
    if row["n_specifications"] == 1:
        text = f"{name}: one specification gives {wording.amount(row['median'], curve.unit)}. {_chance(row)}"
    else:
        text = f"{name}: {_sign(row, curve.unit)} {_chance(row)} {depends(curve)}{_main(row)}"
    return wording.clean(f"{text}{_others(result, summary)}")


def _sign(row: Mapping[Any, Any], unit: str) -> str:
    count = f"{row['n_specifications']:,} specifications"
    spread = f"from {wording.move(row['lowest'], unit)} to {wording.amount(row['highest'], unit)}"
    middle = f"median {wording.amount(row['median'], unit)}, {spread}"
    if not math.isfinite(row["same_sign_share"]):
        return f"the median of {count} is zero ({spread})."
    sign = "+" if row["median"] > 0 else wording.MINUS
    return f"the sign ({sign}) holds in {wording.share(row['same_sign_share'])} of {count} ({middle})."


def _chance(row: Mapping[Any, Any]) -> str:
    """The three placebo p, all of them, whatever they say."""
    if row["note"]:
        return f"No placebo p: {row['note']}."
    p = {name: wording.p_value(row[f"placebo_p_{name}"]) for name in STATISTICS}
    share = f"; {significant(row['significant_share'])}"
    if row["significant_share"]:
        share = (
            f", a share of significant ones as large ({wording.share(row['significant_share'])}) with p {p['share']}"
        )
    return (
        f"On placebo days a median as large comes with p {p['median']}, a mean z as large with p {p['mean_z']}{share}."
    )


def significant(share: float) -> str:
    """How many specifications are significant with the dominant sign, as a clause."""
    return f"{wording.share(share)} are significant" if share else "none is significant"


def depends(curve: MarketCurve) -> str:
    """Whether the verdict of single specifications depends on the choices, by the share of the commonest one."""
    verdict, share = agreement(curve)
    if share >= AGREE:
        every = "every specification finds" if share == 1 else f"{wording.share(share)} of them find"
        return f"The answer does not depend on these choices: {every} {_VERDICTS[verdict]}."
    counts = verdicts(curve).value_counts(normalize=True)
    found = [f"{wording.share(part)} find {_VERDICTS[kind]}" for kind, part in zip(counts.index, counts, strict=True)]
    return f"The answer depends on these choices: {wording.listed(found)}."


def _main(row: Mapping[Any, Any]) -> str:
    if not row["main_choice"]:
        return ""
    share = wording.share(row["main_share"])
    return f" Most of the spread of the estimates comes from the {NAMES[row['main_choice']]} ({share} of the variance)."


def _others(result: SpecificationCurve, summary: pd.DataFrame) -> str:
    """In which markets the median is unusual, and the joint p."""
    known = summary["placebo_p_median"].dropna()
    if len(result.curves) < 2 or known.empty:
        return ""
    unusual = list(known.index[known <= wording.UNUSUAL])
    where = f"in {wording.listed(unusual)}" if unusual else "in none"
    rank = result.joint["median"]["maximum"] if result.joint else None
    together = f" (joint p {wording.p_value(rank.p_value)})" if rank is not None else ""
    return f" Over {len(known)} markets the placebo p of the median is at most 0.05 {where}{together}."


def curve_lines(result: SpecificationCurve) -> pd.DataFrame:
    """Summary as it is read, one row a market."""
    rows = []
    for market, row in summary_frame(result).to_dict("index").items():
        unit = row["unit"]
        main = f"{NAMES[row['main_choice']]} ({wording.share(row['main_share'])})" if row["main_choice"] else "n/a"
        rows.append([
            market, f"{row['n_specifications']:,}", wording.amount(row["median"], unit),
            f"{wording.move(row['lowest'], unit)} to {wording.move(row['highest'], unit)}",
            wording.share(row["same_sign_share"]), wording.share(row["significant_share"]),
            *(wording.p_value(row[f"placebo_p_{name}"]) for name in STATISTICS),
            wording.p_value(row["placebo_p_floor"]), wording.size(row["mde"], unit), main,
        ])  # fmt: skip
    headings = ["Market", "Specifications", "Median", "Range", "Same sign", "Significant", "p of median", "p of share"]
    headings += ["p of mean z", "Floor", "Smallest detectable", "Most of the spread"]
    return pd.DataFrame(rows, columns=headings, dtype=object)


def choice_lines(result: SpecificationCurve) -> pd.DataFrame:
    """What each choice changes as it is read, one row a market and choice of several levels."""
    found = choice_frame(result)
    rows = [
        [row["market"], NAMES[row["choice"]], row["n_levels"], wording.share(row["estimate_share"]),
         wording.share(row["statistic_share"])]
        for row in found[found["n_levels"] > 1].reset_index().to_dict("records")
    ]  # fmt: skip
    headings = ["Market", "Choice", "Levels", "Variance of estimates between levels", "Variance of t or z"]
    return pd.DataFrame(rows, columns=headings, dtype=object)


def _level_lines(result: SpecificationCurve, market: str) -> pd.DataFrame:
    """The curve by level of each choice in one market, as it is read."""
    found = level_frame(result).xs(market, level="market")
    several = found.groupby("choice")["unit"].transform("size").gt(1)
    rows = [
        [NAMES[row["choice"]], row["level"], row["n_specifications"], wording.amount(row["median"], row["unit"]),
         f"{wording.move(row['lowest'], row['unit'])} to {wording.move(row['highest'], row['unit'])}",
         wording.share(row["same_sign_share"]), wording.share(row["significant_share"])]
        for row in found[several].reset_index().to_dict("records")
    ]  # fmt: skip
    headings = ["Choice", "Level", "Specifications", "Median", "Range", "Same sign", "Significant"]
    return pd.DataFrame(rows, columns=headings, dtype=object)


def curve_html(result: SpecificationCurve) -> str:
    """HTML of a curve: the answer, every market, the choices, the grid, what was left out, where figures come from."""
    first = result.markets[0]
    grid = result.grid.to_frame()["levels"]
    left = result.excluded.to_dict("records")
    reasons = [
        [cell(text) for text in (row["market"], NAMES.get(row["choice"], "all"), row["level"],
                                 f"{row['n_specifications']:,}", row["reason"])]
        for row in left
    ]  # fmt: skip
    parts = [
        f"<h3>{escape(wording.clean(result.event['title']))}</h3>",
        f'<p class="mr-quiet">{escape(display.when_of(result.event))}</p>',
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        _table(curve_lines(result)),
        f'<p class="mr-quiet">{escape(LEGEND)}</p>',
        tables.section(f"By choice: {first}", _table(_level_lines(result, first))),
        tables.section(
            "The grid, fixed before looking",
            html_table(["Choice", "Levels"], [[cell(NAMES[name]), cell(grid[name])] for name in CHOICES]),
        ),
        tables.folded(f"{len(result.notes)} notes", tables.bullets(result.notes)),
        tables.folded(
            f"{len(left)} reasons for combinations left out",
            html_table(["Market", "Choice", "Level", "Specifications", "Reason"], reasons),
        ) if left else "",
        tables.sources(result.prices.vintage),
    ]  # fmt: skip
    return tables.wrapped(parts)


def _table(lines: pd.DataFrame) -> str:
    """Lines as they are read, as a table of HTML."""
    rows = [[cell(text) for text in row] for row in lines.itertuples(index=False, name=None)]
    return html_table(list(lines.columns), rows)
