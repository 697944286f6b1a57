"""One study of several shares, each with its own benchmark, factors and donors; a share that fails does not stop it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from market_reaction.errors import MarketReactionWarning, UnknownInstrumentError, WindowError
from market_reaction.instruments import Instrument
from market_reaction.normal_models import NORMAL_MODELS, NormalModel
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.study import event_study
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EventWindows


def loaded_series(prices: PriceData, asked: Sequence[Instrument]) -> dict[str, PriceSeries]:
    """Series of the instruments asked for that could be had, by the name shown, in the order asked for."""
    found = {one.instrument.name: one for one in prices}
    return {found[one.name].name: found[one.name] for one in asked if one.name in found}


def study_shares(
    prices: PriceData,
    events: pd.DataFrame,
    shares: Sequence[str],
    windows: EventWindows,
    normal_model: NormalModel,
    *,
    benchmark: str | None = None,
    factors: Mapping[str, Sequence[str]] | None = None,
    donors: Mapping[str, Sequence[str]] | None = None,
    skip: pd.DataFrame | None = None,
) -> tuple[EventStudyResult | None, dict[str, str]]:
    """Study of the shares that the model can measure, and the reason by share for the others.

    Parameters
    ----------
    prices : PriceData
        Series of the shares and of what their normal returns are made of.
    events : pandas.DataFrame
        Event table.
    shares : sequence of str
        Names shown of loaded series.
    windows : EventWindows
        Windows.
    normal_model : str
        Counterfactual.
    benchmark : str, optional
        One for all; each share's own when left out.
    factors, donors : mapping of str to sequence of str, optional
        Those of each share.
    skip : pandas.DataFrame, optional
        As in ``event_study``.
    """
    takes = NORMAL_MODELS[normal_model].regressors
    studies, reasons = [], {}
    for share in shares:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MarketReactionWarning)  # the notes of the result say the same
                studies.append(
                    event_study(
                        prices, events, markets=[share], windows=windows, normal_model=normal_model,
                        benchmark=benchmark if takes == "benchmark" else None,
                        factors=(factors or {}).get(share, ()) if takes == "factors" else (),
                        donors=(donors or {}).get(share, ()) if takes == "donors" else (), skip=skip,
                    )
                )  # fmt: skip
        except (UnknownInstrumentError, WindowError) as error:
            reasons[share] = str(error).splitlines()[0]
    return (merged(studies) if studies else None), reasons


def merged(studies: Sequence[EventStudyResult]) -> EventStudyResult:
    """One study of the markets of several that differ in nothing but these."""
    first = studies[0]
    design = replace(
        first.design,
        regressors={name: value for one in studies for name, value in one.design.regressors.items()},
        units={name: value for one in studies for name, value in one.design.units.items()},
    )
    return EventStudyResult(
        pairs={key: pair for one in studies for key, pair in one.pairs.items()},
        events=first.events,
        sessions=pd.concat([one.sessions for one in studies]),
        windows=first.windows,
        design=design,
        excluded=pd.concat([one.excluded for one in studies], ignore_index=True),
        prices=first.prices,
    )
