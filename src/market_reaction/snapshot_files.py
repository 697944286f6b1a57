"""Files of snapshots: names that are safe on every file system, and content that appears whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pandas as pd

# Files that no snapshot was made of are removed after this time.
_LEFTOVER = pd.Timedelta(hours=1)

_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}
_LONGEST_NAME = 80


def folder_name(text: str) -> str:
    """Name of one folder for any source or symbol, on every file system.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        At most 80 characters, different for different texts also where case does not count.

    Examples
    --------
    >>> [folder_name(text) for text in ("ES=F", "^GSPC", "000300.SS", "../../x", "CON.DE")]
    ['ES=F', '^GSPC', '000300.SS', '%2E%2E%2F%2E%2E%2Fx', 'CON%2EDE%']
    """
    name = quote(text, safe="=^")
    reserved = text.split(".")[0].strip().upper() in _RESERVED
    if reserved or text.strip(".") != text:
        name = name.replace(".", "%2E") + "%" * reserved
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 17]}~{checksum(text.encode())[:16]}"
    return name


def checksum(content: bytes) -> str:
    """SHA-256 of some content.

    Parameters
    ----------
    content : bytes
        Any content.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return hashlib.sha256(content).hexdigest()


def to_parquet(bars: pd.DataFrame) -> bytes:
    """Content of the Parquet file of some rows.

    Parameters
    ----------
    bars : pandas.DataFrame
        Rows by date.

    Returns
    -------
    bytes
    """
    buffer = io.BytesIO()
    bars.to_parquet(buffer, engine="pyarrow", compression="zstd")
    return buffer.getvalue()


def from_parquet(content: bytes) -> pd.DataFrame:
    """Rows of a Parquet file.

    Parameters
    ----------
    content : bytes
        As ``to_parquet`` gives it.

    Returns
    -------
    pandas.DataFrame
        Rows by date, in nanoseconds.
    """
    # One file in memory: threads gain nothing, and one still running when Python ends aborts the process.
    bars = pd.read_parquet(io.BytesIO(content), use_threads=False, pre_buffer=False)
    bars.index = pd.DatetimeIndex(bars.index).as_unit("ns")
    return bars


def place(content: bytes, target: Path, *, replace: bool = False) -> None:
    """Put content at a path, whole or not at all.

    Parameters
    ----------
    content : bytes
        What the file holds.
    target : pathlib.Path
        The file, in a folder that exists.
    replace : bool
        Replace a file that is there already; it stays when left out.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """
    if target.exists() and not replace:
        return
    temporary = target.with_name(f".{os.getpid()}-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(target)
        else:
            _link(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path, now: pd.Timestamp) -> None:
    """Remove what interrupted writes left in a symbol's folder more than an hour ago.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of one symbol.
    now : pandas.Timestamp
        The present instant (UTC), compared with the times of the files.
    """
    oldest = (now - _LEFTOVER).timestamp()
    for path in list(folder.iterdir()):
        alone = path.suffix == ".parquet" and not path.with_suffix(".json").exists()
        with suppress(OSError):  # another process may sweep as well, or have the file open
            if (alone or path.suffix == ".tmp") and path.stat().st_mtime < oldest:
                path.unlink()


def _link(temporary: Path, target: Path) -> None:
    """Give the file its name unless the name is taken."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not target.exists():
            temporary.replace(target)
