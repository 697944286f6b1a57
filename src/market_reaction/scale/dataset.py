"""A panel of returns on disk: what is in the folder, and how it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from market_reaction.engine.stream import read_returns
from market_reaction.errors import ScaleError
from market_reaction.instruments import Instrument, find_instrument
from market_reaction.scale import layout

TABLES = (layout.SESSIONS_FILE, layout.ASSETS_FILE, layout.FACTORS_FILE, layout.EXCLUDED_FILE)


@dataclass(frozen=True, slots=True)
class Block:
    """One file of a panel.

    Attributes
    ----------
    number : int
        Place in the panel.
    file : str
        Path inside the folder.
    first, securities : int
        Place of its first security, and how many it has.
    sha256 : str
        Checksum.
    """

    number: int
    file: str
    first: int
    securities: int
    sha256: str


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PanelDataset:
    """A panel of returns in Parquet files, a file for each block of securities.

    Attributes
    ----------
    folder : pathlib.Path
        Where it is.
    sessions : pandas.DatetimeIndex
        Sessions T that all securities share.
    assets : pandas.DataFrame
        Indexed by asset in the order of the blocks: block, first, last (sessions with a return, NaT without any),
        n_returns.
    blocks : tuple of Block
        Files in order.
    factors : pandas.DataFrame or None
        Decimal returns by session of what all securities share, a column each.
    excluded : pandas.DataFrame
        Columns asset, n_rows, reason: rows of the source that are no session here, and securities left out (n_rows 0).
    about : mapping of str to object
        What ``panel.json`` says: returns (``"log"``, ``"simple"``), market (whose closing clock all have), source,
        generated.
    checksum : str
        Of ``panel.json`` as it was opened, which holds those of all other files: a panel that is written again under
        the same name is another one.

    Notes
    -----
    The files of a panel::

        panel.json        format, kind of return, market, source, checksums of the other files
        sessions.parquet  session (date), in order
        assets.parquet    asset, block, first, last, n_returns
        factors.parquet   session and a column of returns (double) for each series that all share; may be missing
        excluded.parquet  asset, n_rows, reason
        blocks/block-00000.parquet, ...   asset (string), session (date), return (double, NaN where not traded);
                          every security has one row for every session, sorted by asset and session
    """

    folder: Path
    sessions: pd.DatetimeIndex
    assets: pd.DataFrame
    blocks: tuple[Block, ...]
    factors: pd.DataFrame | None
    excluded: pd.DataFrame
    about: Mapping[str, Any]
    checksum: str

    @property
    def generated(self) -> bool:
        """Whether the returns come from a random number generator and from no market."""
        return bool(self.about["generated"])

    @property
    def market(self) -> Instrument:
        """Instrument whose closes are those of the securities.

        Raises
        ------
        ScaleError
            None was named when the panel was written.
        """
        if not self.about["market"]:
            raise ScaleError(
                f"{str(self.folder)!r} does not say when its securities close, so that announcements have no session. "
                "Write it with market='S&P 500' or another instrument of the same hours, or give events with a column "
                "session."
            )
        return find_instrument(self.about["market"])

    def returns(self, block: int) -> np.ndarray:
        """Returns of one block, shape (securities, T), after its checksum was compared.

        Raises
        ------
        ScaleError
            The file is missing, or is not the one that was written.
        """
        found = self.blocks[block]
        path = self.folder / found.file
        if not path.is_file() or layout.digest(path) != found.sha256:
            raise ScaleError(
                f"{path} is missing, or is not the file that was written. Open the panel again if it was written anew, "
                "else write it again."
            )
        return read_returns(path, len(self.sessions))

    def names(self, block: int) -> list[str]:
        """Securities of one block."""
        found = self.blocks[block]
        return [str(name) for name in self.assets.index[found.first : found.first + found.securities]]

    def __repr__(self) -> str:
        kind = "generated " if self.generated else ""
        span = f"{self.sessions[0]:%Y-%m-%d} to {self.sessions[-1]:%Y-%m-%d}"
        share = 1 - self.assets["n_returns"].sum() / (len(self.assets) * len(self.sessions))
        return (
            f"<PanelDataset: {len(self.assets):,} {kind}securities x {len(self.sessions):,} sessions, {span}, "
            f"{len(self.blocks)} blocks, {100 * share:.1f}% of returns missing>"
        )


def open_panel(folder: str | Path) -> PanelDataset:
    """Open a panel that ``write_panel`` or ``random_panel`` wrote.

    Parameters
    ----------
    folder : str or Path
        Folder with ``panel.json``.

    Returns
    -------
    PanelDataset

    Raises
    ------
    ScaleError
        There is no panel, or one of its tables is not the one that was written.
    """
    place = Path(folder).expanduser().absolute()
    content = layout.read_json(place / layout.PANEL_FILE, "panel", ("about", "tables", "blocks"))
    checksum = layout.digest(place / layout.PANEL_FILE)
    blocks = tuple(Block(**block) for block in content["blocks"])
    foreign = {*content["tables"]} - {*TABLES} | {block.file for block in blocks if block.file != _own_file(block)}
    if foreign:
        raise ScaleError(f"{place / layout.PANEL_FILE} names {sorted(foreign)[0]!r}, which is no file of a panel.")
    for name, known in content["tables"].items():
        if not (place / name).is_file() or layout.digest(place / name) != known:
            raise ScaleError(f"{place / name} is missing, or is not the file that was written. Write the panel again.")
    sessions = pd.DatetimeIndex(pd.to_datetime(pd.read_parquet(place / layout.SESSIONS_FILE)["session"])).as_unit("ns")
    factors = None
    if layout.FACTORS_FILE in content["tables"]:
        factors = pd.read_parquet(place / layout.FACTORS_FILE).drop(columns="session").set_axis(sessions, axis=0)
    return PanelDataset(
        folder=place,
        sessions=sessions.rename("session"),
        assets=pd.read_parquet(place / layout.ASSETS_FILE).set_index("asset"),
        blocks=blocks,
        factors=factors,
        excluded=pd.read_parquet(place / layout.EXCLUDED_FILE),
        about=content["about"],
        checksum=checksum,
    )


def _own_file(block: Block) -> str:
    return layout.block_name(block.number)
