"""The comparison itself: what it counts, and that it fails where it should."""

from __future__ import annotations

import numpy as np
import pytest

from reference.comparison import Comparison


def test_values_are_counted_with_their_largest_relative_difference() -> None:
    comparison = Comparison()
    comparison("a.csv", [[1.0, np.nan], [2.0 + 1e-11, 3.0]], [[1.0, np.nan], [2.0, 3.0]])
    ((file, count, difference, why),) = comparison.records
    assert (file, count, why) == ("a.csv", 3, "")
    assert difference == pytest.approx(5e-12, rel=1e-3)


@pytest.mark.parametrize(
    ("ours", "message"),
    [
        ([1.0, 2.0 + 1e-9], "1 of 2 values differ, by 5e-10 relative"),
        ([1.0, np.nan], "present values differ"),
        ([1.0], "our shape"),
    ],
)
def test_a_difference_an_absent_value_and_another_shape_fail(ours: list[float], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        Comparison()("a.csv", ours, [1.0, 2.0])


def test_printed_values_allow_half_a_unit_of_the_last_digit() -> None:
    Comparison().printed("a.csv", [0.12345], [0.1235], 1e-4)
    with pytest.raises(AssertionError, match="values differ"):
        Comparison().printed("a.csv", [0.12344], [0.1235], 1e-4)
