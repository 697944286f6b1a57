"""Where blocks are worked on: in this process, on a local Dask cluster, or on a scheduler that runs already."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from market_reaction.errors import ScaleError
from market_reaction.progress import progress

# Dask has workers give every freed array back to the system, which makes a placebo take four times as long.
MALLOC = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
KEPT = 2**29
RETRIES = 3  # of a block whose task fails; a worker that dies is no failure, its blocks go to another


def _distributed() -> Any:
    """The library, or what to install."""
    try:
        import distributed
    except ImportError:
        raise ScaleError(
            "Dask is not installed, and work on several processes or machines needs it. Run "
            "pip install 'market-reaction[cluster]', or conda install -c conda-forge distributed; client=None works "
            "without."
        ) from None
    return distributed


@contextmanager
def connected(client: Any) -> Iterator[Any]:
    """Client of a scheduler for as long as the block lasts; None stands for this process.

    Parameters
    ----------
    client : object
        None, ``"local"``, the address of a scheduler such as ``"tcp://10.0.0.5:8786"``, or a ``distributed.Client``,
        which is left open.

    Raises
    ------
    ScaleError
        Dask is not installed, no scheduler answers, or the client is of another type.
    """
    if client is None:
        yield None
        return
    distributed = _distributed()
    if isinstance(client, distributed.Client):
        yield client
    elif client == "local":
        with local_cluster() as cluster, distributed.Client(cluster) as own:
            yield own
    elif isinstance(client, str):
        with _reached(distributed, client) as own:
            yield own
    else:
        raise ScaleError(
            f"client is of type {type(client).__name__}; give None, 'local', the address of a scheduler or a "
            "distributed.Client."
        )


def _reached(distributed: Any, address: str) -> Any:
    """Client of the scheduler at an address."""
    if ":" not in address:  # Dask would look for such a host for half a minute
        raise ScaleError(f"client={address!r} is no address; give 'local' or an address such as tcp://host:8786.")
    try:
        return distributed.Client(address)
    except (OSError, ValueError) as error:
        raise ScaleError(
            f"client={address!r}: no Dask scheduler answers there ({error or type(error).__name__}). Give the address "
            "that `dask scheduler` prints, such as 'tcp://10.0.0.5:8786'; 'local' for processes on this computer; or "
            "None."
        ) from None


def local_cluster(workers: int | None = None) -> Any:
    """Cluster of processes on this machine, reached through the loopback interface alone and without a dashboard.

    Parameters
    ----------
    workers : int, optional
        Processes, of one thread each; one a processor when left out.

    Returns
    -------
    distributed.LocalCluster
        To be closed, or used in a ``with`` statement. In a script it belongs below ``if __name__ == "__main__":``.

    Raises
    ------
    ScaleError
        Dask is not installed.
    """
    import logging

    library = _distributed()
    import dask

    with deaf_to_ctrl_c(), dask.config.set({f"distributed.nanny.pre-spawn-environ.{name}": KEPT for name in MALLOC}):
        return library.LocalCluster(
            n_workers=workers or _processors(), threads_per_worker=1, processes=True, host="127.0.0.1",
            dashboard_address=None, worker_dashboard_address=None, silence_logs=logging.ERROR,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # of its health page: a free port
        )  # fmt: skip


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Have processes started meanwhile pass over Ctrl-C, which the terminal sends to all: this one stops them."""
    if threading.current_thread() is not threading.main_thread():  # no other may say what a signal does
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


def _processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work_on(client: Any, out: str, wanted: str, blocks: Sequence[int]) -> None:
    """Have every block worked on, in any order; one task a block."""
    from market_reaction.scale.work import run_block

    if client is None:
        for number in progress(blocks, "Blocks"):
            run_block(out, wanted, number, None)
        return
    run = uuid4().hex  # the same job may be done twice at a time, into two folders
    futures = [
        client.submit(run_block, out, wanted, number, 1, key=f"block-{number}-{run}", retries=RETRIES)
        for number in blocks
    ]
    try:
        for future in progress(_distributed().as_completed(futures), "Blocks", total=len(futures)):
            future.result()
    except _distributed().KilledWorker as error:
        raise ScaleError(
            f"a block was given up because workers died on it ({error}). What is done is kept: run again with more "
            "memory a worker, or write the panel with a smaller block=."
        ) from None
    finally:
        client.cancel(futures)
