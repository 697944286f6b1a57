"""The pages run, their outputs are what the code gives today, and they name everything there is."""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from pathlib import Path

import pytest

from market_reaction.battery.registry import TESTS
from market_reaction.errors import MarketReactionWarning
from market_reaction.normal_models import NORMAL_MODELS
from refresh_docs import python_blocks, refreshed, run_block

ROOT = Path(__file__).resolve().parents[1]
METHODS = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")


def rows_of(heading: str) -> list[list[str]]:
    """Cells of the first table under a heading, without its head."""
    lines = METHODS.partition(heading)[2].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| ---"))
    table = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return table


def test_answers_to_a_referee_are_what_the_calls_give(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "referee.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert refreshed(page) == page, "run: python tools/refresh_docs.py docs/referee.md, and read what changed"


def test_python_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "readme"}
    blocks = list(python_blocks((ROOT / "README.md").read_text(encoding="utf-8")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarketReactionWarning)
        for block in blocks:
            run_block(block, names)
    assert len(blocks) > 1


def test_a_block_gives_what_it_prints_and_its_last_value() -> None:
    page = "# A page\n\n```python\nprint(1)\n2 + 1  \n```\n\n```text\nold\n```\n\n```python\nkept = 5\n```\n"
    assert refreshed(page) == page.replace("old", "1\n3")
    assert refreshed(refreshed(page)) == refreshed(page)
    with pytest.raises(ZeroDivisionError):
        refreshed("```python\n1 / 0\n```\n")


def test_the_table_of_tests_names_each_with_its_settings_and_code() -> None:
    """1x1, 1xN and K stand for the three settings."""
    short = {"one event, one market": "1×1", "one event, several markets": "1×N", "several events": "K"}
    rows = rows_of("## 11. Table of tests")
    assert [row[0].strip("` ") for row in rows] == list(TESTS)
    for name, settings, *_, code in rows:
        roles = TESTS[name.strip("` ")].roles
        said = dict(part.split(": ") for part in settings.split("; "))
        expected = {short[setting]: role for setting, role in roles.items()}
        if name == "`kolari_pynnonen_t`":
            expected["K"] = "refused"
        assert {key.removeprefix("| "): role for key, role in said.items()} == expected, name
        module, _, function = code.strip("` |").rpartition(".")
        assert callable(getattr(import_module(f"market_reaction.{module}"), function)), code


def test_the_table_of_models_names_each() -> None:
    rows = rows_of("### 2.2 The eleven models")
    named = [re.match(r"\|? ?`(\w+)`", row[0])[1] for row in rows]  # type: ignore[index]
    assert sorted(named) == sorted(NORMAL_MODELS)
    assert {row[0].strip("`| ").split("`")[0]: row[-1].startswith("exact") for row in rows} == {
        name: model.exact for name, model in NORMAL_MODELS.items()
    }
