"""The study of many securities, block by block: here, or on a cluster, with results that a later run can go on with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from market_reaction.engine import KERNELS, Panel, choose_kernel
from market_reaction.engine.stream import AT_ONCE
from market_reaction.errors import ScaleError, did_you_mean
from market_reaction.placebo import HISTORY
from market_reaction.scale import layout
from market_reaction.scale.cluster import connected, work_on
from market_reaction.scale.dataset import PanelDataset, open_panel
from market_reaction.scale.days import OnBadEvent, Pairs, days_holding, place_events
from market_reaction.scale.job import Kind, Options, identity, write_job
from market_reaction.scale.options import Model, options_of
from market_reaction.scale.placebo_sums import pool_bytes, reach
from market_reaction.scale.pools import PlaceboPools, open_placebo
from market_reaction.scale.results import StudyRows, open_results
from market_reaction.scale.work import known_part
from market_reaction.windows import EventWindows, Window, check_history

POOL_BYTES = 2_000_000_000  # sums of all pools of events that securities do not share


def run(
    panel: PanelDataset | str | Path,
    events: pd.DataFrame,
    out: str | Path | None = None,
    *,
    client: Any = None,
    model: Model = "constant_mean",
    factors: Sequence[str] | None = None,
    estimation: Window = (-130, -11),
    windows: Sequence[Window] = ((0, 1), (0, 5)),
    lags: int = 0,
    leads: int = 0,
    skip: pd.DataFrame | None = None,
    paths: bool = True,
    kernel: str = "auto",
    on_bad_event: OnBadEvent = "raise",
) -> StudyRows:
    """Study every event in every security, one task a block of securities.

    Parameters
    ----------
    panel : PanelDataset, str or Path
        The panel, or its folder. On a cluster all workers must see the folder, and ``out``, under the same path.
    events : pandas.DataFrame
        Announcements as ``load_events`` gives them, which are placed by the closing clock of the panel's market; or a
        frame with the columns event_id and session, for events that all securities share, and asset where they do not.
    out : str or Path, optional
        Folder of the results; one that goes with this process when left out. With the same
        arguments a run does only what is missing or damaged there.
    client : object, optional
        Where to work: None for this process, ``"local"`` for a process on each processor, the address of a Dask
        scheduler, or a ``distributed.Client``.
    model : str
        Normal-return model: constant_mean, zero_mean, market_adjusted, market, factors or dimson.
    factors : sequence of str, optional
        Columns of ``panel.factors`` the model takes; the only one, or all for ``"factors"``, when left out.
    estimation : tuple of int
        Offsets of the estimation window.
    windows : sequence of tuple of int
        Offsets of the event windows.
    lags, leads : int
        Sessions of the factor that ``"dimson"`` takes before and after.
    skip : pandas.DataFrame, optional
        Events, in either form, whose event windows are left out of every estimation window.
    paths : bool
        Keep the abnormal return of each session as well.
    kernel : {"auto", "gather", "sums"}
        Kernel of the engine; chosen once for the whole job and kept in the manifest, so that the same job gives the
        same numbers to the last bit wherever and in how many blocks at a time it runs.
    on_bad_event : {"raise", "exclude"}
        What to do with events that lie outside the panel.

    Returns
    -------
    StudyRows
        One row an event and security.

    Raises
    ------
    ScaleError
        ``out`` holds another job (what differs is named), the panel is damaged, Dask is missing, or an option is not
        known.
    EventTableError
        Events that cannot be placed; all are listed.
    """
    panel = panel if isinstance(panel, PanelDataset) else open_panel(panel)
    options = options_of(panel, model, factors, estimation, windows, lags, leads, paths=paths)
    span = EventWindows(options.estimation, options.windows).span_offsets
    pairs = place_events(events, panel, -options.estimation[0], span[1], on_bad_event)
    masks = _masks(panel, skip, None, span)
    place = _work(panel, pairs, layout.folder_or_temporary(out), "study", options, masks, kernel, client)
    return open_results(place)


def run_placebo(
    panel: PanelDataset | str | Path,
    events: pd.DataFrame,
    out: str | Path | None = None,
    *,
    client: Any = None,
    count: int = HISTORY,
    exclude: pd.DataFrame | None = None,
    model: Model = "constant_mean",
    factors: Sequence[str] | None = None,
    estimation: Window = (-130, -11),
    windows: Sequence[Window] = ((0, 1), (0, 5)),
    lags: int = 0,
    leads: int = 0,
    skip: pd.DataFrame | None = None,
    kernel: str = "auto",
    on_bad_event: OnBadEvent = "raise",
) -> PlaceboPools:
    """Compare the mean over securities of every event with the same mean on earlier days.

    Parameters
    ----------
    panel, events, out, client, model, factors, estimation, windows, lags, leads, skip, kernel, on_bad_event
        As in ``run``.
    count : int
        Placebo days S of each event: the latest sessions whose windows do not reach that of the event.
    exclude : pandas.DataFrame, optional
        Events, in either form, whose sessions no window of a placebo day may hold; only where all securities share the
        events.

    Returns
    -------
    PlaceboPools
        A row an event and window; the returns of single securities are not kept, so that the size does not depend on
        their number.

    Raises
    ------
    ScaleError, EventTableError
        As in ``run``.

    Notes
    -----
    Every pseudo-event has an estimation window of its own. A security is studied once on each session, and a session
    serves the pools of all events: 1,000 events of 500 placebo days on 7,560 sessions are 7,560 studies a security, not
    500,000. The statistic is the mean CAR over the EWMA(0.97) volatility of the mean abnormal return known the session
    before; p = (1 + #{|T_s| >= |T_0|}) / (S + 1).
    """
    check_history(count)
    panel = panel if isinstance(panel, PanelDataset) else open_panel(panel)
    options = options_of(panel, model, factors, estimation, windows, lags, leads, count=count)
    span = EventWindows(options.estimation, options.windows).span_offsets
    pairs = place_events(events, panel, -options.estimation[0], span[1], on_bad_event)
    if exclude is not None and not pairs.shared:
        raise ScaleError(
            "exclude= leaves sessions out of the pools, which only holds for events that all securities share. "
            "Leave it out."
        )
    masks = _masks(panel, skip, exclude, span)
    _refuse_large(pairs, options, masks)
    place = _work(panel, pairs, layout.folder_or_temporary(out), "placebo", options, masks, kernel, client)
    return open_placebo(place)


def _refuse_large(pairs: Pairs, options: Options, masks: pd.DataFrame) -> None:
    """Refuse pools that memory cannot hold: those of events that securities do not share grow with the events."""
    if pairs.shared:
        return
    each = pool_bytes(options, masks["usable"].to_numpy())
    if each * len(pairs.ids) > POOL_BYTES:
        most = max(1, POOL_BYTES // each)
        raise ScaleError(
            f"the pools of {len(pairs.ids):,} events that securities do not share take "
            f"{each * len(pairs.ids) / 1e9:.1f} GB, here and in a worker, and {POOL_BYTES / 1e9:.0f} GB are the bound. "
            f"Run at most {most:,} events at a time, each into its own folder, or take a smaller count than "
            f"{options.count}."
        )


def _masks(panel: PanelDataset, skip: pd.DataFrame | None, exclude: pd.DataFrame | None, span: Window) -> pd.DataFrame:
    """Sessions to leave out of estimation windows, and sessions that may be placebo days."""
    skipped = np.zeros(len(panel.sessions), dtype=bool)
    usable = np.ones(len(panel.sessions), dtype=bool)
    for day in days_holding(skip, panel):
        skipped[max(0, day + span[0]) : day + span[1] + 1] = True
    usable[days_holding(exclude, panel)] = False
    return pd.DataFrame({"skip": skipped, "usable": usable})


def _work(
    panel: PanelDataset,
    pairs: Pairs,
    out: Path,
    kind: Kind,
    options: Options,
    masks: pd.DataFrame,
    kernel: str,
    client: Any,
) -> Path:
    """Write the job, do what is missing of it, and complete the manifest."""
    if kernel not in KERNELS:
        raise ScaleError(f"kernel={kernel!r} is not known; {did_you_mean(kernel, KERNELS)}choose one of {KERNELS}.")
    settled = _settled(panel, pairs, kind, options, masks) if kernel == "auto" else kernel
    with layout.locked(out):
        _complete(out, write_job(out, kind, options, settled, panel, pairs, masks), len(panel.blocks), client)
    return out


def _complete(out: Path, manifest: dict[str, Any], blocks: int, client: Any) -> None:
    """Do what is missing of a job, and list all partitions in its manifest."""
    layout.sweep(out / layout.PARTS)
    numbers, wanted = range(blocks), identity(manifest)
    known = {number: known_part(out, wanted, number, check=True) for number in numbers}
    missing = [number for number in numbers if known[number] is None]
    if missing:
        try:
            with connected(client) as connection:
                work_on(connection, str(out), wanted, missing)
        except KeyboardInterrupt:
            done = sum(known_part(out, wanted, number, check=False) is not None for number in numbers)
            rest = (
                "out= keeps them for the next time" if layout.is_temporary(out) else "the same call goes on from there"
            )
            raise KeyboardInterrupt(f"stopped with {done} of {blocks} blocks done; {rest}") from None
        layout.sweep(out / layout.PARTS)  # of workers that died
        known |= {number: known_part(out, wanted, number, check=False) for number in missing}
    lost = [number for number in numbers if known[number] is None]
    if lost:
        raise ScaleError(
            f"blocks {lost[:5]} were worked on, and {str(out)!r} does not have them. All workers must write to the "
            "same folder: give a path on a shared disk, and run again."
        )
    complete = manifest | {"status": "complete", "partitions": [known[number] for number in numbers]}
    if complete != manifest:
        layout.settle(out / layout.PARTS)
        layout.write_json(out / layout.MANIFEST_FILE, complete)


def _settled(panel: PanelDataset, pairs: Pairs, kind: Kind, options: Options, masks: pd.DataFrame) -> str:
    """Kernel for the whole job, from the first securities and the mean number of events of a security."""
    first = Panel(
        panel.returns(0)[:AT_ONCE],
        panel.factors[list(options.factors)].to_numpy() if options.factors and panel.factors is not None else None,
        masks["skip"].to_numpy(),
    )
    if kind == "placebo":
        each = float(min(len(panel.sessions), reach(options, masks["usable"].to_numpy())))
    else:
        each = len(pairs.table) if pairs.shared else len(pairs.table) / len(panel.assets)
    return choose_kernel(first, max(1, round(each * first.n_assets)), **options.engine())
