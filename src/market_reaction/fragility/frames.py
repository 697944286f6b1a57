"""Specification curves as frames: tidy, unrounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from market_reaction.fragility.curves import STATISTICS, same_sign, variance_share
from market_reaction.fragility.grid import CHOICES, level_text

if TYPE_CHECKING:
    from market_reaction.fragility.result import MarketCurve, SpecificationCurve

AGREE = (
    0.9  # share of the specifications with one verdict from which the answer is said hardly to depend on the choices
)
VALUES = ("session_date", "estimate", "std_error", "statistic", "df", "p_value", "z", "significant")


def specification_frame(result: SpecificationCurve) -> pd.DataFrame:
    """Every specification of every market."""
    parts = []
    for curve in result.curves:
        rows = curve.specifications.copy()
        rows["window"] = [level_text("window", window) for window in rows["window"]]
        rows.insert(0, "market", curve.market)
        rows.insert(1, "unit", curve.unit)
        rows.insert(2, "rank", np.arange(1, len(rows) + 1))
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)[["market", "unit", "rank", *CHOICES, *VALUES]]


def verdicts(curve: MarketCurve) -> pd.Series:
    """Verdict of each specification: 1 significant rise, -1 significant fall, 0 neither."""
    rows = curve.specifications
    return np.sign(rows["estimate"]).astype(int) * rows["significant"].astype(int)


def significant_shares(curve: MarketCurve) -> tuple[float, float]:
    """Shares of the specifications that are significant with the sign of the median, and without it."""
    found = verdicts(curve).to_numpy()
    sign = np.sign(curve.placebo.event["median"])
    along = (found != 0) & (found == sign)
    return float(along.mean()), float(((found != 0) & ~along).mean())


def summary_frame(result: SpecificationCurve) -> pd.DataFrame:
    """Each market's curve in one row."""
    shares = choice_frame(result)["estimate_share"]
    return pd.DataFrame([_summary(curve, shares.loc[curve.market]) for curve in result.curves]).set_index("market")


def _summary(curve: MarketCurve, shares: pd.Series) -> dict[str, object]:
    estimates = curve.specifications["estimate"].to_numpy()
    placebo = curve.placebo
    main = str(shares.idxmax()) if shares.notna().any() else ""
    low, high = np.quantile(estimates, (0.25, 0.75))
    return {
        "market": curve.market,
        "unit": curve.unit,
        "n_specifications": len(estimates),
        "median": placebo.event["median"],
        "lowest": estimates[0],
        "q25": low,
        "q75": high,
        "highest": estimates[-1],
        "same_sign_share": same_sign(estimates),
        "significant_share": abs(placebo.event["share"]),
        **_both_ways(verdicts(curve)),
        "mean_z": placebo.event["mean_z"],
        **{f"placebo_p_{name}": placebo.scaled[name].p_value for name in STATISTICS},
        **{f"plain_p_{name}": placebo.plain[name].p_value for name in STATISTICS},
        "placebo_p_floor": placebo.scaled["median"].floor,
        "n_placebo": placebo.scaled["median"].n_placebo,
        "mde": placebo.mde,
        "main_choice": main,
        "main_share": float(shares[main]) if main else float("nan"),
        "note": placebo.scaled["median"].note,
    }


def _both_ways(found: pd.Series) -> dict[str, float]:
    """Shares of significant rises and of significant falls among verdicts."""
    return {
        "significant_rise_share": float(found.eq(1).mean()),
        "significant_fall_share": float(found.eq(-1).mean()),
    }


def varied(curve: MarketCurve) -> list[str]:
    """Choices with more than one level in a market."""
    rows = curve.specifications
    return [choice for choice in CHOICES if len(set(rows[choice])) > 1]


def levels_present(result: SpecificationCurve, curve: MarketCurve, choice: str) -> list[object]:
    """Levels of a choice that a market has specifications of, in the order of the grid."""
    present = dict.fromkeys(curve.specifications[choice])
    known = [level for level in getattr(result.grid, choice) if level in present]
    return [*known, *(level for level in present if level not in known)]


def choice_frame(result: SpecificationCurve) -> pd.DataFrame:
    """Share of the variance between the levels of each choice."""
    rows = []
    for curve in result.curves:
        table = curve.specifications
        for choice in CHOICES:
            count = table[choice].nunique()
            rows.append(
                {
                    "market": curve.market,
                    "choice": choice,
                    "n_levels": count,
                    "estimate_share": _share(curve, "estimate", choice, count),
                    "statistic_share": _share(curve, "statistic", choice, count),
                }
            )
    return pd.DataFrame(rows).set_index(["market", "choice"])


def _share(curve: MarketCurve, column: str, choice: str, count: int) -> float:
    table = curve.specifications
    return variance_share(table[column].to_numpy(), table[choice]) if count > 1 else float("nan")


def level_frame(result: SpecificationCurve) -> pd.DataFrame:
    """The curve by level of each choice."""
    rows = []
    for curve in result.curves:
        sign, found = np.sign(curve.placebo.event["median"]), verdicts(curve)
        for choice in CHOICES:
            for level in levels_present(result, curve, choice):
                part = curve.specifications[[taken == level for taken in curve.specifications[choice]]]
                estimates = part["estimate"].to_numpy()
                rows.append(
                    {
                        "market": curve.market,
                        "choice": choice,
                        "level": level_text(choice, level),
                        "unit": curve.unit,
                        "n_specifications": len(part),
                        "median": float(np.median(estimates)),
                        "lowest": float(estimates.min()),
                        "highest": float(estimates.max()),
                        "median_statistic": float(part["statistic"].median()),
                        "same_sign_share": float((np.sign(estimates) == sign).mean()) if sign else float("nan"),
                        **_both_ways(found.loc[part.index]),
                    }
                )
    return pd.DataFrame(rows).set_index(["market", "choice", "level"])


def joint_frame(result: SpecificationCurve) -> pd.DataFrame:
    """Joint placebo over the markets."""
    rows = [
        {
            "statistic": name,
            "kind": kind,
            "value": rank.statistic,
            "placebo_p": rank.p_value,
            "placebo_p_floor": rank.floor,
            "n_placebo": rank.n_placebo,
            "note": rank.note,
        }
        for name, ranks in result.joint.items()
        for kind, rank in ranks.items()
    ]
    columns = ["statistic", "kind", "value", "placebo_p", "placebo_p_floor", "n_placebo", "note"]
    return pd.DataFrame(rows, columns=columns).set_index(["statistic", "kind"])


def placebo_frame(result: SpecificationCurve) -> pd.DataFrame:
    """Statistics of the curve on every placebo day."""
    parts = [
        pd.DataFrame(
            {"market": curve.market, "unit": curve.unit, "session": curve.placebo.sessions} | dict(curve.placebo.pool)
        )
        for curve in result.curves
    ]
    return pd.concat(parts, ignore_index=True)
