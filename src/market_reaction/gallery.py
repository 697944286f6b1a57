"""All notebooks run at once, offline, and kept as pages with a page of contents: what ``make notebooks`` writes.

Each notebook runs in a kernel of its own, a few at a time, on what is on this computer: bundled series, and snapshots
of earlier downloads.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from market_reaction import notebook_pages, paths
from market_reaction.notebooks import NotebookError, environment, kernel_settings, notebook_parameters, read_notebook
from market_reaction.progress import progress
from market_reaction.theme import INK_STYLE, WIDTH

SCRIPT = "plotly.min.js"
LIMIT = 300  # seconds a notebook may take
JOBS = 2
# Run last in each kernel; its output is read, and is no part of the page.
_FACTS = "import json\nfrom market_reaction import gallery\nprint(json.dumps(gallery.vintages(globals())))"
_VINTAGE = ("market", "source", "symbol", "last", "retrieved_utc", "sha256")


@dataclass(frozen=True, slots=True)
class GalleryPage:
    """One executed notebook of the gallery.

    Attributes
    ----------
    name : str
        Name of the notebook without suffix.
    html : Path
        The page.
    question, answer : str
        Its first heading, and what its cell ``answer`` printed.
    seconds : float
        Time it took, with its kernel's start.
    charts : int
        Charts among its outputs, each proved to be in the page.
    first_chart : dict or None
        JSON of the first of them.
    parameters : mapping of str to object
        What it was run with.
    vintage : tuple of dict
        Each series it loaded: market, source, symbol, last session, retrieval, checksum.
    error : str
        Why it stopped; empty where it did not.
    warnings : str
        What it wrote to stderr.
    """

    name: str
    html: Path
    question: str
    answer: str
    seconds: float
    charts: int
    first_chart: dict[str, Any] | None
    parameters: Mapping[str, object]
    vintage: tuple[dict[str, str], ...]
    error: str
    warnings: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """The pages, the page of contents and the time all took."""

    index: Path
    pages: tuple[GalleryPage, ...]
    seconds: float

    @property
    def failed(self) -> tuple[GalleryPage, ...]:
        """Pages of notebooks that stopped at an error."""
        return tuple(page for page in self.pages if page.error)

    def to_frame(self) -> pd.DataFrame:
        """One row a notebook: seconds, charts, error, answer."""
        columns = ["name", "seconds", "charts", "error", "answer"]
        rows = [{column: getattr(page, column) for column in columns} for page in self.pages]
        return pd.DataFrame(rows, columns=columns).set_index("name")


def build_gallery(
    folder: str | Path | None = None,
    *,
    notebooks: Sequence[Path] | None = None,
    jobs: int = JOBS,
    offline: bool = True,
) -> Gallery:
    """Run notebooks with the parameters they have, and write a page of each and one of contents.

    Parameters
    ----------
    folder : str or Path, optional
        Where the pages go; ``build/gallery`` when left out. Pages of an earlier run are removed.
    notebooks : sequence of Path, optional
        Those of the suite when left out.
    jobs : int
        How many run at a time.
    offline : bool
        Whether to ask no server: the bundled series, and snapshots of earlier downloads, are used.

    Returns
    -------
    Gallery

    Raises
    ------
    NotebookError
        No notebook, or ``jobs`` below 1. A notebook that stops at an error has a page that shows it, and ``error``.
    PageError
        A page lacks a chart of its notebook.
    """
    chosen = sorted(paths.notebooks_dir().glob("*.ipynb")) if notebooks is None else list(notebooks)
    if not chosen:
        raise NotebookError(
            f"there is no notebook in {paths.notebooks_dir()}. Name some, or install the package again."
        )
    if jobs < 1:
        raise NotebookError(f"jobs={jobs} runs nothing; give 1 or more.")
    target = (paths.build_dir() / "gallery" if folder is None else Path(folder).expanduser()).absolute()
    target.mkdir(parents=True, exist_ok=True)
    for old in [*target.glob("[0-9][0-9]_*.html"), target / "index.html"]:
        old.unlink(missing_ok=True)
    _write_script(target)
    began = time.monotonic()
    settings = {"PLOTLY_RENDERER": "plotly_mimetype"} | ({"MARKET_REACTION_OFFLINE": "1"} if offline else {})
    with environment(**settings):
        pages = _finished(_run_all(chosen, target, jobs))
    gallery = Gallery(target / "index.html", pages, time.monotonic() - began)
    gallery.index.write_text(_index(gallery, offline), encoding="utf-8")
    return gallery


def _write_script(target: Path) -> None:
    """Put the plotly script beside the pages, which share it."""
    from plotly.offline import get_plotlyjs

    (target / SCRIPT).write_text(get_plotlyjs(), encoding="utf-8")


def _finished(work: Coroutine[Any, Any, tuple[GalleryPage, ...]]) -> tuple[GalleryPage, ...]:
    """Result of a coroutine, also where an event loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _run_all(chosen: Sequence[Path], target: Path, jobs: int) -> tuple[GalleryPage, ...]:
    """Pages in the order of the notebooks, some made at a time."""
    places = asyncio.Semaphore(jobs)

    async def one(path: Path) -> GalleryPage:
        async with places:
            return await _run(path, target)

    tasks = [asyncio.ensure_future(one(path)) for path in chosen]
    for finished in progress(asyncio.as_completed(tasks), "running notebooks", total=len(tasks)):
        await finished
    return tuple(task.result() for task in tasks)


async def _run(path: Path, target: Path) -> GalleryPage:
    """Execute one notebook and write its page."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from nbformat.v4 import new_code_cell

    notebook = read_notebook(path)
    notebook.cells.append(new_code_cell(_FACTS))
    client = NotebookClient(
        notebook, timeout=LIMIT, kernel_name="python3", config=kernel_settings(),
        resources={"metadata": {"path": str(path.parent)}},
    )  # fmt: skip
    began, error = time.monotonic(), ""
    try:
        await client.async_execute()
    except CellExecutionError as stopped:
        error = f"{stopped.ename}: {stopped.evalue}"
    except (CellTimeoutError, DeadKernelError) as stopped:
        error = f"{type(stopped).__name__}: {stopped}"
    seconds = time.monotonic() - began
    facts = _printed(notebook.cells.pop())
    page = target / f"{path.stem}.html"
    page.write_text(notebook_pages.to_html(notebook, script=SCRIPT), encoding="utf-8")
    charts = notebook_pages.charts_of(notebook)
    return GalleryPage(
        name=path.stem,
        html=page,
        question=notebook_pages.question_of(notebook),
        answer="".join(_printed(cell) for cell in notebook.cells if cell.get("id") == "answer").strip(),
        seconds=seconds,
        charts=len(charts),
        first_chart=charts[0] if charts else None,
        parameters=notebook_parameters(path),
        vintage=tuple(json.loads(facts)) if facts else (),
        error=error,
        warnings="".join(_printed(cell, "stderr") for cell in notebook.cells),
    )


def _printed(cell: Any, stream: str = "stdout") -> str:
    """What a cell wrote."""
    return "".join(output["text"] for output in cell.get("outputs", []) if output.get("name") == stream)


def vintages(namespace: Mapping[str, object]) -> list[dict[str, str]]:
    """Where the series come from that the prices and results among some objects hold, each series once.

    Parameters
    ----------
    namespace : mapping of str to object
        Such as ``globals()`` of a notebook.
    """
    from market_reaction.exports import Exportable
    from market_reaction.prices import PriceData

    frames = []
    for value in namespace.values():
        if isinstance(value, PriceData):
            frames.append(value.vintage)
        elif isinstance(value, Exportable):
            frames.append(value.provenance().vintage)
        elif isinstance(prices := getattr(value, "prices", None), PriceData):
            frames.append(prices.vintage)
    rows = [row for frame in frames for row in frame.reset_index().to_dict("records")]
    found = [{name: _cell(row.get(name)) for name in _VINTAGE} for row in rows]
    return [dict(row) for row in dict.fromkeys(tuple(row.items()) for row in found)]


def _cell(value: object) -> str:
    """Text of one cell of a vintage: dates without a time, nothing for nothing."""
    if value is None or value is pd.NaT or value != value:
        return ""
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def _index(gallery: Gallery, offline: bool) -> str:
    """Page of contents: question, answer, first chart, time, parameters and vintage of each notebook."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    jinja = Environment(
        loader=PackageLoader("market_reaction"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    charts = {page.name: Markup(_script_safe(page.first_chart)) for page in gallery.pages if page.first_chart}
    return jinja.get_template("gallery.html.j2").render(
        gallery=gallery,
        charts=charts,
        heights={page.name: (page.first_chart or {}).get("layout", {}).get("height", 400) for page in gallery.pages},
        script=SCRIPT,
        version=version("market-reaction"),
        policy=Markup(notebook_pages.POLICY),
        ink=Markup(INK_STYLE),
        width=WIDTH,
        offline=offline,
    )


def _script_safe(figure: dict[str, Any] | None) -> str:
    """JSON of a figure that cannot end the script element it stands in."""
    content = {key: (figure or {}).get(key) for key in ("data", "layout")}
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text
