"""Specification curves as sentences and as HTML: rounding and escaping happen here, no statistic is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction import display, tables, wording
from market_reaction.fragility.curves import STATISTICS
from market_reaction.fragility.frames import (
    AGREE,
    choice_frame,
    level_frame,
    significant_shares,
    summary_frame,
    verdicts,
)  # fmt: skip
from market_reaction.fragility.grid import CHOICES, NAMES
from market_reaction.tables import cell, html_table

if TYPE_CHECKING:
    from market_reaction.fragility.result import MarketCurve, SpecificationCurve

_VERDICTS = {1: "a significant rise", -1: "a significant fall", 0: "no significant move"}
LEGEND = (
    "Significant: its own p at most 0.05; rises and falls are counted apart. Placebo p: share of comparable days "
    "before on which the same grid gave a median, a share of specifications significant with its sign, or a mean z at "
    "least as large for their time (the event counted in); the floor is the smallest p attainable. The specifications "
    "share one event: their number is no evidence. Smallest detectable: shift of every estimate that the placebo of "
    "the median finds with 80% power."
)


def curve_answer(result: SpecificationCurve) -> str:
    """Whether the answer depends on the choices in the first market, what chance makes of it, and the other markets."""
    curve, summary = result.curves[0], summary_frame(result)
    row = summary.to_dict("index")[curve.market]
    note = wording.direction_note(curve.series.instrument)
    name = f"{curve.market}{f' ({note})' if note else ''}"
    if row["n_specifications"] == 1:
        text = (
            f"{name}: one specification gives {wording.amount(row['median'], curve.unit)}. {_chance_of_one(curve, row)}"
        )
    else:
        verdict = depends(curve, row["same_sign_share"])
        text = f"{name}: {_sign(row, curve.unit)} {_chance(curve, row)} {verdict}{_main(row)}"
    return wording.clean(f"{text}{_others(result, summary)}")


def _sign(row: Mapping[Any, Any], unit: str) -> str:
    count = f"{row['n_specifications']:,} specifications"
    spread = f"from {wording.move(row['lowest'], unit)} to {wording.amount(row['highest'], unit)}"
    middle = f"median {wording.amount(row['median'], unit)}, {spread}"
    if not math.isfinite(row["same_sign_share"]):
        return f"the median of {count} is zero ({spread})."
    sign = "+" if row["median"] > 0 else wording.MINUS
    held = "all" if row["same_sign_share"] == 1 else f"{part(row['same_sign_share'])} of"
    return f"the sign ({sign}) holds in {held} {count} ({middle})."


def part(share: float) -> str:
    """Share of the specifications; neither rounded up to all of them nor down to none."""
    if 0.995 <= share < 1:
        return "over 99%"
    return "under 0.1%" if 0 < share < 0.0005 else wording.share(share)


def _chance(curve: MarketCurve, row: Mapping[Any, Any]) -> str:
    """The placebo p, all of them, whatever they say; that of the share is 1 where no specification is significant."""
    if row["note"]:
        return f"No placebo p: {row['note']}; {significant(curve)}."
    named = [("median", "the median has"), ("mean_z", "the mean z")]
    if row["significant_share"]:
        named.append(("share", "the share of significant ones"))
    found = wording.listed([f"{text} p {wording.p_value(row[f'placebo_p_{name}'])}" for name, text in named])
    return f"{_among(row)} {found} ({_floor(row)}); {significant(curve)}."


def _chance_of_one(curve: MarketCurve, row: Mapping[Any, Any]) -> str:
    """Placebo p of a grid of one specification, and the p of its own test."""
    own = f"its own test gives p {wording.p_value(curve.specifications['p_value'].iloc[0])}"
    if row["note"]:
        return f"No placebo p: {row['note']}; {own}."
    return f"{_among(row)} it has p {wording.p_value(row['placebo_p_median'])} ({_floor(row)}); {own}."


def _among(row: Mapping[Any, Any]) -> str:
    return f"Among {row['n_placebo']:,} placebo days"


def _floor(row: Mapping[Any, Any]) -> str:
    return f"floor {wording.p_value(row['placebo_p_floor'])}"


def significant(curve: MarketCurve) -> str:
    """How many specifications are significant, with the sign of the median and against it, as a clause."""
    along, against = significant_shares(curve)
    if not along + against:
        return "none is significant at 5%"
    if not curve.placebo.event["median"]:
        return f"{part(against)} are significant at 5%"
    most = f"{part(along)} are significant at 5%" if along else "none is significant at 5% with that sign"
    if not against:
        return most
    return f"{most}{' with that sign and' if along else ','} {part(against)} with the other"


def depends(curve: MarketCurve, same_sign: float) -> str:
    """Whether verdict and sign of single specifications depend on the choices, by the share that agrees."""
    shares = verdicts(curve).value_counts(normalize=True)
    commonest, share = int(shares.index[0]), float(shares.iloc[0])
    found = f"every specification finds {_VERDICTS[commonest]}"
    if share < 1:
        found = wording.listed([f"{part(some)} find {_VERDICTS[int(str(kind))]}" for kind, some in shares.items()])
    opposed = {1, -1} <= set(shares.index)  # rises and falls both: somebody can choose between them
    degree = "does not depend" if share == 1 else "hardly depends" if share >= AGREE and not opposed else "depends"
    usual = commonest and degree != "depends" and curve.placebo.scaled["median"].p_value > wording.UNUSUAL
    but = " That is by their own p: among the placebo days such a median is not unusual." if usual else ""
    if same_sign < AGREE and degree != "depends":
        verdict = "does not" if share == 1 else "hardly does"
        return f"The sign depends on these choices, whether it is significant {verdict}: {found}.{but}"
    return f"The answer {degree} on these choices: {found}.{but}"


def _main(row: Mapping[Any, Any]) -> str:
    if not row["main_choice"]:
        return ""
    name, share = NAMES[row["main_choice"]], part(row["main_share"])
    return (
        f" The choice that moves the estimates most is the {name} ({share} of their variance lies between its levels)."
    )


def _others(result: SpecificationCurve, summary: pd.DataFrame) -> str:
    """In which markets the median is unusual, and the joint p."""
    known = summary["placebo_p_median"].dropna()
    if len(result.curves) < 2 or known.empty:
        return ""
    if len(known) == 1:
        return f" Of {len(result.curves)} markets only {known.index[0]} has a placebo p."
    unusual = list(known.index[known <= wording.UNUSUAL])
    where = f"in {wording.listed(unusual)}" if unusual else "in none"
    rank = result.joint["median"]["maximum"]
    together = f"no joint p: {rank.note}" if rank.note else f"joint p {wording.p_value(rank.p_value)}"
    return f" Over {len(known)} markets the placebo p of the median is at most 0.05 {where} ({together})."


def curve_lines(result: SpecificationCurve) -> pd.DataFrame:
    """Summary as it is read, one row a market."""
    rows = []
    for market, row in summary_frame(result).to_dict("index").items():
        unit = row["unit"]
        main = f"{NAMES[row['main_choice']]} ({part(row['main_share'])})" if row["main_choice"] else "n/a"
        rows.append([
            market, f"{row['n_specifications']:,}", wording.amount(row["median"], unit),
            f"{wording.move(row['lowest'], unit)} to {wording.move(row['highest'], unit)}",
            part(row["same_sign_share"]), part(row["significant_rise_share"]), part(row["significant_fall_share"]),
            *(wording.p_value(row[f"placebo_p_{name}"]) for name in STATISTICS),
            wording.p_value(row["placebo_p_floor"]), wording.size(row["mde"], unit), main,
        ])  # fmt: skip
    headings = ["Market", "Specifications", "Median", "Range", "Same sign", "Significant rises", "Significant falls"]
    headings += [
        "p of median",
        "p of share",
        "p of mean z",
        "Floor",
        "Smallest detectable",
        "Choice that moves it most",
    ]
    return pd.DataFrame(rows, columns=headings, dtype=object)


def choice_lines(result: SpecificationCurve) -> pd.DataFrame:
    """What each choice changes as it is read, one row a market and choice of several levels."""
    found = choice_frame(result)
    rows = [
        [row["market"], NAMES[row["choice"]], row["n_levels"], part(row["estimate_share"]),
         part(row["statistic_share"])]
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
         part(row["same_sign_share"]), part(row["significant_rise_share"]), part(row["significant_fall_share"])]
        for row in found[several].reset_index().to_dict("records")
    ]  # fmt: skip
    headings = ["Choice", "Level", "Specifications", "Median", "Range", "Same sign", "Significant rises"]
    headings += ["Significant falls"]
    return pd.DataFrame(rows, columns=headings, dtype=object)


def curve_html(result: SpecificationCurve) -> str:
    """HTML of a curve: the answer, every market, the choices, the grid, what was left out, where figures come from."""
    first = result.markets[0]
    grid = result.grid.to_frame()["levels"]
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
        tables.folded(_counted(len(result.notes), "note"), tables.bullets(result.notes)) if result.notes else "",
        tables.folded(
            f"{_counted(len(result.excluded), 'reason')} for combinations left out", left_out_table(result)
        ),
        tables.sources(result.prices.vintage),
    ]  # fmt: skip
    return tables.wrapped(parts)


def left_out_table(result: SpecificationCurve) -> str:
    """HTML of the combinations left out with the whole of each reason; empty where there is none."""
    rows = [
        [cell(text) for text in (row["market"], NAMES.get(row["choice"], "all"), row["level"],
                                 f"{row['n_specifications']:,}", row["reason"])]
        for row in result.excluded.to_dict("records")
    ]  # fmt: skip
    return html_table(["Market", "Choice", "Level", "Specifications", "Reason"], rows) if rows else ""


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _table(lines: pd.DataFrame) -> str:
    """Lines as they are read, as a table of HTML."""
    rows = [[cell(text) for text in row] for row in lines.itertuples(index=False, name=None)]
    return html_table(list(lines.columns), rows)
