"""Running the notebooks of the suite from Python: find one, set its parameters, execute it, keep an HTML copy.

The parameters are the assignments of the cell tagged ``parameters``. A name that is not among them is refused, because
a misspelt one would leave the old value in place without a word.
"""

from __future__ import annotations

import ast
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from market_reaction import paths
from market_reaction.errors import MarketReactionError, did_you_mean


class NotebookError(MarketReactionError):
    """A notebook or parameter that does not exist, or a notebook that stopped at an error."""


class Executed(NamedTuple):
    """Where an executed notebook and its HTML copy are."""

    notebook: Path
    html: Path


def find_notebook(name: str) -> Path:
    """Notebook for a number, a name or a path.

    Parameters
    ----------
    name : str
        ``"01"``, ``"1"``, ``"01_one_announcement"``, or the path of any notebook.

    Raises
    ------
    NotebookError
        Nothing matches; the message lists the notebooks of the suite.
    """
    path = Path(name).expanduser()
    if path.suffix == ".ipynb" and path.is_file():
        return path.resolve()
    found = {item.stem: item for folder in _folders() for item in sorted(folder.glob("*.ipynb"))}
    wanted = path.name.removesuffix(".ipynb")
    number = f"{wanted.zfill(2)}_" if wanted.isdecimal() else None
    for stem, item in sorted(found.items()):
        if stem == wanted or (number and stem.startswith(number)):
            return item
    raise NotebookError(
        f"there is no notebook {name!r}. {did_you_mean(wanted, found)}"
        f"The suite has {', '.join(sorted(found)) or 'none'}; give one of these, its number, or the path of a notebook."
    )


def _folders() -> list[Path]:
    """Where notebooks are looked for; the later ones win, so that a user's copies come before the installed ones."""
    own = Path.cwd() / "notebooks"
    return [paths.notebooks_dir(), *([own] if paths.checkout() is None and own.is_dir() else [])]


def notebook_parameters(path: Path) -> dict[str, object]:
    """Names a notebook lets a user set, with the values it has.

    Parameters
    ----------
    path : Path
        The notebook.

    Returns
    -------
    dict
        In the order of the cell; a value that is not a literal is given as its source text.

    Raises
    ------
    NotebookError
        The file cannot be read as a notebook, or no cell is tagged ``parameters``.
    """
    for cell in read_notebook(path)["cells"]:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            tree = ast.parse(cell["source"])
            return {name: value for statement in tree.body for name, value in _assigned(statement)}
    raise NotebookError(
        f"{path.name} has no cell tagged 'parameters', so nothing can be set in it. Tag its first code cell."
    )


def read_notebook(path: Path) -> Any:
    """Notebook in format 4, or an error that names the file."""
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise NotebookError(
            f"{path} cannot be read as a notebook ({type(error).__name__}: {error}). Save it again."
        ) from None


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, object]]:
    """Names a statement sets, each with its value."""
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets, value = [statement.target], statement.value
    elif isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value  # type: ignore[assignment]
    else:
        return
    for target in targets:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = zip(target.elts, value.elts, strict=False)
        else:
            pairs = iter([(target, value)])  # type: ignore[assignment]
        for name, given in pairs:
            if isinstance(name, ast.Name):
                yield name.id, _literal(ast.unparse(given))


def _literal(text: str) -> object:
    """Value of a Python literal, or the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def read_parameters(path: Path, given: Mapping[str, str]) -> dict[str, object]:
    """Check the names a user gives and read the values.

    Parameters
    ----------
    path : Path
        The notebook.
    given : mapping of str to str
        Values as typed: Python literals where they can be read as such, else text. Where the notebook has a list,
        ``"CSI 300, S&P 500"`` becomes one of two names, and ``"0:1,0:5"`` one of two pairs.

    Returns
    -------
    dict
        What to set.

    Raises
    ------
    NotebookError
        A name the notebook does not have; the message names the nearest, and all.
    """
    known = notebook_parameters(path)
    values: dict[str, object] = {}
    for name, text in given.items():
        if name not in known:
            raise NotebookError(
                f"{path.stem} has no parameter {name!r}. {did_you_mean(name, known)}It has {', '.join(known)}."
            )
        value = _literal(text.strip())
        if isinstance(known[name], list):
            value = [_item(part) for part in value.split(",") if part.strip()] if isinstance(value, str) else value
            value = value if isinstance(value, list | tuple) else [value]
        values[name] = value
    return values


def _item(text: str) -> object:
    """One entry of a list as typed; ``0:5`` is a pair."""
    first, colon, last = text.partition(":")
    try:
        return [int(first), int(last)] if colon else text.strip()
    except ValueError:
        return text.strip()


def _plain(value: object) -> object:
    """Value with lists for tuples: papermill would write a tuple as text."""
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def run_notebook(path: Path, parameters: Mapping[str, object], output: Path | None = None) -> Executed:
    """Execute a notebook with parameters and write it, with its outputs, as notebook and as HTML.

    Parameters
    ----------
    path : Path
        The notebook; it is not changed.
    parameters : mapping of str to object
        Values by name; names are checked.
    output : Path, optional
        Where the executed notebook goes; ``build/`` when left out. The HTML copy lies beside it.

    Returns
    -------
    Executed
        Both paths.

    Raises
    ------
    NotebookError
        An unknown parameter, or a cell that raised; what was executed up to there is kept.
    """
    from nbclient.exceptions import DeadKernelError
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    from market_reaction.notebook_pages import to_html

    read_parameters(path, dict.fromkeys(parameters, ""))
    # It takes every name of an assignment such as A, B = 1, 2 for unknown; the names have been checked above.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    target = paths.build_dir() / path.name if output is None else output.with_suffix(".ipynb")
    if target.resolve() == path.resolve():
        raise NotebookError(f"the executed notebook would overwrite {path}, the notebook itself. Name another file.")
    html = target.with_suffix(".html")
    target.parent.mkdir(parents=True, exist_ok=True)
    html.unlink(missing_ok=True)
    with environment(PLOTLY_RENDERER="plotly_mimetype"):
        try:
            execute_notebook(
                str(path),
                str(target),
                parameters={name: _plain(value) for name, value in parameters.items()},
                progress_bar=False,
                kernel_name="python3",
                config=kernel_settings(),
            )
        except PapermillExecutionError as error:
            raise NotebookError(
                f"{path.stem} stopped at code cell {error.exec_count} with {error.ename}: {error.evalue} "
                f"What was executed up to there is in {target}."
            ) from None
        except DeadKernelError as error:
            raise NotebookError(
                f"{path.stem} stopped because its Python process ended: {error} Run it again."
            ) from None
    html.write_text(to_html(read_notebook(target)), encoding="utf-8")
    return Executed(target, html)


def kernel_settings() -> Any:
    """Settings under which a kernel that can encrypt its messages does; without them it warns that it does not.

    Returns
    -------
    traitlets.config.Config
        For ``NotebookClient(config=...)``.
    """
    from traitlets.config import Config

    return Config({"KernelManager": {"transport_encryption": "auto"}})


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set environment variables for the kernels started inside."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def working_copy(name: str) -> tuple[Path, Path]:
    """Notebook to open in JupyterLab and the folder to open it in; from a wheel the notebooks are copied first.

    Parameters
    ----------
    name : str
        As for ``find_notebook``.

    Returns
    -------
    tuple of Path
        The notebook and the root folder.
    """
    root = paths.checkout()
    if root is None:
        root = Path.cwd()
        (root / "notebooks").mkdir(exist_ok=True)
        for item in sorted(paths.notebooks_dir().glob("*.ipynb")):
            if not (root / "notebooks" / item.name).exists():
                shutil.copyfile(item, root / "notebooks" / item.name)
    notebook = find_notebook(name)
    return notebook, root if notebook.is_relative_to(root) else notebook.parent


def open_lab(notebook: Path, root: Path, options: Sequence[str] = ()) -> int:
    """Run JupyterLab on a notebook until it ends.

    Parameters
    ----------
    notebook, root : Path
        What to open, and the folder JupyterLab shows.
    options : sequence of str
        Further options of JupyterLab.

    Returns
    -------
    int
        Its exit code.

    Notes
    -----
    Ctrl-C reaches JupyterLab as well. It is left to ask and to stop its kernels; ``subprocess.run`` would kill it.
    """
    command = [sys.executable, "-m", "jupyterlab", str(notebook), f"--ServerApp.root_dir={root}", *options]
    with subprocess.Popen(command) as lab:
        while True:
            try:
                return lab.wait()
            except KeyboardInterrupt:
                continue
