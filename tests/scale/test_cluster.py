"""A real cluster of two processes: the numbers of one process to the last bit, also where a worker is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from market_reaction import scale
from market_reaction.errors import ScaleError
from market_reaction.scale.cluster import deaf_to_ctrl_c
from market_reaction.scale.dataset import PanelDataset

BLOCKS = 40
PATIENCE = 120  # seconds a slow computer is given
OPTIONS = {"model": "market", "windows": [(0, 1), (-1, 5)]}


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> PanelDataset:
    return scale.random_panel(tmp_path_factory.mktemp("generated"), 5 * BLOCKS, 900, block=5, missing=0.04)


@pytest.fixture(scope="module")
def events(panel: PanelDataset) -> pd.DataFrame:
    return pd.DataFrame({"event_id": [f"e{at}" for at in range(60)], "session": panel.sessions[200:800:10]})


@pytest.fixture(scope="module")
def serial(panel: PanelDataset, events: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> scale.StudyRows:
    return scale.run(panel, events, tmp_path_factory.mktemp("serial"), **OPTIONS)


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    with scale.local_cluster(2) as found:
        yield found


@pytest.fixture(scope="module")
def client(cluster: object) -> Iterator[object]:
    from distributed import Client

    with Client(cluster) as found:
        yield found


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether all numbers are equal to the last bit, and all texts."""
    assert list(one.columns) == list(other.columns) and len(one) == len(other)
    return all(
        np.array_equal(one[name], other[name], equal_nan=True)
        if one[name].dtype.kind == "f"
        else (one[name].astype(str) == other[name].astype(str)).all()
        for name in one
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def checksums(found: scale.StudyRows) -> list[str]:
    return [part["sha256"] for part in found.manifest["partitions"]]


def test_two_workers_give_what_one_process_gives(
    panel: PanelDataset, events: pd.DataFrame, serial: scale.StudyRows, client: object, tmp_path: Path
) -> None:
    found = scale.run(panel, events, tmp_path / "rows", client=client, **OPTIONS)
    assert same(found.to_frame(), serial.to_frame())
    assert found.to_frame()["car[0,1]"].isna().any() and checksums(found) == checksums(serial)
    assert found.manifest["kernel"] == serial.manifest["kernel"]
    pd.testing.assert_frame_equal(found.per_event(), serial.per_event(), check_exact=True)
    pools = scale.run_placebo(panel, events, tmp_path / "pools", client=client, count=120, **OPTIONS)
    alone = scale.run_placebo(panel, events, tmp_path / "alone", count=120, **OPTIONS)
    pd.testing.assert_frame_equal(pools.to_frame(), alone.to_frame(), check_exact=True)


def test_ctrl_c_is_for_the_process_that_began(client: object) -> None:
    """A terminal sends it to all; workers that took it would each write a traceback."""
    assert set(client.run(lambda: signal.getsignal(signal.SIGINT)).values()) == {signal.SIG_IGN}
    found = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start the tests deaf to it
    try:
        with deaf_to_ctrl_c():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, found)


def test_a_run_that_is_stopped_says_how_far_it_came(
    panel: PanelDataset, events: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from market_reaction.scale import work

    original = work.run_block

    def stops(out: str, wanted: str, number: int, threads: int | None) -> object:
        if number == 4:
            raise KeyboardInterrupt
        return original(out, wanted, number, threads)

    monkeypatch.setattr(work, "run_block", stops)
    told = f"stopped with 4 of {BLOCKS} blocks done; "
    with pytest.raises(KeyboardInterrupt, match=f"^{told}the same call goes on from there$"):
        scale.run(panel, events.head(2), tmp_path)
    with pytest.raises(KeyboardInterrupt, match=f"^{told}out= keeps them for the next time$"):
        scale.run(panel, events.head(2))
    monkeypatch.undo()
    assert len(scale.run(panel, events.head(2), tmp_path).to_frame()) == 2 * 5 * BLOCKS


def test_a_worker_that_is_killed_loses_nothing(
    panel: PanelDataset, events: pd.DataFrame, serial: scale.StudyRows, cluster: object, client: object, tmp_path: Path
) -> None:
    worker, held, out = next(iter(cluster.workers.values())), tmp_path / "held", tmp_path / "out"
    pid, done = worker.pid, []

    def hold_the_fourth_block() -> None:
        """Have the worker stop in its fourth block, with the draft of the partition begun, until it is killed."""
        from market_reaction.scale import work

        original, started = work.study_tables, []

        def tables(*given: object) -> Iterator[object]:
            started.append(given)
            yield from original(*given)
            if len(started) == 4:
                held.touch()
                time.sleep(10 * PATIENCE)

        work.study_tables = tables

    def kill() -> None:
        until = time.monotonic() + PATIENCE
        while not held.exists() and time.monotonic() < until:
            time.sleep(0.005)
        done.append(len(list((out / "parts").glob("part-*.json"))))
        os.kill(pid, signal.SIGKILL)

    client.run(hold_the_fourth_block, workers=[worker.worker_address])
    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    found = scale.run(panel, events, out, client=client, **OPTIONS)
    killer.join(timeout=PATIENCE)
    assert held.exists() and 3 <= done[0] < BLOCKS
    until = time.monotonic() + PATIENCE
    while alive(pid) and time.monotonic() < until:  # until its nanny has seen it
        time.sleep(0.01)
    assert not alive(pid) and not list((out / "parts").glob(".*"))
    assert same(found.to_frame(), serial.to_frame()) and checksums(found) == checksums(serial)


def test_a_rerun_on_the_cluster_does_only_what_is_missing(
    panel: PanelDataset, events: pd.DataFrame, serial: scale.StudyRows, client: object, tmp_path: Path
) -> None:
    scale.run(panel, events, tmp_path, **OPTIONS)  # begun in one process, finished on two
    parts = sorted((tmp_path / "parts").glob("*.parquet"))
    stamps = [part.stat().st_mtime_ns for part in parts]
    parts[7].unlink()
    parts[31].write_bytes(parts[31].read_bytes()[:-7])
    found = scale.run(panel, events, tmp_path, client=client, **OPTIONS)
    changed = [at for at, part in enumerate(parts) if part.stat().st_mtime_ns != stamps[at]]
    assert changed == [7, 31] and checksums(found) == checksums(serial)
    with pytest.raises(ScaleError, match=r"options model: .market. there, .constant_mean. asked for"):
        scale.run(panel, events, tmp_path, client=client, **(OPTIONS | {"model": "constant_mean"}))


def test_a_scheduler_is_reached_by_its_address(
    panel: PanelDataset, events: pd.DataFrame, cluster: object, tmp_path: Path
) -> None:
    found = scale.run(panel, events.head(1), tmp_path, client=cluster.scheduler_address, windows=[(0, 1)])
    assert len(found.to_frame()) == 5 * BLOCKS


def test_a_damaged_panel_is_named_by_the_worker(events: pd.DataFrame, client: object, tmp_path: Path) -> None:
    panel = scale.random_panel(tmp_path / "panel", 20, 900, block=10)
    block = tmp_path / "panel" / panel.blocks[1].file
    block.write_bytes(block.read_bytes()[:-1] + b"?")
    with pytest.raises(ScaleError, match=r"block-00001\.parquet is missing, or is not the file that was written"):
        scale.run(panel, events, tmp_path / "out", client=client)


def test_only_this_machine_can_reach_the_cluster(cluster: object) -> None:
    addresses = [cluster.scheduler_address, *(worker.worker_address for worker in cluster.workers.values())]
    assert all(address.startswith("tcp://127.0.0.1:") for address in addresses)
    assert cluster.scheduler.http_server.address == "127.0.0.1"


def test_dask_is_imported_only_where_it_is_used() -> None:
    code = (
        "import sys, market_reaction as mr; from market_reaction import scale; scale.run; scale.cross_section; "
        "print([name for name in ('dask', 'distributed') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_without_dask_the_error_says_what_to_install(
    panel: PanelDataset, events: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ScaleError, match=r"pip install 'market-reaction\[cluster\]'"):
        scale.run(panel, events, tmp_path, client="local")
    assert len(scale.run(panel, events.head(1), tmp_path / "alone").to_frame()) == 5 * BLOCKS
