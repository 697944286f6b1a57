"""Claims as frames, sentences, HTML and terminal tables: rounding and escaping happen here, nothing is judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from market_reaction import display, tables, wording
from market_reaction.claims import words
from market_reaction.claims.claim import DAY_ZERO

if TYPE_CHECKING:
    from market_reaction.claims.result import ClaimsResult
    from market_reaction.claims.verdicts import Verdict

HEADINGS = ("Claim", "Market", "Session", "Verdict", "Measured", tables.PLACEBO, "Why")
LOST_HEADINGS = ("Not checked", "Why")
MATTERS = (
    "Placebo p: share of comparable earlier days that moved at least as much for their time. A true sentence about an "
    "ordinary day says little about the news."
)


def lines(result: ClaimsResult) -> list[tuple[str, ...]]:
    """Cells of the table of claims, plain text, by ``HEADINGS``."""
    return [
        (
            verdict.claim.quoted,
            _market(verdict),
            "" if verdict.row is None else wording.day(verdict.row.headline.session),
            verdict.label,
            words.figure(_of_quote(verdict), verdict.finding.unit),
            _placebo(verdict),
            verdict.finding.reason,
        )
        for verdict in result
    ]  # fmt: skip


def _of_quote(verdict: Verdict) -> float:
    """Measured figure in the sense of the quote shown beside it."""
    return verdict.finding.figure * (1 if verdict.finding.unit == "level" else verdict.sign)


def _placebo(verdict: Verdict) -> str:
    """Placebo p of day 0 with its floor; none for a claim that no series answers."""
    rank = None if verdict.row is None else verdict.row.headline.placebo.scaled
    if rank is None or not math.isfinite(rank.p_value):
        return wording.NOT_AVAILABLE
    return f"{'' if verdict.claim.window == DAY_ZERO else 'day 0 alone: '}{wording.placebo_p(rank)}"


def _market(verdict: Verdict) -> str:
    note = wording.direction_note(verdict.row.series.instrument) if verdict.row is not None else ""
    return f"{verdict.market} ({note})" if note else verdict.market


def claims_html(result: ClaimsResult) -> str:
    """HTML for notebooks: sentences, answer, verdicts, what was not checked, and whether it matters.

    Parameters
    ----------
    result : ClaimsResult
        As ``check_claims`` gives it.
    """
    rows = []
    for verdict, line in zip(result, lines(result), strict=True):
        cells = [tables.cell(text) for text in line]
        cells[3] = f'<span class="mr-mark">{escape(verdict.label)}</span>'
        rows.append(cells)
    lost = [(f"'{item.part}'", item.reason) for item in result.not_understood]
    missing = result.excluded[["market", "reason"]].to_numpy().tolist()
    vintage = tables.vintage_table(result.vintage) if result.reactions else ""
    parts = [
        "<h3>Is the sentence true, and does it matter?</h3>",
        *(f'<p class="mr-quiet">{escape(wording.clean(sentence))}</p>' for sentence in result.sentences),
        f'<p class="mr-answer">{escape(result.answer())}</p>',
        tables.html_table(HEADINGS, rows) if rows else "",
        tables.section("Not checked", _plain_table(LOST_HEADINGS, lost)),
        *(tables.section(f"Does it matter? {display.when(one)}", tables.move_table(one)) for one in result.reactions),
        f'<p class="mr-quiet">{escape(MATTERS)}</p>' if result.reactions else "",
        tables.folded("Rules of the verdicts", tables.bullets(result.rules())),
        tables.section("Notes", tables.bullets(result.all_notes())),
        tables.section("Not available", _plain_table(("Market", "Reason"), missing)),
        tables.folded("Where the figures come from", vintage + tables.bullets([parameters(result)])) if vintage else "",
    ]
    return tables.wrapped(parts)


def parameters(result: ClaimsResult) -> str:
    """What was asked for, as one line."""
    asked = result.parameters
    margin = ", ".join(f"{market} {value:g}" for market, value in asked["margin"].items()) or "none"
    day = asked["date"] or asked["event"] or "as in the sentences"
    return f"day 0 {day}; margin {margin}; source {asked['source']}; placebo pool {asked['history']}"


def _plain_table(headings: tuple[str, ...], rows: Sequence[Sequence[str]]) -> str:
    return tables.html_table(headings, [[tables.cell(text) for text in row] for row in rows]) if rows else ""


def claims_renderables(result: ClaimsResult) -> list[Any]:
    """Rich renderables for the terminal: answer, verdicts, what was not checked, and whether it matters."""
    from rich.padding import Padding
    from rich.text import Text

    columns = [column for column in display.MOVE_COLUMNS if column[0] not in ("Close", "Usual day")]
    moves = [[column(line) for _, column in columns] for one in result.reactions for line in display.lines(one)]
    lost = [(f"'{item.part}'", item.reason) for item in result.not_understood]
    missing = result.excluded[["market", "reason"]].to_numpy().tolist()
    parts: list[Any] = [
        *(Text(wording.clean(sentence), style="bold") for sentence in result.sentences),
        Padding(Text(result.answer()), (1, 0)),
    ]
    blocks = (
        ("", HEADINGS[:-1], [line[:-1] for line in lines(result)]),
        ("", ("Claim", "Why"), [(f"'{line[0]}'", line[-1]) for line in lines(result)]),
        ("", LOST_HEADINGS, lost),
        ("Does it matter?", [heading for heading, _ in columns], moves),
        ("Not available", ("Market", "Reason"), missing),
    )
    for title, headings, rows in blocks:
        if rows:
            parts += [Text(title, style="bold")] if title else []
            parts.append(_rich_table(headings, rows))
    parts += [Text(f"- {text}", style="dim") for text in (*result.rules(), *result.all_notes())]
    sources = "; ".join(dict.fromkeys(f"{row.market}: {row.series.vintage}" for row in result.rows))
    return (
        [*parts, Padding(Text(wording.clean(f"Sources: {sources}"), style="dim"), (1, 0, 0, 0))] if sources else parts
    )


def _rich_table(headings: Any, rows: Any) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        fixed = heading in ("Session", "Verdict", "Measured", "Change")
        table.add_column(Text(heading), overflow="fold", no_wrap=fixed)
    for row in rows:
        table.add_row(*(Text(wording.clean(cell)) for cell in row))
    return table
