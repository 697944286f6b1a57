"""An exposure regression as sentences and as HTML: rounding and escaping happen here, no statistic is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction import tables, wording
from market_reaction.exposures.result import NOT_VALID
from market_reaction.normal_models import NORMAL_MODELS
from market_reaction.tables import cell, html_table

if TYPE_CHECKING:
    from market_reaction.exposures.measures import Exposure
    from market_reaction.exposures.result import ExposureRegression


_NAMED = 6  # shares left out that are named in the answer; the table has all


def amount(value: float, exposure: Exposure) -> str:
    """Exposure in the form of its unit."""
    if exposure.unit == "return":
        return wording.per_cent(value)
    return f"{value:.3g}".replace("-", "−") if math.isfinite(value) else wording.NOT_AVAILABLE


def per_step(result: ExposureRegression, value: float) -> str:
    """Slope for one standard deviation more of exposure, as a move."""
    return wording.move(value * result.step, "return")


def _beyond(result: ExposureRegression) -> str:
    """What the reactions are measured against."""
    model = str(result.parameters["normal_model"])
    if NORMAL_MODELS[model].regressors != "none":
        return " beyond the market"
    return "" if model == "zero_mean" else " beyond the share's own mean"


def answer(result: ExposureRegression) -> str:
    """Whether the more exposed shares reacted differently; or why that cannot be said."""
    test, exposure = result.test, result.exposure
    if test is None or exposure is None:
        why = result.why_not.rstrip(".")
        return wording.clean(f"No slope on the exposure: {why}.{_left_out(result)}")
    rank, across = test.scaled, f"Across {len(result.shares)} shares, "
    change = _more(test.slope * result.step)
    step = f"one standard deviation more of it ({amount(result.step, exposure).removeprefix('+')})"
    found = f"{step} goes with {change} return{_beyond(result)} {wording.sessions_of(result.window)}"
    if not math.isfinite(rank.p_value):
        return wording.clean(f"{across}exposure ({exposure.label}): {found} (no placebo p: {rank.note}).")
    inference = (
        f"placebo p {wording.p_value(rank.p_value)}, floor {wording.p_value(rank.floor)}; smallest detectable "
        f"{wording.size(test.mde * result.step, 'return')}"
    )
    opening = (
        f"{across}the reaction goes with exposure ({exposure.label})"
        if rank.p_value <= wording.UNUSUAL
        else f"{across}no link between reaction and exposure ({exposure.label}) can be told from chance"
    )
    return wording.clean(f"{opening}: {found} ({inference}).{_without(result)}")


def _more(value: float) -> str:
    return f"{wording.size(value, 'return')} {'more' if value > 0 else 'less'}"


def _left_out(result: ExposureRegression) -> str:
    """Names of the shares left out, those of a long list in part."""
    names = list(result.excluded["share"])
    if len(names) > _NAMED:
        names = [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    return f" Left out: {wording.listed(names)}." if names else ""


def most_influential(result: ExposureRegression) -> str | None:
    """Share without which the response changes most; None where no share can be left out."""
    if result.test is None:
        return None
    change = result.shares["change"].dropna()
    return str(change.abs().idxmax()) if len(change) else None


def _without(result: ExposureRegression) -> str:
    """What the response would be without the share that matters most."""
    share = most_influential(result)
    if share is None:
        return ""
    change, p = (float(result.shares[name].loc[share]) for name in ("per_std_without", "placebo_p_without"))
    return f" This depends most on {share}: without it {_more(change)} (p {wording.p_value(p)})."


def regression_html(result: ExposureRegression) -> str:
    """HTML of a regression: the answer, the slope, a row a share, notes, what was left out."""
    what = result.exposure.label if result.exposure is not None else str(result.parameters["exposure"])
    parts = [
        f"<h3>{cell(f'Reaction by {what}')}</h3>",
        f'<p class="mr-quiet">{cell(result.event["title"])}</p>',
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        _slope_table(result),
        _share_table(result),
        f'<p class="mr-quiet">{cell(_legend(result))}</p>' if result.test is not None else "",
        "<h4>Notes</h4>" + tables.bullets(result.notes) if result.notes else "",
        _folded_rows("shares left out", result.excluded.to_numpy().tolist(), ["Share", "Reason"]),
        _earlier_left_out(result),
        tables.folded("Where the figures come from", tables.vintage_table(result.prices.vintage)),
    ]
    return tables.wrapped(parts)


def slope_lines(result: ExposureRegression) -> pd.DataFrame:
    """The slope with its inference as it is read, one row; why there is none where there is none."""
    test, exposure = result.test, result.exposure
    if test is None or exposure is None:
        return pd.DataFrame({"Shares": [str(len(result.shares))], "Why there is no slope": [result.why_not]})
    rank = test.scaled
    hc3 = wording.size(result.hc3_std_error * result.step, "return")
    row = {
        "Shares": str(len(result.shares)),
        "One std. deviation of exposure": amount(result.step, exposure).removeprefix("+"),
        "Response to it": per_step(result, test.slope),
        "Usual day": wording.size(test.sigma * result.step, "return"),
        tables.PLACEBO: f"{wording.p_value(rank.p_value)} ({wording.p_value(rank.floor)})",
        "Smallest detectable": wording.size(test.mde * result.step, "return"),
        "Compared days": str(rank.n_placebo),
        "R²": wording.share(result.r_squared),
        "HC3 std. error": f"{hc3}, {NOT_VALID} (rejects on {wording.share(result.hc3_rejects)} of the placebo days)",
    }
    return pd.DataFrame([row])


def _slope_table(result: ExposureRegression) -> str:
    if result.test is None:
        return ""
    frame = slope_lines(result)
    row = {name: cell(text) for name, text in frame.iloc[0].items()}
    row[tables.PLACEBO] += (
        ' <span class="mr-mark">unusual</span>' if result.test.scaled.p_value <= wording.UNUSUAL else ""
    )
    return html_table(list(frame.columns), [list(row.values())])


def share_lines(result: ExposureRegression) -> pd.DataFrame:
    """The shares as they are read, least exposed first."""
    first, last = result.window
    headings = ["Share", "Session", "Exposure", f"CAR[{first},{last}]", "On the line", "Response without it", "p"]
    exposure, rows = result.exposure, []
    if exposure is not None and not result.shares.empty:
        for share, row in result.shares.sort_values("exposure").iterrows():
            rows.append([
                str(share), wording.day(row["session"]), amount(row["exposure"], exposure),
                wording.move(row["reaction"], "return"), wording.move(row.get("fitted", math.nan), "return"),
                wording.move(row.get("per_std_without", math.nan), "return"),
                wording.p_value(row.get("placebo_p_without", math.nan)),
            ])  # fmt: skip
    return pd.DataFrame(rows, columns=headings, dtype=str)


def _share_table(result: ExposureRegression) -> str:
    frame = share_lines(result)
    rows = [[cell(text) for text in row] for row in frame.to_numpy().tolist()]
    return html_table(list(frame.columns), rows) if rows else ""


def printed_regression(result: ExposureRegression) -> dict[str, pd.DataFrame]:
    """Tables of a paper by caption: the slope first, then the shares where there are any."""
    shares = share_lines(result)
    return {"Slope on the exposure": slope_lines(result)} | ({"Shares": shares} if len(shares) else {})


def _legend(result: ExposureRegression) -> str:
    assert result.exposure is not None
    return (
        f"Exposure: {result.exposure.source}. Response: abnormal return for one standard deviation "
        f"({amount(result.step, result.exposure).removeprefix('+')}) more of exposure. Usual day: its standard "
        "deviation as known the evening before. Placebo p: share of comparable earlier days on which the same "
        "regression gives as large a response for the volatility of its time; unusual: p of at most "
        f"{wording.UNUSUAL:g}. Response without it and p: with this share left out, for one standard deviation of the "
        f"others. Mean correlation of the shares' residuals: {wording.signed(result.correlation)}."
    )


def _folded_rows(what: str, rows: Sequence[Sequence[object]], headings: list[str]) -> str:
    cells = [[cell(text) for text in row] for row in rows]
    return tables.folded(f"{len(rows)} {what}", html_table(headings, cells)) if rows else ""


def _earlier_left_out(result: ExposureRegression) -> str:
    if result.exposure is None or result.exposure.excluded.empty:
        return ""
    frame = result.exposure.excluded
    rows = [
        [row["event_id"], row["market"], wording.day(row["session"]), row["reason"]] for row in frame.to_dict("records")
    ]
    return _folded_rows("cases of earlier announcements left out", rows, ["Event", "Share", "Session", "Reason"])
