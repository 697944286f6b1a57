"""What ``lead_lag`` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from market_reaction import wording
from market_reaction.exports import Exportable, Provenance

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.theme import Theme


@dataclass(frozen=True, slots=True, repr=False)
class LeadLag(Exportable):
    """Lead and lag between two markets.

    Attributes
    ----------
    leader, follower : str
        Names shown.
    units : tuple of str
        Units of their moves.
    correlations : pandas.DataFrame
        By lag (sessions by which the leader's return is older): correlation, std_error, conf_low, conf_high, p_value,
        nobs, hours_in_common (share of the follower's hours from close to close inside the leader's return of that
        lag), leader_trading_hours (share of the leader's trading hours inside the follower's return), from_the_clock
        (the correlations at lags -1, 0 and 1 together, shared out by the hours in common, as if news came evenly over
        the hours), beyond_the_clock (less than 2% of hours in common), holm_p (over the lags beyond the clock).
    betas : pandas.DataFrame
        Dimson's regression: betas on the leader's return of the ``"date before"``, the ``"same date"`` and the
        ``"date after"``, and their ``"sum"``; HAC errors.
    synchronised : pandas.DataFrame
        One row: correlation of synchronised returns.
    parts : pandas.DataFrame
        Correlation of the follower's ``"gap"`` and ``"session"`` move with the leader's last move known at the open;
        ``note`` says why there is none.
    moves : pandas.DataFrame
        The returns, by the later date: leader, follower; log returns or differences.
    closes_apart : float
        Hours by which the leader's close of a date is later than the follower's; negative where it is earlier. Median.
    stale : bool
        Whether the follower's open seems to hold prices of before.
    reason : str
        Why there are no figures; empty where there are.
    notes : tuple of str
        Span, and dates only one market has.
    parameters : mapping
        What was asked for.
    vintage : pandas.DataFrame
        Provenance of both series.
    """

    leader: str
    follower: str
    units: tuple[str, str]
    correlations: pd.DataFrame
    betas: pd.DataFrame
    synchronised: pd.DataFrame
    parts: pd.DataFrame
    moves: pd.DataFrame
    closes_apart: float
    stale: bool
    reason: str
    notes: tuple[str, ...]
    parameters: Mapping[str, Any]
    vintage: pd.DataFrame

    @classmethod
    def without_figures(
        cls, names: tuple[str, str], reason: str, parameters: Mapping[str, Any], vintage: pd.DataFrame
    ) -> LeadLag:
        """A result that says why there is none."""
        empty = pd.DataFrame()
        return cls(
            *names, ("return", "return"), empty, empty, empty, empty, empty, float("nan"), False, reason, (),
            parameters, vintage,
        )  # fmt: skip

    @property
    def excluded(self) -> pd.DataFrame:
        """Columns market, reason: what is missing for the figures, or for the split at the open."""
        pair = f"{self.leader}, {self.follower}"
        notes = self.parts["note"].unique().tolist() if len(self.parts) else [self.reason]
        return pd.DataFrame([(pair, note) for note in notes if note], columns=["market", "reason"], dtype=str)

    def to_frame(self) -> pd.DataFrame:
        """Correlations by lag, unrounded, as the attribute ``correlations``."""
        return self.correlations.copy()

    def summary(self) -> pd.DataFrame:
        """Each estimate in one frame: statistic, lag, estimate, std_error, conf_low, conf_high, p_value, nobs."""
        pieces = (
            ("correlation", self.correlations),
            ("synchronised correlation", self.synchronised),
            ("Dimson beta", self.betas),
            ("correlation with the leader known at the open", self.parts),
        )
        kept = ["estimate", "std_error", "conf_low", "conf_high", "p_value", "nobs"]
        frames = [
            frame.rename(columns={"correlation": "estimate", "beta": "estimate"})[kept]
            .rename_axis("lag")
            .reset_index()
            .astype({"lag": str})
            .assign(statistic=name)
            for name, frame in pieces
            if len(frame)
        ]
        if not frames:
            return pd.DataFrame(columns=["statistic", "lag", *kept]).set_index(["statistic", "lag"])
        return pd.concat(frames, ignore_index=True).set_index(["statistic", "lag"])

    def answer(self, width: int | None = None) -> str:
        """Say over which dates and at which lag the two move together, what of it the clocks explain, what is left."""
        from market_reaction.timing.lead_lag_text import lead_lag_answer

        return wording.filled(lead_lag_answer(self), width)

    def plot(self, *, kind: Literal["lags"] = "lags", theme: Theme = "auto") -> go.Figure:
        """Correlation by lag with its interval, beside the share of all of it that the clocks give.

        Parameters
        ----------
        kind : {"lags"}
            The only chart.
        theme : {"auto", "light", "dark"}
            ``"auto"`` is readable on a light and on a dark page.
        """
        from market_reaction.timing.lead_lag_chart import lead_lag_chart

        if kind != "lags":
            raise ValueError(f"kind={kind!r} is not known; choose one of lags.")
        return lead_lag_chart(self, theme=theme)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Correlations, betas, synchronised correlation, parts, and the returns."""
        return {
            "correlations": self.correlations,
            "dimson": self.betas,
            "synchronised": self.synchronised,
            "gap and session": self.parts,
            "returns": self.moves,
            "left out": self.excluded,
        }

    def printed(self) -> dict[str, pd.DataFrame]:
        """Correlations and betas as they stand in a paper, rounded; why there are none where there are none."""
        from market_reaction.timing.lead_lag_text import printed_lead_lag

        return printed_lead_lag(self)

    def provenance(self) -> Provenance:
        """Parameters, the dates really used (``sample``), vintage and package version."""
        from market_reaction.timing.lead_lag_text import sample

        used = sample(self) if len(self.moves) else "none"
        return Provenance({**self.parameters, "sample": used}, self.vintage)

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<LeadLag: {self.answer()}>"

    def _repr_html_(self) -> str:
        from market_reaction.timing.lead_lag_text import lead_lag_html

        return lead_lag_html(self)
