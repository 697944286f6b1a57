"""Which loaded markets a normal-return model takes as benchmark, factors or donors, and whether they will do."""

from __future__ import annotations

from collections.abc import Sequence

from market_reaction.errors import UnknownInstrumentError, WindowError
from market_reaction.normal_models import check_model
from market_reaction.prices import PriceData, PriceSeries


def check_choices(normal_model: str, factors: Sequence[str], donors: Sequence[str]) -> None:
    """Refuse factors or donors that the model does not take, and a model that lacks its own.

    Raises
    ------
    WindowError
        The model is not known, or the arguments do not belong together.
    """
    wanted = check_model(normal_model).regressors
    for name, given, model in (("factors", factors, "factors"), ("donors", donors, "synthetic_control")):
        if isinstance(given, str):
            raise WindowError(f"{name}={given!r} is one string; give a list of names, such as [{given!r}].")
        if given and wanted != name:
            raise WindowError(
                f"{name}= names {', '.join(given)}, but normal_model={normal_model!r} takes no {name}. Use "
                f"normal_model={model!r}, or leave {name}= out."
            )
        if wanted == name and not given:
            raise WindowError(f"normal_model={normal_model!r} needs {name}=, a list of loaded markets.")
        if len({text.casefold() for text in given}) < len(given):
            raise WindowError(f"{name}= names a market twice: {', '.join(given)}. Name each once.")


def find_regressors(
    prices: PriceData,
    series: PriceSeries,
    normal_model: str,
    benchmark: str | None = None,
    factors: Sequence[str] = (),
    donors: Sequence[str] = (),
) -> list[PriceSeries]:
    """Loaded series that the normal return of a market is made of; none for models without any.

    Raises
    ------
    UnknownInstrumentError
        One is not loaded, or no benchmark is known.
    WindowError
        A market is named for itself, or a donor is open in other hours.
    """
    wanted = check_model(normal_model).regressors
    if wanted == "benchmark" or (wanted == "benchmark if named" and benchmark):
        return [find_benchmark(prices, series, benchmark, normal_model)]
    if wanted == "factors":
        return _distinct([_other(prices, series, name, "factors") for name in factors], factors, "factors")
    if wanted == "donors":
        found = _distinct([_other(prices, series, name, "donors") for name in donors], donors, "donors")
        for donor in found:
            _check_hours(series, donor)
        return found
    return []


def _distinct(found: list[PriceSeries], names: Sequence[str], argument: str) -> list[PriceSeries]:
    """The series, each of which may be named once."""
    for at, item in enumerate(found):
        earlier = [names[before] for before in range(at) if found[before].name == item.name]
        if earlier:
            raise WindowError(
                f"{argument} names {item.name!r} twice, as {earlier[0]!r} and as {names[at]!r}; leave one of them out."
            )
    return found


def find_benchmark(prices: PriceData, series: PriceSeries, name: str | None, normal_model: str) -> PriceSeries:
    """Benchmark series of a market: the one named, else its default.

    Raises
    ------
    UnknownInstrumentError
        The benchmark is not loaded, or none is known.
    WindowError
        The benchmark is the market itself.
    """
    wanted = name or series.instrument.benchmark
    if not wanted:
        raise UnknownInstrumentError(
            f"{series.name!r} has no default benchmark, which normal_model={normal_model!r} needs. "
            "Name one with benchmark=, or use normal_model='constant_mean'."
        )
    found = prices[wanted]
    if found.name == series.name:
        raise WindowError(
            f"{series.name!r} cannot be its own benchmark under normal_model={normal_model!r}. "
            "Name another with benchmark=, or use normal_model='constant_mean' for it."
        )
    return found


def _other(prices: PriceData, series: PriceSeries, name: str, argument: str) -> PriceSeries:
    found = prices[name]
    if found.name == series.name:
        raise WindowError(
            f"{series.name!r} is among its own {argument}. Leave it out of {argument}=, or of the markets studied."
        )
    return found


def _check_hours(series: PriceSeries, donor: PriceSeries) -> None:
    """Refuse a donor on another calendar whose closes are other instants: it has not seen the same news."""
    if donor.instrument.calendar and donor.instrument.calendar == series.instrument.calendar:
        return
    common = series.sessions.intersection(donor.sessions)
    if (
        len(common)
        and (
            series.close_utc[series.sessions.get_indexer(common)] == donor.close_utc[donor.sessions.get_indexer(common)]
        ).all()
    ):
        return
    clocks = [str(item.instrument.bar_closes(item.source)[-1]) for item in (donor, series)]
    raise WindowError(
        f"donor {donor.name!r} closes at {clocks[0]} and {series.name!r} at {clocks[1]}: a donor that is open in other "
        "hours has not seen the same news. Name donors that trade in the same hours, or use normal_model='factors'."
    )
