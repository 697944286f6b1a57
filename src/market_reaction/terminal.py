"""Results in a terminal, as rich tables. No text is read as markup, so titles cannot style or break the output."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from market_reaction import display, tables, wording
from market_reaction.battery.tables import battery_tables

if TYPE_CHECKING:
    from market_reaction.reaction_result import ReactionResult

NEWS_SHOWN = 8
_LEFT = {"Market", "Session", "Rank", "News to first trade", "Source", "Time (UTC)", "News", "Importance", "Reason",
         "Inside the return of", "Test", "Role", "Validity", "Note", "Where"}  # fmt: skip
_LONGEST_WORD = 24
# A terminal is narrow: the columns of the two tables are shown in three.
_LEFT_OUT = {"Compared days", "Source", "Rank"}  # the floor and the list of sources say the first two


def reaction_renderables(result: ReactionResult) -> list[RenderableType]:
    """Renderables of a result: heading, answer, tables, other news, notes, what is missing.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.
    """
    shown = display.lines(result)
    columns = [column for column in display.MOVE_COLUMNS if column[0] not in _LEFT_OUT]
    moves = [[column(line) for _, column in columns] for line in shown]
    for line, cells in zip(shown, moves, strict=True):
        cells[5] += " unusual" if line.unusual else ""
    details = [column for column in display.detail_columns(result) if column[0] not in _LEFT_OUT]
    clock = [column for column in details if not column[0].startswith("CAR")]
    windows = [column for column in details if column not in clock or column[0] in ("Market", "Session")]
    windows.append(display.MOVE_COLUMNS[-1])
    bold = [line.unusual for line in shown]
    parts: list[RenderableType] = [
        Text(display.title(result), style="bold"),
        Text(display.when(result), style="dim"),
        Padding(Text(tables.answer(result)), (1, 0)),
        _table([heading for heading, _ in columns], moves, bold),
        _table([heading for heading, _ in clock], [[column(line) for _, column in clock] for line in shown], bold),
        _table([heading for heading, _ in windows], [[column(line) for _, column in windows] for line in shown], bold),
    ]
    return parts + _battery(result) + _news(result) + _endnotes(result)


def _battery(result: ReactionResult) -> list[RenderableType]:
    """The tests asked for; empty where only the headline was."""
    if result.battery is None:
        return []
    parts: list[RenderableType] = []
    for table in battery_tables(result.battery):
        parts += [_title(table.title), _Blocks(table.headings, table.rows)]
        parts += [Text(table.legend, style="dim")] if table.legend else []
    return parts


def _title(text: str) -> RenderableType:
    return Padding(Text(text, style="bold"), (1, 0, 0, 0))


@dataclass(frozen=True, slots=True)
class _Blocks:
    """A table whose columns are printed in several blocks where the terminal is too narrow for all of them.

    The first two columns stand in every block.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Print as many columns at a time as fit without breaking a word."""
        first = 2
        while first < len(self.headings):
            last = first + 1
            while last < len(self.headings) and sum(self._least(first, last + 1)) <= options.max_width:
                last += 1
            yield self._block(first, last, options.max_width)
            first = last

    def _shown(self, first: int, last: int) -> list[int]:
        return [0, 1, *range(first, last)]

    def _least(self, first: int, last: int) -> list[int]:
        """Room for the longest word of each column, with what stands between columns and at both edges."""
        return [2, *(_longest_word(self._column(at)) + 2 for at in self._shown(first, last))]

    def _column(self, at: int) -> list[str]:
        return [self.headings[at], *(row[at] for row in self.rows)]

    def _block(self, first: int, last: int, width: int) -> Table:
        """One block; room that is left goes to the columns in turn, up to their longest cell."""
        shown = self._shown(first, last)
        least = self._least(first, last)
        spare, widths = max(width - sum(least), 0), []
        for at, room in zip(reversed(shown), reversed(least[1:]), strict=True):
            more = min(max(map(len, self._column(at))) - (room - 2), spare)
            spare -= more
            widths.append(room - 2 + more)
        rows = [[row[at] for at in shown] for row in self.rows]
        return _table([self.headings[at] for at in shown], rows, widths=widths[::-1])


def _longest_word(cells: Sequence[str]) -> int:
    return min(max(map(len, " ".join(cells).split())), _LONGEST_WORD)


def _table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], bold: Sequence[bool] = (), widths: Sequence[int] = ()
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for at, heading in enumerate(headings):
        longest = _longest_word([heading, *(cells[at] for cells in rows)])  # columns break between words only
        width = widths[at] if widths else None
        side = "left" if heading in _LEFT else "right"
        table.add_column(
            Text(wording.clean(heading)), justify=side, overflow="fold", min_width=longest, width=width,  # type: ignore[arg-type]
        )  # fmt: skip
    for number, cells in enumerate(rows):
        marked = number < len(bold) and bold[number]
        table.add_row(*(Text(wording.clean(cell)) for cell in cells), style="bold" if marked else None)
    return table


def _news(result: ReactionResult) -> list[RenderableType]:
    news = display.news_lines(result)
    if not news:
        return []
    rows = [
        [line.time, line.title, line.news.importance, display.shared_by(line, result)] for line in news[:NEWS_SHOWN]
    ]
    more = len(news) - NEWS_SHOWN
    parts: list[RenderableType] = [
        _title("Other news inside these returns"),
        _table(["Time (UTC)", "News", "Importance", "Inside the return of"], rows),
    ]
    return [*parts, Text(f"and {more} more", style="dim")] if more > 0 else parts


def _endnotes(result: ReactionResult) -> list[RenderableType]:
    parts: list[RenderableType] = []
    notes = tables.all_notes(result)
    if notes:
        parts.append(_title("Notes"))
        parts += [Padding(Text(wording.clean(f"- {note}")), (0, 0, 0, 1)) for note in notes]
    missing = result.prices.unavailable
    if len(missing):
        parts.append(_title("Not available"))
        rows = [[str(row.market), str(row.reason)] for row in missing.itertuples(index=False)]
        parts.append(_table(["Market", "Reason"], rows))
    sources = "; ".join(f"{row.market}: {row.series.vintage}" for row in result.reactions)
    return [*parts, Padding(Text(wording.clean(f"Sources: {sources}"), style="dim"), (1, 0, 0, 0))]


def reaction_text(result: ReactionResult, width: int = 120) -> str:
    """Plain text of a result as a terminal of this width shows it.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.
    width : int
        Columns.
    """
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, legacy_windows=False)
    for part in reaction_renderables(result):
        console.print(part)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
