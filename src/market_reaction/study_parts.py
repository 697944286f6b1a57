"""Parts of a study: some of its events, in some of its markets, without measuring anything again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from market_reaction.study_result import EventStudyResult


def part_of(study: EventStudyResult, keys: Sequence[tuple[str, str]], events: pd.Index) -> EventStudyResult:
    """The same study with some of its events and pairs only."""
    of_events = study.sessions.index.get_level_values("event_id").isin(events)
    return replace(
        study,
        pairs={key: study.pairs[key] for key in keys},
        events=study.events.loc[events],
        sessions=study.sessions[of_events],
        excluded=study.excluded[study.excluded["event_id"].isin(events)].reset_index(drop=True),
    )
