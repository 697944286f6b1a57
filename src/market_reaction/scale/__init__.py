"""The same study over thousands of securities: panels on disk, blocks worked on here or on a Dask cluster.

``write_panel`` brings data into a panel, ``run`` studies every event in every security, ``run_placebo`` compares the
mean over securities with earlier days, and ``cross_section`` does both and says what came of it.

Modules: ``readers``, ``writing``, ``samples`` and ``dataset`` (panels), ``days`` (where events lie in one),
``options``, ``job``, ``runs``, ``cluster``, ``work`` and ``placebo_sums`` (a run and its blocks), ``results``,
``averages``, ``pools`` (what is read back), ``cross_sections``, ``words`` and ``charts`` (the whole); ``layout`` has
names and safe writing of files.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "CrossSection": "cross_sections",
    "PanelDataset": "dataset",
    "PlaceboPools": "pools",
    "StudyRows": "results",
    "bundled_panel": "samples",
    "cross_section": "cross_sections",
    "event_days": "days",
    "local_cluster": "cluster",
    "open_panel": "dataset",
    "open_placebo": "pools",
    "open_results": "results",
    "random_panel": "samples",
    "run": "runs",
    "run_placebo": "runs",
    "write_panel": "writing",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'market_reaction.scale' has no attribute {name!r}")
    value = getattr(import_module(f"market_reaction.scale.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
