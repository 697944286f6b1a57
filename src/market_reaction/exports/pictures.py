"""Charts as pictures, all in one go of the browser, each with where its figures come from."""

from __future__ import annotations

import json
import os
import struct
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from market_reaction.errors import ExportError
from market_reaction.exports.browser import HOW_TO_GET, find_browser
from market_reaction.exports.files import file_names, target_folder, write_text, write_whole
from market_reaction.progress import progress

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.exports import Exportable

FORMATS = ("png", "svg", "pdf", "jpg", "webp")
GROUNDS = {"light": "#ffffff", "dark": "#161616"}
_PNG = b"\x89PNG\r\n\x1a\n"


def save_pictures(
    result: Exportable,
    folder: str | Path,
    *,
    formats: Sequence[str] = ("png", "svg"),
    width: int = 660,
    scale: float = 2.0,
    theme: Literal["light", "dark"] = "light",
) -> list[Path]:
    """Save the charts of a result, as ``Exportable.save_plots`` describes it."""
    asked = [formats] if isinstance(formats, str) else list(formats)
    unknown = [name for name in asked if name not in FORMATS]
    if unknown or not asked:
        raise ExportError(f"formats={asked!r} is not known; choose some of {', '.join(FORMATS)}.")
    if theme not in GROUNDS:
        raise ExportError(f"theme={theme!r} is not known for pictures; choose one of {', '.join(GROUNDS)}.")
    figures = result.figures(theme=theme)
    if not figures:
        raise ExportError(f"{type(result).__name__} has no charts, so there is nothing to save.")
    _need_programs()
    target = target_folder(folder)
    for figure in figures.values():
        figure.update_layout(paper_bgcolor=GROUNDS[theme], width=width, autosize=False)
    about = result.provenance().to_dict()
    names = [f"{name}.{form}" for name in file_names(figures, "chart") for form in asked]
    with tempfile.TemporaryDirectory() as place:
        drafts = [Path(place) / name for name in names]
        _draw([figure for figure in figures.values() for _ in asked], drafts, scale)
        written = [_place(draft, target, about) for draft in drafts]
    write_text(target / "provenance.json", json.dumps({"charts": names, **about}, indent=2, ensure_ascii=False) + "\n")
    return written


def _need_programs() -> None:
    """Say what to install where kaleido or a browser is missing."""
    try:
        import kaleido  # noqa: F401
    except ImportError:
        raise ExportError(
            "kaleido is not installed, and pictures need it. Run pip install 'market-reaction[export]', or conda "
            "install -c conda-forge python-kaleido. The report() and the charts in a notebook work without."
        ) from None
    if find_browser() is None:
        raise ExportError(f"no browser was found, and kaleido draws with one. {HOW_TO_GET}")


def _draw(figures: list[go.Figure], drafts: list[Path], scale: float) -> None:
    """Draw all pictures with one start of the browser."""
    import plotly.io as pio

    sizes = {name: [int(figure.layout[name]) for figure in figures] for name in ("width", "height")}
    try:
        with _chosen_browser(), ThreadPoolExecutor(1) as pool:
            drawing = pool.submit(pio.write_images, figures, drafts, scale=scale, **sizes)
            for _ in progress(_arrivals(drafts, drawing), "drawing charts", len(drafts)):
                pass
            drawing.result()
    except (RuntimeError, OSError, TimeoutError) as error:
        raise ExportError(f"kaleido could not draw the charts: {error}. Try again, or update kaleido.") from error
    lost = [draft.name for draft in drafts if not draft.is_file() or not draft.stat().st_size]
    if lost:
        raise ExportError(f"kaleido left out {', '.join(lost)}. Try again, or save fewer formats.")


def _arrivals(drafts: list[Path], drawing: Future[None]) -> Iterator[Path]:
    """Pictures as they arrive, until the drawing ends."""
    waiting = list(drafts)
    while not drawing.done():
        time.sleep(0.05)
        for draft in [draft for draft in waiting if draft.is_file()]:
            waiting.remove(draft)
            yield draft


@contextmanager
def _chosen_browser() -> Iterator[None]:
    """Let kaleido use the same browser as the PDF."""
    before, found = os.environ.get("BROWSER_PATH"), find_browser()
    if found is not None:
        os.environ["BROWSER_PATH"] = found
    try:
        yield
    finally:
        os.environ.pop("BROWSER_PATH", None)
        if before is not None:
            os.environ["BROWSER_PATH"] = before


def _place(draft: Path, folder: Path, about: dict[str, object]) -> Path:
    """Put a picture into its folder with its provenance inside where the format has room for it."""
    content, text = draft.read_bytes(), json.dumps(about, ensure_ascii=False)
    if draft.suffix == ".png":
        content = _with_text(content, text)
    elif draft.suffix == ".svg":
        content = _with_metadata(content.decode(), text).encode()
    return write_whole(folder / draft.name, lambda place: place.write_bytes(content))


def _with_text(png: bytes, text: str) -> bytes:
    """PNG with an international text chunk after its header."""
    if not png.startswith(_PNG):
        return png
    body = b"iTXt" + b"Source\x00\x00\x00\x00\x00" + text.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    end = len(_PNG) + 12 + struct.unpack(">I", png[len(_PNG) : len(_PNG) + 4])[0]
    return png[:end] + chunk + png[end:]


def _with_metadata(svg: str, text: str) -> str:
    """SVG with a metadata element after its first tag."""
    head, closing, rest = svg.partition(">")
    return f"{head}{closing}<metadata>{escape(text)}</metadata>{rest}"
