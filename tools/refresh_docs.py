"""Run the Python of a Markdown page and write what it gives under each block.

``python tools/refresh_docs.py docs/referee.md`` runs the blocks marked ``python`` in order, as the cells of one
notebook (offline, on the bundled series), and puts what a block gives into the ``text`` block that follows it. Blocks
without one are run and their result dropped. ``tests/test_docs.py`` fails when a page is not what this would write.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<given>.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def python_blocks(page: str) -> Iterator[str]:
    """Code of every Python block, in order."""
    return (found["code"] for found in FENCE.finditer(page))


def run_block(code: str, names: dict[str, Any]) -> str:
    """What a block prints, and its last expression as a notebook cell would show it in plain text."""
    tree = ast.parse(code)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(tree, "<page>", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<page>", "eval"), names)
            if value is not None:
                print(value)
    return "\n".join(line.rstrip() for line in said.getvalue().splitlines())


def refreshed(page: str) -> str:
    """The page with every output as it is now.

    Raises
    ------
    Exception
        Whatever a block raises.
    """
    import pandas as pd

    from market_reaction.errors import MarketReactionWarning

    names: dict[str, Any] = {"__name__": "page"}

    def run(found: re.Match[str]) -> str:
        given = run_block(found["code"], names)
        shown = "" if found["given"] is None else f"\n```text\n{given}\n```\n"
        return f"```python\n{found['code']}```\n{shown}"

    as_they_come = pd.option_context("display.width", 80, "display.max_columns", 20, "display.max_colwidth", 50)
    with warnings.catch_warnings(), as_they_come:
        warnings.simplefilter("ignore", MarketReactionWarning)  # the result says the same
        return FENCE.sub(run, page)


def main() -> None:
    """Refresh the pages named on the command line."""
    os.environ["MARKET_REACTION_OFFLINE"] = "1"
    for path in map(Path, sys.argv[1:]):
        page = path.read_text(encoding="utf-8")
        path.write_text(refreshed(page), encoding="utf-8")


if __name__ == "__main__":
    main()
