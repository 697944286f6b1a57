"""``gallery``: all notebooks, executed offline, as pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from market_reaction.cli.app import app
from market_reaction.cli.console import say, show


@app.command(
    short_help="Execute all notebooks offline, as pages.",
    epilog="\b\nExamples:\n  market-reaction gallery\n  market-reaction gallery --online --to pages",
)
def gallery(
    to: Annotated[Path | None, Option(metavar="FOLDER", help="Where they go; build/gallery when left out.")] = None,
    jobs: Annotated[int, Option(min=1, help="Notebooks that run at a time.")] = 2,
    online: Annotated[bool, Option("--online", help="Let the notebooks ask for newer prices.")] = False,
) -> None:
    """Execute every notebook of the suite, offline unless told otherwise, and write pages with a page of contents."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from market_reaction.gallery import build_gallery

    say("Running the notebooks ...")
    built = build_gallery(to, jobs=jobs, offline=not online)
    table = Table("notebook", "seconds", "charts", "outcome", box=box.SIMPLE_HEAD, pad_edge=False)
    for page in built.pages:
        outcome = page.error or ("wrote warnings" if page.warnings else "ran")
        table.add_row(page.name, f"{page.seconds:.1f}", str(page.charts), Text(outcome))
    table.add_row("all", f"{built.seconds:.1f}", str(sum(page.charts for page in built.pages)), "")
    show(table)
    typer.echo(built.index)
    if built.failed:
        say(f"Error: {len(built.failed)} of {len(built.pages)} notebooks stopped; their pages show where.")
        raise typer.Exit(1)
