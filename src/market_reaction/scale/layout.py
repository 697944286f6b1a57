"""Folders of panels and of results: names, checksums, and files that are written whole or not at all."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

from market_reaction.errors import ScaleError
from market_reaction.exports.files import target_folder, write_whole

PANEL_FILE, SESSIONS_FILE, FACTORS_FILE = "panel.json", "sessions.parquet", "factors.parquet"
MANIFEST_FILE, EVENTS_FILE, EXCLUDED_FILE = "manifest.json", "events.parquet", "excluded.parquet"
ASSETS_FILE, LOCK_FILE = "assets.parquet", ".lock"
BLOCKS, PARTS = "blocks", "parts"
FORMAT = 1
_TEMPORARY = "market_reaction_panel_"


def block_name(number: int) -> str:
    """File of a block of securities."""
    return f"{BLOCKS}/block-{number:05d}.parquet"


def part_name(number: int) -> str:
    """File of the results of a block."""
    return f"{PARTS}/part-{number:05d}.parquet"


def digest(path: Path) -> str:
    """Checksum (sha256) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, whole or not at all, also where the power fails."""
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    def write(draft: Path) -> None:
        draft.write_text(text, encoding="utf-8", newline="\n")
        settle(draft)

    write_whole(path, write)
    settle(path.parent)


def settle(path: Path) -> None:
    """Have a file, or the names in a folder, reach the disk; a file must before another one vouches for it."""
    if path.is_dir() and os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_json(path: Path, what: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """Read JSON that this package wrote, with the keys it must have.

    Raises
    ------
    ScaleError
        There is no such file, it is damaged, or another version wrote it in another form.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ScaleError(f"{str(path.parent)!r} is no {what}: it has no {path.name}.") from None
    except ValueError as error:
        raise ScaleError(f"{path} is damaged ({error}). Write the {what} again.") from None
    if not isinstance(content, dict):
        raise ScaleError(f"{path} is damaged (it holds no object). Write the {what} again.")
    if content.get("format") != FORMAT:
        raise ScaleError(
            f"{path} has format {content.get('format')!r}, and this version reads {FORMAT}. Write the {what} again."
        )
    lacking = [name for name in keys if name not in content]
    if lacking:
        raise ScaleError(f"{path} is damaged (it lacks {', '.join(lacking)}). Write the {what} again.")
    return content


def write_table(path: Path, table: Any, **options: Any) -> None:
    """Write a pyarrow table as Parquet, whole or not at all."""
    from pyarrow import parquet

    def write(draft: Path) -> None:
        parquet.write_table(table, draft, **options)
        settle(draft)

    write_whole(path, write)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder of results alone; the lock goes with the process, however that ends.

    Raises
    ------
    ScaleError
        Another process works in the folder.
    """
    if os.name != "posix":  # results name their job, so that two jobs in one folder do not mix there either
        yield
        return
    import fcntl

    with (folder / LOCK_FILE).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ScaleError(
                f"another process works in {str(folder)!r}. Wait until it is done and run again, which takes what it "
                "wrote; or give another folder."
            ) from None
        except OSError:  # a disk that knows no locks
            pass
        yield


def sweep(folder: Path) -> None:
    """Remove drafts that a killed process left behind."""
    for draft in folder.glob(".*.tmp"):
        draft.unlink(missing_ok=True)


def folder_or_temporary(folder: str | Path | None) -> Path:
    """Folder as it was named, made if need be; one that goes when Python ends where none was named."""
    if folder is not None:
        return target_folder(folder)
    _sweep_temporary()
    place = Path(tempfile.mkdtemp(prefix=f"{_temporary()}{os.getpid()}_"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


def is_temporary(folder: Path) -> bool:
    """Whether a folder goes when Python ends."""
    return folder.name.startswith(_temporary())


def _temporary() -> str:
    """How temporary folders of this machine begin; containers may share a disk and not their process numbers."""
    return f"{_TEMPORARY}{platform.node()}_"


def _sweep_temporary() -> None:
    """Remove temporary folders of processes that were killed, as the kernels of notebooks often are."""
    if os.name != "posix":  # elsewhere a process cannot be asked for without harm
        return
    for old in Path(tempfile.gettempdir()).glob(f"{escape(_temporary())}*_*"):
        owner = old.name.removeprefix(_temporary()).split("_")[0]
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            shutil.rmtree(old, ignore_errors=True)
        except (ValueError, PermissionError):  # another name, or a process of another user
            continue
