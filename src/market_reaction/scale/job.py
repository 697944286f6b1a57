"""A job on disk: what was asked for, so that every worker reads the same and a later run can go on."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from market_reaction.errors import ScaleError
from market_reaction.scale import layout
from market_reaction.scale.dataset import PanelDataset, open_panel
from market_reaction.scale.days import Pairs
from market_reaction.windows import Window

Kind = Literal["study", "placebo"]
MASKS_FILE = "masks.parquet"
_COMPARED = ("kind", "options", "kernel", "panel", "events", "masks", "versions")
_KEYS = (*_COMPARED, "status", "partitions")


@dataclass(frozen=True, slots=True)
class Options:
    """What a job computes.

    Attributes
    ----------
    model : str
        Normal-return model.
    factors : tuple of str
        Columns of the panel's factors that it takes.
    estimation : tuple of int
        Offsets of the estimation window.
    windows : tuple of tuple of int
        Offsets of the event windows.
    lags, leads : int
        Of the Dimson model.
    paths : bool
        Whether abnormal returns of single sessions are kept.
    count : int
        Placebo days of each event; 0 in a study.
    gap : int
        Sessions from day 0 back to the latest placebo day; 0 in a study.
    """

    model: str
    factors: tuple[str, ...]
    estimation: Window
    windows: tuple[Window, ...]
    lags: int = 0
    leads: int = 0
    paths: bool = True
    count: int = 0
    gap: int = 0

    def engine(self) -> dict[str, Any]:
        """Arguments of ``abnormal_returns``."""
        return {"model": self.model, "estimation": self.estimation, "lags": self.lags, "leads": self.leads}


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A job as a worker sees it.

    Attributes
    ----------
    out : pathlib.Path
        Folder of the results.
    kind : {"study", "placebo"}
        Rows of every event and security, or pools of placebo days.
    options : Options
        What is computed.
    kernel : str
        Kernel of the engine for the whole job.
    panel : PanelDataset
        Returns.
    factors : numpy.ndarray or None
        Returns all securities share, shape (T, k).
    skip, usable : numpy.ndarray
        Sessions that may not enter an estimation window, and sessions that may be placebo days, shape (T,) of bool.
    shared : bool
        Whether every event is one of all securities.
    """

    out: Path
    kind: Kind
    options: Options
    kernel: str
    panel: PanelDataset
    factors: np.ndarray | None
    skip: np.ndarray
    usable: np.ndarray
    shared: bool
    manifest: dict[str, Any] = field(repr=False)

    def events(self, block: int | None = None) -> pd.DataFrame:
        """Events of a block, by security and event: event_id, event, day, session, row; of all where it is None."""
        filters = None
        if block is not None and not self.shared:
            found = self.panel.blocks[block]
            filters = [("row", ">=", found.first), ("row", "<", found.first + found.securities)]
        return pd.read_parquet(self.out / layout.EVENTS_FILE, filters=filters)


def write_job(
    out: Path, kind: Kind, options: Options, kernel: str, panel: PanelDataset, pairs: Pairs, masks: pd.DataFrame
) -> dict[str, Any]:
    """Write what workers need, and the manifest that says so; or check that a job in the folder is the same.

    Raises
    ------
    ScaleError
        The folder holds a job with other options; what differs is named.
    """
    (out / layout.PARTS).mkdir(parents=True, exist_ok=True)
    events = pairs.table.sort_values(["row", "event"], kind="stable").reset_index(drop=True)
    manifest: dict[str, Any] = {
        "format": layout.FORMAT,
        "kind": kind,
        "status": "running",
        "options": _plain(asdict(options)),
        "kernel": kernel,
        "panel": {"folder": str(panel.folder), "sha256": panel.checksum},
        "events": {"n": int(events["event"].max()) + 1, "rows": len(events), "shared": pairs.shared,
                   "sha256": _frame_digest(events)},
        "masks": {"sha256": _frame_digest(masks)},
        "versions": _versions(),
        "partitions": [],
    }  # fmt: skip
    path, known = out / layout.MANIFEST_FILE, None
    if path.exists():
        known = layout.read_json(path, "folder of results", _KEYS)
        _refuse_others(known, manifest, out)
        manifest |= {"status": known["status"], "partitions": known["partitions"]}
    elif any((out / layout.PARTS).glob("part-*.parquet")):
        raise ScaleError(f"{str(out)!r} holds results without their manifest.json. Give another folder.")
    for name, frame in ((layout.EVENTS_FILE, events), (MASKS_FILE, masks), (layout.EXCLUDED_FILE, pairs.excluded)):
        _write_frame(out / name, frame)
    if manifest != known:
        layout.write_json(path, manifest)
    return manifest


def _refuse_others(known: dict[str, Any], asked: dict[str, Any], out: Path) -> None:
    """Name what differs between the job in a folder and the one asked for."""
    there, here = _flat({name: known.get(name) for name in _COMPARED}), _flat({n: asked[n] for n in _COMPARED})
    names = [name for name in dict.fromkeys([*here, *there]) if there.get(name) != here.get(name)]
    names = [name for name in names if name != "panel folder"]  # a panel that was moved is the same panel
    if names:
        told = "; ".join(
            f"{name}: {_short(there.get(name))} there, {_short(here.get(name))} asked for" for name in names
        )
        raise ScaleError(
            f"{str(out)!r} holds results of another job ({told}). Give another folder, or remove this one."
        )


def _flat(content: dict[str, Any], head: str = "") -> dict[str, Any]:
    """Nested options by one name each."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        flat |= _flat(value, f"{head}{name} ") if isinstance(value, dict) else {f"{head}{name}": value}
    return flat


def _short(value: object) -> str:
    """Value of an option for a message; of a checksum the beginning."""
    text = json.dumps(value)
    return f"{text[1:9]}..." if isinstance(value, str) and len(value) == 64 else text


def _plain(content: dict[str, Any]) -> dict[str, Any]:
    """Options as JSON gives them back."""
    return dict(json.loads(json.dumps(content)))


def _versions() -> dict[str, str]:
    """What the last digits of the results depend on."""
    return {"market-reaction": version("market-reaction"), "numpy": np.__version__, "machine": platform.machine()}


def _frame_digest(frame: pd.DataFrame) -> str:
    """Checksum of the content of a frame."""
    hashes = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return hashlib.sha256(hashes.tobytes() + " ".join(map(str, frame.columns)).encode()).hexdigest()


def _write_frame(path: Path, frame: pd.DataFrame) -> None:
    import pyarrow as pa

    layout.write_table(path, pa.Table.from_pandas(frame, preserve_index=False), row_group_size=100_000)


def identity(manifest: dict[str, Any]) -> str:
    """Checksum of all that the results depend on; where the panel lies is none of it."""
    content = {name: manifest[name] for name in _COMPARED} | {"panel": manifest["panel"]["sha256"]}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def open_job(out: str | Path, wanted: str = "") -> Job:
    """Read a job; kept in memory, because a worker asks for it with every block.

    Parameters
    ----------
    out : str or Path
        Folder of the results.
    wanted : str
        ``identity`` the job must have; any when empty.

    Raises
    ------
    ScaleError
        There is no job, it is another one, its panel is gone or changed, or this process has other versions.
    """
    place = Path(out).expanduser().absolute()
    path = place / layout.MANIFEST_FILE
    return _open_job(place, wanted, path.stat().st_mtime_ns if path.exists() else -1)


@lru_cache(maxsize=2)
def _open_job(out: Path, wanted: str, stamp: int) -> Job:
    manifest = layout.read_json(out / layout.MANIFEST_FILE, "folder of results", _KEYS)
    if wanted and identity(manifest) != wanted:
        raise ScaleError(f"{str(out)!r} was given to another job meanwhile. Start again with another folder.")
    if wanted and manifest["versions"] != _versions():
        raise ScaleError(
            f"a worker has {_versions()} and the job {manifest['versions']}. Give all of them the same environment."
        )
    panel = open_panel(manifest["panel"]["folder"])
    if panel.checksum != manifest["panel"]["sha256"]:
        raise ScaleError(
            f"the panel in {str(panel.folder)!r} is not the one the results in {str(out)!r} are from: it was written "
            "again. Open it again, and give another folder for the results."
        )
    given = manifest["options"]
    options = Options(
        **given
        | {"factors": tuple(given["factors"]), "estimation": tuple(given["estimation"])}
        | {"windows": tuple(tuple(window) for window in given["windows"])}
    )
    masks = pd.read_parquet(out / MASKS_FILE)
    factors = panel.factors[list(options.factors)].to_numpy() if options.factors and panel.factors is not None else None
    return Job(
        out, manifest["kind"], options, manifest["kernel"], panel, factors, masks["skip"].to_numpy(),
        masks["usable"].to_numpy(), manifest["events"]["shared"], manifest,
    )  # fmt: skip
