"""What may be asked of a run: models, windows and factors, checked with messages in the words of the call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from market_reaction.engine.design import MODELS
from market_reaction.errors import ScaleError, WindowError, did_you_mean
from market_reaction.placebo import pool_gap
from market_reaction.scale.dataset import PanelDataset
from market_reaction.scale.job import Options
from market_reaction.windows import EventWindows, Window

Model = Literal["constant_mean", "zero_mean", "market_adjusted", "market", "factors", "dimson"]


def check_model(model: str) -> None:
    """Refuse a model that is not known."""
    if model not in MODELS:
        raise ScaleError(
            f"model={model!r} is not known; {did_you_mean(str(model), MODELS)}choose one of {', '.join(MODELS)}."
        )


def windows_of(estimation: Window, windows: Sequence[Window]) -> EventWindows:
    """Estimation and event windows, with messages that name them as they are called here."""
    try:
        return EventWindows(estimation, tuple(windows))
    except WindowError as error:
        text = str(error).replace("event=", "windows=").replace("event holds no window", "windows holds none")
        raise WindowError(text) from None
    except (TypeError, ValueError):
        raise WindowError(
            f"windows={windows!r} with estimation={estimation!r} are no windows; give pairs of whole numbers such as "
            "windows=[(0, 1), (0, 5)] and estimation=(-130, -11)."
        ) from None


def options_of(
    panel: PanelDataset,
    model: str,
    factors: Sequence[str] | None,
    estimation: Window,
    windows: Sequence[Window],
    lags: int,
    leads: int,
    *,
    paths: bool = False,
    count: int = 0,
) -> Options:
    """Options of a job, after they were checked."""
    check_model(model)
    checked = windows_of(estimation, windows)
    at_hand = [] if panel.factors is None else [str(name) for name in panel.factors]
    if model in ("constant_mean", "zero_mean"):
        if factors:
            raise ScaleError(
                f"model={model!r} takes no factors, and factors={list(factors)} was given. Leave them out, or name a "
                "model that takes them, such as 'market'."
            )
        chosen: tuple[str, ...] = ()
    else:
        chosen = tuple(at_hand if factors is None else factors)
        unknown = [name for name in chosen if name not in at_hand]
        if unknown or not chosen or (model != "factors" and len(chosen) != 1):
            raise ScaleError(
                f"model={model!r} takes {'factors' if model == 'factors' else 'one factor'}, and factors="
                f"{list(chosen)} was given; the panel has {', '.join(at_hand) or 'none'}. Name them with "
                "factors=[...], or write the panel with factors=."
            )
    gap = max(pool_gap(window, checked.estimation) for window in checked.event) if count else 0
    return Options(model, chosen, checked.estimation, checked.event, lags, leads, paths, count, gap)
