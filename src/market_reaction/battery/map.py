"""The map of tests for a case at hand: what is valid, what is not, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from market_reaction.battery.registry import EVENTS, MARKETS, ONE_MARKET, TESTS, Setting

if TYPE_CHECKING:
    from market_reaction.reaction_result import ReactionResult
    from market_reaction.study_result import EventStudyResult

_ORDER = ("headline", "secondary", "cross-check", "contrast", "baseline", "not here")
_WHY = {
    "headline": "valid here",
    "secondary": "valid here",
    "cross-check": "valid here where its condition holds",
    "contrast": "shown for contrast: its condition does not hold",
    "baseline": "shown as a baseline: its condition does not hold here",
}


@dataclass(frozen=True, slots=True, repr=False)
class ValidityMap:
    """Which tests are valid for a study, which are not, and why.

    Attributes
    ----------
    frame : pandas.DataFrame
        Indexed by setting and test: ``use`` (headline, secondary, cross-check, contrast, baseline, or ``"not here"``),
        ``valid`` (whether its p may be relied on here), ``validity``, ``valid_when``, ``why`` (the reason where the
        test does not apply, what to bear in mind where it does), ``reference``. Headline tests come first.
    """

    frame: pd.DataFrame

    def __repr__(self) -> str:
        """Tests by use, a line each."""
        lines = []
        for use, part in self.frame.reset_index().groupby("use", sort=False):
            lines.append(str(use))
            lines += [f"  {row.test} ({row.setting}): {row.why}" for row in part.itertuples()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from market_reaction.tables import map_html

        return map_html(self.frame)


def which_test(result: EventStudyResult | ReactionResult) -> ValidityMap:
    """Which tests are valid for a study, which are not, and why.

    Parameters
    ----------
    result : EventStudyResult or ReactionResult
        What was found.

    Returns
    -------
    ValidityMap
        Shown as a table in a notebook and as text when printed; ``frame`` has the rows.

    Notes
    -----
    The tests are run, so that a reason is that of the case at hand: with one market KP is refused because it needs
    several, with a pool of 60 days the placebo because it needs 100.
    """
    frame = result.tests("all")
    settings: tuple[Setting, ...] = (ONE_MARKET, MARKETS, EVENTS)
    parts = (
        (setting, test, frame[frame["setting"].eq(setting) & frame["test"].eq(test)])
        for setting in settings
        for test in TESTS
    )
    found = pd.DataFrame([_map_row(setting, test, part) for setting, test, part in parts if len(part)])
    by_use = found["use"].map(_ORDER.index).sort_values(kind="stable")
    return ValidityMap(found.loc[by_use.index].set_index(["setting", "test"]))


def _map_row(setting: Setting, test: str, part: pd.DataFrame) -> Mapping[str, object]:
    entry = TESTS[test]
    role = entry.roles[setting]
    applies = np.isfinite(part["p_value"])
    shown = part[applies] if applies.any() else part
    reasons = list(dict.fromkeys(shown["note"]))
    if len(reasons) > 1 and applies.any():  # each market's own; tests() has them
        reasons = []
    count = f" ({int(applies.sum())} of {len(part)} markets)" if 0 < applies.sum() < len(part) else ""
    return {
        "setting": setting,
        "test": test,
        "use": role if applies.any() else "not here",
        "valid": bool(applies.any()) and role not in ("contrast", "baseline"),
        "validity": shown["validity"].iloc[0],
        "valid_when": entry.valid_when,
        "why": ("; ".join(filter(None, reasons[:2])) or _WHY[role]) + count,
        "reference": entry.reference,
    }
