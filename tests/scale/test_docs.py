"""The page on scale says what was measured, and its plan follows from that."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_of_scale", ROOT / "benchmarks" / "scale.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_has_the_figures_of_the_last_run(benchmark: ModuleType) -> None:
    found = json.loads(benchmark.RESULTS.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    for row in (*benchmark.table(found), *benchmark.plan(found, 50_000, 30, 1_000, 500)):
        assert f"| {' | '.join(row)} |" in page, (
            "run: python benchmarks/scale.py, and put its tables into docs/scale.md"
        )


def test_a_plan_by_hand(benchmark: ModuleType) -> None:
    """2 s a million rows, 0.5 s a million placebo studies: 2,000 x 100 rows are 0.4 s, 2,000 x 252 studies 0.252 s."""
    found = {
        "worker_seconds_per_million_events": 2.0, "worker_seconds_per_million_placebo_studies": 0.5,
        "average_seconds_per_million_events": 1.0, "worker_bytes_in_study": 4e8, "worker_bytes_in_placebo": 6e8,
        "panel_bytes_on_disk": 8e6, "securities": 1000, "sessions": 1000, "block_bytes": 1_008_000, "row_bytes": 100.0,
        "start_seconds": 0.0,
    }  # fmt: skip
    lines = dict(benchmark.plan(found, 2_000, 1, 100, 500))
    assert lines["partition"] == "4 blocks of 500 securities, 252 sessions"
    assert lines["rows of the study"] == "0 million, 0.0 GB"
    assert lines["memory a worker"] == "0.60 GB at its peak; give 2 GB"
    assert lines["1 worker"] == "0.00018 hours (0.0 minutes)"
    lines = dict(benchmark.plan(found, 2_000_000, 1, 100, 500))
    assert lines["work for the rows"] == "0.11 worker hours"  # 400 s
    assert lines["2 workers"] == "0.091 hours (5.4 minutes)"  # 652 s / 2
    lines = dict(benchmark.plan(found | {"start_seconds": 7200.0}, 2_000_000, 1, 100, 500))
    assert lines["2 workers"] == "2.1 hours (125.4 minutes)"
