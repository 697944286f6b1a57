"""What is installed, what is on disk, and whether Yahoo answers: the checks behind ``market-reaction doctor``."""

from __future__ import annotations

import csv
import hashlib
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from market_reaction import paths
from market_reaction.errors import MarketReactionError

Status = Literal["ok", "note", "problem"]
DISTRIBUTION = "market-reaction"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?[^;]*(?:;.*extra\s*==\s*['\"]([^'\"]+)['\"])?")
_EXTRAS = ("export", "china", "cluster")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's answer.

    Attributes
    ----------
    name : str
        What was looked at.
    status : {"ok", "note", "problem"}
        A problem makes the suite unusable; a note limits what it can do.
    text : str
        What was found, and the next step where there is one.
    """

    name: str
    status: Status
    text: str


def examine() -> list[Check]:
    """Run every check; a check that fails in an unforeseen way is a problem of its own, never an exception."""
    checks: list[Check] = []
    for name, check in _CHECKS.items():
        try:
            checks += [Check(name, status, text) for status, text in check()]
        except (MarketReactionError, OSError, ValueError, KeyError, ImportError) as error:
            checks.append(Check(name, "problem", f"{type(error).__name__}: {error}"))
    return checks


def usable(checks: list[Check]) -> bool:
    """Whether no check found a problem."""
    return all(check.status != "problem" for check in checks)


Findings = Iterator[tuple[Status, str]]


def _python() -> Findings:
    supported = (3, 11) <= sys.version_info[:2] < (3, 14)
    hint = "" if supported else "; market_reaction needs 3.11, 3.12 or 3.13"
    yield ("ok" if supported else "problem"), f"{platform.python_version()} in {sys.prefix}{hint}"


def _requirements() -> dict[str, list[str]]:
    """Names of the required packages by extra; the core has the extra ``""``."""
    found: dict[str, list[str]] = {}
    for line in requires(DISTRIBUTION) or []:
        match = _REQUIREMENT.match(line)
        if match:
            found.setdefault(match[2] or "", []).append(match[1])
    return found


def _installed(names: list[str]) -> tuple[list[str], list[str]]:
    """Packages that are there, with versions, and those that are not."""
    there, missing = [], []
    for name in names:
        try:
            there.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    return there, missing


def _packages() -> Findings:
    try:
        required = _requirements()
        own = version(DISTRIBUTION)
    except PackageNotFoundError:
        yield (
            "problem",
            "market-reaction itself is not installed; run `make lab`, or `pip install -e .` in the checkout",
        )
        return
    there, missing = _installed(required.get("", []))
    yield "ok", f"market-reaction {own}, {', '.join(there)}"
    if missing:
        yield "problem", f"missing: {', '.join(missing)}; run `pip install {' '.join(missing)}`"
    for extra in _EXTRAS:
        there, missing = _installed(required.get(extra, []))
        if missing:
            yield (
                "note",
                f"extra [{extra}] lacks {', '.join(missing)}: pip install 'market-reaction[{extra}]'",
            )
        elif there:
            yield "ok", f"extra [{extra}]: {', '.join(there)}"


def _bundled() -> Findings:
    folder = paths.data_dir() / "bundled"
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    bad = [row["file"] for row in rows if _digest(folder / row["file"]) != row["sha256"]]
    if bad:
        restore = "restore them (git checkout data/bundled, or install the package again)"
        yield "problem", f"{len(bad)} of {len(rows)} files do not match the manifest: {', '.join(bad)}; {restore}"
        return
    first, last = min(row["first"] for row in rows), max(row["last"] for row in rows)
    yield "ok", f"{len(rows)} files match the manifest; sessions {first} to {last} in {folder}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _events() -> Findings:
    from market_reaction.events import catalogue

    for table in ("us_china", "macro_releases", "other_news"):
        rows = catalogue(table)
        last = rows["utc_latest"].max()
        yield "ok", f"{table}: {len(rows)} rows, the last of {last:%Y-%m-%d}"


def _instruments() -> Findings:
    from market_reaction.instruments import catalogue

    own = paths.user_instruments_file()
    count = len(catalogue())
    yield (
        "ok",
        f"{count} in the catalogue; your own rows {'are read from' if own.is_file() else 'would be read from'} {own}",
    )


def _calendars() -> Findings:
    from market_reaction.calendars import hours
    from market_reaction.instruments import catalogue

    codes = sorted({row.calendar for row in catalogue().values() if row.calendar})
    yield "ok", "published to " + ", ".join(f"{code} {hours(code).last:%Y-%m-%d}" for code in codes)


def _snapshots() -> Findings:
    folder = paths.snapshots_dir()
    files = [path for path in folder.rglob("*.parquet") if path.is_file()] if folder.is_dir() else []
    size = sum(path.stat().st_size for path in files) / 1e6
    yield "ok", f"{len(files)} in {folder}, {size:.1f} MB"


def _notebooks() -> Findings:
    found = sorted(path.stem for path in paths.notebooks_dir().glob("*.ipynb"))
    yield ("ok" if found else "problem"), f"{len(found)} in {paths.notebooks_dir()}: {', '.join(found) or 'none'}"


def _yahoo() -> Findings:
    from market_reaction.snapshot_store import SnapshotStore
    from market_reaction.sources.yahoo import YahooSource

    if YahooSource(SnapshotStore(paths.snapshots_dir())).reachable():
        yield "ok", "reachable"
    else:
        yield "note", "not reachable within 3 seconds; stored snapshots, bundled data and your own files are used"


_CHECKS: dict[str, Callable[[], Findings]] = {
    "Python": _python,
    "packages": _packages,
    "bundled data": _bundled,
    "events": _events,
    "instruments": _instruments,
    "calendars": _calendars,
    "snapshots": _snapshots,
    "notebooks": _notebooks,
    "Yahoo": _yahoo,
}
