"""Where files are found: the tables that ship with the package, the notebooks, and what a user keeps.

In a checkout the top-level ``data/`` and ``notebooks/`` are used as they are; in an installed wheel they are inside
the package. A user's own files live in a per-user folder unless an environment variable says otherwise.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import platformdirs

PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = PACKAGE.parents[1]


@cache
def checkout() -> Path | None:
    """Root of the source checkout this package runs from, or None when it was installed as a wheel."""
    return _CHECKOUT if (_CHECKOUT / "data" / "instruments.csv").is_file() else None


def data_dir() -> Path:
    """Folder with ``instruments.csv``, ``bar_closes.csv``, ``events/`` and ``bundled/``."""
    root = checkout()
    return root / "data" if root else PACKAGE / "_data"


def notebooks_dir() -> Path:
    """Folder with the notebooks of the suite."""
    root = checkout()
    return root / "notebooks" if root else PACKAGE / "_notebooks"


def snapshots_dir() -> Path:
    """Folder of downloaded snapshots: ``MARKET_REACTION_SNAPSHOTS``, else the checkout's, else a per-user folder."""
    stated = os.environ.get("MARKET_REACTION_SNAPSHOTS")
    if stated:
        return Path(stated).expanduser()
    root = checkout()
    return root / "data" / "snapshots" if root else Path(platformdirs.user_data_dir("market_reaction")) / "snapshots"


def user_instruments_file() -> Path:
    """Table of instruments a user adds: ``MARKET_REACTION_INSTRUMENTS``, else one in the per-user folder."""
    stated = os.environ.get("MARKET_REACTION_INSTRUMENTS")
    if stated:
        return Path(stated).expanduser()
    return Path(platformdirs.user_config_dir("market_reaction")) / "instruments.csv"


def build_dir() -> Path:
    """Folder where the command line writes executed notebooks and reports by default."""
    root = checkout()
    return (root if root and Path.cwd().is_relative_to(root) else Path.cwd()) / "build"
