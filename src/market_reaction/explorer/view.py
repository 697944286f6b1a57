"""HTML of the panel: the answer, the messages and the style. Everything that came from outside is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from market_reaction import display, tables
from market_reaction.reaction_result import ReactionResult

# Colours are JupyterLab's where there are any. Charts follow the ink of the page through theme "auto".
STYLE = """
.mr-explore {container-type: inline-size; color: var(--jp-ui-font-color1, currentColor); font-size: 13px}
.mr-explore .mr-explore-controls {display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 1.1fr) minmax(0, 1fr);
  gap: 4px 24px; align-items: start; overflow: visible; padding-bottom: 10px; margin-bottom: 6px;
  border-bottom: 1px solid var(--jp-border-color2, rgba(128, 128, 128, .35))}
@container (max-width: 880px) {.mr-explore .mr-explore-controls {grid-template-columns: minmax(0, 1fr) minmax(0, 1fr)}
  .mr-explore .mr-explore-announcement {grid-column: 1 / -1}}
@container (max-width: 560px) {.mr-explore .mr-explore-controls {grid-template-columns: minmax(0, 1fr)}}
.mr-explore .mr-explore-column, .mr-explore .mr-explore-results {min-width: 0; overflow: visible}
.mr-explore .mr-explore-column > .widget-inline-hbox:not(.widget-checkbox) {flex-direction: column; width: auto;
  align-items: stretch; height: auto; margin: 2px 0}
.mr-explore .mr-explore-column > .widget-inline-hbox > .widget-label {width: auto; text-align: left; height: 22px;
  line-height: 22px; font-size: 12px; color: var(--jp-ui-font-color1, inherit)}
.mr-explore .mr-explore-column select, .mr-explore .mr-explore-column input[type="text"] {width: 100%; flex: none}
.mr-explore .mr-explore-column .widget-dropdown > select {height: 28px}
.mr-explore .mr-explore-event select {height: 158px; font-size: 12px}
.mr-explore .mr-explore-others select {height: 110px}
.mr-explore .mr-explore-pair {display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 10px;
  overflow: visible; width: auto}
.mr-explore .mr-explore-pair > .widget-inline-hbox {width: auto; min-width: 0; margin: 0; gap: 6px}
.mr-explore .mr-explore-pair .widget-label {width: auto; font-size: 12px; margin: 0}
.mr-explore .mr-explore-pair input {min-width: 0; width: 100%}
.mr-explore .mr-explore-tick {width: auto; margin: 0}
.mr-explore .mr-explore-tick .widget-label-basic {display: flex; gap: 6px; align-items: center; width: auto}
.mr-explore .mr-explore-heading {margin: 2px 0 0; font-size: 12px; min-height: 22px; line-height: 22px}
.mr-explore .mr-explore-markets {margin: 2px 0; height: 158px; overflow: auto; padding: 2px 6px;
  border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, .35))}
.mr-explore .mr-explore-markets > * {flex: none}
.mr-explore .mr-explore-quiet .widget-html-content {font-size: 12px; line-height: 1.4; white-space: normal;
  color: var(--jp-ui-font-color2, inherit)}
.mr-explore .widget-html, .mr-explore .widget-html-content {width: auto; min-width: 0; max-width: 100%; height: auto}
.mr-explore .mr-explore-results > .widget-html, .mr-explore .mr-explore-results .widget-html-content {width: 100%;
  margin-left: 0; margin-right: 0}
.mr-explore .mr-explore-status .widget-html-content {min-height: 20px; line-height: 20px; font-size: 12px}
.mr-explore .mr-explore-working {display: inline-flex; align-items: center; gap: 6px;
  animation: mr-explore-appear .15s linear .25s both}
.mr-explore .mr-explore-working::before {content: ""; width: 10px; height: 10px; border-radius: 50%;
  border: 2px solid currentColor; border-right-color: transparent; animation: mr-explore-turn 1s linear infinite}
@keyframes mr-explore-appear {from {opacity: 0} to {opacity: .85}}
@keyframes mr-explore-turn {to {transform: rotate(1turn)}}
@media (prefers-reduced-motion: reduce) {.mr-explore .mr-explore-working::before {animation: none}}
.mr-explore .mr-explore-message {margin: 2px 0 8px; padding: 6px 10px; border-left: 3px solid #d55e00; font-size: 13px;
  line-height: 1.45; white-space: pre-line; background: var(--jp-layout-color2, rgba(128, 128, 128, .12))}
.mr-explore .mr-explore-warned .mr-explore-message {border-left-color: #e69f00}
.mr-explore .mr-explore-message p {margin: 0 0 4px}
.mr-explore .mr-explore-stale {opacity: .45; filter: grayscale(1)}
.mr-explore .mr-explore-table summary {padding: 1px 0}
.mr-explore .mr-explore-chosen {flex-wrap: wrap; align-items: center; gap: 4px 18px; overflow: visible}
.mr-explore .mr-explore-chosen > * {width: auto; margin: 2px 0}
.mr-explore .mr-explore-charts {display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 640px), 1fr));
  gap: 12px; overflow: visible; align-items: start; width: 100%}
.mr-explore .mr-explore-charts > * {min-width: 0; overflow: hidden; margin: 0}
.mr-explore .mr-explore-code {width: auto; height: auto; flex-direction: column; align-items: stretch}
.mr-explore .mr-explore-code > .widget-label {width: auto; text-align: left; font-size: 12px}
.mr-explore .mr-explore-code textarea {font-family: var(--jp-code-font-family, monospace); font-size: 12px;
  line-height: 1.4; height: 170px}
.mr-explore .mr-explore-copy {display: flex; align-items: center; gap: 10px; font-size: 12px}
.mr-explore .mr-explore-copy button, .mr-explore .mr-explore-save {width: auto; padding: 0 14px}
.mr-explore button:focus-visible, .mr-explore select:focus-visible, .mr-explore input:focus-visible,
.mr-explore textarea:focus-visible, .mr-explore summary:focus-visible {outline: 2px solid #0072b2; outline-offset: 1px}
"""


def answer_html(result: ReactionResult, asked: int) -> str:
    """The answer, the table, and the rest folded away.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.
    asked : int
        Number of different questions asked in the panel so far.
    """
    news = display.news_lines(result)
    high = sum(line.news.importance == "high" for line in news)
    counted = f"{len(news)}, {high} of high importance" if high else f"{len(news)}"
    rows = [f"{market}: {note}" for market, note in display.row_notes(result)]
    missing = len(result.prices.unavailable)
    legend = f'<p class="mr-quiet">{escape(display.LEGEND)}</p>'
    vintage = tables.vintage_table(result.prices.vintage) + tables.bullets([display.parameters(result)])
    return tables.wrapped(
        [
            f"<h3>{escape(display.title(result))}</h3>",
            f'<p class="mr-quiet">{escape(display.when(result))}</p>',
            f'<p class="mr-answer">{escape(tables.answer(result))}</p>',
            tables.move_table(result),
            tables.bullets(result.notes),
            f'<p class="mr-quiet">{escape(looks(asked))}</p>' if asked > 1 else "",
            tables.folded("Clock, z values and windows", tables.detail_table(result) + legend),
            tables.folded(f"Other news inside these returns: {counted}", tables.news_table(result)),
            tables.folded(f"Notes on single markets: {len(rows)}", tables.bullets(rows)),
            tables.folded(f"Not available: {missing}", tables.unavailable_table(result)),
            tables.folded("Where the figures come from", vintage),
        ]
    )


def looks(asked: int) -> str:
    """What it means to have asked several questions.

    Parameters
    ----------
    asked : int
        How many.
    """
    return (
        f"{asked} questions were asked in this panel. Each p holds for a question fixed beforehand; none allows for "
        "having looked at several and kept one."
    )


def error_html(error: str, last: ReactionResult | None) -> str:
    """The sentence of an error, and what the dimmed answer below is.

    Parameters
    ----------
    error : str
        Empty for none.
    last : ReactionResult or None
        Last answer that could be given.
    """
    if not error:
        return ""
    below = f"<p>The dimmed answer below is the last one: {escape(display.title(last))}.</p>" if last else ""
    return f'<div class="mr-explore-message" role="alert"><p>{escape(error)}</p>{below}</div>'


def warnings_html(warnings: Sequence[str]) -> str:
    """The sentences of the warnings.

    Parameters
    ----------
    warnings : sequence of str
        None gives an empty string.
    """
    if not warnings:
        return ""
    said = "".join(f"<p>{escape(text)}</p>" for text in warnings)
    return f'<div class="mr-explore-message" role="status">{said}</div>'


def status_html(text: str, *, working: bool = False) -> str:
    """The line that says what the panel is doing.

    Parameters
    ----------
    text : str
        In a few words.
    working : bool
        Whether it is still at it.
    """
    mark = ' class="mr-explore-working"' if working else ""
    return f'<span{mark} role="status">{escape(text)}</span>'


def saved_html(path: Path) -> str:
    """Where the report is.

    Parameters
    ----------
    path : Path
        The file.
    """
    return f'<span role="status">Report written to <code>{escape(str(path))}</code></span>'


STATIC = (
    "Here a live panel stands in JupyterLab: pick an announcement and markets, and table and charts follow. "
    "It needs a running kernel; run this cell again to bring it back."
)


def static_html() -> str:
    """What a page shows that cannot run the panel."""
    return f'<p class="mr-explore-static">{escape(STATIC)}</p>'
