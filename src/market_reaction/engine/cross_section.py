"""The analytic tests of a cross-section of events, in memory that does not grow with the estimation window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from market_reaction.engine.buy_and_hold import BuyAndHold, buy_and_hold_returns
from market_reaction.engine.kernels import abnormal_returns, thread_count
from market_reaction.engine.panel import Panel
from market_reaction.engine.ranks import CrossSectionSums, sums_over_events
from market_reaction.engine.results import AbnormalReturns
from market_reaction.engine.window_tests import (
    COVERED,
    INDEPENDENT,
    ON_BUY_AND_HOLD,
    WITHOUT_SUMS,
    EventWindow,
    tested,
)
from market_reaction.errors import WindowError, did_you_mean
from market_reaction.inference.day_scores import DAY_SCORES
from market_reaction.inference.results import StatisticalTest

if TYPE_CHECKING:
    import pandas as pd

NO_SPREAD = 1e-12  # residual standard deviation, in root mean square returns, below which there is none
_ROWS = 256  # securities whose root mean squares are computed at a time


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class CrossSectionTests:
    """Tests of a cross-section of events.

    Attributes
    ----------
    abnormal : AbnormalReturns
        Abnormal returns, CARs and standard errors of the events.
    tests : mapping of str to tuple of StatisticalTest
        One test a window, by name.
    buy_and_hold : BuyAndHold or None
        Buy-and-hold abnormal returns of the events; None when they were not asked for.
    buy_and_hold_tests : mapping of str to tuple of StatisticalTest
        Tests of their mean, one a window, by name.
    correlation : numpy.ndarray
        Mean residual correlation over all pairs of events with a CAR, those on different dates counted as
        uncorrelated, shape (w,); NaN when no test asked for it.
    usable : numpy.ndarray
        Events that count, shape (n,) of bool.
    notes : tuple of str
        What was left out, and which events overlap.
    """

    abnormal: AbnormalReturns
    tests: Mapping[str, tuple[StatisticalTest, ...]]
    buy_and_hold: BuyAndHold | None
    buy_and_hold_tests: Mapping[str, tuple[StatisticalTest, ...]]
    correlation: np.ndarray
    usable: np.ndarray
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> tuple[StatisticalTest, ...]:
        return self.tests[name]

    @property
    def event_p_values(self) -> np.ndarray:
        """Two-sided p of each event's own forecast t, t(df), shape (n, w)."""
        from scipy import special

        df = np.where(self.usable, self.abnormal.df, np.nan)
        with np.errstate(all="ignore"):  # an event without spread has no p
            scar = self.abnormal.scar
        return np.asarray(2.0 * special.stdtr(df[:, None], -np.abs(scar)))

    def rows(self) -> list[dict[str, object]]:
        """One mapping a test and window, with the names of the columns of ``to_frame``."""
        outcomes = {"car": self.tests, "bhar": self.buy_and_hold_tests}
        return [
            {
                "outcome": outcome, "test": name, "window": window, "statistic": found.statistic,
                "p_value": found.p_value, "floor": found.floor, "df": found.df, "distribution": found.distribution,
                "n": found.n, "validity": found.validity, "null": found.null, "note": found.note,
            }
            for outcome, tests in outcomes.items()
            for name, by_window in tests.items()
            for window, found in zip(self.abnormal.windows, by_window, strict=True)
        ]  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """One row a test and window, unrounded.

        Returns
        -------
        pandas.DataFrame
            Columns outcome (car, bhar), test, window (a pair of offsets), statistic, p_value, floor, df, distribution,
            n, validity, null, note.
        """
        import pandas as pd

        return pd.DataFrame(self.rows())

    def __repr__(self) -> str:
        count, windows = int(self.usable.sum()), len(self.abnormal.windows)
        why = f"; {self.abnormal.none_usable}" if self.abnormal.none_usable else ""
        tests = f"{len(self.tests)} tests x {windows} windows"
        return f"CrossSectionTests({count} of {len(self.usable)} events, {tests}{why})"


def battery(
    panel: Panel,
    assets: np.ndarray,
    days: np.ndarray,
    *,
    model: str = "market",
    estimation: tuple[int, int] = (-130, -11),
    windows: Sequence[tuple[int, int]] | tuple[int, int] = ((0, 1), (0, 5)),
    tests: Sequence[str] | None = None,
    buy_and_hold: bool = False,
    kernel: str = "auto",
    lags: int = 0,
    leads: int = 0,
    threads: int | None = None,
) -> CrossSectionTests:
    """Test the mean effect over a cross-section of events with every analytic test.

    Parameters
    ----------
    panel, assets, days, model, estimation, windows, kernel, lags, leads, threads
        As ``abnormal_returns``, which refuses a day outside the panel. Columns of the panel are dates: events of one
        ``day`` share theirs.
    tests : sequence of str, optional
        Names among ``COVERED``; all when left out.
    buy_and_hold : bool
        Whether to compound too; the returns must be simple.

    Returns
    -------
    CrossSectionTests
        A test that does not apply has p NaN and says why. Where events share a date, tests that take them as
        independent keep their p, as a contrast, with the validity ``"not valid"`` and the reason. Events whose model
        cannot be fitted or whose returns have no spread do not count; those without a complete window count where a
        test takes single sessions.

    Raises
    ------
    WindowError
        As ``abnormal_returns``; a name that is not covered; or returns that do not compound.

    Notes
    -----
    Covered, with the names and functions of ``market_reaction.battery``: event_level_t (the mean CAR of events whose
    dates are closer than the window counts as one number), portfolio_t (the crude dependence adjustment, over events
    that lack no session, their residuals averaged by offset), kolari_pynnonen_t and adjusted_patell_z, patell_z, bmp_t,
    cross_section_t, skewness_adjusted_t, corrado_rank, corrado_zivney_rank and corrado_zivney_sign (for a window of
    d sessions their sum over sqrt(d)), sign_test, generalized_sign_z, wilcoxon (of SCARs), grank_t, grank_z. The
    forecast_t of each event is ``event_p_values``. With ``buy_and_hold`` the tests of plain means run on BHARs too.

    Not covered: tests that draw at random or refit at pseudo-announcements (placebo, placebo_clean,
    placebo_same_release, placebo_plain, garch_rank, drift_before, no_reaction, joint_maximum, joint_quadratic,
    joint_signed_mean, romano_wolf, sign_flip, studentised_permutation, group_difference, wild_bootstrap,
    block_bootstrap), conformal tests (conformal_car, conformal_car_iid, conformal_path, conformal_path_iid),
    adjustments of other p values (holm, benjamini_yekutieli), and two that take whole series
    (calendar_time_portfolio, joint_dummy_regression).

    The correlation of Kolari and Pynnonen is the mean over all pairs of events: between events of one date that of
    their residuals (``common_date_correlations``), between different dates 0. Windows of near dates overlap: only
    event_level_t allows for that, and ``notes`` says how many do. Time grows in proportion to the events; memory by
    their event windows alone.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> market = rng.normal(0, 0.01, 400)
    >>> panel = Panel(market + rng.normal(0, 0.02, (40, 400)), factors=market)
    >>> found = battery(panel, np.arange(40), np.full(40, 300), windows=[(0, 1)])
    >>> found
    CrossSectionTests(40 of 40 events, 16 tests x 1 windows)
    >>> found["bmp_t"][0].distribution
    't(39)'
    """
    names = _checked_names(tests)
    workers = thread_count(threads)
    found = abnormal_returns(
        panel, assets, days, model=model, estimation=estimation, windows=windows, kernel=kernel, lags=lags, leads=leads,
        threads=threads,
    )  # fmt: skip
    rows = np.asarray(assets, dtype=np.intp)
    usual = typical_returns(panel, rows)
    usable = (found.df > 0) & (usual > 0) & (found.residual_std > NO_SPREAD * usual)
    sums = None
    if not set(names) <= WITHOUT_SUMS:
        wanted = [name for name in names if name in DAY_SCORES]
        wanted += ["grank"] * bool({"grank_t", "grank_z"} & set(names))
        sums = sums_over_events(panel, found, rows, estimation, usable, names=wanted, threads=workers)
    parts = [_window(found, usable, sums, number, found.car) for number in range(len(found.windows))]
    held = buy_and_hold_returns(panel, rows, found) if buy_and_hold else None
    return CrossSectionTests(
        found,
        {name: tuple(tested(name, part) for part in parts) for name in names},
        held,
        _tests_of_held(found, usable, held),
        np.array([part.correlation for part in parts]),
        usable,
        tuple(_notes(found, usable, rows)),
    )


def typical_returns(panel: Panel, assets: np.ndarray) -> np.ndarray:
    """Root mean square return of the security of each event over all its sessions, shape (n,)."""
    size = np.zeros(panel.n_assets)
    wanted = np.unique(assets)
    for at in range(0, len(wanted), _ROWS):
        some = wanted[at : at + _ROWS]
        values = np.nan_to_num(panel.returns[some])
        size[some] = np.sqrt(np.einsum("ij,ij->i", values, values) / panel.n_sessions)
    return size[assets]


def _checked_names(tests: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the tests asked for, in the order of ``COVERED``."""
    if tests is None:
        return tuple(COVERED)
    asked = [tests] if isinstance(tests, str) else list(tests)
    for name in asked:
        if name not in COVERED:
            raise WindowError(
                f"tests={name!r} is not among the tests of a cross-section. {did_you_mean(name, COVERED)}Give names "
                f"among {', '.join(COVERED)}; event_study runs the others."
            )
    return tuple(name for name in COVERED if name in asked)


def _window(
    found: AbnormalReturns, usable: np.ndarray, sums: CrossSectionSums | None, number: int, values: np.ndarray
) -> EventWindow:
    """What the tests take of one window; ``values`` are the CARs or BHARs, (n, w)."""
    first, last = found.windows[number]
    car = values[usable, number]
    with np.errstate(all="ignore"):
        scar = car / found.car_std_error[usable, number]
    days = found.days[usable]
    known = ~np.isnan(scar)
    correlation = sums.correlations.over_pairs(days[known]) if sums is not None else float("nan")
    return EventWindow(
        number, car, scar, found.df[usable].astype(float), days, last - first + 1,
        found.design.model == "constant_mean", sums, correlation,
    )  # fmt: skip


def _tests_of_held(
    found: AbnormalReturns, usable: np.ndarray, held: BuyAndHold | None
) -> dict[str, tuple[StatisticalTest, ...]]:
    """Tests of the mean BHAR, one a window."""
    if held is None:
        return {}
    parts = [_window(found, usable, None, number, held.bhar) for number in range(len(found.windows))]
    return {name: tuple(tested(name, part) for part in parts) for name in ON_BUY_AND_HOLD}


def _notes(found: AbnormalReturns, usable: np.ndarray, assets: np.ndarray) -> Iterator[str]:
    """What was left out, and which events overlap."""
    unfitted, flat = int((found.df <= 0).sum()), int((~usable & (found.df > 0)).sum())
    if unfitted:
        yield f"left out for want of a usable estimation window: {unfitted} of {len(usable)} events"
    if flat:
        yield f"left out because their returns have no spread in the estimation window: {flat} of {len(usable)} events"
    count, dates = int(usable.sum()), len(np.unique(found.days[usable]))
    if dates < count:
        yield (
            f"{count} events share {dates} date{'s' * (dates != 1)}: {', '.join(INDEPENDENT)} take them as independent "
            "and reject too often where those of one date move together; event_level_t, kolari_pynnonen_t and "
            "adjusted_patell_z allow for it, and portfolio_t and the rank tests have it in their spread"
        )
    for number, (first, last) in enumerate(found.windows):
        absent = int(np.isnan(found.car[usable, number]).sum())
        if absent:
            yield (
                f"window ({first}, {last}): without a complete window and a CAR {absent} of {count} events; the rank "
                "tests of single sessions take the sessions these have"
            )
    first, last = max(found.windows, key=lambda window: window[1] - window[0])
    days = np.unique(found.days[usable])
    near = np.diff(days) <= last - first
    linked = int((np.concatenate([near, [False]]) | np.concatenate([[False], near])).sum()) if len(days) else 0
    if linked:
        yield f"window ({first}, {last}): {linked} of {len(days)} dates overlap with the window of another date"
    order = np.lexsort((found.days[usable], assets[usable]))
    gaps, same = np.diff(found.days[usable][order]), np.diff(assets[usable][order]) == 0
    again = int((same & (gaps <= last - first)).sum())
    if again:
        yield (
            f"window ({first}, {last}): {again} events overlap an earlier one of the same security; tests of "
            "independent cases want each window once"
        )
