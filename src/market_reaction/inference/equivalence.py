"""No reaction: two one-sided tests against a margin, and the smallest margin a day can exclude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from market_reaction.errors import WindowError
from market_reaction.inference.power import check_share, scale_nodes

Verdict = Literal["no reaction larger than the margin", "not shown", "no margin given beforehand", "not applicable"]
WHAT_IT_BOUNDS = "the effect together with the day's own shock"


@dataclass(frozen=True, slots=True)
class NoReaction:
    """Two one-sided tests of one effect.

    Attributes
    ----------
    smallest_margin : float
        Smallest margin this day can exclude, in the unit of the CAR.
    margin : float
        Margin fixed beforehand; NaN without one.
    p_value : float
        Larger of the two one-sided p against ``margin``; NaN without one.
    verdict : str
        ``"no reaction larger than the margin"``, ``"not shown"``, ``"no margin given beforehand"`` or
        ``"not applicable"``.
    std_error : float
        Standard error of the CAR, forecast error included.
    df : float
        Degrees of freedom.
    margin_for_power : float
        Smallest margin that would be excluded with the power asked for if there were no effect.
    level : float
        One minus the size of each one-sided test.
    note : str
        Why it does not apply, or what the margin bounds.
    """

    smallest_margin: float
    margin: float
    p_value: float
    verdict: Verdict
    std_error: float
    df: float
    margin_for_power: float
    level: float
    note: str = ""


def no_reaction(
    car: float, std_error: float, df: float, margin: float | None = None, level: float = 0.95, power: float = 0.8
) -> NoReaction:
    """Whether a cumulative abnormal return shows that there was no reaction larger than a margin.

    Parameters
    ----------
    car : float
        Cumulative abnormal return, in decimals or the unit of the market's moves.
    std_error : float
        Its standard error in the same unit, forecast error included.
    df : float
        Degrees of freedom of the standard error.
    margin : float, optional
        Largest reaction that would still count as none, fixed before looking. Without it there is no verdict.
    level : float
        One minus the size of each one-sided test.
    power : float
        Power that ``margin_for_power`` is for.

    Returns
    -------
    NoReaction
        Not applicable, with NaN, where the CAR or its standard error is missing or the latter zero.

    Raises
    ------
    WindowError
        The margin is not positive and finite, or ``level`` or ``power`` is no share.

    Notes
    -----
    H0: |effect| >= margin. Both one-sided t tests reject when |CAR| + t_{level, df} sigma_T < margin, so the left side
    is the smallest margin the day can exclude; p = P(t_df < (|CAR| - margin) / sigma_T). This equals asking whether
    the 2 level - 1 interval lies within the margin. With one event the interval holds the effect and the day's own
    shock: it is a prediction interval.

    References
    ----------
    Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15:657.
    """
    check_share("level", level)
    check_share("power", power)
    if margin is not None and not (np.isfinite(margin) and margin > 0):
        raise WindowError(
            f"margin={margin} is no margin; give a positive number in the unit of the moves, such as 0.02."
        )
    nan = float("nan")
    if not (np.isfinite(car) and np.isfinite(std_error) and std_error > 0 and df > 0):
        note = f"there is no standard error to judge by (CAR {car:g}, standard error {std_error:g}, df {df:g})"
        given = nan if margin is None else margin
        return NoReaction(nan, given, nan, "not applicable", std_error, df, nan, level, note)
    smallest = abs(car) + float(special.stdtrit(df, level)) * std_error
    needed = margin_factor(df, level, power) * std_error
    if margin is None:
        return NoReaction(
            smallest, nan, nan, "no margin given beforehand", std_error, df, needed, level, WHAT_IT_BOUNDS
        )
    p_value = float(special.stdtr(df, (abs(car) - margin) / std_error))
    verdict: Verdict = "no reaction larger than the margin" if smallest < margin else "not shown"
    return NoReaction(smallest, margin, p_value, verdict, std_error, df, needed, level, WHAT_IT_BOUNDS)


def margin_factor(df: float, level: float = 0.95, power: float = 0.8) -> float:
    """Margin, in standard errors, that two one-sided t tests exclude with ``power`` when there is no effect.

    Notes
    -----
    Solves P(|Z| + t_{level, df} S < k) = power for k, with Z normal and df S^2 chi-squared with df degrees of freedom;
    2.93 for the normal.
    """
    from scipy.optimize import brentq

    critical = float(special.stdtrit(df, level))
    nodes, weights = scale_nodes(df)

    def shortfall(margin: float) -> float:
        room = np.maximum(margin - critical * nodes, 0.0)
        return float(weights @ (2.0 * special.ndtr(room) - 1.0)) - power

    return float(brentq(shortfall, 0.0, 10.0 + critical * nodes[-1], xtol=1e-12))
