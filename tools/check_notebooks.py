"""Check the notebooks against the house rules, from their JSON and without running them.

Run it on all notebooks, ``python tools/check_notebooks.py``, or on the files named.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
MAX_CODE_CELLS = 15
MAX_CELL_LINES = 15
LAST_SECTION = "What this does not show"
FILE_NAME = re.compile(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*\.ipynb")

Cell = dict[str, Any]

_STATEMENTS: dict[type[ast.AST], str] = {
    ast.FunctionDef: "def",
    ast.AsyncFunctionDef: "def",
    ast.ClassDef: "class",
    ast.For: "for loop",
    ast.AsyncFor: "for loop",
    ast.While: "while loop",
}
_ATTRIBUTES = {"sys.path", "warnings.filterwarnings", "warnings.simplefilter"}
_IMPORTED_NAMES = {"filterwarnings": "warnings.filterwarnings", "simplefilter": "warnings.simplefilter"}
_SHELL_LINE = re.compile(r"^\s*[!%].*$", re.MULTILINE)
_PIP = re.compile(r"\bpip3?\b")
_FENCE = re.compile(r"^\s*(```|~~~).*?^\s*\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$", re.MULTILINE)


def problems(path: Path) -> list[str]:
    """Every rule the notebook breaks, as full sentences; an empty list when it keeps all of them."""
    path = Path(path)
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells: list[Cell] = list(notebook["cells"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{path.name}: it cannot be read as a notebook ({type(error).__name__}: {error}). Save it again."]
    found = [*_file_name(path), *_parameters(cells), *_headings(cells), *_size(cells)]
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] == "code":
            found += [f"cell {number}: {text}" for text in [*_outputs(cell), *_lines(cell), *_forbidden(cell)]]
    return [f"{path.name}: {text}" for text in found]


def _source(cell: Cell) -> str:
    """Text of a cell, which the format stores as one string or as a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _file_name(path: Path) -> Iterator[str]:
    """Two digits, an underscore, plain words."""
    if not FILE_NAME.fullmatch(path.name):
        yield (
            "the file name is not two digits, an underscore and plain lower-case words. "
            "Rename it in the form 01_one_announcement.ipynb."
        )


def _parameters(cells: list[Cell]) -> Iterator[str]:
    """The first code cell holds the settings, and no other does."""
    tagged = [n for n, cell in enumerate(cells, 1) if "parameters" in cell.get("metadata", {}).get("tags", [])]
    first = next((n for n, cell in enumerate(cells, 1) if cell["cell_type"] == "code"), None)
    if tagged != [first]:
        yield (
            f"the tag 'parameters' is on {_cells(tagged)}, and belongs on the first code cell only "
            f"({_cells([] if first is None else [first])}). Tag that cell."
        )


def _cells(numbers: list[int]) -> str:
    """Name the cells for a message."""
    return "cell " + ", ".join(map(str, numbers)) if numbers else "no cell"


def _headings(cells: list[Cell]) -> Iterator[str]:
    """One H1, and the limits of the result as the last section."""
    headings = [
        (len(marks), text)
        for cell in cells
        if cell["cell_type"] == "markdown"
        for marks, text in _HEADING.findall(_FENCE.sub("", _source(cell)))
    ]
    titles = [text for level, text in headings if level == 1]
    if len(titles) != 1:
        yield f"it has {len(titles)} headings of level 1 and must have 1. State one question in one H1."
    last = headings[-1][1] if headings else "none"
    if last != LAST_SECTION:
        yield f"its last section is '{last}' and must be '{LAST_SECTION}'. End with that section."


def _size(cells: list[Cell]) -> Iterator[str]:
    """A notebook that grows too long answers more than one question."""
    count = sum(cell["cell_type"] == "code" for cell in cells)
    if count > MAX_CODE_CELLS:
        yield (
            f"it has {count} code cells, and the limit is {MAX_CODE_CELLS}. "
            "Move work into src/market_reaction, or split the question."
        )


def _outputs(cell: Cell) -> Iterator[str]:
    """Results depend on the vintage of the data and are never committed."""
    if cell.get("outputs"):
        yield f"it holds {len(cell['outputs'])} outputs and must hold 0. Run nbstripout."
    if cell.get("execution_count") is not None:
        yield f"its execution count is {cell['execution_count']} and must be empty. Run nbstripout."


def _lines(cell: Cell) -> Iterator[str]:
    """A long cell is a function that is not in the package yet."""
    count = len(_source(cell).strip().splitlines())
    if count > MAX_CELL_LINES:
        yield (
            f"it has {count} lines, and the limit is {MAX_CELL_LINES}. "
            "Move work into a function in src/market_reaction, with a test."
        )


def _forbidden(cell: Cell) -> Iterator[str]:
    """Definitions, loops, installs and switched-off warnings have no place in a cell."""
    source = _source(cell)
    if any(_PIP.search(line) for line in _SHELL_LINE.findall(source)):
        yield "it calls pip. Dependencies belong in pyproject.toml."
    try:
        tree = ast.parse(_SHELL_LINE.sub("", source))
    except SyntaxError as error:
        yield f"line {error.lineno} is not Python ({error.msg}). Correct it."
        return
    names = {name for node in ast.walk(tree) for name in _names(node)}
    for name in sorted(names):
        yield f"it contains {name}, which the rules keep out of cells. Move it into src/market_reaction."


def _names(node: ast.AST) -> Iterator[str]:
    """What the rules call this piece of code, if they name it."""
    if type(node) in _STATEMENTS:
        yield _STATEMENTS[type(node)]
    elif isinstance(node, ast.Attribute) and ast.unparse(node) in _ATTRIBUTES:
        yield ast.unparse(node)
    elif isinstance(node, ast.ImportFrom) and node.module == "warnings":
        yield from (_IMPORTED_NAMES[a.name] for a in node.names if a.name in _IMPORTED_NAMES)
    elif isinstance(node, ast.ImportFrom) and node.module == "sys":
        yield from ("sys.path" for a in node.names if a.name == "path")
    elif isinstance(node, ast.Import):
        yield from ("pip" for a in node.names if a.name.split(".")[0] == "pip")
    elif (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.search(r"\bpip3? install\b|^pip3?$", node.value)
    ):
        yield "pip"


def main(arguments: list[str] | None = None) -> int:
    """Check the notebooks named, or all of them; 1 when any breaks a rule."""
    parser = argparse.ArgumentParser(description="Check notebooks against the house rules.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: every notebook in notebooks/")
    paths = parser.parse_args(arguments).notebooks or sorted(NOTEBOOKS.glob("*.ipynb"))
    found = [text for path in paths for text in problems(path)]
    for text in found:
        print(text, file=sys.stderr)
    print(f"{len(paths)} notebooks checked, {len(found)} problems found.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
