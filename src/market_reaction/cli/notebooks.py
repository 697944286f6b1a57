"""``run`` and ``lab``: the notebooks, executed or opened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option
from typer.core import TyperCommand

from market_reaction.cli.app import app
from market_reaction.cli.console import say
from market_reaction.cli.options import FIRST_NOTEBOOK


class PairsCommand(TyperCommand):
    """Command whose ``-p NAME VALUE`` takes two words, which typer cannot say of a repeated option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join the two words to one."""
        joined, rest = [], list(args)
        while rest:
            word = rest.pop(0)
            joined.append(word)
            if word in ("-p", "--parameter") and len(rest) > 1 and "=" not in rest[0]:
                joined.append(f"{rest.pop(0)}={rest.pop(0)}")
        return super().parse_args(ctx, joined)


@app.command(
    cls=PairsCommand,
    short_help="Execute a notebook with parameters.",
    epilog="""\b
Examples:
  market-reaction run 01 -p ANNOUNCEMENT "2025-04-02 20:10 UTC" -p MARKETS "S&P 500, VIX"
  market-reaction run 01 -p WINDOWS 0:0,0:10 --to build/april.ipynb""",
)
def run(
    notebook: Annotated[str, Argument(help="Number, name or path, such as 01.")],
    parameter: Annotated[
        list[str] | None,
        Option("--parameter", "-p", metavar="NAME VALUE", help="Set a name of the parameters cell; may be repeated."),
    ] = None,
    to: Annotated[
        Path | None, Option(help="Where the executed notebook goes; build/ when left out.", metavar="PATH")
    ] = None,
) -> None:
    """Execute a notebook with parameters; the result goes to build/, with a page that works offline."""
    from market_reaction.notebooks import find_notebook, read_parameters, run_notebook

    path = find_notebook(notebook)
    pairs = [text.partition("=") for text in parameter or []]
    for name, equals, _ in pairs:
        if not equals:
            raise typer.BadParameter(f"{name!r} has no value; write -p {name} VALUE.", param_hint="'-p'")
    values = read_parameters(path, {name: value for name, _, value in pairs})
    say(f"Running notebook {path.stem} ...")
    executed = run_notebook(path, values, to)
    typer.echo(f"{executed.notebook}\n{executed.html}")


@app.command(
    short_help="Open JupyterLab on a notebook.",
    context_settings={"ignore_unknown_options": True},
    epilog="\b\nExamples:\n  market-reaction lab 00\n  market-reaction lab 01 --no-browser --port 8890",
)
def lab(
    arguments: Annotated[
        list[str] | None,
        Argument(metavar="[NOTEBOOK] [JUPYTERLAB OPTIONS]...", help="01 when no notebook is named."),
    ] = None,
) -> None:
    """Open JupyterLab on a notebook; from an installed package the notebooks are copied to ./notebooks first."""
    from market_reaction.notebooks import open_lab, working_copy

    rest = list(arguments or [])
    name = rest.pop(0) if rest and not rest[0].startswith("-") else FIRST_NOTEBOOK
    notebook, root = working_copy(name)
    say(f"Opening {notebook} in JupyterLab; stop it with Ctrl-C.")
    raise typer.Exit(open_lab(notebook, root, rest))
