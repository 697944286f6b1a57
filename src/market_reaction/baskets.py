"""One effect for a basket of markets, each against its own synthetic control, good matches weighing more."""

from __future__ import annotations

import numpy as np
import pandas as pd

from market_reaction.design import regressor_moves
from market_reaction.errors import WindowError
from market_reaction.normal_models.baskets import basket_effect as effect_of_arrays
from market_reaction.normal_models.baskets import basket_placebo
from market_reaction.normal_models.fits import rows_or_nan
from market_reaction.pair_study import PairStudy
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window


def basket_effect(
    study: EventStudyResult, *, window: Window | None = None, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Precision-weighted effect of every event on all markets of a study, ranked among random groups of donors.

    Parameters
    ----------
    study : EventStudyResult
        Run with ``normal_model="synthetic_control"``: its markets are the basket, its donors the controls.
    window : tuple of int, optional
        Inclusive session offsets; the first event window when left out.
    draws : int
        Number of random groups of donors.
    seed : int
        Seed of the draws.

    Returns
    -------
    pandas.DataFrame
        Indexed by event_id: window, estimate (phi, in the unit of the moves), placebo_p, placebo_p_floor, n_treated and
        n_donors (those with a return on every session of the window; the note says when some lack one), note. The
        estimate has no standard error; its p is the rank among groups of donors.

    Raises
    ------
    WindowError
        Another model, markets whose reaction sessions differ, or a window beyond the study's.
    EstimationError
        A market that is an exact mix of donors.

    Notes
    -----
    phi = [sum_i CAR_i / s_i] / [sum_i 1 / s_i], s_i the root mean squared estimation residual. Assumes that treated
    markets and donors are exchangeable without the event, and that the event does not reach the donors.

    References
    ----------
    Acemoglu, Johnson, Kermani, Kwak and Mitton (2016), Journal of Financial Economics 121:368.
    """
    if study.design.normal_model != "synthetic_control":
        raise WindowError(
            f"the study has normal_model={study.design.normal_model!r}; run event_study with "
            "normal_model='synthetic_control' and donors= for the effect on a basket."
        )
    low, high = study.windows.span_offsets
    chosen = study.windows.event[0] if window is None else window
    if not low <= chosen[0] <= chosen[1] <= high:
        raise WindowError(
            f"window={chosen} reaches beyond the offsets {low} to {high} of this study. Run event_study with a larger "
            "event window."
        )
    rows = []
    for event_id in study.events.index:
        pairs = {market: pair for (key, market), pair in study.pairs.items() if key == event_id}
        if pairs:
            rows.append({"event_id": event_id, "window": chosen} | _one_event(study, pairs, chosen, draws, seed))
    columns = ["event_id", "window", "estimate", "placebo_p", "placebo_p_floor", "n_treated", "n_donors", "note"]
    return pd.DataFrame(rows, columns=columns).set_index("event_id")


def _one_event(
    study: EventStudyResult, pairs: dict[str, PairStudy], window: Window, draws: int, seed: int
) -> dict[str, object]:
    """Effect and rank of one event."""
    arrays = _arrays(study, pairs, window)
    effect = effect_of_arrays(*arrays)
    test = basket_placebo(*arrays, draws=draws, seed=seed)
    n_treated = int(np.isfinite(effect.cars[-1]).sum())
    absent = f"{n_treated} of {len(pairs)} markets have a return on every session of the window"
    return {
        "estimate": float(effect.phi[-1]),
        "placebo_p": test.p_value,
        "placebo_p_floor": test.floor,
        "n_treated": n_treated,
        "n_donors": test.n,
        "note": "; ".join(text for text in (test.note, absent if n_treated < len(pairs) else "") if text),
    }


def _arrays(
    study: EventStudyResult, pairs: dict[str, PairStudy], window: Window
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Moves of the basket and of the donors in the estimation and the event window, by session of the first market."""
    days = {market: study.prices[market].sessions[pair.position] for market, pair in pairs.items()}
    if len(set(days.values())) > 1:
        found = ", ".join(f"{market} {day:%Y-%m-%d}" for market, day in days.items())
        raise WindowError(f"the markets of a basket must see the news in one session: {found}. Study them apart.")
    first = study.prices[next(iter(pairs))]
    donors = study.design.regressors[first.name]
    position = pairs[first.name].position
    estimation = position + np.arange(study.windows.estimation[0], study.windows.estimation[1] + 1)
    event = position + np.arange(window[0], window[1] + 1)
    skipped = study.design.counterfactual(first, study.prices, study.windows).skipped
    left_out = np.zeros(len(estimation), dtype=bool) if skipped is None else skipped[estimation]
    parts = []
    for names in (list(pairs), donors):
        moves = regressor_moves(first, [study.prices[name] for name in names], study.design.returns)
        assert moves is not None  # neither list is empty
        parts.append(np.where(left_out[:, None], np.nan, moves[estimation]))
        parts.append(rows_or_nan(moves, event))
    return parts[0], parts[1], parts[2], parts[3]
