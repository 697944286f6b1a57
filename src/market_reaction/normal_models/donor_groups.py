"""Groups of donors that stand in for a basket, each member against the donors outside its group."""

from __future__ import annotations

import numpy as np

from market_reaction.errors import EstimationError
from market_reaction.least_squares import MINIMUM_DF
from market_reaction.normal_models.synthetic import simplex_weights


class DonorFits:
    """Synthetic controls of donors, each of the donors outside a group, found once where they are the same.

    Parameters
    ----------
    estimation : numpy.ndarray
        Returns of the J donors in the estimation window, shape (L, J); sessions that one of them lacks are left out.
    totals : numpy.ndarray
        Return of each donor over the event window, shape (J,), finite.

    Notes
    -----
    Distances between mixes are those of the columns of R, with QR the returns: J rows instead of L. A mix that gives
    no weight to a donor is also the nearest without it, so a donor is taken away only where a mix would use it.
    """

    def __init__(self, estimation: np.ndarray, totals: np.ndarray) -> None:
        used = estimation[np.isfinite(estimation).all(axis=1)]
        self._length = len(used)
        self._columns = np.asarray(np.linalg.qr(used, mode="r"))
        self._spread = used.std(axis=0)
        self._totals = totals
        self._known: dict[tuple[int, frozenset[int]], tuple[float, float, frozenset[int]]] = {}

    def effect(self, group: np.ndarray) -> float:
        """CARs of the members of a group, weighted by 1 / s_i.

        Parameters
        ----------
        group : numpy.ndarray
            Positions of its donors.

        Raises
        ------
        EstimationError
            A member that is an exact mix of donors, or too few sessions for the donors in its mix.
        """
        members = frozenset(group.tolist())
        cars, errors = np.array([self._outside(member, members) for member in group.tolist()]).T
        return float((cars / errors).sum() / (1 / errors).sum())

    def _outside(self, member: int, group: frozenset[int]) -> tuple[float, float]:
        """CAR and fit error of a donor against those outside its group."""
        without = frozenset((member,))
        while True:
            car, error, mixed = self._fit(member, without)
            if not mixed & group:
                break
            without |= mixed & group
        if error <= 1e-10 * self._spread[member]:
            raise EstimationError(
                f"donor {member + 1} is an exact mix of other donors, so its weight in a group is unbounded. Is one of "
                "them named twice? Leave it out."
            )
        if self._length - (len(mixed) - 1) < MINIMUM_DF:
            raise EstimationError(
                f"the control of donor {member + 1} mixes {len(mixed)} donors on {self._length} sessions that all of "
                f"them have; at least {MINIMUM_DF + len(mixed) - 1} are needed. Lengthen estimation=, or name fewer."
            )
        return car, error

    def _fit(self, member: int, without: frozenset[int]) -> tuple[float, float, frozenset[int]]:
        """CAR, fit error and donors in the mix of one donor, some others taken away."""
        key = (member, without)
        if key not in self._known:
            rest = np.array([at for at in range(len(self._totals)) if at not in without])
            weights = simplex_weights(self._columns[:, member], self._columns[:, rest])
            gap = self._columns[:, member] - self._columns[:, rest] @ weights
            car = float(self._totals[member] - self._totals[rest] @ weights)
            error = float(np.linalg.norm(gap)) / self._length**0.5
            self._known[key] = (car, error, frozenset(rest[weights > 0].tolist()))
        return self._known[key]
