"""The fixture that compares with other programs, and the count printed at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference.comparison import Comparison

PROPERTY = "compared_with_other_programs"


@pytest.fixture(scope="session")
def outside(reference: Path) -> Path:
    """Folder with one subfolder per outside program."""
    folder = reference / "reference"
    if not (folder / "_crosscheck").is_dir():
        pytest.skip(f"There are no results of other programs at {folder}.")
    return folder


@pytest.fixture
def compare() -> Comparison:
    """Comparison whose counts reach the report of this test."""
    return Comparison()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Attach the counts to the report before it is made, so that they also come back from workers of pytest-xdist."""
    try:
        return (yield)
    finally:
        comparison = getattr(item, "funcargs", {}).get("compare")
        if comparison is not None:
            item.user_properties.append((PROPERTY, [list(record) for record in comparison.records]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many values of other programs were compared, and the largest difference by file."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    largest: dict[tuple[str, str], float] = defaultdict(float)
    for file, count, difference, tolerance in recorded(terminalreporter):
        counts[file, tolerance] += count
        largest[file, tolerance] = max(largest[file, tolerance], difference)
    if not counts:
        return
    terminalreporter.section("compared with other programs")
    width = max(len(file) for file, _ in counts)
    for file, tolerance in sorted(counts):
        line = f"{file:<{width}}  {counts[file, tolerance]:>6,} values"
        line += f", largest relative difference {largest[file, tolerance]:.1e}"
        terminalreporter.line(line + (f" ({tolerance})" if tolerance else ""))
    terminalreporter.line(f"{sum(counts.values()):,} values")


def recorded(terminalreporter: pytest.TerminalReporter) -> Iterator[list]:
    """The counts of every report."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, records in getattr(report, "user_properties", []):
                if name == PROPERTY and report.when == "call":
                    yield from records
