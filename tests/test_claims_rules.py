"""Which moves make a figure true: bounds worked out by hand."""

from __future__ import annotations

import math

import pytest

from market_reaction.claims.claim import Figure
from market_reaction.claims.rules import RULES, Range, figure_range


@pytest.mark.parametrize(
    ("kind", "figure", "low", "high"),
    [
        ("exactly", "1%", 0.005, 0.015),
        ("exactly", "0.26%", 0.00255, 0.00265),
        ("almost", "1%", 0.0075, 0.01),  # a quarter of the last digit
        ("almost", "3%", 0.0275, 0.03),
        ("almost", "0.5%", 0.00475, 0.005),
        ("almost", "10%", 0.095, 0.1),  # 5% of the figure
        ("about", "1%", 0.005, 0.015),
        ("about", "10%", 0.09, 0.11),
        ("more than", "1%", 0.01, math.inf),
        ("at least", "1%", 0.01, math.inf),
        ("less than", "1%", 0.0, 0.01),
        ("exactly", "10 bp", 0.095, 0.105),
        ("level", "3,894.63", 3894.625, 3894.635),
    ],
)
def test_bounds(kind: str, figure: str, low: float, high: float) -> None:
    found = figure_range(kind, Figure.of(figure), "up")  # type: ignore[arg-type]
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)


def test_almost_ends_below_the_figure_and_begins_at_its_bound() -> None:
    found = figure_range("almost", Figure.of("1%"), "up")
    assert [found.holds(move) for move in (0.0074, 0.0075, 0.0099, 0.01, 0.0101)] == [False, True, True, False, False]
    assert found.gap(0.0075437) == pytest.approx(0.0000437)


def test_strict_and_closed_bounds() -> None:
    more, least = (figure_range(kind, Figure.of("1%"), "up") for kind in ("more than", "at least"))  # type: ignore[arg-type]
    assert not more.holds(0.01) and least.holds(0.01) and more.holds(0.010001)


def test_a_fall_mirrors_the_range_with_its_open_end() -> None:
    found = figure_range("almost", Figure.of("1%"), "down")
    assert [found.holds(move) for move in (-0.0075, -0.01, 0.0075)] == [True, False, False]
    assert found == Range(-0.01, -0.0075, low_open=True)


def test_figures_on_the_border_of_rounding_are_inside() -> None:
    assert figure_range("exactly", Figure.of("1.4%"), "up").holds(0.0135)
    assert not figure_range("exactly", Figure.of("1.4%"), "up").holds(0.01513)


def test_almost_is_never_wider_than_a_plain_figure_for_whole_per_cents_up_to_ten() -> None:
    for whole in range(1, 11):
        plain, almost = (figure_range(kind, Figure.of(f"{whole}%"), "up") for kind in ("exactly", "almost"))  # type: ignore[arg-type]
        assert almost.low >= plain.low - 1e-12


def test_every_kind_has_its_rule_in_words() -> None:
    from typing import get_args

    from market_reaction.claims.claim import Kind

    assert set(RULES) == set(get_args(Kind))
