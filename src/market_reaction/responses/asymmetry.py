"""Whether a market responds to bad news as strongly as to good news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from market_reaction import wording
from market_reaction.errors import WindowError
from market_reaction.exports import Exportable, Provenance
from market_reaction.inference.permutations import DRAWS
from market_reaction.inference.resampling import group_difference
from market_reaction.inference.results import StatisticalTest
from market_reaction.inference.two_samples import MeanDifference, welch_difference
from market_reaction.responses.pairs import market_of
from market_reaction.responses.shocks import DIRECTIONS
from market_reaction.study_result import EventStudyResult, t_row
from market_reaction.windows import Window

if TYPE_CHECKING:
    import plotly.graph_objects as go

SIGNS = {name: sign for name, sign in DIRECTIONS.items() if sign}  # escalation +1, de-escalation -1
BAD, GOOD = SIGNS


@dataclass(frozen=True, slots=True, repr=False)
class NewsAsymmetry(Exportable):
    """Response of one market to escalation and to de-escalation, and whether the two are mirror images.

    Attributes
    ----------
    market, unit : str
        The market, and the unit of its moves.
    window : tuple of int
        Sessions over which moves are summed, inclusive offsets from day 0.
    cases : pandas.DataFrame
        One row a cluster of events: direction, session (of its first event), events (their ids), car.
    excess : MeanDifference
        Mean CAR after escalation plus mean CAR after de-escalation: zero where good news undoes what bad news does. It
        is the difference between the first mean and the second turned round.
    permutation : StatisticalTest
        The same from permutations of the labels, with the CARs after de-escalation turned round.
    level : float
        Coverage of the intervals.
    excluded : pandas.DataFrame
        Indexed by event_id: reason, for the events left out.
    notes : tuple of str
        What to bear in mind.
    parameters : dict
        What was asked for.
    vintage : pandas.DataFrame
        Provenance of the series.
    """

    market: str
    unit: str
    window: Window
    cases: pd.DataFrame
    excess: MeanDifference
    permutation: StatisticalTest
    level: float
    excluded: pd.DataFrame
    notes: tuple[str, ...]
    parameters: dict[str, object]
    vintage: pd.DataFrame

    def summary(self) -> pd.DataFrame:
        """Means by direction and their sum, unrounded.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``"escalation"``, ``"de-escalation"`` and ``"sum"``: estimate, std_error, conf_low, conf_high,
            statistic, df, p_value (of a zero mean), mde, n_clusters, n_events, unit.
        """
        rows = {}
        for side in SIGNS:
            cases = self.cases[self.cases["direction"].eq(side)]
            count = len(cases)
            error = float(cases["car"].std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
            counts = {"n_clusters": count, "n_events": int(cases["n_events"].sum())}
            rows[side] = t_row(float(cases["car"].mean()), error, count - 1, self.level) | counts
        columns = ["estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "mde"]
        totals = {"n_clusters": len(self.cases), "n_events": int(self.cases["n_events"].sum())}
        rows["sum"] = {name: getattr(self.excess, name) for name in columns} | totals
        frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("direction")
        return frame.assign(unit=self.unit)

    def to_frame(self) -> pd.DataFrame:
        """One row a cluster of events: direction, session, events, car; a copy of ``cases``."""
        return self.cases.copy()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Means, clusters, and the events left out."""
        return {"Means": self.summary(), "Clusters": self.to_frame(), "Left out": self.excluded}

    def printed(self) -> dict[str, pd.DataFrame]:
        """Both means and their sum as they are read."""
        from market_reaction.responses.asymmetry_view import mean_lines, window_words

        return {f"{self.market} after good and bad news, mean {window_words(self)}": mean_lines(self)}

    def provenance(self) -> Provenance:
        """Parameters, vintage and package version."""
        return Provenance(self.parameters, self.vintage)

    def answer(self, width: int | None = None) -> str:
        """Say both means and whether they mirror each other, on lines of ``width`` characters if given."""
        from market_reaction.responses.asymmetry_view import asymmetry_answer

        return asymmetry_answer(self, width)

    def plot(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> go.Figure:
        """Every cluster's CAR by direction, with the means and their intervals."""
        from market_reaction.responses.asymmetry_view import asymmetry_chart

        return asymmetry_chart(self, theme=theme)

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<NewsAsymmetry: {self.answer()}>"

    def _repr_html_(self) -> str:
        from market_reaction.responses.asymmetry_view import asymmetry_html

        return asymmetry_html(self)


def good_and_bad_news(
    study: EventStudyResult,
    market: str,
    window: Window | None = None,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> NewsAsymmetry:
    """Compare the response to escalation with the response to de-escalation.

    Parameters
    ----------
    study : EventStudyResult
        Study of events whose table has the column ``direction``.
    market : str
        A market studied, by name or symbol.
    window : tuple of int, optional
        Inclusive offsets inside the study's windows; the first event window when left out.
    level : float
        Coverage of the intervals.
    draws, seed : int
        Permutations of the labels, and their seed.

    Returns
    -------
    NewsAsymmetry
        NaN and the reason in ``excess`` where a direction has fewer than two clusters, in ``permutation`` where it has
        fewer than four.

    Raises
    ------
    UnknownInstrumentError
        A market that is not studied.
    WindowError
        A table without directions, or with other words for them; no event of one of the two directions; or a window or
        level outside its bounds.

    Notes
    -----
    Events whose windows overlap are one cluster and count as one value, their mean CAR; a cluster that holds both
    directions is left out. The null is mean(escalation) + mean(de-escalation) = 0. Its rejection says that the sizes
    differ, not why: the catalogue's escalations may be larger news, or less expected, than its de-escalations.

    References
    ----------
    Welch (1947), Biometrika 34:28; Chung and Romano (2013), Annals of Statistics 41:484.

    Examples
    --------
    >>> import market_reaction as mr
    >>> events = mr.filter_events(precision="minute", surprise="surprise", until="2025-08-31").events
    >>> prices = mr.load_prices(["CSI 300"], events=events, source="bundled")
    >>> study = mr.event_study(prices, events, windows=mr.EventWindows(event=(0, 0)))
    >>> mr.good_and_bad_news(study, "CSI 300").summary()["estimate"].astype(float).round(4).to_dict()
    {'escalation': -0.0151, 'de-escalation': 0.0088, 'sum': -0.0064}
    """
    name = market_of(study, "market", market)
    if "direction" not in study.events:
        raise WindowError(
            "good and bad news need a column direction in the event table, with 'escalation' or 'de-escalation'; "
            "add it."
        )
    _check_words(study.events["direction"])
    chosen = study.windows.event[0] if window is None else window
    cars = study.car(chosen, level)["estimate"].xs(name, level="market").dropna()
    directions = study.events["direction"].reindex(cars.index)
    labels = study.clusters(name, chosen).reindex(cars.index)
    both = directions.where(directions.isin(SIGNS)).groupby(labels).nunique().gt(1)
    reasons = _reasons(study, name, directions, labels.map(both))
    kept = cars.index[reasons.reindex(cars.index).eq("")]
    cases = _cases(study, name, cars[kept], directions[kept], labels[kept])
    bad, good = (cases.loc[cases["direction"].eq(side), "car"].to_numpy(dtype=float) for side in (BAD, GOOD))
    for side, values in ((BAD, bad), (GOOD, good)):
        if not len(values):
            raise WindowError(f"no {side} of the study is measured in {name!r}; choose events of both directions.")
    series = study.prices[name]
    return NewsAsymmetry(
        market=name,
        unit=study.design.units[name],
        window=(int(chosen[0]), int(chosen[1])),
        cases=cases,
        excess=welch_difference(bad, -good, level),
        permutation=group_difference(bad, -good, draws, seed),
        level=level,
        excluded=reasons[reasons.ne("")].rename("reason").to_frame(),
        notes=tuple(note for note in (wording.direction_note(series.instrument),) if note),
        parameters={"market": name, "window": chosen, "level": level, "draws": draws, "seed": seed}
        | {"estimation": study.windows.estimation, "normal_model": study.design.normal_model},
        vintage=study.vintage.loc[[name]],
    )


def _check_words(directions: pd.Series) -> None:
    """Refuse a column that lacks one of the two words, and name those it has."""
    missing = [side for side in SIGNS if not directions.eq(side).any()]
    if not missing:
        return
    found = [repr(text) for text in directions.dropna().astype(str).unique() if text]
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    has = f"holds {', '.join(found[:8])}{more}" if found else "is empty"
    raise WindowError(
        f"the column direction of the events studied {has}; good and bad news need events of both {BAD!r} and "
        f"{GOOD!r}, and there is no {' and no '.join(map(repr, missing))}. Rename the labels with "
        "events['direction'].replace({...}) before event_study, or choose events of both directions."
    )


def _reasons(study: EventStudyResult, name: str, directions: pd.Series, both: pd.Series) -> pd.Series:
    """Why each event of the study is left out; empty where it counts."""
    reasons = pd.Series(f"not measured in {name}", index=study.events.index, dtype=object)
    reasons[directions.index] = ""
    reasons[directions.index[~directions.isin(SIGNS)]] = "its direction is neither escalation nor de-escalation"
    reasons[both.index[both & directions.isin(SIGNS)]] = "its window overlaps that of an event of the other direction"
    return reasons


def _cases(
    study: EventStudyResult, name: str, cars: pd.Series, directions: pd.Series, labels: pd.Series
) -> pd.DataFrame:
    """One row a cluster, in order of time."""
    sessions = study.prices[name].sessions
    rows = [
        {
            "direction": directions[members[0]],
            "session": min(sessions[study.pairs[member, name].position] for member in members),
            "events": ", ".join(members),
            "n_events": len(members),
            "car": float(np.mean(cars[members])),
        }
        for members in (list(group) for group in labels.groupby(labels).groups.values())
    ]
    columns = ["direction", "session", "events", "n_events", "car"]
    return pd.DataFrame(rows, columns=columns).sort_values("session", ignore_index=True)
