"""Panels to begin with: the bundled shares, and returns that no market made, to try sizes and see what chance gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from market_reaction.errors import ScaleError
from market_reaction.instruments import find_instrument, list_instruments
from market_reaction.loading import load_prices
from market_reaction.prices import PriceData
from market_reaction.scale.dataset import PanelDataset
from market_reaction.scale.readers import Row
from market_reaction.scale.writing import write_panel, write_rows

BENCHMARK, FACTOR = "S&P 500", "generated market"


def bundled_panel(folder: str | Path | None = None, *, overwrite: bool = False) -> PanelDataset:
    """Write the twenty US shares that come with the package, from 1990 to 2022, with the S&P 500 as factor.

    Parameters
    ----------
    folder : str or Path, optional
        Folder to write to; one that goes with this process when None.
    overwrite : bool
        Replace a panel that is there.

    Returns
    -------
    PanelDataset
        Log returns of real closes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     panel = bundled_panel(place)
    >>> len(panel.assets), list(panel.factors), panel.market.name
    (20, ['S&P 500'], 'S&P 500')
    """
    known = list_instruments()
    names = known.index[known["bundled"].str.startswith("us_") & known["class"].eq("equity")]
    prices = load_prices([*names, BENCHMARK], "1990-01-02", "2022-12-30", source="bundled", progress=False)
    shares = PriceData({series.name: series for series in prices if series.name != BENCHMARK})
    factor = PriceData({BENCHMARK: prices[BENCHMARK]})
    return write_panel(shares, folder, market=BENCHMARK, factors=factor, overwrite=overwrite, label="bundled US shares")


def random_panel(
    folder: str | Path | None,
    securities: int,
    sessions: int | pd.DatetimeIndex,
    *,
    seed: int = 1,
    missing: float = 0.02,
    market: str = "S&P 500",
    block: int | None = None,
    overwrite: bool = False,
) -> PanelDataset:
    """Write a panel of generated returns, in which no announcement has an effect.

    Parameters
    ----------
    folder : str or Path, optional
        Folder to write to; one that goes with this process when None.
    securities : int
        Number of securities, named ``generated 00001`` and so on.
    sessions : int or DatetimeIndex
        Sessions, or how many weekdays that end with 2022.
    seed : int
        Seed; each security has its own stream, so that the first ones are the same in a larger panel.
    missing : float
        Share of the sessions on which a security does not trade.
    market : str
        Instrument with the closing clock that the securities are given.
    block, overwrite
        As in ``write_panel``.

    Returns
    -------
    PanelDataset
        ``generated`` is True, and every name says so.

    Notes
    -----
    r_it = beta_i m_t + s_i h_t e_it, with beta_i uniform on 0.4 to 1.6, s_i on 1% to 3%, m_t of 1% h_t, and a
    volatility h_t that all share, log h_t an AR(1) of 0.98 and standard deviation 0.4; all shocks normal, independent.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     random_panel(place, 30, 250)
    <PanelDataset: 30 generated securities x 250 sessions, 2022-01-17 to 2022-12-30, 1 blocks, 2.1% of returns missing>
    """
    if securities < 1 or not 0 <= missing < 1:
        raise ScaleError(
            f"securities={securities} and missing={missing}: give at least 1, and a share from 0 to below 1."
        )
    days = (
        sessions if isinstance(sessions, pd.DatetimeIndex) else pd.bdate_range(end="2022-12-30", periods=int(sessions))
    )
    common = np.random.default_rng(seed)
    volatility = _volatility(common, len(days))
    factor = 0.01 * volatility * common.standard_normal(len(days))
    rows = _rows(securities, days.to_numpy().astype("datetime64[D]"), factor, volatility, seed, missing)
    about = {
        "returns": "log",
        "market": find_instrument(market).name,
        "source": f"generated with seed {seed}; no market",
        "generated": True,
    }
    factors = pd.DataFrame({FACTOR: factor}, index=days)
    return write_rows(rows, folder, about, values="return", factors=factors, block=block, overwrite=overwrite)


def _volatility(source: np.random.Generator, count: int) -> np.ndarray:
    """Volatility that all share, with mean near 1."""
    from scipy.signal import lfilter

    shocks = 0.4 * np.sqrt(1 - 0.98**2) * source.standard_normal(count)
    return np.asarray(np.exp(lfilter([1.0], [1.0, -0.98], shocks)))


def _rows(
    securities: int, days: np.ndarray, factor: np.ndarray, volatility: np.ndarray, seed: int, missing: float
) -> Iterator[Row]:
    """Securities one after the other."""
    for number in range(1, securities + 1):
        own = np.random.default_rng([seed, number])
        slope, scale = own.uniform(0.4, 1.6), own.uniform(0.01, 0.03)
        returns = slope * factor + scale * volatility * own.standard_normal(len(days))
        if missing:
            traded = own.random(len(days)) >= missing
            yield Row(f"generated {number:05d}", days[traded], returns[traded], {})
        else:
            yield Row(f"generated {number:05d}", days, returns, {})
