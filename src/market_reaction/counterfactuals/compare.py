"""One call: what several shares did beyond several counterfactuals, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from pathlib import Path

import pandas as pd

from market_reaction.counterfactuals.result import LEADING, CounterfactualComparison
from market_reaction.counterfactuals.rows import Pool, benchmark_moves_of, columns_of, notes_of, rows_of
from market_reaction.counterfactuals.studies import loaded_series, study_shares
from market_reaction.errors import WindowError
from market_reaction.instruments import Instrument, find_instruments
from market_reaction.loading import SourceName, load_prices
from market_reaction.normal_models import NormalModel
from market_reaction.placebo import HISTORY, placebo_test
from market_reaction.placebo_result import JointPlacebo, PlaceboResult
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.progress import progress as progress_bar
from market_reaction.reaction import announcement_table
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EventWindows, Window, check_history


def compare_counterfactuals(
    announcement: str | datetime | None = None,
    *,
    date: str | Date | None = None,
    shares: Sequence[str | Instrument],
    benchmark: str | None = None,
    factors: Sequence[str] = (),
    donors: Sequence[str] = (),
    windows: EventWindows | Sequence[Window] | None = None,
    skip: pd.DataFrame | None = None,
    exclude: pd.DataFrame | None = None,
    history: int = HISTORY,
    source: SourceName = "auto",
    folder: str | Path | None = None,
    as_of: str | None = None,
    refresh: bool = False,
    progress: bool = True,
) -> CounterfactualComparison:
    """Measure what several shares did beyond several counterfactuals, and how unusual that was.

    Parameters
    ----------
    announcement : str or datetime
        A time stamp with a zone, or an id of the catalogue.
    date : str or date, optional
        Instead of ``announcement``: a bare date whose clock is unknown.
    shares : sequence of str or Instrument
        Shares that the news is about.
    benchmark : str, optional
        Market of the market model for all; each share's own when left out: S&P 500 for US shares, CSI 300 for A-shares.
    factors : sequence of str
        Markets that the factor model takes beside the benchmark.
    donors : sequence of str
        Shares that the news is not about: each synthetic control is made of those on its share's calendar.
    windows : EventWindows or sequence of pairs, optional
        Event windows; (0, 1) and (0, 5) when left out.
    skip : pandas.DataFrame, optional
        Events whose sessions are left out of the estimation windows.
    exclude : pandas.DataFrame, optional
        Events whose sessions are left out of the placebo pools.
    history : int
        Size of the placebo pools.
    source, folder, as_of, refresh, progress
        As in ``react``.

    Returns
    -------
    CounterfactualComparison
        Models ``"constant_mean"`` and ``"market"``; with ``factors`` also ``"factors"``, with ``donors`` also
        ``"synthetic_control"``. Shares that could not be had are in ``excluded``; it may hold no share at all.

    Raises
    ------
    AnnouncementTimeError
        No zone, no clock time, or both or none of ``announcement`` and ``date``.
    UnknownInstrumentError
        A market that is not known.
    WindowError
        A share among the donors, or windows that cannot be used.

    Notes
    -----
    Every model has its own placebo: |AR| / sigma on ``history`` pseudo-announcements, the model fitted anew for each
    (as in ``react``). "Beyond the market" is judged by that of the market model. A benchmark that the news moves as
    well makes the abnormal return a relative effect; donors that it moves make the synthetic control one.

    References
    ----------
    MacKinlay (1997), Journal of Economic Literature 35:13; Abadie, Diamond and Hainmueller (2010), JASA 105:493;
    Acemoglu, Johnson, Kermani, Kwak and Mitton (2016), Journal of Financial Economics 121:368.

    Examples
    --------
    >>> import market_reaction as mr
    >>> found = mr.compare_counterfactuals("2019-08-01-us", shares=["Apple", "Best Buy"], source="bundled")
    >>> found.summary()[["change", "abnormal_market"]].round(3).loc["Best Buy"].to_dict()
    {'change': -0.108, 'abnormal_market': -0.104}
    """
    check_history(history)
    table = announcement_table(announcement, date)
    chosen = windows if isinstance(windows, EventWindows) else EventWindows(event=tuple(windows)) if windows else None
    chosen = chosen or EventWindows()
    asked, given = find_instruments(shares), find_instruments(donors) if donors else []
    extra = find_instruments(factors) if factors else []
    _check_donors(asked, given)
    own = [benchmark] if benchmark else [one.benchmark for one in asked if one.benchmark]
    prices = load_prices(
        [*asked, *own, *extra, *given], events=table, windows=chosen, history=history, source=source, folder=folder,
        as_of=as_of, refresh=refresh, progress=progress,
    )  # fmt: skip
    inputs = _Inputs.of(prices, asked, benchmark, extra, given)
    parameters: dict[str, object] = {
        "announcement": str(table.index[0]), "shares": [one.name for one in asked], "benchmark": benchmark,
        "factors": [one.name for one in extra], "donors": [one.name for one in given],
        "windows": [list(window) for window in chosen.event], "estimation": list(chosen.estimation),
        "history": history, "skipped_events": 0 if skip is None else len(skip),
        "excluded_events": 0 if exclude is None else len(exclude), "source": source, "as_of": as_of,
    }  # fmt: skip
    return _compared(table, prices, inputs, chosen, Pool(history, skip, exclude), parameters)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Loaded shares, and what each normal return is made of."""

    shares: Mapping[str, PriceSeries]
    benchmark: str | None
    factors: Mapping[str, Sequence[str]]
    donors: Mapping[str, Sequence[str]]
    models: Sequence[NormalModel]
    missing: Mapping[str, str]

    @classmethod
    def of(
        cls,
        prices: PriceData,
        asked: Sequence[Instrument],
        benchmark: str | None,
        factors: Sequence[Instrument],
        donors: Sequence[Instrument],
    ) -> _Inputs:
        """Sort loaded series into shares, factors and donors of each share."""
        shares, extra, given = (loaded_series(prices, names) for names in (asked, factors, donors))
        missing = {str(row.market): str(row.reason) for row in prices.unavailable.itertuples()}
        by_share: dict[str, list[str]] = {}
        by_hours: dict[str, list[str]] = {}
        for name, series in shares.items():
            own = benchmark or series.instrument.benchmark
            names = [*([prices[own].name] if own and own not in missing else []), *extra]
            by_share[name] = list(dict.fromkeys(names)) if extra else []
            calendar = series.instrument.calendar
            by_hours[name] = [one for one, donor in given.items() if donor.instrument.calendar == calendar]
        wanted: list[NormalModel] = ["constant_mean", LEADING]
        wanted += ["factors"] if factors else []
        wanted += ["synthetic_control"] if donors else []
        return cls(shares, benchmark, by_share, by_hours, wanted, missing)


def _check_donors(shares: Sequence[Instrument], donors: Sequence[Instrument]) -> None:
    """Refuse a donor that the news is about."""
    both = [one.name for one in donors if one.name in {share.name for share in shares}]
    if both:
        raise WindowError(
            f"donors= and shares= both name {', '.join(both)}: a share that the news is about is no control. Leave it "
            "out of one of the two."
        )


def _compared(
    table: pd.DataFrame,
    prices: PriceData,
    inputs: _Inputs,
    windows: EventWindows,
    pool: Pool,
    parameters: Mapping[str, object],
) -> CounterfactualComparison:
    """Study, placebo and rows of every model."""
    event = table.iloc[0]
    asked = [str(one) for one in parameters["shares"]]  # type: ignore[attr-defined]
    lost = [(one, "all", inputs.missing[one]) for one in asked if one in inputs.missing]
    studies: dict[str, EventStudyResult] = {}
    placebos: dict[str, PlaceboResult] = {}
    rows: list[dict[str, object]] = []
    joint: JointPlacebo | None = None
    for model in progress_bar(inputs.models, "counterfactuals"):
        able, why = _able(inputs, model)
        study, reasons = study_shares(
            prices, table, able, windows, model, benchmark=inputs.benchmark, factors=inputs.factors,
            donors=inputs.donors, skip=pool.skip,
        )  # fmt: skip
        lost += [(share, model, reason) for share, reason in (why | reasons).items()]
        if study is None:
            continue
        studies[model] = study
        placebos[model] = placebo_test(study, prices, history=pool.history, exclude=pool.exclude)
        found, others = rows_of(event, study, placebos[model], pool)
        rows += found
        if model == LEADING:
            leading = placebos[model].joint.get(str(event.name))
            joint = None if leading is None else leading.cautious(others)
    order = {share: number for number, share in enumerate(inputs.shares)}
    frame = pd.DataFrame(rows, columns=columns_of(windows))
    keys = pd.DataFrame({"share": frame["share"].map(order), "other": ~frame["headline"].astype(bool)})
    frame = frame.loc[
        keys.assign(session=frame["session"]).sort_values(["share", "other", "session"], kind="stable").index
    ]
    return CounterfactualComparison(
        event=event, rows=frame.reset_index(drop=True), studies=studies, placebos=placebos, joint=joint,
        benchmarks=benchmark_moves_of(table, prices, studies, windows, pool),
        excluded=pd.DataFrame(lost, columns=["share", "model", "reason"], dtype=str),
        notes=notes_of(event, inputs.missing, studies, prices, asked), prices=prices, parameters=parameters,
        exclude=pool.exclude,
    )  # fmt: skip


def _able(inputs: _Inputs, model: str) -> tuple[list[str], dict[str, str]]:
    """Shares whose normal return has its inputs, and why the others have not."""
    needs = {"factors": inputs.factors, "synthetic_control": inputs.donors}.get(model)
    if needs is None:
        return list(inputs.shares), {}
    least = 1 if model == "factors" else 2
    why = {
        share: "no factor could be had"
        if model == "factors"
        else f"{len(needs[share])} donors trade on its calendar; a mix needs at least 2"
        for share in inputs.shares
        if len(needs[share]) < least
    }
    return [share for share in inputs.shares if share not in why], why
