"""Two quotes of one thing over several events: which of them moves more, and whether they move together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from market_reaction import wording
from market_reaction.errors import WindowError
from market_reaction.exports import Exportable, Provenance
from market_reaction.prices import PriceSeries
from market_reaction.responses.pairs import event_pairs, two_markets
from market_reaction.responses.shocks import DIRECTIONS
from market_reaction.study_result import EventStudyResult, t_row

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, repr=False)
class TwinMoves(Exportable):
    """Moves of two markets on their own reaction sessions of the same events.

    Attributes
    ----------
    first, second, unit : str
        The markets, and the unit of their moves.
    turned : bool
        Whether the moves after de-escalations are turned round, so that a mean is the response to bad news.
    pairs : pandas.DataFrame
        Indexed by event_id: session, move (of the first, abnormal), to_session, to_move (of the second), turn (+1 or
        -1).
    level : float
        Coverage of the intervals.
    excluded : pandas.DataFrame
        Indexed by event_id: reason.
    closes : tuple of str
        When the closes of the two are struck, in their own clocks.
    notes : tuple of str
        What "up" means.
    parameters : dict
        What was asked for.
    vintage : pandas.DataFrame
        Provenance of the two series.
    """

    first: str
    second: str
    unit: str
    turned: bool
    pairs: pd.DataFrame
    level: float
    excluded: pd.DataFrame
    closes: tuple[str, str]
    notes: tuple[str, ...]
    parameters: dict[str, object]
    vintage: pd.DataFrame

    @property
    def correlation(self) -> float:
        """Correlation of the two moves over the events; NaN below three events."""
        moves = self.pairs[["move", "to_move"]].to_numpy(dtype=float)
        return float(np.corrcoef(moves.T)[0, 1]) if len(moves) > 2 else float("nan")

    def summary(self) -> pd.DataFrame:
        """Mean move of each market and the mean difference, unrounded.

        Returns
        -------
        pandas.DataFrame
            Indexed by the two markets and ``"difference"``: estimate, std_error, statistic, df, p_value, conf_low,
            conf_high, mde, n_events. The difference is first less second, paired by event.
        """
        turn = self.pairs["turn"].to_numpy(dtype=float)
        moves = {self.first: turn * self.pairs["move"].to_numpy(), self.second: turn * self.pairs["to_move"].to_numpy()}
        moves["difference"] = moves[self.first] - moves[self.second]
        count = len(turn)
        rows = {}
        for name, values in moves.items():
            error = float(values.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
            rows[name] = t_row(float(values.mean()), error, count - 1, self.level) | {"n_events": count}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("market")

    def to_frame(self) -> pd.DataFrame:
        """One row an event: both sessions and both moves; a copy of ``pairs``."""
        return self.pairs.copy()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Means, events, and the events left out."""
        return {"Means": self.summary(), "Events": self.to_frame(), "Left out": self.excluded}

    def printed(self) -> dict[str, pd.DataFrame]:
        """Both means and their difference as they stand in a paper, rounded."""
        from market_reaction.responses.twin_view import printed_twins

        return printed_twins(self)

    def provenance(self) -> Provenance:
        """Parameters, vintage and package version."""
        return Provenance(self.parameters, self.vintage)

    def answer(self, width: int | None = None) -> str:
        """Say which market moves more and whether they move together, on lines of ``width`` characters if given."""
        from market_reaction.responses.twin_view import twin_answer

        return wording.filled(twin_answer(self), width)

    def plot(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> go.Figure:
        """One point an event: the move of the first market against that of the second."""
        from market_reaction.responses.twin_view import twin_chart

        return twin_chart(self, theme=theme)

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<TwinMoves: {self.answer()}>"

    def _repr_html_(self) -> str:
        from market_reaction.responses.twin_view import twin_html

        return twin_html(self)


def twin_moves(study: EventStudyResult, first: str, second: str, *, level: float = 0.95) -> TwinMoves:
    """Compare two quotes of one thing, such as the offshore and the onshore yuan, over the events of a study.

    Parameters
    ----------
    study : EventStudyResult
        Study of the events; both markets are studied.
    first, second : str
        The markets, by name or symbol.
    level : float
        Coverage of the intervals.

    Returns
    -------
    TwinMoves

    Raises
    ------
    UnknownInstrumentError
        A market that is not studied.
    WindowError
        The same market twice, markets whose moves have different units, or no event measured in both.

    Notes
    -----
    Each market's abnormal move is taken on its own reaction session. Where the events have a column ``direction`` with
    both kinds, moves after de-escalations are turned round and mixed events are left out. Sessions that several events
    share count once, for the earliest. The paired t takes the differences of the events as independent. Two closes
    struck at different hours hold different news: that difference is in the mean.

    Examples
    --------
    >>> import market_reaction as mr
    >>> events = mr.filter_events(precision="minute", surprise="surprise", until="2019-08-20").events
    >>> prices = mr.load_prices(["USD/CNY", "USD/KRW"], events=events, source="bundled")
    >>> study = mr.event_study(prices, events, windows=mr.EventWindows(event=(0, 0)))
    >>> mr.twin_moves(study, "USD/CNY", "USD/KRW").summary()["n_events"].to_list()
    [3, 3, 3]
    """
    names = two_markets(study, ("first", first), ("second", second))
    units = {study.design.units[name] for name in names}
    if len(units) > 1:
        raise WindowError(
            f"{names[0]!r} moves in {study.design.units[names[0]]} and {names[1]!r} in {study.design.units[names[1]]}; "
            "compare two markets of one unit."
        )
    pairs = event_pairs(study, names)
    turns, turned = _turns(study.events.reindex(pairs.index))
    reasons = pairs["reason"].mask(pairs["reason"].eq("") & turns.eq(0), "its direction is mixed or not stated")
    kept = pairs[reasons.eq("")].drop(columns="reason")
    if kept.empty:
        raise WindowError(
            f"no event of the study is measured in both {names[0]!r} and {names[1]!r}: "
            f"{'; '.join(dict.fromkeys(reasons))}. Load series that reach the events."
        )
    series = [study.prices[name] for name in names]
    one, other = (str(item.instrument.bar_closes(item.source)[-1]) for item in series)
    return TwinMoves(
        first=names[0],
        second=names[1],
        unit=units.pop(),
        turned=turned,
        pairs=kept.assign(turn=turns[kept.index]),
        level=level,
        excluded=reasons[reasons.ne("")].rename("reason").to_frame(),
        closes=(one, other),
        notes=_directions(series),
        parameters={"first": names[0], "second": names[1], "level": level}
        | {"estimation": study.windows.estimation, "normal_model": study.design.normal_model},
        vintage=study.vintage.loc[list(names)],
    )


def _turns(events: pd.DataFrame) -> tuple[pd.Series, bool]:
    """+1, or -1 for a de-escalation, or 0 where events of both kinds exist and this one is neither; and whether so."""
    if "direction" in events:
        signs = events["direction"].map(DIRECTIONS).fillna(0.0)
        if signs.gt(0).any() and signs.lt(0).any():
            return signs, True
    return pd.Series(1.0, index=events.index), False


def _directions(series: list[PriceSeries]) -> tuple[str, ...]:
    """What "up" means in the two markets, once where it is the same; nothing where it is not stated."""
    notes = {item.name: wording.direction_note(item.instrument) for item in series}
    stated = {name: note for name, note in notes.items() if note}
    if len(stated) == len(notes) and len(set(stated.values())) == 1:
        return (f"In both, {next(iter(stated.values()))}.",)
    return tuple(f"{name}: {note}." for name, note in stated.items())
