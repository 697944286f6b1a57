"""One effect for several shares, each against its own synthetic control, good matches weighing more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction import tables, wording
from market_reaction.baskets import basket_effect
from market_reaction.errors import WindowError
from market_reaction.exports import Exportable, Provenance
from market_reaction.tables import cell
from market_reaction.windows import Window

if TYPE_CHECKING:
    from market_reaction.counterfactuals.result import CounterfactualComparison


@dataclass(frozen=True, slots=True, repr=False)
class BasketReaction(Exportable):
    """Precision-weighted effect on a basket.

    Attributes
    ----------
    title : str
        Title of the announcement.
    frame : pandas.DataFrame
        Row of ``basket_effect``, with the rank in time; empty where there is none.
    markets : tuple of str
        Shares of the basket.
    members : pandas.DataFrame
        Indexed by share: weight (share of 1 / s_i), abnormal (CAR against its synthetic control).
    window : tuple of int
        Inclusive session offsets.
    excluded : pandas.DataFrame
        Columns share, reason.
    parameters, vintage
        Provenance.
    why_not : str
        Why there is no effect; empty where there is one.
    """

    title: str
    frame: pd.DataFrame
    markets: tuple[str, ...]
    members: pd.DataFrame
    window: Window
    excluded: pd.DataFrame
    parameters: Mapping[str, object]
    vintage: pd.DataFrame
    why_not: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Estimate, ranks among donors and among earlier days, floors and counts, unrounded; as ``basket_effect``."""
        return self.frame.copy()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Effect, members and what was left out, by name."""
        measured = {"Basket": self.to_frame(), "Members": self.members}
        return {name: frame.assign(unit="return") for name, frame in measured.items()} | {"Left out": self.excluded}

    def printed(self) -> dict[str, pd.DataFrame]:
        """The basket and its shares as they stand in a paper; why there is no effect where there is none."""
        if not len(self.members):
            return {"Not measured": self._left_out()}
        over = wording.sessions_of(self.window)
        return {f"The basket against its synthetic controls {over}": self._lines()}

    def _lines(self) -> pd.DataFrame:
        """Shares, and the basket below them, as they are read."""
        first, last = self.window
        rows = [
            [str(share), wording.share(row["weight"]), wording.move(row["abnormal"], "return"), "", "", "", ""]
            for share, row in self.members.iterrows()
        ]
        for row in self.frame.to_dict("records"):
            rows.append([
                "basket", wording.share(1.0), wording.move(row["estimate"], "return"),
                wording.p_and_floor(row["time_p"], row["time_p_floor"]), f"{row['n_placebo']:.0f}",
                wording.size(row["time_mde"], "return"), wording.p_and_floor(row["placebo_p"], row["placebo_p_floor"]),
            ])  # fmt: skip
        headings = ["Share", "Weight", f"CAR[{first},{last}]", tables.PLACEBO, "Compared days", "Smallest detectable",
                    "p among donors (floor)"]  # fmt: skip
        return pd.DataFrame(rows, columns=headings, dtype=str)

    def _left_out(self) -> pd.DataFrame:
        """What was left out and why, with the basket itself where it has no effect."""
        why = [[wording.listed(self.markets) or "basket", self.why_not]] if self.why_not else []
        rows = [*why, *self.excluded[["share", "reason"]].to_numpy().tolist()]
        return pd.DataFrame(rows, columns=["Share", "Reason"], dtype=str)

    def provenance(self) -> Provenance:
        """Parameters, and source and checksum of every series."""
        return Provenance({**self.parameters, "basket": list(self.markets), "window": self.window}, self.vintage)

    def answer(self, width: int | None = None) -> str:
        """Say what the basket did beyond its synthetic controls, and how unusual that was."""
        return wording.filled(wording.clean(self._sentence()), width)

    def _sentence(self) -> str:
        if self.why_not:
            return f"No basket effect: {self.why_not}"
        row = self.frame.iloc[0]
        rank = float(row["time_p"])
        verdict = "no rank in time: " + str(row["time_note"])
        if math.isfinite(rank):
            what = "unusual" if rank <= wording.UNUSUAL else "not distinguishable from ordinary days"
            verdict = (
                f"placebo p {wording.p_value(rank)} among {row['n_placebo']} earlier days, floor "
                f"{wording.p_value(row['time_p_floor'])}: {what}; smallest detectable "
                f"{wording.size(row['time_mde'], 'return')}"
            )
        donors = (
            f"p {wording.p_value(row['placebo_p'])} among groups of donors, floor "
            f"{wording.p_value(row['placebo_p_floor'])}"
            if math.isfinite(float(row["placebo_p"]))
            else f"no rank among donors: {row['note']}"
        )
        return (
            f"The basket of {wording.listed(self.markets)} moved {wording.move(row['estimate'], 'return')} beyond its "
            f"synthetic controls {wording.sessions_of(self.window)} ({verdict}; {donors})."
        )

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<BasketReaction: {self.answer()}>"

    def _repr_html_(self) -> str:
        lost = self.excluded.rename(columns=str.capitalize)
        parts = [
            f"<h3>{cell('The basket against its synthetic controls')}</h3>",
            f'<p class="mr-quiet">{cell(self.title)}</p>',
            f'<p class="mr-answer">{cell(self.answer())}</p>',
            tables.lines_table(self._lines()),
            '<p class="mr-quiet">Weight: by the fit before the event, 1 / s over its sum, s the root mean squared '
            "estimation residual. Among donors: random groups of as many donors stand in for the basket; that supposes "
            "donors as volatile as the basket. Among earlier days: the same basket on other days.</p>",
            tables.folded(f"{len(lost)} left out", tables.lines_table(lost)),
        ]
        return tables.wrapped(parts)


def basket_reaction(
    result: CounterfactualComparison, markets: Sequence[str] | None, window: Window, history: int | None
) -> BasketReaction:
    """Basket of some shares of a comparison; the reason where there is none."""
    study = result.studies.get("synthetic_control")
    known = [] if study is None else list(dict.fromkeys(market for _, market in study.pairs))
    asked = known if markets is None else list(markets)
    by_name = {name.casefold(): name for name in known}
    chosen = [by_name[name.casefold()] for name in asked if name.casefold() in by_name]
    lost = [(name, _reason(result, name)) for name in asked if name.casefold() not in by_name]
    excluded = pd.DataFrame(lost, columns=["share", "reason"], dtype=str)
    members = pd.DataFrame(columns=["weight", "abnormal"], index=pd.Index([], name="share"))
    size = int(str(result.parameters["history"])) if history is None else history
    frame, why = pd.DataFrame(), ""
    if study is None or not chosen:
        why = "none of its shares has a synthetic control; name donors that trade in the same hours."
    else:
        try:
            frame = basket_effect(study, markets=chosen, window=window, history=size, exclude=result.exclude)
        except WindowError as error:
            why = str(error)
        else:
            members = _members(result, chosen, window)
    return BasketReaction(
        title=str(result.event["title"]), frame=frame, markets=tuple(chosen), members=members, window=window,
        excluded=excluded, parameters=result.parameters, vintage=result.prices.vintage, why_not=why,
    )  # fmt: skip


def _reason(result: CounterfactualComparison, name: str) -> str:
    """Why a share of the basket has no synthetic control."""
    rows = result.excluded[result.excluded["model"].isin(["all", "synthetic_control"])]
    found = rows.loc[rows["share"].str.casefold().eq(name.casefold()), "reason"]
    return str(found.iloc[0]) if len(found) else "it is not among the shares compared"


def _members(result: CounterfactualComparison, chosen: Sequence[str], window: Window) -> pd.DataFrame:
    """Weight and CAR of each share of the basket."""
    study = result.studies["synthetic_control"]
    pairs = {market: pair for (_, market), pair in study.pairs.items() if market in chosen}
    rows = {
        market: {
            "weight": 1 / math.sqrt(float((pairs[market].fit.residuals ** 2).mean())),
            "abnormal": pairs[market].car(window)[0],
        }
        for market in chosen
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("share")
    precision = frame["weight"].where(frame["abnormal"].notna(), 0.0)
    return frame.assign(weight=precision / precision.sum())
