"""How much one event makes of the mean over several."""

from __future__ import annotations

import numpy as np
import pandas as pd

from market_reaction.battery.many_events import ManyEvents
from market_reaction.battery.options import BatteryOptions
from market_reaction.errors import WindowError
from market_reaction.inference.parametric import event_level_t
from market_reaction.inference.projections import leave_one_out
from market_reaction.responses.pairs import market_of
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window


def leave_one_event_out(study: EventStudyResult, market: str, window: Window | None = None) -> pd.DataFrame:
    """Mean CAR of a market without each event in turn, the most influential first.

    Parameters
    ----------
    study : EventStudyResult
        Study of several events.
    market : str
        By name or symbol.
    window : tuple of int, optional
        Inclusive offsets inside the study's windows; the first event window when left out.

    Returns
    -------
    pandas.DataFrame
        Indexed by event_id: car, cluster, mean_car (of all clusters), mean_without, change, p_value_without,
        n_without. Moves are in the unit of the market.

    Raises
    ------
    UnknownInstrumentError
        A market that is not studied.
    WindowError
        A window beyond the study's, or fewer than two clusters with a CAR.

    Notes
    -----
    As in ``tests()``, events whose windows overlap are one cluster, which counts with its mean CAR and is left out as a
    whole. p_value_without is that of ``event_level_t`` over the clusters that remain.

    Examples
    --------
    >>> import market_reaction as mr
    >>> events = mr.load_events()
    >>> chosen = events["precision"].eq("minute") & events["surprise"].eq("surprise")
    >>> events = events[chosen & (events["announced_utc"] < "2025-09-01")]
    >>> prices = mr.load_prices(["CSI 300", "VIX"], events=events, source="bundled")
    >>> study = mr.event_study(prices, events, windows=mr.EventWindows(event=(0, 0)))
    >>> mr.leave_one_event_out(study, "CSI 300")[["car", "mean_without"]].head(2).round(4)
                      car  mean_without
    event_id...
    2019-05-05-us -0.0626        0.0038
    2025-04-07-us  0.0152       -0.0040
    """
    name = market_of(study, "market", market)
    cars = study.car(window)["estimate"].xs(name, level="market")
    many = ManyEvents(study, name, BatteryOptions(window=window))
    values = many.cluster_cars
    count = int(np.isfinite(values).sum())
    if count < 2:
        raise WindowError(
            f"{name!r} has a CAR over {many.window} for {count} separate event(s); at least 2 are needed to leave one "
            "out. Study more events, or use placebo_test for a single one."
        )
    mean = float(np.nanmean(values))
    without = leave_one_out(values)
    tests = [event_level_t(np.delete(values, at)) for at in range(len(values))]
    frame = pd.DataFrame(
        {
            "car": cars,
            "cluster": many.clusters,
            "mean_car": mean,
            "mean_without": without[many.clusters],
            "change": without[many.clusters] - mean,
            "p_value_without": [tests[at].p_value for at in many.clusters],
            "n_without": count - 1,
        },
        index=cars.index,
    )
    return frame.sort_values("change", key=np.abs, ascending=False, kind="stable")
