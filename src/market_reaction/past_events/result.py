"""What ``analogues`` found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from market_reaction import wording
from market_reaction.errors import WindowError
from market_reaction.exports import Exportable, Provenance
from market_reaction.inference.power import check_share
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window

if TYPE_CHECKING:
    import plotly.graph_objects as go

AnaloguesChart = Literal["paths", "ranks"]


@dataclass(frozen=True, slots=True, repr=False)
class Analogues(Exportable):
    """The nearest earlier announcements, what markets did after them, and the announcement among them.

    Attributes
    ----------
    event : pandas.Series
        The announcement; its name is its id.
    attributes : mapping of str to str
        What earlier ones may share with it.
    nearest : pandas.DataFrame
        Indexed by event_id, the nearest first: score (attributes shared), shared, evidence, announced_utc, title, the
        attributes, n_markets.
    past, today : EventStudyResult
        Studies of the past events in the markets where their window ended before the announcement, and of the
        announcement itself.
    horizon : tuple of int
        Window of sessions.
    excluded : pandas.DataFrame
        Columns event_id, market (empty for all), reason.
    notes : tuple of str
        What to bear in mind.
    parameters : mapping of str to object
        What was asked for.
    """

    event: pd.Series
    attributes: Mapping[str, str]
    nearest: pd.DataFrame
    past: EventStudyResult
    today: EventStudyResult
    horizon: Window
    excluded: pd.DataFrame
    notes: tuple[str, ...]
    parameters: Mapping[str, object]

    @property
    def markets(self) -> tuple[str, ...]:
        """Markets with a past path, in the order loaded."""
        measured = {market for _, market in self.past.pairs}
        return tuple(series.name for series in self.past.prices if series.name in measured)

    @property
    def units(self) -> Mapping[str, str]:
        """Unit of the moves of each market."""
        return self.past.design.units

    def summary(self, at: int | None = None, level: float = 0.95) -> pd.DataFrame:
        """Spread of the past CARs at one session, and where the announcement stands among them.

        Parameters
        ----------
        at : int, optional
            Session; in each market the last one that the announcement has reached when left out, the end of the horizon
            where it has reached none.
        level : float
            Coverage of the interval of the share.

        Returns
        -------
        pandas.DataFrame
            Indexed by market: unit, tau, announcement, median, q25, q75, low, high (of the past), rank (1 is the
            highest) and of (past and announcement together), n_rose, n_same_sign, share (of past events with the sign
            of the announcement, or that rose where it has none) with share_of, conf_low, conf_high (Wilson), usual
            (standard error of the announcement's CAR), n_events, n_clusters, note. All counts are of separate events.

        Raises
        ------
        WindowError
            ``at`` outside the horizon, or a level outside (0, 1).
        """
        from market_reaction.past_events.frames import summary_frame, taus_of

        check_share("level", level)
        if at is not None and at not in taus_of(self):
            raise WindowError(f"at={at} lies outside the horizon {self.horizon}; give a session of it.")
        return summary_frame(self, at, level)

    def distribution(self) -> pd.DataFrame:
        """Spread of the past CARs by session.

        Returns
        -------
        pandas.DataFrame
            Columns market, unit, tau, median, q25, q75 (middle half of the past paths, no confidence band), low, high,
            announcement, n_events, n_clusters.
        """
        from market_reaction.past_events.frames import spread_frame

        return spread_frame(self)

    def reactions(self) -> pd.DataFrame:
        """Day 0 and CAR over the horizon of every past event and of the announcement.

        Returns
        -------
        pandas.DataFrame
            Indexed by (event_id, market): unit, session, change (day 0, simple return), abnormal (day 0), car,
            std_error, cluster (-1 for the announcement), n_merged (events of the cluster).
        """
        from market_reaction.past_events.frames import reaction_frame

        return reaction_frame(self)

    def to_frame(self) -> pd.DataFrame:
        """CAR paths, unrounded.

        Returns
        -------
        pandas.DataFrame
            Columns event_id, market, unit, kind (``"past"`` or ``"announcement"``), cluster, tau, car.
        """
        from market_reaction.past_events.frames import path_frame

        return path_frame(self)

    def answer(self, width: int | None = None) -> str:
        """Say what the first market did after the past events, where the announcement stands, and how few they are."""
        from market_reaction.past_events.words import analogues_answer

        return wording.filled(analogues_answer(self), width)

    def plot(
        self,
        *,
        kind: AnaloguesChart = "paths",
        markets: Sequence[str] | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> go.Figure:
        """Chart of the past events and the announcement.

        Parameters
        ----------
        kind : {"paths", "ranks"}
            Paths with their median and middle half, a panel for each market; or the CARs over the horizon of all
            markets side by side.
        markets : sequence of str, optional
            Markets to draw; all when left out.
        theme : {"auto", "light", "dark"}
            Ink for a light page, a dark one, or one that may be either.
        """
        from market_reaction.past_events import charts

        if kind not in get_args(AnaloguesChart):
            raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(get_args(AnaloguesChart))}.")
        names = self.markets if markets is None else tuple(self.past.prices[name].name for name in markets)
        absent = [name for name in names if name not in self.markets]
        if absent:
            raise WindowError(f"{absent[0]!r} has no past path; there are {', '.join(self.markets)}.")
        draw = charts.path_chart if kind == "paths" else charts.rank_chart
        return draw(self, names, theme=theme)

    def figures(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> dict[str, go.Figure]:
        """Every chart by name."""
        return {kind: self.plot(kind=kind, theme=theme) for kind in get_args(AnaloguesChart)}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Standing, nearest announcements, single reactions, spread by session, paths, and what was left out."""
        return {
            "Standing": self.summary().reset_index(),
            "Nearest announcements": self.nearest.reset_index(),
            "Reactions": self.reactions().reset_index(),
            "Spread by session": self.distribution(),
            "Paths": self.to_frame(),
            "Left out": self.excluded,
        }

    def printed(self) -> dict[str, pd.DataFrame]:
        """The standing of the announcement as it is read."""
        from market_reaction.past_events.words import standing_lines

        return {"Standing": standing_lines(self)}

    def provenance(self) -> Provenance:
        """What was asked for and where the series come from."""
        return Provenance(self.parameters, self.past.vintage)

    def __repr__(self) -> str:
        """Count what was found."""
        return (
            f"<Analogues of {self.event.name}: {len(self.nearest)} earlier announcements, {len(self.markets)} "
            "market(s); see summary(), nearest>"
        )

    def _repr_html_(self) -> str:
        from market_reaction.past_events.words import analogues_html

        return analogues_html(self)
