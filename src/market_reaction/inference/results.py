"""What every test returns: statistic, p, null hypothesis and what it holds for; or why it does not apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

Validity = Literal["exact", "approximate", "conservative", "not valid", "not applicable"]


@dataclass(frozen=True, slots=True)
class StatisticalTest:
    """Outcome of one test.

    Attributes
    ----------
    name : str
        Name of the test, as in ``market_reaction.battery.TESTS``.
    statistic : float
        Value of the statistic; NaN when the test does not apply.
    p_value : float
        Two-sided p unless the null says otherwise; NaN when the test does not apply.
    df : float
        Degrees of freedom of a t or chi-squared distribution; NaN elsewhere.
    null : str
        Null hypothesis, one sentence, with what it assumes.
    distribution : str
        Reference distribution, such as ``"t(119)"``, ``"normal"``, ``"500 pool days"``.
    n : int
        Number of cases used: events, markets, sessions or pool days, as the null says.
    validity : {"exact", "approximate", "conservative", "not valid", "not applicable"}
        What the p is when the assumptions of the null hold; ``"not valid"`` where the cases themselves break one, which
        the note names, and the p is shown as a contrast only.
    note : str
        Why the test does not apply, or what to bear in mind; empty when there is nothing to say.
    floor : float
        Smallest p the test can give with n cases; 0 for a continuous distribution.
    """

    name: str
    statistic: float
    p_value: float
    df: float
    null: str
    distribution: str
    n: int
    validity: Validity
    note: str = ""
    floor: float = 0.0

    @property
    def applies(self) -> bool:
        """Whether there is a p."""
        return bool(np.isfinite(self.p_value))


def not_applicable(name: str, null: str, n: int, reason: str) -> StatisticalTest:
    """Outcome of a test that does not apply, with the reason as note."""
    nan = float("nan")
    return StatisticalTest(name, nan, nan, nan, null, "none", n, "not applicable", reason, nan)


def normal_test(name: str, statistic: float, null: str, n: int, validity: Validity, note: str = "") -> StatisticalTest:
    """Outcome with a two-sided p from the standard normal."""
    p_value = float(2.0 * special.ndtr(-abs(statistic)))
    return StatisticalTest(name, float(statistic), p_value, float("nan"), null, "normal", n, validity, note)


def t_test(
    name: str, statistic: float, df: float, null: str, n: int, validity: Validity, note: str = ""
) -> StatisticalTest:
    """Outcome with a two-sided p from Student's t with ``df`` degrees of freedom."""
    p_value = float(2.0 * special.stdtr(df, -abs(statistic)))
    return StatisticalTest(name, float(statistic), p_value, float(df), null, f"t({df:g})", n, validity, note)


def rank_test(
    name: str, statistic: float, as_large: int, draws: int, null: str, n: int, validity: Validity, note: str = ""
) -> StatisticalTest:
    """Outcome with p = (1 + as_large) / (1 + draws), where ``as_large`` of ``draws`` values reach the statistic."""
    p_value, floor = (1.0 + as_large) / (1.0 + draws), 1.0 / (1.0 + draws)
    return StatisticalTest(
        name, float(statistic), p_value, float("nan"), null, f"{draws} draws", n, validity, note, floor
    )
