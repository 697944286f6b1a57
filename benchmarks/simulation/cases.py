"""Event study of many simulated cases at once: constant mean, L = 120, gap 10, as the package fits each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.panels import GAP, LENGTH

ESTIMATION = (-LENGTH - GAP, -GAP - 1)
BEFORE = LENGTH + GAP  # sessions needed before day 0
DF = LENGTH - 1


@dataclass(frozen=True, slots=True)
class Cases:
    """Abnormal returns (..., m), estimation residuals (..., L) and the standard deviation s of the latter (...)."""

    abnormal: np.ndarray
    residuals: np.ndarray
    residual_std: np.ndarray

    def only(self, run: int) -> Cases:
        """Cases of one run."""
        return Cases(self.abnormal[run], self.residuals[run], self.residual_std[run])

    @property
    def car(self) -> np.ndarray:
        """Sum of the abnormal returns."""
        return self.abnormal.sum(axis=-1)

    @property
    def std_error(self) -> np.ndarray:
        """Forecast standard error of the CAR, s sqrt(m + m^2 / L)."""
        return self.residual_std * forecast_factor(self.abnormal.shape[-1])

    @property
    def scar(self) -> np.ndarray:
        """CAR by its forecast standard error."""
        return self.car / self.std_error

    @property
    def standardised(self) -> np.ndarray:
        """Estimation residuals by s."""
        return self.residuals / self.residual_std[..., None]

    @property
    def both(self) -> np.ndarray:
        """Estimation residuals, then abnormal returns, as rank tests want them: (..., L + m)."""
        return np.concatenate([self.residuals, self.abnormal], axis=-1)


def forecast_factor(window: int) -> float:
    """Forecast standard error of a CAR over ``window`` sessions in units of s."""
    return float(np.sqrt(window + window**2 / LENGTH))


def study(returns: np.ndarray, day_zero: int, window: int = 1) -> Cases:
    """Fit the mean before day 0 and take the abnormal returns of the window; ``returns`` has sessions last."""
    before = returns[..., day_zero + ESTIMATION[0] : day_zero + ESTIMATION[1] + 1]
    mean = before.mean(axis=-1, keepdims=True)
    residuals = before - mean
    scale = np.sqrt((residuals**2).sum(axis=-1) / DF)
    return Cases(returns[..., day_zero : day_zero + window] - mean, residuals, scale)
