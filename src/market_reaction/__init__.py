"""How markets reacted to an announcement, and whether that was unusual.

The public names are imported when they are first used, so that ``import market_reaction`` costs next to nothing.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

_HOMES = {
    "Analogues": "past_events",
    "BarData": "intraday.bars",
    "Claim": "claims.claim",
    "ClaimsResult": "claims.result",
    "ClassStudies": "event_classes",
    "CounterfactualComparison": "counterfactuals.result",
    "EventStudyResult": "study_result",
    "EventWindows": "windows",
    "ExposureRegression": "exposures.result",
    "Grid": "fragility.grid",
    "Instrument": "instruments",
    "IntradayResult": "intraday.results",
    "NewsAsymmetry": "responses.asymmetry",
    "PlaceboResult": "placebo_result",
    "PriceData": "prices",
    "PriceSeries": "prices",
    "ReactionResult": "reaction_result",
    "SpecificationCurve": "fragility.result",
    "abnormal_outcome": "outcomes",
    "analogues": "past_events",
    "basket_effect": "baskets",
    "by_class": "event_classes",
    "check_claims": "claims.check",
    "check_data": "data_check",
    "compare": "comparison",
    "compare_counterfactuals": "counterfactuals.compare",
    "currency_basket": "currency_baskets",
    "event_projections": "responses.identify",
    "event_study": "study",
    "explore": "explorer.panel",
    "exposure_regression": "exposures.regression",
    "filter_events": "events",
    "good_and_bad_news": "responses.asymmetry",
    "if_available": "unavailable",
    "lead_lag": "timing.lead_lag",
    "leave_one_event_out": "responses.influence",
    "list_instruments": "instruments",
    "load_bars": "intraday.loading",
    "load_events": "events",
    "load_prices": "loading",
    "notable_news": "other_news",
    "order_of_closes": "timing.first_move",
    "overnight_gaps": "timing.gaps",
    "placebo_test": "placebo",
    "react": "reaction",
    "react_intraday": "intraday.react",
    "reaction_sessions": "sessions",
    "response_to_news": "responses.identify",
    "search_events": "events",
    "specification_curve": "fragility.build",
    "twin_moves": "responses.twins",
    "which_test": "battery.map",
}
__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use."""
    if name == "__version__":
        return version("market-reaction")
    if name not in _HOMES:
        raise AttributeError(f"module 'market_reaction' has no attribute {name!r}")
    value = getattr(import_module(f"market_reaction.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
