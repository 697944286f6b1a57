"""PDF: a page printed by a browser without a window, once all its charts are known to be drawn."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from market_reaction.errors import ExportError
from market_reaction.exports.browser import HOW_TO_GET, find_browser, run_browser

_BUDGET = 20_000  # milliseconds of the page's own clock, which runs ahead when nothing happens


def print_pdf(html: str, draft: Path, charts: int) -> None:
    """Print a page to a PDF file.

    Parameters
    ----------
    html : str
        Text of the page, which needs no other file.
    draft : Path
        File to write.
    charts : int
        Number of charts that must be drawn.

    Raises
    ------
    ExportError
        No browser, a failure of it, or a chart that was not drawn.
    """
    browser = find_browser()
    if browser is None:
        raise ExportError(f"no browser was found, and PDF needs one. {HOW_TO_GET} The .html report works without.")
    # Beside the target, because a browser in a sandbox of its own (snap) may not see the system's temporary folder.
    with tempfile.TemporaryDirectory(dir=draft.parent, prefix="printing-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        page, printed = folder / "report.html", folder / "report.pdf"
        page.write_text(html, encoding="utf-8")
        arguments = [
            f"--virtual-time-budget={_BUDGET}", "--run-all-compositor-stages-before-draw", "--no-pdf-header-footer",
            f"--print-to-pdf={printed}", "--dump-dom", page.as_uri(),
        ]  # fmt: skip
        check_drawn(run_browser(browser, arguments, folder), charts)
        content = printed.read_bytes() if printed.is_file() else b""
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-1024:]:
        raise ExportError(f"{browser} wrote no whole PDF ({len(content)} bytes). Try again, or use the .html report.")
    draft.write_bytes(content)


def drawn_charts(dom: str) -> int:
    """Number of charts that Plotly has drawn in a page, from the page as the browser has it."""
    places = re.split(r'<div class="chart[ "]', dom)[1:]
    return sum('class="main-svg"' in place and "<g class=" in place for place in places)


def check_drawn(dom: str, charts: int) -> None:
    """Refuse a page in which a chart was not drawn."""
    drawn = drawn_charts(dom)
    if drawn != charts:
        raise ExportError(
            f"the browser drew {drawn} of {charts} charts, so nothing was printed. Try again, or use the .html report."
        )
