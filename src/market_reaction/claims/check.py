"""From sentences to verdicts: read, load, measure, judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date as Date
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from market_reaction import events as event_tables
from market_reaction.battery.options import checked_margins
from market_reaction.claims.claim import DAY_ZERO, Claim, ClaimError
from market_reaction.claims.markets import STAND_INS, STOOD_IN_FOR, Named, find_market, near_market
from market_reaction.claims.parse import NotUnderstood, parse_claims
from market_reaction.claims.result import ClaimsResult
from market_reaction.claims.verdicts import Verdict, judge, unavailable
from market_reaction.errors import AnnouncementTimeError, DataUnavailableError, WindowError
from market_reaction.instruments import find_instrument
from market_reaction.loading import SourceName, load_prices
from market_reaction.placebo import HISTORY
from market_reaction.reaction import react
from market_reaction.reaction_result import ReactionResult
from market_reaction.windows import EventWindows

LARGEST_MARGIN = 0.5  # of a market in returns; a larger one is meant in per cent


class _Day(NamedTuple):
    """What sets day 0: a date, or an event."""

    date: str | None
    event: str | None

    @property
    def table(self) -> pd.DataFrame:
        """The event as a table of one row."""
        return event_tables.dated(self.date) if self.date is not None else event_tables.announcement(str(self.event))

    @property
    def session(self) -> pd.Timestamp | None:
        """Session that a date asks for."""
        return None if self.date is None else pd.Timestamp(self.date)


def check_claims(
    claims: str | Claim | Sequence[str | Claim],
    *,
    date: str | Date | None = None,
    event: str | None = None,
    margin: float | Mapping[str, float] | None = None,
    source: SourceName = "auto",
    folder: str | Path | None = None,
    history: int = HISTORY,
    as_of: str | None = None,
    progress: bool = True,
) -> ClaimsResult:
    """Judge what sentences of the press say of markets, and whether it was more than an ordinary day.

    Parameters
    ----------
    claims : str, Claim, or sequence of them
        Plain English sentences such as ``"The CSI 300 rose almost 1%, its best day in weeks"``, read by a table of
        patterns, or claims put together by hand.
    date : str or date, optional
        Day 0 is each market's session of that date. A claim on a market that had none is not decidable.
    event : str, optional
        Instead of ``date``: a time with zone or an id of the catalogue. Day 0 is each market's first session that
        closes after it. A date within a sentence goes before both.
    margin : float or mapping of str to float, optional
        Largest move that still counts as stable, fixed before looking, in the unit of the market: 0.003 for 0.3%, and
        at most 0.5 for returns. A mapping names markets as the sentences or the catalogue do, or the one standing in.
        Without it "stable" has no verdict. Only claims that a market was stable use it: a single number holds for those
        in returns, or for all where they share a unit, and ``notes`` name the ones left without.
    source : {"auto", "yahoo", "bundled", "files"}
        Where prices come from.
    folder : str or Path, optional
        Folder of CSV or Parquet files for ``source="files"``.
    history : int
        Earlier days that a move is compared with.
    as_of : str, optional
        Use snapshots retrieved at or before this date, to repeat an old run.
    progress : bool
        Show a bar while several symbols are downloaded.

    Returns
    -------
    ClaimsResult
        A verdict for every claim; every part of a sentence that no pattern covers is in ``not_understood``.

    Raises
    ------
    AnnouncementTimeError
        Neither ``date`` nor ``event`` is given and a claim has none of its own, or both are.
    UnknownInstrumentError
        A claim put together by hand, or a margin, names a market that is not known.
    WindowError
        A margin of a market said to be stable is not above zero, or above 0.5 where it moves in returns.
    ClaimError
        Something else than sentences and claims is given.

    Notes
    -----
    Direction and figures are of closes, unrounded, from the close before; the rules are in
    ``market_reaction.claims.rules``. The offshore yuan is judged on USD/CNH with the sign turned. Where no source has
    USD/CNH, USD/CNY stands in under its own name, and the verdict says so.

    Examples
    --------
    >>> import market_reaction as mr
    >>> said = "The CSI 300 rose almost 1%, its best day in weeks"
    >>> found = mr.check_claims(said, date="2025-06-11", source="bundled")
    >>> [verdict.truth for verdict in found]
    ['true', 'true', 'true']
    >>> found.verdicts[2].finding.record_since.date().isoformat()
    '2025-05-14'
    """
    read, rest = _read(claims)
    default = _default_day(date, event)
    days = [_day(claim, default) for claim in read]
    named = [find_market(claim.market) for claim in read]
    margins, unused = _margins(margin, read, named)
    settings: dict[str, Any] = {
        "source": source, "folder": folder, "history": history, "as_of": as_of, "progress": progress,
    }  # fmt: skip
    verdicts: dict[int, Verdict] = {}
    reactions, lost, notes = [], [], list(unused)
    for day in dict.fromkeys(days):
        numbers = [at for at, own in enumerate(days) if own == day]
        measured = _measure(day, [named[at] for at in numbers], [read[at].window for at in numbers], settings)
        reactions += [measured.reaction] if measured.reaction is not None else []
        lost.append(measured.missing)
        notes += [note for note in measured.notes if note not in notes]
        for at in numbers:
            verdicts[at] = _verdict(read[at], named[at], measured, margins.get(named[at].instrument.name), day)
    parameters = {
        "date": None if date is None else str(date), "event": event, "margin": margins, **settings,
        "folder": None if folder is None else str(folder),
    }  # fmt: skip
    del parameters["progress"]
    missing = pd.concat(lost, ignore_index=True).drop_duplicates() if lost else _no_rows()
    return ClaimsResult(
        sentences=_texts(claims),
        verdicts=tuple(verdicts[at] for at in range(len(read))),
        not_understood=rest,
        reactions=tuple(reactions),
        excluded=missing,
        parameters=parameters,
        notes=tuple(notes),
    )


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({"market": [], "reason": []}, dtype=str)


def _listed(claims: str | Claim | Sequence[str | Claim]) -> list[str | Claim]:
    listed = [claims] if isinstance(claims, str | Claim) else list(claims)
    wrong = next((item for item in listed if not isinstance(item, str | Claim)), None)
    if wrong is not None or not listed:
        got = "nothing" if not listed else repr(wrong)
        raise ClaimError(f"claims takes sentences and Claim objects; got {got}. Give at least one sentence.")
    return listed


def _texts(claims: str | Claim | Sequence[str | Claim]) -> tuple[str, ...]:
    """What was given, as sentences, each once."""
    return tuple(dict.fromkeys(item if isinstance(item, str) else item.said for item in _listed(claims)))


def _read(claims: str | Claim | Sequence[str | Claim]) -> tuple[list[Claim], tuple[NotUnderstood, ...]]:
    """Claims of everything given, in order, and what was not understood."""
    found: list[Claim] = []
    rest: list[NotUnderstood] = []
    for item in _listed(claims):
        if isinstance(item, Claim):
            found.append(item)
            continue
        reading = parse_claims(item)
        found += reading.claims
        rest += reading.not_understood
    return found, tuple(rest)


def _default_day(date: str | Date | None, event: str | None) -> _Day | None:
    if date is not None and event is not None:
        raise AnnouncementTimeError(f"date={str(date)!r} and event={event!r} both set day 0; give one of them.")
    return None if date is None and event is None else _Day(None if date is None else str(date), event)


def _day(claim: Claim, default: _Day | None) -> _Day:
    """Day 0 of a claim: its own, else the one given for all."""
    if claim.date is not None or claim.event is not None:
        return _Day(None if claim.date is None else str(claim.date), claim.event)
    if default is None:
        raise AnnouncementTimeError(
            f"'{claim.said}' does not say when. Give date='2025-06-11', or event= with a time and its zone "
            "or an id of the catalogue, such as '2025-06-10-jt'."
        )
    return default


def _margins(
    margin: float | Mapping[str, float] | None, claims: Sequence[Claim], named: Sequence[Named]
) -> tuple[dict[str, float], list[str]]:
    """Margins of the markets said to be stable, by name of instrument, and what of the margin is not used."""
    stable = [found.instrument for claim, found in zip(claims, named, strict=True) if claim.kind == "stable"]
    units = {market.name: market.change_unit for market in stable}
    if margin is None or not units:
        return {}, []
    if isinstance(margin, Mapping):
        asked = {find_market(str(name)).instrument.name: value for name, value in margin.items()}
        direct = {name: value for name, value in asked.items() if name in units}
        reserve = {STOOD_IN_FOR[name]: value for name, value in asked.items() if STOOD_IN_FOR.get(name) in units}
        unused = [name for name in asked if name not in units and STOOD_IN_FOR.get(name) not in units]
        notes = [f"The margin of {name} is not used: no sentence says that it was stable." for name in unused]
        return _bounded(checked_margins(reserve | direct, units), units), notes
    shared = len(set(units.values())) == 1
    given = {name: margin for name, unit in units.items() if shared or unit == "return"}
    notes = [
        f"margin={margin:g} is one number, which holds for markets in returns; {name} moves in {unit} and has none. "
        f"Give one for each: margin={{{name!r}: ...}}."
        for name, unit in units.items()
        if name not in given
    ]
    return _bounded(checked_margins(given, units), units), notes


def _bounded(margins: dict[str, float], units: Mapping[str, str]) -> dict[str, float]:
    """Margins, none of a return so large that per cent were meant."""
    for market, value in margins.items():
        if units[market] == "return" and value > LARGEST_MARGIN:
            raise WindowError(
                f"margin={value:g} for {market!r} is {100 * value:g}%, above the bound of {LARGEST_MARGIN:g} for"
                " returns: margins are decimals: 0.01 is 1%."
            )
    return margins


class _Measured(NamedTuple):
    """All markets of one day 0."""

    reaction: ReactionResult | None
    missing: pd.DataFrame
    notes: tuple[str, ...]


def _measure(
    day: _Day, named: Sequence[Named], windows: Sequence[tuple[int, int]], settings: Mapping[str, Any]
) -> _Measured:
    """Measure the markets named, or those standing in for the ones that no source has."""
    asked = list(dict.fromkeys(found.instrument for found in named))
    reserve = [find_instrument(STAND_INS[market.name]) for market in asked if market.name in STAND_INS]
    chosen = EventWindows(event=tuple(sorted({DAY_ZERO, *windows})))
    prices = load_prices([*asked, *reserve], events=day.table, windows=chosen, **settings)
    at_hand = {series.instrument.name for series in prices}
    known = {market.name: market for market in (*asked, *reserve) if market.name in at_hand}
    wanted = [known.get(market.name) or known.get(STAND_INS.get(market.name, "")) for market in asked]
    markets = list(dict.fromkeys(market for market in wanted if market is not None))
    missing = prices.unavailable[prices.unavailable["market"].isin([market.name for market in asked])]
    if not markets:
        return _Measured(None, missing, prices.notes)
    try:
        reaction = react(day.event, date=day.date, markets=markets, windows=chosen, **settings)
    except DataUnavailableError as error:
        rows = [(market.name, str(error)) for market in asked if market.name not in set(missing["market"])]
        more = pd.DataFrame(rows, columns=["market", "reason"], dtype=str)
        return _Measured(None, pd.concat([missing, more], ignore_index=True), prices.notes)
    missing = pd.concat([missing, reaction.prices.unavailable], ignore_index=True)
    return _Measured(reaction, missing, reaction.notes)


def _verdict(claim: Claim, named: Named, measured: _Measured, margin: float | None, day: _Day) -> Verdict:
    """Judge one claim on the market it names, or the one standing in."""
    name = named.instrument.name
    rows = {} if measured.reaction is None else {row.series.instrument.name: row for row in measured.reaction.reactions}
    row = rows.get(name) or rows.get(STAND_INS.get(name, ""))
    if row is not None and measured.reaction is not None:
        return judge(claim, named, measured.reaction, row, margin, day.session)
    reasons = measured.missing.loc[measured.missing["market"] == name, "reason"]
    reason = str(reasons.iloc[0]) if len(reasons) else "it could not be measured."
    return unavailable(claim, name, f"{reason}{near_market(named.instrument)}")
