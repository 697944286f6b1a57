"""``claims``: whether sentences of the press are true, and whether that matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from market_reaction.cli.app import app
from market_reaction.cli.console import Format, say, show, show_csv, show_json, warnings_said
from market_reaction.cli.options import DAY, AsOf, Folder, From, History, Output, numbers, source_name

if TYPE_CHECKING:
    from market_reaction.claims.result import ClaimsResult


@app.command(
    short_help="Judge what a sentence says of markets.",
    epilog="""\b
Examples:
  market-reaction claims "China's CSI 300 rose almost 1%, its best day in weeks" --date 2025-06-11
  market-reaction claims "the offshore yuan was stable" --event 2025-06-10-jt --margin 0.003
  market-reaction claims "US futures fell 0.26%" "gold rose" --date 2025-06-11 --folder my_exports""",
)
def claims(
    sentences: Annotated[
        list[str],
        Argument(metavar="SENTENCE...", help="Plain English: rose, almost 1%, above 45, best day in weeks, stable."),
    ],
    date: Annotated[str | None, Option(metavar=DAY, help="Day 0: each market's session of that date.")] = None,
    event: Annotated[
        str | None, Option(metavar="TIME|EVENT_ID", help="Instead: a time with its zone, or an id `events` shows.")
    ] = None,
    margin: Annotated[
        str | None,
        Option(metavar="MOVE", help='For "stable" only: the largest such move, 0.003 for 0.3%, or "USD/CNH=0.003".'),
    ] = None,
    source: From = None,
    folder: Folder = None,
    as_of: AsOf = None,
    history: History = 500,
    output: Output = Format.table,
) -> None:
    """Judge each claim of a sentence: true, false or not decidable, with figure, threshold and reason."""
    from market_reaction.claims.check import check_claims

    with warnings_said():
        result = check_claims(
            sentences, date=date, event=event, margin=numbers(margin, "--margin"),
            source=source_name(source, folder), folder=folder, history=history, as_of=as_of,  # type: ignore[arg-type]
        )  # fmt: skip
    _show(result, output)


def _show(result: ClaimsResult, output: Format) -> None:
    """Write a result to stdout; where its form has no room for notes they go to stderr."""
    if output == Format.json:
        show_json(result.to_dict())
        return
    if output == Format.csv:
        show_csv(result.to_frame())
        for item in result.not_understood:
            say(f"Not checked: '{item.part}': {item.reason}.")
        for note in result.all_notes():
            say(f"Note: {note}")
        return
    from market_reaction.claims.views import claims_renderables

    show(*claims_renderables(result))
