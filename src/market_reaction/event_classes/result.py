"""What ``by_class`` found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from market_reaction import wording
from market_reaction.exports import Exportable, Provenance
from market_reaction.placebo_result import PlaceboResult
from market_reaction.responses.pairs import market_of
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window

if TYPE_CHECKING:
    import plotly.graph_objects as go

ClassChart = Literal["caar", "aar", "means", "heat"]


@dataclass(frozen=True, slots=True, repr=False)
class ClassStudies(Exportable):
    """Studies of the classes of one set of events, and how they differ.

    Attributes
    ----------
    by : tuple of str
        Columns that make the classes.
    labels : pandas.Series
        Class of every event, by event_id; empty where it has none.
    studies : mapping of str to EventStudyResult
        All events of each class; ``separate`` has those that share no session with another class.
    study : EventStudyResult
        All events together.
    placebo : PlaceboResult or None
        Placebo test of every event in every market.
    excluded : pandas.DataFrame
        Columns event_id, market, session, reason: what was left out and why. Events left out of means because
        their window holds another class are in ``merged``.
    notes : tuple of str
        What to bear in mind.
    """

    by: tuple[str, ...]
    labels: pd.Series
    studies: Mapping[str, EventStudyResult]
    study: EventStudyResult
    placebo: PlaceboResult | None
    excluded: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order they are shown."""
        return tuple(self.studies)

    @property
    def markets(self) -> tuple[str, ...]:
        """Markets with an event that could be measured."""
        return tuple(dict.fromkeys(market for _, market in self.study.pairs))

    def separate(self, window: Window | None = None) -> dict[str, EventStudyResult]:
        """Study of each class without the events that share a session of the window with another class.

        Parameters
        ----------
        window : tuple of int, optional
            Inclusive offsets; the first event window when left out.
        """
        from market_reaction.event_classes.frames import separate_studies

        return separate_studies(self, self.window(window))

    def summary(self, window: Window | None = None, level: float = 0.95) -> pd.DataFrame:
        """Mean CAR of each class in each market, with a t test over clusters of events.

        Parameters
        ----------
        window : tuple of int, optional
            Inclusive offsets inside the windows of the study; the first event window when left out.
        level : float
            Coverage of the intervals.

        Returns
        -------
        pandas.DataFrame
            Indexed by (class, market): unit, estimate, std_error, statistic, df (clusters - 1), p_value, conf_low,
            conf_high, mde, p_holm (adjusted over the markets of the class), n_events, n_clusters, n_shared (events
            left out because their window holds another class), note.

        References
        ----------
        Ibragimov and Muller (2010), Journal of Business and Economic Statistics 28:453.
        """
        from market_reaction.event_classes.frames import summary_frame

        return summary_frame(self, self.window(window), level)

    def aar(self, level: float = 0.95) -> pd.DataFrame:
        """Mean abnormal return of each class by session, columns as ``caar``."""
        from market_reaction.event_classes.frames import path_frame

        return path_frame(self, level, cumulated=False)

    def caar(self, level: float = 0.95) -> pd.DataFrame:
        """Mean CAR path of each class from the first session of the windows on, with both bands.

        Returns
        -------
        pandas.DataFrame
            Columns class, market, unit, tau, estimate, conf_low, conf_high (each session alone), simultaneous_low,
            simultaneous_high (the whole path at once), critical, n_events, n_clusters. Only events whose whole path
            is complete and shares no session with another class; classes with fewer than two clusters have no path.

        Notes
        -----
        Sup-t band from the covariance of the paths over clusters, with clusters - 1 degrees of freedom. It holds for
        one class and market. With few clusters it is too narrow: in simulations with normal values the 95% band held 6
        sessions in 92 to 93% of runs with 6 clusters and in 94% with 24, and 21 sessions in 89% with 6 clusters.

        References
        ----------
        Montiel Olea and Plagborg-Moller (2019), Journal of Applied Econometrics 34:1.
        """
        from market_reaction.event_classes.frames import path_frame

        return path_frame(self, level, cumulated=True)

    def difference(
        self,
        window: Window | None = None,
        *,
        first: str | None = None,
        second: str | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Mean CAR of one class minus that of another, in each market.

        Parameters
        ----------
        window : tuple of int, optional
            As in ``summary``.
        first, second : str, optional
            Classes; the first two when left out.
        level : float
            Coverage of the interval.

        Returns
        -------
        pandas.DataFrame
            Indexed by market: unit, first, second, mean_first, mean_second, difference, std_error, statistic, df,
            conf_low, conf_high, mde, welch_p, permutation_p, p_holm (of the permutation p, over the markets),
            permutation_floor, n_first, n_second (clusters), n_shared (events left out), null, validity, note.

        Raises
        ------
        EventTableError
            One class only, or a class that is not among them.

        Notes
        -----
        The permutation p leads: labels are permuted over the clusters, with a studentised statistic. It is exact when
        both classes have one distribution and valid in large samples when their variances differ, and needs four
        clusters in each. Interval, df and welch_p are of Welch's t, which supposes normal means. Clusters are taken to
        be independent of each other.

        References
        ----------
        Janssen (1997), Statistics and Probability Letters 36:9; Welch (1947), Biometrika 34:28; Holm (1979),
        Scandinavian Journal of Statistics 6:65.
        """
        from market_reaction.event_classes.frames import check_classes, difference_frame

        return difference_frame(self, self.window(window), check_classes(self, first, second), level)

    def leave_one_out(self, market: str | None = None, window: Window | None = None) -> pd.DataFrame:
        """Mean CAR of each class without each of its events in turn, as ``leave_one_event_out`` gives it.

        Parameters
        ----------
        market : str, optional
            By name or symbol; the first when left out.
        window : tuple of int, optional
            As in ``summary``.

        Returns
        -------
        pandas.DataFrame
            Indexed by (class, event_id), the most influential of a class first. A class with fewer than two clusters
            has no rows.
        """
        from market_reaction.event_classes.frames import influence_frame

        name = self.markets[0] if market is None else market_of(self.study, "market", market)
        return influence_frame(self, name, self.window(window))

    def to_frame(self) -> pd.DataFrame:
        """One row an event and market, unrounded, by class and time.

        Returns
        -------
        pandas.DataFrame
            Columns class, event_id, market, title, announced_utc, session, ambiguous, unit, change (day 0, simple
            return), abnormal (day 0), usual_day (EWMA volatility known the evening before), z_ewma, placebo_p,
            placebo_p_floor, a column car[...] for each window, and reason, which is empty where nothing is missing.
        """
        from market_reaction.event_classes.frames import reaction_frame

        return reaction_frame(self)

    def merged(self, window: Window | None = None) -> pd.DataFrame:
        """Events whose windows overlap, one row a cluster: events, their classes, what they count as, and where.

        Returns
        -------
        pandas.DataFrame
            Columns first_announced_utc, n_events, events, classes, counted_as, markets.
        """
        from market_reaction.event_classes.frames import merged_frame

        return merged_frame(self, self.window(window))

    def coverage(self) -> pd.DataFrame:
        """How many events of each class each market has.

        Returns
        -------
        pandas.DataFrame
            Indexed by (class, market): n_events, n_measured, n_complete (whole window), source, first, last.
        """
        from market_reaction.event_classes.frames import coverage_frame

        return coverage_frame(self)

    def regroup(self, by: str | Sequence[str], classes: Sequence[str] | None = None, *, least: int = 1) -> ClassStudies:
        """The same reactions by another column, such as ``"wave"``, without measuring anything again.

        Parameters
        ----------
        by, classes, least
            As in ``by_class``.
        """
        from market_reaction.event_classes.build import grouped
        from market_reaction.event_classes.groups import columns_of

        return grouped(self.study, self.placebo, columns_of(by), classes, least)

    def answer(self, width: int | None = None) -> str:
        """Say how the first market reacts to the first two classes, and in which markets these differ."""
        from market_reaction.event_classes.words import class_answer

        return wording.filled(class_answer(self), width)

    def plot(
        self,
        *,
        kind: ClassChart = "caar",
        markets: Sequence[str] | None = None,
        window: Window | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> go.Figure:
        """Chart of the classes.

        Parameters
        ----------
        kind : {"caar", "aar", "means", "heat"}
            Mean CAR paths with simultaneous bands; mean abnormal returns by session; mean CAR over a window with its
            interval; or a map of every event in every market.
        markets : sequence of str, optional
            Markets to draw; all when left out.
        window : tuple of int, optional
            Window of ``"means"``; the first event window when left out.
        theme : {"auto", "light", "dark"}
            Ink for a light page, a dark one, or one that may be either.
        """
        from market_reaction.event_classes import charts, heat, means

        if kind not in get_args(ClassChart):
            raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(get_args(ClassChart))}.")
        shown = self.markets if markets is None else tuple(market_of(self.study, "markets", name) for name in markets)
        if kind == "heat":
            return heat.heat_map(self, shown, theme=theme)
        if kind == "means":
            return means.mean_chart(self, shown, self.window(window), theme=theme)
        return charts.path_chart(self, shown, cumulated=kind == "caar", theme=theme)

    def figures(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> dict[str, go.Figure]:
        """Every chart by name."""
        return {kind: self.plot(kind=kind, theme=theme) for kind in get_args(ClassChart)}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Means, differences, paths, single reactions, merged events, coverage, and what was left out."""
        found = {"Mean reactions": self.summary().reset_index()}
        if len(self.classes) > 1:
            found["Differences"] = self.difference().reset_index()
        return found | {
            "Mean paths": self.caar(),
            "Reactions": self.to_frame(),
            "Merged events": self.merged(),
            "Coverage": self.coverage().reset_index(),
            "Left out": self.excluded,
        }

    def printed(self) -> dict[str, pd.DataFrame]:
        """Means of the classes and their differences as they are read."""
        from market_reaction.event_classes.words import printed_classes

        return printed_classes(self)

    def provenance(self) -> Provenance:
        """What was asked for and where the series come from."""
        study = self.study
        parameters = {
            "by": list(self.by),
            "classes": list(self.classes),
            "events": list(study.events.index),
            "windows": [list(window) for window in study.windows.event],
            "estimation": list(study.windows.estimation),
            "normal_model": study.design.normal_model,
            "returns": study.design.returns,
            "history": None if self.placebo is None else self.placebo.history,
        }
        return Provenance(parameters, study.vintage)

    def window(self, window: Window | None = None) -> Window:
        """The window asked for, inside those of the study; the first event window when left out."""
        return self.study._window(window)

    def __repr__(self) -> str:
        """Count what was studied."""
        counts = ", ".join(f"{len(study.events)} {name}" for name, study in self.studies.items())
        return f"<ClassStudies by {', '.join(self.by)}: {counts}; {len(self.markets)} market(s); see summary()>"

    def _repr_html_(self) -> str:
        from market_reaction.event_classes.words import class_html

        return class_html(self)
