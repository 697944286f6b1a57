"""The doctor names what is missing and never raises."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from market_reaction import doctor, paths
from market_reaction.cli.app import app


def by_name(checks: list[doctor.Check], name: str) -> list[doctor.Check]:
    return [check for check in checks if check.name == name]


def test_a_sound_installation_is_usable() -> None:
    checks = doctor.examine()
    assert doctor.usable(checks), [check for check in checks if check.status == "problem"]
    names = (
        "Python",
        "packages",
        "bundled data",
        "events",
        "instruments",
        "calendars",
        "snapshots",
        "notebooks",
        "Yahoo",
    )
    assert tuple(dict.fromkeys(check.name for check in checks)) == names
    (yahoo,) = by_name(checks, "Yahoo")
    assert yahoo.status == "note"
    assert "XSHG 2026-12-31" in by_name(checks, "calendars")[0].text
    assert "pandas 3" in by_name(checks, "packages")[0].text


def test_the_command_shows_every_check() -> None:
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    for name in ("Python", "bundled data", "Yahoo"):
        assert name in result.stdout
    assert "The suite is usable." in result.stderr


def test_snapshots_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "yahoo" / "ES=F").mkdir(parents=True)
    (tmp_path / "yahoo" / "ES=F" / "a.parquet").write_bytes(b"0" * 2_000_000)
    monkeypatch.setenv("MARKET_REACTION_SNAPSHOTS", str(tmp_path))
    (check,) = by_name(doctor.examine(), "snapshots")
    assert check.text == f"1 in {tmp_path}, 2.0 MB"


def test_changed_and_missing_bundled_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(paths.data_dir(), tmp_path / "data", ignore=shutil.ignore_patterns("snapshots"))
    monkeypatch.setattr(paths, "data_dir", lambda: tmp_path / "data")
    (tmp_path / "data" / "bundled" / "vix.csv").write_text("changed", encoding="utf-8")
    (tmp_path / "data" / "bundled" / "csi300.csv").unlink()
    checks = doctor.examine()
    (check,) = by_name(checks, "bundled data")
    assert check.status == "problem"
    assert "csi300.csv, vix.csv" in check.text
    assert not doctor.usable(checks)


def test_a_bad_user_file_is_a_problem_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.csv"
    own.write_text("name,class\nMine,bond\n", encoding="utf-8")
    monkeypatch.setenv("MARKET_REACTION_INSTRUMENTS", str(own))
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "has class 'bond'" in " ".join(result.stdout.split())
