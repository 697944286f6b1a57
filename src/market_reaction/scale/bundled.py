"""The bundled US shares as a panel."""

from __future__ import annotations

from pathlib import Path

from market_reaction.instruments import list_instruments
from market_reaction.loading import load_prices
from market_reaction.prices import PriceData
from market_reaction.scale.dataset import PanelDataset
from market_reaction.scale.writing import write_panel

BENCHMARK = "S&P 500"


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
