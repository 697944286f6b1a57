"""Files written whole or not at all, and names that are safe in any folder."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from market_reaction.errors import ExportError

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
LONGEST = 80


def target_file(path: str | Path, suffixes: tuple[str, ...] = (), what: str = "file") -> Path:
    """Absolute path of a file to write; its folder is made.

    Parameters
    ----------
    path : str or Path
        As the user gave it.
    suffixes : tuple of str
        Endings allowed, with the dot; any when empty.
    what : str
        What is written, for messages.
    """
    target = Path(path).expanduser().absolute()
    if target.is_dir():
        example = target / f"report{suffixes[0] if suffixes else '.html'}"
        raise IsADirectoryError(f"{str(target)!r} is a folder; give a file name in it, such as {str(example)!r}.")
    if suffixes and target.suffix.casefold() not in suffixes:
        raise ExportError(
            f"{target.name!r} does not end in {' or '.join(suffixes)}, and a {what} does. "
            f"Write {target.with_suffix(suffixes[0]).name!r}."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def target_folder(path: str | Path) -> Path:
    """Absolute path of a folder to write to, which is made."""
    folder = Path(path).expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{str(folder)!r} is a file; give a folder, such as {str(folder.with_suffix(''))!r}.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_whole(target: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a draft in the folder of the target, and put it in its place when it is whole."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}-", suffix=".tmp")
    os.close(handle)
    draft = Path(name)
    try:
        write(draft)
        draft.chmod(0o666 & ~_umask())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return target


def write_text(target: Path, text: str) -> Path:
    """Write a text in UTF-8, whole or not at all."""
    return write_whole(target, lambda draft: draft.write_text(text, encoding="utf-8", newline="\n"))


def _umask() -> int:
    """Permissions a new file goes without; ``mkstemp`` would keep the file from every other user."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def file_name(text: str, otherwise: str = "table") -> str:
    """Name of letters, digits, ``.``, ``_`` and ``-`` that no file system reads as more than a name."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("._-")[:LONGEST].rstrip("._-") or otherwise
    return f"{otherwise}_{name}" if _RESERVED.match(name) else name


def file_names(texts: Iterable[str], otherwise: str = "table") -> list[str]:
    """Names as ``file_name`` makes them, each once also where case does not count."""
    return unique([file_name(text, otherwise) for text in texts], "_{}")


def unique(names: Iterable[str], form: str, longest: int = LONGEST) -> list[str]:
    """Names in order, later ones numbered where one was given before; case does not count."""
    taken: set[str] = set()
    result = []
    for name in names:
        candidate, number = name[:longest], 1
        while candidate.casefold() in taken:
            number += 1
            end = form.format(number)
            candidate = f"{name[: longest - len(end)]}{end}"
        taken.add(candidate.casefold())
        result.append(candidate)
    return result
