"""Compare our numbers with those of another program, and keep count of how many and how closely."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

# Files written with 15 digits. Their numbers are sums and differences of others, so the last few digits differ with
# the order of the operations; no agreement found is worse than this.
DIGITS = 1e-10
# Below this a number is the small difference of larger ones, and its own digits are rounding: its error is then
# measured against the floor instead. 1e-3 suits statistics and per cent, decimal returns take RETURN_FLOOR.
STATISTIC_FLOOR = 1e-3
RETURN_FLOOR = 1e-5


@dataclass(slots=True)
class Comparison:
    """Asserts agreement with values of a file and records (file, values, largest relative difference, tolerance)."""

    records: list[tuple[str, int, float, str]] = field(default_factory=list)

    def __call__(
        self, file: str, ours: ArrayLike, theirs: ArrayLike, *, rtol: float = DIGITS, floor: float = STATISTIC_FLOOR
    ) -> None:
        """Agreement to a relative difference of ``rtol``; absent values must be absent on both sides."""
        self._check(file, ours, theirs, lambda size: rtol * np.maximum(size, floor), floor, "")

    def printed(self, file: str, ours: ArrayLike, theirs: ArrayLike, unit: float) -> None:
        """Agreement to half of ``unit``, the unit of the last printed digit."""
        self._check(file, ours, theirs, lambda size: np.full_like(size, unit * (0.5 + 1e-6)), unit, "printed digits")

    def within(self, file: str, ours: ArrayLike, theirs: ArrayLike, margin: ArrayLike, why: str) -> None:
        """Agreement to a margin, for values that another program simulated or rounded on the way, as ``why`` says."""
        self._check(file, ours, theirs, lambda size: np.broadcast_to(margin, size.shape), STATISTIC_FLOOR, why)

    def _check(self, file: str, ours: ArrayLike, theirs: ArrayLike, allowance, floor: float, why: str) -> None:
        mine, other = np.asarray(ours, float), np.asarray(theirs, float)
        assert mine.shape == other.shape, f"{file}: our shape {mine.shape} is not their shape {other.shape}"
        present = np.isfinite(other)
        assert present.any(), f"{file}: nothing to compare"
        assert np.array_equal(present, np.isfinite(mine)), f"{file}: present values differ\n{mine}\n{other}"
        size, gap = np.abs(other[present]), np.abs(mine - other)[present]
        relative = gap / np.maximum(size, floor)
        self.records.append((file, int(present.sum()), float(relative.max()), why))
        wrong = gap > allowance(size)
        if wrong.any():
            worst = np.argmax(np.where(wrong, relative, 0))
            raise AssertionError(
                f"{file}: {wrong.sum()} of {len(gap)} values differ, by {relative[worst]:.3g} relative at worst: "
                f"ours {mine[present][worst]!r}, theirs {other[present][worst]!r}"
            )
