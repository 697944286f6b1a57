"""Claims as frames, sentences, HTML and terminal tables: rounding and escaping happen here, nothing is judged."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction import display, tables, wording
from market_reaction.claims import words
from market_reaction.claims.rules import RULES

if TYPE_CHECKING:
    from market_reaction.claims.result import ClaimsResult
    from market_reaction.claims.verdicts import Verdict
    from market_reaction.reaction_result import MarketReaction

HEADINGS = ("Claim", "Market", "Session", "Verdict", "Measured", "Why")
LOST_HEADINGS = ("Not understood", "Why")
TRUTHS = ("true", "false", "not decidable")
MATTERS = (
    "Placebo p: share of comparable earlier days that moved at least as much for their time. A true sentence about an "
    "ordinary day says little about the news."
)


def claims_frame(result: ClaimsResult) -> pd.DataFrame:
    """One row a claim, unrounded.

    Parameters
    ----------
    result : ClaimsResult
        As ``check_claims`` gives it.
    """
    rows = [_frame_row(verdict) for verdict in result]
    frame = pd.DataFrame(rows, columns=None if rows else ["sentence", "verdict"])
    return frame.set_axis(pd.RangeIndex(1, len(rows) + 1, name="claim"))


def _frame_row(verdict: Verdict) -> dict[str, Any]:
    claim, found, row = verdict.claim, verdict.finding, verdict.row
    test, limits = found.equivalence, found.threshold
    return {
        "sentence": claim.sentence or f"{claim.market}: {claim.words}",
        "words": claim.text or claim.words,
        "named": claim.market,
        "market": verdict.market,
        "stands_in": verdict.stands_in,
        "kind": claim.kind,
        "claimed": claim.words,
        "verdict": verdict.truth,
        "figure": found.figure,
        "unit": found.unit,
        "threshold_low": math.nan if limits is None else limits.low,
        "threshold_high": math.nan if limits is None else limits.high,
        "rule": found.rule,
        "reason": found.reason,
        "record_since": found.record_since,
        "record_sessions": found.record_sessions,
        "margin": math.nan if test is None else test.margin,
        "smallest_margin": math.nan if test is None else test.smallest_margin,
        "equivalence_p": math.nan if test is None else test.p_value,
        **_measured(row),
    }


def _measured(row: MarketReaction | None) -> dict[str, Any]:
    """Session, source and inference of the market behind a claim."""
    if row is None:
        return {
            "session": pd.NaT, "ambiguous": False, "change": math.nan, "source": "", "vintage": "",
            "placebo_p": math.nan, "placebo_p_floor": math.nan, "mde": math.nan, "rank_chance": math.nan,
            "rank_chance_any": math.nan,
        }  # fmt: skip
    found, chance = row.headline, row.headline.rank_chance
    return {
        "session": found.session,
        "ambiguous": row.ambiguous,
        "change": found.change,
        "source": row.series.source,
        "vintage": str(row.series.vintage),
        "placebo_p": found.placebo.scaled.p_value,
        "placebo_p_floor": found.placebo.scaled.floor,
        "mde": found.placebo.mde,
        "rank_chance": math.nan if chance is None else chance.own,
        "rank_chance_any": math.nan if chance is None else chance.any_market,
    }


def answer(result: ClaimsResult) -> str:
    """Say what is true and what is not, then whether the moves were more than ordinary days.

    Parameters
    ----------
    result : ClaimsResult
        As ``check_claims`` gives it.
    """
    parts = [_counts(result), *_exceptions(result), *_matters(result), *_not_read(result)]
    return wording.clean(" ".join(parts))


def counted(truths: list[str]) -> str:
    """How many claims are true, false and not decidable."""
    if len(truths) == 1:
        return f"The claim is {truths[0]}"
    if len(set(truths)) == 1:
        return f"All {len(truths)} claims are {truths[0]}"
    counts = [(truths.count(truth), truth) for truth in TRUTHS if truth in truths]
    each = [f"{count} {'is' if count == 1 else 'are'} {truth}" for count, truth in counts]
    return f"Of {len(truths)} claims, {wording.listed(each)}"


def _counts(result: ClaimsResult) -> str:
    truths = [verdict.truth for verdict in result]
    if not truths:
        return "No claim was read from the text."
    why = f": {result.verdicts[0].finding.reason}" if len(truths) == 1 else "."
    return f"{counted([str(truth) for truth in truths])}{why}"


def _exceptions(result: ClaimsResult) -> list[str]:
    """What is false, and what cannot be decided, where there are several claims."""
    if len({verdict.truth for verdict in result}) < 2:
        return []
    said = []
    for truth in TRUTHS[1:]:
        which = [f"'{verdict.claim.words}' ({verdict.claim.market})" for verdict in result if verdict.truth == truth]
        said += [f"{truth.capitalize()}: {wording.listed(which)}."] if which else []
    return said


def _matters(result: ClaimsResult) -> list[str]:
    """Whether the moves behind the claims differ from those of ordinary days."""
    tested = [row for row in result.rows if math.isfinite(row.headline.placebo.scaled.p_value)]
    if not tested:
        return []
    unusual = [row for row in tested if wording.is_unusual(row.headline)]
    if unusual:
        named = wording.listed([f"{row.market} {_move_and_p(row)}" for row in unusual])
        others = len(tested) - len(unusual)
        rest = f"; the {others} other {'market is' if others == 1 else 'markets are'} not" if others else ""
        return [f"Does it matter? {named} moved unusually for its time{rest}."]
    if len(tested) > 1:
        each = ", ".join(f"{row.market} {_move_and_p(row)}" for row in tested)
        return [f"Does it matter? None of these moves is distinguishable from an ordinary day: {each}."]
    row = tested[0]
    rank = wording.rank(row.headline.record, row.headline.rank_chance)
    known = f"; {rank}" if rank not in ("none", "unchanged", wording.NOT_AVAILABLE) else ""
    return [
        f"Does it matter? {row.market} {_move_and_p(row)}{known}: not distinguishable from an ordinary day."
    ]  # fmt: skip


def _move_and_p(row: MarketReaction) -> str:
    found = row.headline
    p = wording.p_value(found.placebo.scaled.p_value)
    return f"{wording.amount(found.change, row.series.instrument.change_unit)} (placebo p {p})"


def _not_read(result: ClaimsResult) -> list[str]:
    parts = [f"'{item.part}'" for item in result.not_understood]
    return [f"Not understood: {wording.listed(parts)}."] if parts else []


def lines(result: ClaimsResult) -> list[tuple[str, ...]]:
    """Cells of the table of claims, plain text, by ``HEADINGS``."""
    return [
        (
            verdict.claim.text or verdict.claim.words,
            _market(verdict),
            "" if verdict.row is None else wording.day(verdict.row.headline.session),
            verdict.truth,
            words.figure(_of_quote(verdict), verdict.finding.unit),
            verdict.finding.reason,
        )
        for verdict in result
    ]  # fmt: skip


def _of_quote(verdict: Verdict) -> float:
    """Measured figure in the sense of the quote shown beside it."""
    return verdict.finding.figure * (1 if verdict.finding.unit == "level" else verdict.sign)


def _market(verdict: Verdict) -> str:
    note = wording.direction_note(verdict.row.series.instrument) if verdict.row is not None else ""
    return f"{verdict.market} ({note})" if note else verdict.market


def rules_used(result: ClaimsResult) -> list[str]:
    """Rules by which the claims were judged, each once."""
    return [RULES[kind] for kind in dict.fromkeys(verdict.claim.kind for verdict in result)]


def all_notes(result: ClaimsResult) -> list[str]:
    """Notes on day 0, the loading and each market."""
    said = [*result.notes, *(f"{row.market}: {note}" for row in result.rows for note in row.notes)]
    return list(dict.fromkeys(wording.clean(note) for note in said))


def result_tables(result: ClaimsResult) -> dict[str, pd.DataFrame]:
    """Tables of the result by name, the main one first."""
    lost = [(item.sentence, item.part, item.reason) for item in result.not_understood]
    found = {
        "Claims": result.to_frame(),
        "Not understood": pd.DataFrame(lost, columns=["sentence", "part", "reason"], dtype=str),
        "Not available": result.excluded,
    }
    for reaction in result.reactions:
        name = "Reactions" if len(result.reactions) == 1 else f"Reactions {reaction.event.name}"
        found[name] = reaction.to_frame()
    return found


def claims_dict(result: ClaimsResult) -> dict[str, Any]:
    """Plain dictionaries and lists: decimals in the unit named, ISO dates, None for what there is not.

    Parameters
    ----------
    result : ClaimsResult
        As ``check_claims`` gives it.
    """
    from market_reaction.exports import json_form
    from market_reaction.exports.plain import as_json

    frame = result.to_frame()
    dates = {name: frame[name].map(json_form.day) for name in ("session", "record_since") if len(result)}
    rows = frame.astype(object).assign(**dates).to_dict("records")
    claims = [{name: as_json(value) for name, value in row.items()} for row in rows]
    return {
        "schema_version": 1,
        "sentences": list(result.sentences),
        "answer": result.answer(),
        "claims": claims,
        "not_understood": [{"part": item.part, "reason": item.reason} for item in result.not_understood],
        "not_available": result.excluded.to_dict("records"),
        "notes": all_notes(result),
        **result.provenance().to_dict(),
    }


def claims_html(result: ClaimsResult) -> str:
    """HTML for notebooks: sentences, answer, verdicts, what was not understood, and whether it matters.

    Parameters
    ----------
    result : ClaimsResult
        As ``check_claims`` gives it.
    """
    rows = []
    for verdict, line in zip(result, lines(result), strict=True):
        cells = [tables.cell(text) for text in line]
        cells[3] = f'<span class="mr-mark">{escape(verdict.truth)}</span>'
        rows.append(cells)
    lost = [(f"'{item.part}'", item.reason) for item in result.not_understood]
    missing = [(row.market, row.reason) for row in result.excluded.itertuples(index=False)]
    vintage = tables.vintage_table(result.vintage) if result.reactions else ""
    parts = [
        "<h3>Is the sentence true, and does it matter?</h3>",
        *(f'<p class="mr-quiet">{escape(wording.clean(sentence))}</p>' for sentence in result.sentences),
        f'<p class="mr-answer">{escape(answer(result))}</p>',
        tables.html_table(HEADINGS, rows) if rows else "",
        _section("Not understood", _plain_table(LOST_HEADINGS, lost)),
        *(_section(f"Does it matter? {display.when(one)}", tables.move_table(one)) for one in result.reactions),
        f'<p class="mr-quiet">{escape(MATTERS)}</p>' if result.reactions else "",
        tables.folded("Rules of the verdicts", tables.bullets(rules_used(result))),
        _section("Notes", tables.bullets(all_notes(result))),
        _section("Not available", _plain_table(("Market", "Reason"), missing)),
        tables.folded("Where the figures come from", vintage + tables.bullets([parameters(result)])) if vintage else "",
    ]
    return tables.wrapped(parts)


def parameters(result: ClaimsResult) -> str:
    """What was asked for, as one line."""
    asked = result.parameters
    margin = ", ".join(f"{market} {value:g}" for market, value in asked["margin"].items()) or "none"
    day = asked["date"] or asked["event"] or "as in the sentences"
    return f"day 0 {day}; margin {margin}; source {asked['source']}; placebo pool {asked['history']}"


def _section(heading: str, body: str) -> str:
    return f"<h4>{escape(wording.clean(heading))}</h4>{body}" if body else ""


def _plain_table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return tables.html_table(headings, [[tables.cell(text) for text in row] for row in rows]) if rows else ""


def claims_renderables(result: ClaimsResult) -> list[Any]:
    """Rich renderables for the terminal: answer, verdicts, what was not understood, and whether it matters."""
    from rich.padding import Padding
    from rich.text import Text

    columns = [column for column in display.MOVE_COLUMNS if column[0] not in ("Close", "Usual day")]
    moves = [[column(line) for _, column in columns] for one in result.reactions for line in display.lines(one)]
    lost = [(f"'{item.part}'", item.reason) for item in result.not_understood]
    missing = [(row.market, row.reason) for row in result.excluded.itertuples(index=False)]
    parts: list[Any] = [
        *(Text(wording.clean(sentence), style="bold") for sentence in result.sentences),
        Padding(Text(answer(result)), (1, 0)),
    ]
    blocks = (
        (None, HEADINGS, lines(result)),
        (None, LOST_HEADINGS, lost),
        ("Does it matter?", [heading for heading, _ in columns], moves),
        ("Not available", ("Market", "Reason"), missing),
    )
    for title, headings, rows in blocks:
        if rows:
            parts += [Text(title, style="bold")] if title else []
            parts.append(_rich_table(headings, rows))
    parts += [Text(f"- {text}", style="dim") for text in (*rules_used(result), *all_notes(result))]
    sources = "; ".join(dict.fromkeys(f"{row.market}: {row.series.vintage}" for row in result.rows))
    return [*parts, Padding(Text(wording.clean(f"Sources: {sources}"), style="dim"), (1, 0, 0, 0))] if sources else parts


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
