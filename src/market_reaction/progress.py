"""The progress bar of everything that takes more than a second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Go through items and show a bar once a second has passed; it is gone at the end.

    A single item has none: its bar would stand still, or inside that of the caller.

    Parameters
    ----------
    items : iterable
        What is worked on.
    label : str
        What is being done, in a few words.
    total : int, optional
        Number of items where they cannot be counted.
    """
    if total == 1 or (isinstance(items, Sized) and len(items) == 1):
        yield from items
        return
    from tqdm.auto import tqdm

    yield from tqdm(items, desc=label, total=total, delay=1.0, leave=False)
