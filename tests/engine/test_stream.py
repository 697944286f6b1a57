"""A panel in files gives what the same panel in memory gives, one block at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from market_reaction.engine import Panel, abnormal_returns
from market_reaction.engine.stream import read_returns, stream_abnormal_returns, stream_panels
from market_reaction.errors import WindowError

SESSIONS = 400


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    source = np.random.default_rng(3)
    values = 0.02 * source.standard_normal((150, SESSIONS))
    values[source.random(values.shape) < 0.05] = np.nan
    return values


@pytest.fixture(scope="module")
def market() -> np.ndarray:
    return 0.01 * np.random.default_rng(4).standard_normal(SESSIONS)


@pytest.fixture(scope="module")
def files(returns: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three blocks of 60, 60 and 30 securities, with several row groups that cut through securities."""
    folder = tmp_path_factory.mktemp("blocks")
    paths = []
    for number, block in enumerate((returns[:60], returns[60:120], returns[120:])):
        table = pa.table({"session": np.tile(np.arange(SESSIONS), len(block)), "return": block.ravel()})
        paths.append(folder / f"block-{number}.parquet")
        parquet.write_table(table, paths[-1], row_group_size=7001)
    return paths


def test_blocks_are_read_as_they_were_written(files: list[Path], returns: np.ndarray) -> None:
    read = np.concatenate([read_returns(path, SESSIONS) for path in files])
    assert np.array_equal(read, returns, equal_nan=True)


def test_nulls_are_read_as_missing(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"return": pa.array([0.01, None, -0.02, 0.03])}), tmp_path / "block.parquet")
    assert np.array_equal(
        read_returns(tmp_path / "block.parquet", 2), np.array([[0.01, np.nan], [-0.02, 0.03]]), equal_nan=True
    )


def test_panels_come_in_order_and_none_is_larger_than_asked_for(files: list[Path], returns: np.ndarray) -> None:
    found = list(stream_panels(files, SESSIONS, at_once=25))
    assert [first for first, _ in found] == [0, 25, 50, 60, 85, 110, 120, 145]
    assert max(panel.n_assets for _, panel in found) == 25
    assert np.array_equal(np.concatenate([panel.returns for _, panel in found]), returns, equal_nan=True)


@pytest.mark.parametrize("kernel", ["gather", "sums"])
@pytest.mark.parametrize("at_once", [1, 25, 64])
def test_streamed_numbers_are_those_in_memory_to_the_last_bit(
    files: list[Path], returns: np.ndarray, market: np.ndarray, kernel: str, at_once: int
) -> None:
    source = np.random.default_rng(5)
    assets, days = source.integers(0, 150, 500), source.integers(0, SESSIONS, 500)
    skip = np.zeros(SESSIONS, dtype=bool)
    skip[200:205] = True
    whole = abnormal_returns(Panel(returns, market, skip), assets, days, kernel=kernel)
    car, std_error = np.full_like(whole.car, 9.0), np.full_like(whole.car, 9.0)
    for which, found in stream_abnormal_returns(
        files, SESSIONS, assets, days, factors=market, skip=skip, at_once=at_once, kernel=kernel
    ):
        car[which], std_error[which] = found.car, found.car_std_error
        assert found.kernel == kernel
    assert np.array_equal(car, whole.car, equal_nan=True)
    assert np.array_equal(std_error, whole.car_std_error, equal_nan=True)
    assert np.isfinite(car).any() and np.isnan(car).any()


def test_the_kernel_is_chosen_once(files: list[Path], market: np.ndarray) -> None:
    """Many events on the first securities, one on the last: alone, each would be given another kernel."""
    assets = np.concatenate([np.repeat(np.arange(60), 300), [149]])
    days = np.concatenate([np.tile(np.arange(100, 400), 60), [300]])
    options = {"estimation": (-90, -11), "factors": market}
    kernels = [found.kernel for _, found in stream_abnormal_returns(files, SESSIONS, assets, days, **options)]
    assert len(kernels) > 1 and set(kernels) == {"sums"}


def test_a_security_that_no_file_has_is_refused(files: list[Path]) -> None:
    with pytest.raises(WindowError, match="1 events name securities that the files do not have"):
        list(stream_abnormal_returns(files, SESSIONS, [3, 150], [300, 300], model="constant_mean"))


def test_files_that_are_no_blocks_are_refused(files: list[Path]) -> None:
    with pytest.raises(WindowError, match="24000 rows, which is no multiple of 7 sessions"):
        read_returns(files[0], 7)
    with pytest.raises(WindowError, match="has no column 'close'; it has session, return"):
        read_returns(files[0], SESSIONS, column="close")
