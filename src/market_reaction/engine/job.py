"""One call of the engine: blocks of events are computed and written to the arrays of the result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market_reaction.engine.design import Design, Fit
from market_reaction.engine.gather import fit_gathered, rows_of, stretches
from market_reaction.engine.linear import dot
from market_reaction.engine.panel import Panel
from market_reaction.engine.results import AbnormalReturns, leverages
from market_reaction.engine.sum_fits import ROUNDING, TOLERANCE, fit_from_sums
from market_reaction.engine.sums import Sums
from market_reaction.inference.arrays import sum_or_zero

GATHERED = 262_144  # values of one estimation array of a block of the gather kernel
_FAR_PIVOT = 1e4  # spreads beyond which a pivot is taken off by itself, so that rounding does not swallow the rest


@dataclass(slots=True, eq=False)
class Job:
    """One call: its arguments, and the arrays that blocks of events are written to."""

    panel: Panel
    design: Design
    assets: np.ndarray
    days: np.ndarray
    estimation: tuple[int, int]
    windows: tuple[tuple[int, int], ...]
    taus: np.ndarray
    fit: Fit
    fell_back: np.ndarray
    ar: np.ndarray | None
    car: np.ndarray
    car_std_error: np.ndarray
    n_known: np.ndarray
    x_windows: list[np.ndarray]
    padded: np.ndarray
    sums: Sums | None = None

    @property
    def length(self) -> int:
        """Sessions of the estimation window."""
        return self.estimation[1] - self.estimation[0] + 1

    def work(self, rows: slice) -> None:
        """Compute one block of events."""
        with np.errstate(all="ignore"):  # NaN marks what cannot be computed
            self._work(rows)

    def _work(self, rows: slice) -> None:
        assets, days = self.assets[rows], self.days[rows]
        sessions = self.panel.n_sessions
        inside = (days >= -self.estimation[0]) & (days < sessions)
        if not inside.any():
            self._write(rows, Fit.of_nothing(self.design.width, len(days)))
            self._blank(rows)
            return
        days = np.where(inside, days, -self.estimation[0])
        fit, errors = self._fit(rows, assets, days, inside)
        self._write(rows, fit)
        self.car_std_error[rows] = errors
        self._sum_up(rows, assets, days, fit)

    def _fit(self, rows: slice, assets: np.ndarray, days: np.ndarray, inside: np.ndarray) -> tuple[Fit, np.ndarray]:
        """Fits and standard errors of a block, those that cancellation could spoil by ``gather``."""
        if self.sums is None:
            fit = fit_gathered(self.panel, self.design, assets, days, self.estimation)
            fit.leave_out(~inside)
            return fit, self._std_errors(fit, days)[0]
        fit, bound = fit_from_sums(self.panel, self.design, self.sums, assets, days, self.estimation)
        fit.leave_out(~inside)
        errors, share = self._std_errors(fit, days)
        spoilt = np.flatnonzero(~(bound * share <= TOLERANCE**2 / 4) & (fit.df > 0))
        for at in np.array_split(spoilt, max(1, len(spoilt) * self.length // GATHERED)):
            if len(at):
                again = fit_gathered(self.panel, self.design, assets[at], days[at], self.estimation)
                fit.put(at, again)
                errors[at] = self._std_errors(again, days[at])[0]
        self.fell_back[rows][spoilt] = True
        return fit, errors

    def _std_errors(self, fit: Fit, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standard error of every CAR, shape (b, w), and the largest share that the coefficients have in one."""
        errors = np.empty((len(days), len(self.windows)))
        largest = np.zeros(len(days))
        for at, (first, last) in enumerate(self.windows):
            length = last - first + 1
            if self.design.fixed:
                errors[:, at] = fit.std * np.sqrt(length)
                continue
            leverage = leverages(fit.n, fit.means, fit.inverse, self.x_windows[at][:, days], length)
            errors[:, at] = fit.std * np.sqrt(length + leverage)
            np.fmax(largest, leverage / (length + leverage), out=largest)
        return errors, largest

    def _sum_up(self, rows: slice, assets: np.ndarray, days: np.ndarray, fit: Fit) -> None:
        """Sums of the abnormal returns over the windows; from the cumulative sums where nobody asks for the path."""
        if self.ar is None and self.sums is not None and self.panel.skip is None:
            at = self._from_sums(rows, assets, days, fit)
            if len(at):
                self.fell_back[rows][at] = True
                part = Fit(*(values[..., at] for values in fit))
                car, known = self._from_path(self._path(assets[at], days[at], part, None))
                self.car[rows][at], self.n_known[rows][at] = car, known
        else:
            path = self._path(assets, days, fit, None if self.ar is None else self.ar[rows])
            self.car[rows], self.n_known[rows] = self._from_path(path)
        np.copyto(self.car_std_error[rows], np.nan, where=np.isnan(self.car[rows]))

    def _from_path(self, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """CAR and sessions with an abnormal return, shape (b, w)."""
        car = np.empty((len(path), len(self.windows)))
        known = np.empty(car.shape, dtype=np.int64)
        for at, (first, last) in enumerate(self.windows):
            part = path[:, first - self.taus[0] : last - self.taus[0] + 1]
            car[:, at] = np.einsum("ij->i", part)
            if self.design.fixed:  # returns as they are may add up to zero
                car[:, at] = sum_or_zero(car[:, at], np.einsum("ij->i", np.abs(part)))
            known[:, at] = last - first + 1
            partial = np.flatnonzero(np.isnan(car[:, at]))
            known[partial, at] = (~np.isnan(part[partial])).sum(axis=1)
        return car, known

    def _from_sums(self, rows: slice, assets: np.ndarray, days: np.ndarray, fit: Fit) -> np.ndarray:
        """CAR and counts of a block from cumulative sums; gives the events of which rounding could spoil the CAR."""
        assert self.sums is not None
        sessions = self.panel.n_sessions
        offsets = sorted({edge for first, last in self.windows for edge in (first, last + 1)})
        reached = {edge: self.sums.upto(self.panel, assets, np.minimum(days + edge, sessions)) for edge in offsets}
        reach = self.sums.reach[assets]
        spoilt = self.fell_back[rows].copy()
        usable = fit.df > 0
        for at, (first, last) in enumerate(self.windows):
            length = last - first + 1
            (total, known), (before, earlier) = reached[last + 1], reached[first]
            car = total - before
            if not self.design.fixed:
                car -= length * fit.level
                car -= dot(fit.slopes, self.x_windows[at][:, days] - length * fit.means)
            else:
                car = np.where(np.abs(car) <= (length + 8) * ROUNDING * reach, 0.0, car)
            count = np.where(usable, known - earlier, 0)
            car[count < length] = np.nan
            spoilt |= (length + 8) * ROUNDING * reach > TOLERANCE / 2 * self.car_std_error[rows, at]
            self.car[rows, at], self.n_known[rows, at] = car, count
        return np.flatnonzero(spoilt & usable)

    def _path(self, assets: np.ndarray, days: np.ndarray, fit: Fit, out: np.ndarray | None) -> np.ndarray:
        """Abnormal returns (b, m): returns less level and slopes."""
        count = len(self.taus)
        start = days + self.taus[0]
        path = self._actual(assets, start)
        out = path if out is None else out
        level = fit.level - dot(fit.slopes, fit.means)
        centre = fit.pivot.copy()
        far = np.flatnonzero(np.abs(centre) > _FAR_PIVOT * fit.std)
        path[far] -= centre[far, None]
        centre[far] = 0.0
        np.subtract(path, (level + centre)[:, None], out=out)
        for column, slope in zip(self.padded, fit.slopes, strict=True):
            part = stretches(column, start, count)
            part *= slope[:, None]
            out -= part
        return out

    def _actual(self, assets: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Returns of the sessions around each event, shape (b, m); NaN beyond the panel."""
        count, sessions = len(self.taus), self.panel.n_sessions
        if sessions < count:
            late, path = np.arange(len(start)), np.empty((len(start), count))
        else:
            late = np.flatnonzero(start + count > sessions)
            path = rows_of(self.panel.returns, assets, np.minimum(start, sessions - count), count)
        if len(late):
            at = start[late, None] + np.arange(count)
            known = self.panel.returns[assets[late, None], np.minimum(at, sessions - 1)]
            path[late] = np.where(at < sessions, known, np.nan)
        return path

    def _write(self, rows: slice, fit: Fit) -> None:
        for mine, theirs in zip(self.fit, fit, strict=True):
            mine[..., rows] = theirs

    def _blank(self, rows: slice) -> None:
        """No abnormal returns at all."""
        for part in (self.ar, self.car, self.car_std_error):
            if part is not None:
                part[rows] = np.nan
        self.n_known[rows] = 0

    def result(self, kernel: str) -> AbnormalReturns:
        """The arrays as a result, coefficients in the units of the panel."""
        fit, design = self.fit, self.design
        return AbnormalReturns(
            self.taus, self.windows, fit.coefficients(design.centre), fit.std, fit.df, fit.n, self.ar, self.car,
            self.car_std_error, self.n_known, kernel, self.fell_back, fit.means.T, fit.inverse.transpose(2, 0, 1),
            self.days, design, self.estimation,
        )  # fmt: skip
