"""Tests over several events of R EventStudy, its adjusted p-values and its wild bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from market_reaction.inference import parametric, rank
from market_reaction.inference.multiple import benjamini_yekutieli, holm
from market_reaction.inference.resampling import wild_bootstrap
from reference.comparison import RETURN_FLOOR, Comparison
from reference.studies import EVENTSTUDY_STUDIES, Panel, eventstudy, rows_of

pytestmark = pytest.mark.reference

FILE = "EventStudy/output_multi_event_tests.csv"
COMMON_DATE = [study for study in EVENTSTUDY_STUDIES if study.startswith(("covid5", "forest14"))]


def spread(panel: Panel) -> np.ndarray:
    """Theirs: in the market-adjusted model the mean of the residuals is taken off first."""
    return panel.sample_std if panel.model == "market_adjusted" else panel.residual_std


def plain_scar(panel: Panel, window: slice) -> np.ndarray:
    """Theirs in BMP and KP: CAR over sigma sqrt(m), without the forecast error that their help page states."""
    return panel.car(window) / (spread(panel) * np.sqrt(window.stop - window.start))


def patell_scar(panel: Panel, window: slice) -> np.ndarray:
    """Theirs in Patell: daily SARs summed over sqrt(m). One day: the SAR, right but for the market-adjusted model."""
    total = np.zeros(len(panel.cases))
    for day in range(window.start, window.stop):
        if panel.model == "market_adjusted":  # nothing is estimated, yet they multiply by sqrt(1 + 1 / L)
            error = spread(panel) * np.sqrt(1 + 1 / panel.length)
        else:
            error = panel.forecast_std(slice(day, day + 1))
        total += panel.abnormal[:, day] / error
    return total / np.sqrt(window.stop - window.start)


def position_correlation(panel: Panel) -> float:
    """Theirs: residuals paired by place in the window."""
    return parametric.mean_correlation(panel.residuals.T)


Statistic = Callable[[Panel, slice], float]
STATISTICS: dict[str, Statistic] = {
    "CSectT": lambda p, w: parametric.cross_section_t(p.car(w)).statistic,
    "PatellZ": lambda p, w: (
        parametric.patell_z(patell_scar(p, w), p.df_resid - (p.model == "market_adjusted")).statistic
    ),
    "SignT": lambda p, w: rank.sign_test(p.car(w)).statistic,
    "GSignT": lambda p, w: rank.generalized_sign_z(p.car(w), p.residuals).statistic,
    "BMP": lambda p, w: parametric.bmp_t(plain_scar(p, w), minimum=2).statistic,
    "KP": lambda p, w: parametric.kolari_pynnonen_t(plain_scar(p, w), position_correlation(p), minimum=2).statistic,
}


@pytest.mark.parametrize("study", EVENTSTUDY_STUDIES)
def test_statistics_with_their_inputs(outside: Path, compare: Comparison, study: str) -> None:
    """The formulas agree once they get what EventStudy puts in; what we put in is tested below."""
    panel, theirs = eventstudy(outside, study), rows_of(pd.read_csv(outside / FILE), study)
    days = list(panel.days)
    # Theirs counts an absent firm in Patell's denominator and in KP, and as a zero return in a CAR.
    theirs = theirs[theirs.test.isin(STATISTICS) & (theirs.n == len(panel.cases))]
    windows = [
        slice(days.index(day) if level == "day" else 0, days.index(day) + 1)
        for day, level in zip(theirs.day, theirs.level, strict=True)
    ]
    ours = [STATISTICS[test](panel, window) for test, window in zip(theirs.test, windows, strict=True)]
    compare(FILE, ours, theirs.statistic)
    means = theirs[theirs.test == "CSectT"].query("level == 'day'")
    counts = [days.index(day) + 1 for day in means.day]
    compare(FILE, [panel.abnormal[:, count - 1].mean() for count in counts], means.aar, floor=RETURN_FLOOR)
    compare(FILE, [panel.car(slice(0, count)).mean() for count in counts], means.caar, floor=RETURN_FLOOR)


@pytest.mark.parametrize("study", [study for study in COMMON_DATE if "Adjusted" not in study])
def test_bmp_and_kp_agree_with_our_inputs_on_a_common_date(outside: Path, study: str) -> None:
    panel, theirs = eventstudy(outside, study), rows_of(pd.read_csv(outside / FILE), study)
    theirs = theirs[theirs.level == "day"].set_index(["test", "day"]).statistic
    correlation = parametric.mean_correlation(panel.dated_residuals)
    for number, day in enumerate(panel.days):
        scar = panel.scar(slice(number, number + 1))
        bmp = parametric.bmp_t(scar, minimum=2).statistic
        adjusted = parametric.kolari_pynnonen_t(scar, correlation).statistic
        assert (bmp, adjusted) == pytest.approx((theirs["BMP", day], theirs["KP", day]), rel=1e-10)


def test_bmp_on_different_dates_is_not_reproduced_because_it_omits_the_forecast_error(outside: Path) -> None:
    study = "sp500additions_w-2_2_L120 log MarketModel"
    panel, theirs = eventstudy(outside, study), rows_of(pd.read_csv(outside / FILE), study)
    theirs = theirs[(theirs.level == "day") & (theirs.test == "BMP")].statistic
    ours = [parametric.bmp_t(panel.scar(slice(day, day + 1))).statistic for day in range(5)]
    assert (np.abs(np.array(ours) / theirs - 1) > 3e-4).all()


def test_kp_on_different_dates_is_not_reproduced_because_few_windows_share_dates(outside: Path) -> None:
    """By place the 16 firms correlate at 0.0175, which cuts their t by 12%; two pairs in three share no date."""
    panel = eventstudy(outside, "sp500additions_w-2_2_L120 log MarketModel")
    assert position_correlation(panel) == pytest.approx(0.0174656020168378, rel=1e-10)
    shared = np.isfinite(panel.dated_residuals).astype(float)
    pairs = shared.T @ shared
    assert (pairs[np.triu_indices(16, 1)] == 0).sum() == 79
    assert parametric.mean_correlation(panel.dated_residuals) != pytest.approx(0.0175, abs=0.01)


@pytest.mark.parametrize("study", [study for study in EVENTSTUDY_STUDIES if "w-10_10_L120" not in study])
def test_rank_z_is_not_reproduced_because_the_first_day_is_repeated(
    outside: Path, compare: Comparison, study: str
) -> None:
    """Their one value is that of the first day, times sqrt((T - 1) / T) for a spread with divisor T - 1."""
    panel, theirs = eventstudy(outside, study), rows_of(pd.read_csv(outside / FILE), study)
    theirs = theirs[theirs.test == "RankT"].statistic
    assert (theirs == theirs.iloc[0]).all()
    ours = [rank.corrado_zivney_rank(panel.all_days, panel.length + day).statistic for day in range(len(panel.days))]
    assert len(set(ours)) == len(ours)
    total = panel.all_days.shape[1]
    if not (study.startswith("forest14") and "Adjusted" in study):  # theirs rebuilds returns from a level: ties split
        compare(FILE, [ours[0] * np.sqrt((total - 1) / total)], [theirs.iloc[0]])


def test_calendar_time_t_is_one_value_for_all_days_and_no_calendar_time_portfolio(outside: Path) -> None:
    theirs = pd.read_csv(outside / FILE).query("test == 'CalTimeT'")
    values = theirs.groupby(["dataset", "returns", "model", "level"]).statistic
    assert (values.min() == values.max()).all()


def p_adjusted(outside: Path) -> pd.DataFrame:
    """Their table of adjusted p; the unquoted window such as ``[-2, 0]`` takes two fields."""
    with (outside / "EventStudy/output_p_adjust.csv").open(encoding="utf-8") as lines:
        names = next(lines).strip().split(",")
        at = names.index("car_window")
        rows = [line.strip().split(",") for line in lines]
    return pd.DataFrame([[*row[:at], ",".join(row[at : at + 2]), *row[at + 2 :]] for row in rows], columns=names)


@pytest.mark.parametrize("dataset", ["sp500additions_w-2_2_L120", "sp500additions_w-10_10_L120", "covid5_w0_4_L240"])
def test_adjusted_p_values(outside: Path, compare: Comparison, dataset: str) -> None:
    file = "EventStudy/output_p_adjust.csv"
    table = p_adjusted(outside).query("dataset == @dataset")
    panel = eventstudy(outside, f"{dataset} log MarketModel")
    complete = np.isfinite(panel.abnormal).all(axis=0)  # from a CAR with an absent day on, theirs counts a zero
    for adjust, method in ((holm, "holm"), (benjamini_yekutieli, "BY")):
        theirs = table[table.method == method]
        for kind in ("aar", "caar"):
            numbers = theirs[[f"{kind}_t", f"p_raw_{kind}", f"p_adj_{kind}"]].astype(float).to_numpy()
            starts = range(len(panel.days)) if kind == "aar" else [0] * len(panel.days)
            tests = [parametric.cross_section_t(panel.car(slice(first, last + 1))) for last, first in enumerate(starts)]
            ours = np.array([(test.statistic, test.p_value) for test in tests])
            keep = complete if kind == "caar" else slice(None)
            if method == "holm":  # the table repeats them for every method
                compare(file, ours[keep], numbers[keep, :2], floor=1e-6)
            compare(file, adjust(numbers[:, 1]), numbers[:, 2], floor=1e-6)


@pytest.mark.parametrize("dataset", ["sp500additions_w-2_2_L120", "sp500additions_w-10_10_L120"])
def test_wild_bootstrap_within_monte_carlo_error(outside: Path, compare: Comparison, dataset: str) -> None:
    """199 draws of R; Mammen's weights are not offered, and 5 stocks are too few for ours."""
    file = "EventStudy/output_wild_bootstrap.csv"
    theirs = pd.read_csv(outside / file).query("dataset == @dataset and weights == 'rademacher'")
    panel = eventstudy(outside, f"{dataset} log MarketModel")
    complete = np.isfinite(panel.abnormal).all(axis=0)
    for kind, first in (("aar", None), ("caar", 0)):
        values = [panel.car(slice(day if first is None else first, day + 1)) for day in np.flatnonzero(complete)]
        ours = np.array([wild_bootstrap(value, "rademacher", draws=9999).p_value for value in values])
        margin = 4 * np.sqrt(ours * (1 - ours) * (1 / 199 + 1 / 9999)) + 1 / 199
        compare.within(file, ours, theirs[f"boot_p_{kind}"][complete], margin, "Monte Carlo error")
