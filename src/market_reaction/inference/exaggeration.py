"""What being significant would mean: exaggerated sizes and wrong signs of small effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from market_reaction.errors import WindowError
from market_reaction.inference.power import check_share, check_std_error, scale_nodes


@dataclass(frozen=True, slots=True)
class Exaggeration:
    """What being significant would mean for an effect of a given size.

    Attributes
    ----------
    power : float
        Probability that the estimate is significant.
    wrong_sign : float
        Probability that a significant estimate has the wrong sign (type S error).
    ratio : float
        Expected absolute value of a significant estimate over the true effect (type M error).
    """

    power: float
    wrong_sign: float
    ratio: float


def exaggeration_ratio(effect: float, std_error: float, df: float, level: float = 0.95) -> Exaggeration:
    """How far a significant estimate would exaggerate a true effect, and how often it would get the sign wrong.

    Parameters
    ----------
    effect : float
        True effect supposed, not the estimate; in the unit of ``std_error``.
    std_error : float
        Standard error of the estimate.
    df : float
        Degrees of freedom.
    level : float
        One minus the size of the two-sided t test.

    Returns
    -------
    Exaggeration

    Raises
    ------
    WindowError
        The effect is zero, ``std_error`` or ``df`` is not above 0, or ``level`` is no share.

    Notes
    -----
    Estimate normal around the effect, significant when |estimate| > t_crit S std_error with df S^2 chi-squared,
    independent of the estimate; expectations over S by quadrature.

    References
    ----------
    Gelman and Carlin (2014), Perspectives on Psychological Science 9:641.
    """
    check_std_error(std_error)
    check_share("level", level)
    if not (np.isfinite(effect) and effect != 0):
        raise WindowError(f"effect={effect} cannot be exaggerated; give a supposed effect other than zero.")
    delta = abs(effect) / std_error
    nodes, weights = scale_nodes(df)
    bound = special.stdtrit(df, (1 + level) / 2) * nodes
    right, wrong = special.ndtr(delta - bound), special.ndtr(-delta - bound)
    size = _normal_density(bound - delta) + _normal_density(bound + delta) + delta * (right - wrong)
    power = float(weights @ (right + wrong))
    return Exaggeration(power, float(weights @ wrong) / power, float(weights @ size) / (power * delta))


def _normal_density(values: np.ndarray) -> np.ndarray:
    return np.exp(-(values**2) / 2.0) / np.sqrt(2.0 * np.pi)
