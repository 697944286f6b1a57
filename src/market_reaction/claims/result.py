"""What ``check_claims`` found: a verdict for every claim, and whether the moves were more than ordinary days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from market_reaction import wording
from market_reaction.claims.parse import NotUnderstood
from market_reaction.claims.verdicts import Verdict
from market_reaction.exports import Exportable, Provenance
from market_reaction.reaction_result import MarketReaction, ReactionResult

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, repr=False)
class ClaimsResult(Exportable):
    """What ``check_claims`` found.

    Attributes
    ----------
    sentences : tuple of str
        What was given.
    verdicts : tuple of Verdict
        One a claim, in the order of the sentences.
    not_understood : tuple of NotUnderstood
        Parts of the sentences that no claim was read from, with the reason.
    reactions : tuple of ReactionResult
        Measured reactions, one for each day 0.
    excluded : pandas.DataFrame
        Columns market, reason: markets named that could not be measured.
    parameters : mapping
        What was asked for.
    notes : tuple of str
        Notes on day 0 and the loading.
    """

    sentences: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    not_understood: tuple[NotUnderstood, ...]
    reactions: tuple[ReactionResult, ...]
    excluded: pd.DataFrame
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<ClaimsResult: {self.answer()}>"

    def __iter__(self) -> Iterator[Verdict]:
        """Go through the verdicts."""
        return iter(self.verdicts)

    def __len__(self) -> int:
        """Count the verdicts."""
        return len(self.verdicts)

    @property
    def rows(self) -> tuple[MarketReaction, ...]:
        """Measured markets, each once for each day 0."""
        return tuple(row for reaction in self.reactions for row in reaction.reactions)

    @property
    def vintage(self) -> pd.DataFrame:
        """Provenance, one row a series."""
        frames = [reaction.prices.vintage for reaction in self.reactions]
        if not frames:
            return pd.DataFrame(columns=["source"]).rename_axis("market")
        joined = pd.concat(frames)
        return joined[~joined.reset_index().duplicated().to_numpy()]

    def all_notes(self) -> list[str]:
        """Notes on day 0, on the loading and on each market, each once."""
        said = [*self.notes, *(f"{row.market}: {note}" for row in self.rows for note in row.notes)]
        return list(dict.fromkeys(wording.clean(note) for note in said))

    def answer(self, width: int | None = None) -> str:
        """Say what is true, what is not, and whether it matters, on lines of ``width`` characters if given."""
        from market_reaction.claims import words

        return wording.filled(words.answer(self), width)

    def to_frame(self) -> pd.DataFrame:
        """One row a claim, unrounded decimals: verdict, figure, threshold, reason, session, source, placebo p, rank.

        Returns
        -------
        pandas.DataFrame
            Indexed by number. ``figure`` and ``threshold`` are in ``unit`` and in the sense of what the sentence names;
            ``change`` is of the quote.
        """
        from market_reaction.claims import frames

        return frames.claims_frame(self)

    def rules(self) -> list[str]:
        """Rules by which the claims were judged, each once."""
        from market_reaction.claims.rules import stated_rules

        return stated_rules(verdict.claim.kind for verdict in self.verdicts)

    def summary(self) -> pd.DataFrame:
        """Count the claims of each sentence by verdict."""
        from market_reaction.claims import words

        frame = self.to_frame()
        counts = pd.crosstab(frame["sentence"], frame["verdict"]).reindex(frame["sentence"].unique())
        return counts.reindex(columns=list(words.TRUTHS), fill_value=0).rename_axis(columns=None)

    def plot(
        self,
        *,
        kind: Literal["claims", "placebo"] = "claims",
        market: str | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> go.Figure:
        """Chart of the result.

        Parameters
        ----------
        kind : {"claims", "placebo"}
            Each claim's move against the range claimed and the days it is compared with; or the placebo distribution
            of one market.
        market : str, optional
            Market of the placebo chart; the first when left out.
        theme : {"auto", "light", "dark"}
            ``"auto"`` is readable on a light and on a dark page.
        """
        from market_reaction.claims import chart

        return chart.draw(self, kind=kind, market=market, theme=theme)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Claims, what was not understood, the reactions behind them, and what is missing."""
        from market_reaction.claims import frames

        return frames.result_tables(self)

    def provenance(self) -> Provenance:
        """Parameters, vintage and package version."""
        return Provenance({"claims": list(self.sentences), **self.parameters}, self.vintage)

    def printed(self) -> dict[str, pd.DataFrame]:
        """Claims as they stand in a paper, rounded."""
        from market_reaction.claims import views

        return {"Claims": pd.DataFrame(views.lines(self), columns=list(views.HEADINGS))}

    def figures(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> dict[str, go.Figure]:
        """Charts of the result by name; each says so where there is nothing to draw."""
        return {"claims": self.plot(theme=theme)}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: decimals, ISO dates, None where not available."""
        from market_reaction.claims import frames

        return frames.claims_dict(self)

    def to_json(self) -> str:
        """The JSON form as text."""
        import json

        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    def _repr_html_(self) -> str:
        from market_reaction.claims import views

        return views.claims_html(self)
