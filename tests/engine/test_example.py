"""The example of the page on methods gives what stands there."""

from __future__ import annotations

from pathlib import Path

from refresh_docs import python_blocks, refreshed

METHODS = (Path(__file__).resolve().parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")


def test_the_example_of_the_engine_is_what_the_call_gives() -> None:
    blocks = list(python_blocks(METHODS))
    assert any("battery(panel" in block for block in blocks)
    assert refreshed(METHODS) == METHODS, "run: python tools/refresh_docs.py docs/methods.md, and read what changed"
