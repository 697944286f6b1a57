"""Results of several models or settings side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction.errors import WindowError

if TYPE_CHECKING:
    from market_reaction.placebo_result import PlaceboResult
    from market_reaction.reaction_result import ReactionResult
    from market_reaction.study_result import EventStudyResult


def compare(results: Mapping[str, EventStudyResult | ReactionResult | PlaceboResult]) -> pd.DataFrame:
    """Set the summaries of several results side by side.

    Parameters
    ----------
    results : mapping of str to EventStudyResult, ReactionResult or PlaceboResult
        Results by label, such as the name of their normal-return model.

    Returns
    -------
    pandas.DataFrame
        One row a market (an event and market for the placebo tests of several events); columns are pairs of quantity
        and label, one quantity after the other. A quantity or market that a result does not have is NaN there.

    Raises
    ------
    WindowError
        Nothing to compare.

    Examples
    --------
    >>> import market_reaction as mr
    >>> models = {
    ...     name: mr.react("2018-03-22 16:45 UTC", markets=["Apple"], normal_model=name, source="bundled")
    ...     for name in ("constant_mean", "market")
    ... }
    >>> mr.compare(models).loc["Apple", "estimate"].astype(float).round(3).to_dict()
    {'constant_mean': -0.015, 'market': 0.014}
    """
    if not results:
        raise WindowError("results is empty; give at least one label and result.")
    frames = {}
    for label, result in results.items():
        frame = result.summary()
        if frame.index.nlevels > 1 and len(frame.index.unique("event_id")) == 1:
            frame = frame.droplevel("event_id")
        frames[label] = frame
    quantities = dict.fromkeys(name for frame in frames.values() for name in frame.columns)
    by_label = pd.concat(frames, axis=1, sort=False)
    order = [(label, name) for name in quantities for label in frames if name in frames[label]]
    return by_label[order].swaplevel(axis=1)
