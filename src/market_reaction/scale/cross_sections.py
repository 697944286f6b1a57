"""How a whole cross-section reacted: the study of every security, the placebo of its mean, and the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from market_reaction.errors import DataUnavailableError, ScaleError
from market_reaction.events import EventsLike, load_events
from market_reaction.exports import Exportable, Provenance
from market_reaction.instruments import find_instrument
from market_reaction.placebo import HISTORY
from market_reaction.scale import layout
from market_reaction.scale.dataset import PanelDataset, open_panel
from market_reaction.scale.days import OnBadEvent, check_columns
from market_reaction.scale.options import Model, check_model, windows_of
from market_reaction.scale.pools import PlaceboPools
from market_reaction.scale.results import StudyRows
from market_reaction.scale.runs import run, run_placebo
from market_reaction.scale.words import cross_section_answer, cross_section_html, event_lines, notes_of
from market_reaction.scale.writing import write_panel
from market_reaction.theme import Theme
from market_reaction.windows import Window, check_history
from market_reaction.wording import filled

if TYPE_CHECKING:
    import plotly.graph_objects as go

Chart = Literal["events", "path", "securities"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class CrossSection(Exportable):
    """Reaction of many securities to one or more events.

    Attributes
    ----------
    panel : PanelDataset
        Securities and sessions.
    rows : StudyRows
        One row an event and security, on disk.
    placebo : PlaceboPools
        Mean over the securities of each event against earlier days.
    parameters : mapping of str to object
        What was asked for.
    notes : tuple of str
        What a reader should know.
    """

    panel: PanelDataset
    rows: StudyRows
    placebo: PlaceboPools
    parameters: Mapping[str, object]
    notes: tuple[str, ...] = ()

    @property
    def excluded(self) -> pd.DataFrame:
        """Events that could not be measured: columns event_id, asset, session, reason."""
        return self.rows.excluded

    @property
    def windows(self) -> tuple[Window, ...]:
        """Event windows; the first leads."""
        return self.rows.windows

    def answer(self, width: int | None = None) -> str:
        """Say how the mean security moved after each kind of event, and how many sessions were unusual.

        Parameters
        ----------
        width : int, optional
            Characters of a line; one line when left out.
        """
        return filled(cross_section_answer(self), width)

    def to_frame(self, window: Window | None = None) -> pd.DataFrame:
        """One row an event: means over securities and their placebo tests.

        Returns
        -------
        pandas.DataFrame
            As ``PlaceboPools.to_frame``, with n_without, std (over securities) and share_positive of ``StudyRows``.
        """
        means = self.rows.per_event(window)[["n_without", "std", "share_positive"]]
        return self.placebo.to_frame(window).join(means)

    def classes(self) -> dict[str, list[str]]:
        """Events by direction, in order of their number; all in one class where they have none."""
        events = self.rows.events
        if "direction" not in events or events["direction"].fillna("").eq("").all():
            return {"all": [str(name) for name in events.index]}
        labels = events["direction"].fillna("").replace("", "direction not stated")
        order = labels.value_counts(sort=True).index
        return {str(name): [str(event) for event in labels.index[labels.eq(name)]] for name in order}

    def summary(self, window: Window | None = None, level: float = 0.95) -> pd.DataFrame:
        """One row a class of events: the mean over securities and then over date clusters, with its t test.

        Returns
        -------
        pandas.DataFrame
            Indexed by class: n_events, n_clusters (sessions whose windows overlap are one), mean_car, std_error,
            statistic, df, p_value, conf_low, conf_high, mde.

        References
        ----------
        Ibragimov and Muller (2010), Journal of Business & Economic Statistics 28:453.
        """
        rows = []
        for name, events in self.classes().items():
            own = events if self.rows.job.shared else None
            found = self.rows.tests(window, events=own, level=level).loc["event_level_t"]
            kept = ["std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "mde"]
            counts = {"n_events": len(events), "n_clusters": int(str(found["n"])), "mean_car": found["estimate"]}
            rows.append({"class": name} | counts | {column: found[column] for column in kept})
        return pd.DataFrame(rows).set_index("class")

    def plot(self, *, kind: Chart = "events", window: Window | None = None, theme: Theme = "auto") -> go.Figure:
        """Draw one of the charts.

        Parameters
        ----------
        kind : {"events", "path", "securities"}
            The mean of every event against its usual range; the mean path of each class of events; the mean of every
            security.
        window : tuple of int, optional
            An event window; the first when left out. The path has none.
        theme : {"auto", "light", "dark"}
            As in ``reaction_figure``.
        """
        from market_reaction.scale import charts

        drawn = {"events": charts.event_chart, "path": charts.path_chart, "securities": charts.security_chart}
        if kind not in drawn:
            raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(drawn)}.")
        return drawn[kind](self, window or self.windows[0], theme=theme)

    def figures(self, *, theme: Theme = "auto") -> dict[str, go.Figure]:
        """The charts by name."""
        kinds: tuple[Chart, ...] = ("events", "path", "securities")
        return {kind: self.plot(kind=kind, theme=theme) for kind in kinds}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by name, unrounded: events, classes, tests, path, securities, and what was left out."""
        from market_reaction.exports.plain import with_rows

        tables = {
            "Events": self.to_frame(),
            "Classes": self.summary(),
            "Tests": self.rows.tests(),
            "Path": self.rows.path(),
            "Securities": self.rows.per_security(),
            "Left out": self.excluded,
        }
        return with_rows(tables)

    def printed(self) -> dict[str, pd.DataFrame]:
        """The events as they are read."""
        return {"Events": event_lines(self)}

    def provenance(self) -> Provenance:
        """What was asked for, the panel with its checksum, and the package version."""
        panel = self.panel
        row: dict[str, Any] = {
            "market": f"{len(panel.assets):,} securities",
            "source": "generated" if panel.generated else "panel",
            "symbol": panel.about["source"] or panel.folder.name,
            "retrieved_utc": pd.NaT,
            "first": panel.sessions[0],
            "last": panel.sessions[-1],
            "rows": len(panel.sessions),
            "sha256": panel.checksum,
            "detail": f"{panel.about['returns']} returns, closes of {panel.about['market'] or 'no market named'}",
        }
        return Provenance(self.parameters, pd.DataFrame([row]).set_index("market"))

    def __repr__(self) -> str:
        """Count what was measured."""
        return (
            f"<CrossSection: {len(self.rows.events)} events, {len(self.panel.assets):,} securities; see answer(), "
            "to_frame(), summary()>"
        )

    def _repr_html_(self) -> str:
        return cross_section_html(self)


def cross_section(
    panel: PanelDataset | str | Path | None,
    events: EventsLike,
    out: str | Path | None = None,
    *,
    client: Any = None,
    market: str | None = None,
    model: Model = "constant_mean",
    factors: Sequence[str] | None = None,
    estimation: Window = (-130, -11),
    windows: Sequence[Window] = ((0, 1), (0, 5)),
    history: int = HISTORY,
    skip: pd.DataFrame | None = None,
    on_bad_event: OnBadEvent = "exclude",
) -> CrossSection:
    """Measure how many securities reacted to events, and whether their mean was unusual.

    Parameters
    ----------
    panel : PanelDataset, str or Path
        A panel, its folder, or a folder with one price file for each security, which is then written as a panel.
    events : pandas.DataFrame, mapping, str or Path
        As ``run`` takes them; or what ``load_events`` reads, such as ``{"tariffs": "2025-04-02 20:00 UTC"}``.
    out : str or Path, optional
        Folder that keeps the results, so that a rerun does only what is missing; temporary when left out.
    client : object, optional
        Where to work, as in ``run``.
    market : str, optional
        Instrument whose closing clock the price files of a folder have, such as ``"S&P 500"`` or ``"CSI 300"``; must be
        given with a folder of them. A panel knows its own.
    model, factors, estimation, windows, skip
        As in ``run``. With price files, a model that needs a factor takes the returns of ``market``.
    history : int
        Placebo days of each event. No window of one holds a session of the events themselves.
    on_bad_event : {"raise", "exclude"}
        What to do with events outside the panel.

    Returns
    -------
    CrossSection

    Raises
    ------
    DataUnavailableError
        No panel and no folder was named.
    ScaleError, EventTableError, WindowError
        As in ``run``, before any file is read where options alone are at fault; a folder of price files without
        ``market``.

    Examples
    --------
    >>> import market_reaction as mr
    >>> from market_reaction import scale
    >>> events = mr.load_events()
    >>> result = scale.cross_section(scale.bundled_panel(), events.loc[["2018-03-22-us", "2019-08-01-us"]])
    >>> print(result.answer(width=100))
    20 securities over sessions [0,1] after 2 escalations (2 separate dates): mean abnormal move −3.40%
    (p 0.16, not distinguishable from none; smallest detectable 14.30%). Against 500 earlier days each,
    2 of 2 sessions had an unusual mean (placebo p at most 0.05; chance alone gives about 0.1):
    2018-03-22 (−4.27%, p 0.016) and 2019-08-01 (−2.52%, p 0.032).
    """
    check_model(model)
    windows_of(estimation, windows)
    check_history(history)
    if not isinstance(events, pd.DataFrame):
        events = load_events(events)
    check_columns(events)
    place = None if out is None else Path(out).expanduser().absolute()
    opened = _panel(panel, place, market, model)
    asked: dict[str, Any] = {"model": model, "factors": factors, "estimation": estimation, "windows": windows}
    shared: dict[str, Any] = asked | {"client": client, "skip": skip, "on_bad_event": on_bad_event}
    rows = run(opened, events, place and place / "study", **shared)
    clean = events if rows.job.shared else None
    pools = run_placebo(opened, events, place and place / "placebo", count=history, exclude=clean, **shared)
    parameters = asked | {"market": opened.about["market"], "history": history, "kernel": rows.job.kernel}
    return CrossSection(opened, rows, pools, parameters, notes_of(opened, rows))


def _panel(panel: PanelDataset | str | Path | None, out: Path | None, market: str | None, model: str) -> PanelDataset:
    """The panel, opened or written."""
    if isinstance(panel, PanelDataset):
        return panel
    if panel is None or not str(panel).strip():
        raise DataUnavailableError(
            'no folder was named. Give one with a price file for each security, such as FOLDER = "~/prices".',
            symbol="folder",
            cause="not offered",
        )
    folder = Path(panel).expanduser()
    if (folder / layout.PANEL_FILE).is_file():
        return open_panel(folder)
    if not market:
        raise ScaleError(
            f"market= is missing: the price files in {str(panel)!r} do not say when their securities close, and an "
            "announcement gets its session by that. Give market='S&P 500', 'CSI 300' or another instrument of the same "
            "hours."
        )
    find_instrument(market)
    factors = None
    if model not in ("constant_mean", "zero_mean"):
        from market_reaction.loading import load_prices

        factors = load_prices([market], "1990-01-02", pd.Timestamp.now(tz="UTC").tz_localize(None).normalize())
    place = out and out / "panel"
    return write_panel(folder, place, market=market, factors=factors, overwrite=True, label=folder.name)
