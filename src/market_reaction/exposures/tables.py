"""An exposure regression as sentences and as HTML: rounding and escaping happen here, no statistic is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from market_reaction import tables, wording
from market_reaction.exposures.result import NOT_VALID
from market_reaction.tables import cell, html_table

if TYPE_CHECKING:
    from market_reaction.exposures.measures import Exposure
    from market_reaction.exposures.pool import SlopePlacebo
    from market_reaction.exposures.result import ExposureRegression


def amount(value: float, exposure: Exposure) -> str:
    """Exposure in the form of its unit."""
    if exposure.unit == "return":
        return wording.per_cent(value)
    return f"{value:.3g}".replace("-", "−") if math.isfinite(value) else wording.NOT_AVAILABLE


def span(result: ExposureRegression) -> str:
    """Sessions of the reaction in words."""
    first, last = result.window
    return "in the reaction session" if first == last == 0 else f"over sessions [{first},{last}]"


def per_step(result: ExposureRegression, value: float) -> str:
    """Slope for one standard deviation more of exposure, as a move."""
    return wording.move(value * result.step, "return")


def answer(result: ExposureRegression) -> str:
    """Whether the more exposed shares reacted differently; or why that cannot be said."""
    test, exposure = result.test, result.exposure
    if test is None or exposure is None:
        missing = wording.listed(list(result.excluded["share"]))
        names = f" Left out: {missing}." if missing else ""
        return wording.clean(f"No slope on the exposure: {result.why_not}.{names}")
    better = "more" if test.slope > 0 else "less"
    size = wording.size(test.slope * result.step, "return")
    finding = (
        f"Across {len(result.shares)} shares, one standard deviation more of {exposure.label} "
        f"({amount(result.step, exposure).removeprefix('+')}) goes with {size} {better} abnormal return {span(result)} "
        f"({_test(result, test)})"
    )
    return wording.clean(f"{finding}{_verdict(test)}.{_without(result)}")


def _test(result: ExposureRegression, test: SlopePlacebo) -> str:
    if not math.isfinite(test.scaled.p_value):
        return f"no placebo p: {test.scaled.note}"
    return (
        f"placebo p {wording.p_value(test.scaled.p_value)}, floor {wording.p_value(test.scaled.floor)}; smallest "
        f"detectable {wording.size(test.mde * result.step, 'return')}"
    )


def _verdict(test: SlopePlacebo) -> str:
    if not math.isfinite(test.scaled.p_value):
        return ""
    if test.scaled.p_value <= wording.UNUSUAL:
        return ", a slope that ordinary days rarely show"
    return ", which is not distinguishable from the slopes of ordinary days"


def _without(result: ExposureRegression) -> str:
    """What the slope would be without the share that matters most."""
    found = result.shares.dropna(subset="slope_without")
    if found.empty:
        return ""
    row = found.iloc[int(found["change"].abs().argmax())]
    share = row.name
    return (
        f" Without {share} it would be {per_step(result, row['slope_without'])} (p "
        f"{wording.p_value(row['placebo_p_without'])})."
    )


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


def _slope_table(result: ExposureRegression) -> str:
    test = result.test
    if test is None:
        return ""
    rank = test.scaled
    mark = ' <span class="mr-mark">unusual</span>' if rank.p_value <= wording.UNUSUAL else ""
    hc3 = wording.size(result.hc3_std_error * result.step, "return")
    cells = [
        cell(per_step(result, test.slope)),
        cell(wording.size(test.sigma * result.step, "return")),
        cell(f"{wording.p_value(rank.p_value)} ({wording.p_value(rank.floor)})") + mark,
        cell(wording.size(test.mde * result.step, "return")),
        cell(str(rank.n_placebo)),
        cell(wording.share(result.r_squared)),
        cell(f"{hc3}, {NOT_VALID} (rejects on {wording.share(result.hc3_rejects)} of the placebo days)"),
    ]
    headings = ["Response", "Usual day", "Placebo p (floor)", "Smallest detectable", "Compared days", "R²",
                "HC3 std. error"]  # fmt: skip
    return html_table(headings, [cells])


def _share_table(result: ExposureRegression) -> str:
    exposure = result.exposure
    if exposure is None or result.shares.empty:
        return ""
    rows = []
    for share, row in result.shares.sort_values("exposure").iterrows():
        without = row.get("slope_without", math.nan)
        cells = [
            str(share), wording.day(row["session"]), amount(row["exposure"], exposure),
            wording.move(row["reaction"], "return"), wording.move(row.get("fitted", math.nan), "return"),
            per_step(result, without) if math.isfinite(without) else wording.NOT_AVAILABLE,
            wording.p_value(row.get("placebo_p_without", math.nan)),
        ]  # fmt: skip
        rows.append([cell(text) for text in cells])
    first, last = result.window
    headings = ["Share", "Session", "Exposure", f"CAR[{first},{last}]", "On the line", "Response without it", "p"]
    return html_table(headings, rows)


def _legend(result: ExposureRegression) -> str:
    assert result.exposure is not None
    return (
        f"Exposure: {result.exposure.source}. Response: abnormal return for one standard deviation "
        f"({amount(result.step, result.exposure).removeprefix('+')}) more of exposure. Usual day: its standard "
        "deviation as known the evening before. Placebo p: share of comparable days before on which the same "
        "regression gives as much for its time. Response without it and p: with this share left out. Mean correlation "
        f"of the shares' residuals: {result.correlation:.2f}."
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
