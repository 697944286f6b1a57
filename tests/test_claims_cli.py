"""The command ``claims``: table, JSON and CSV, and mistakes."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from market_reaction.cli.app import app

SENTENCE = "China's CSI 300 rose almost 1%, its best day in weeks"


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    """What the command writes to stdout and to stderr."""
    import market_reaction.cli  # noqa: F401 registers the commands

    done = CliRunner().invoke(app, ["claims", *arguments])
    assert done.exit_code == code, done.stderr
    return done.stdout, done.stderr


def test_the_article_on_the_csi_300() -> None:
    shown = " ".join(run(SENTENCE, "--date", "2025-06-11")[0].split())
    assert "All 3 claims are true." in shown and "+0.75%" in shown
    assert "best since 2025-05-14, 19 sessions" in shown
    assert "'almost 1%' holds from +0.75% to below +1.00%" in shown
    assert "largest gain since 2025-05-14 (5.0% of days)" in shown and "0.36 (0.002)" in shown


def test_the_offshore_yuan_offline() -> None:
    shown = " ".join(run("the offshore yuan was stable", "--date", "2025-06-11", "--margin", "0.003")[0].split())
    assert "USD/CNY (ECB) stands in for USD/CNH" in shown
    assert "margin of 0.30%" in shown and "equivalence p 0.093" in shown


def test_json_and_csv() -> None:
    content = json.loads(run(SENTENCE, "--event", "2025-06-10-jt", "--source", "bundled", "-f", "json")[0])
    assert [claim["verdict"] for claim in content["claims"]] == ["true"] * 3
    assert content["parameters"]["event"] == "2025-06-10-jt"
    out, said = run(SENTENCE, "=cmd()", "--date", "2025-06-11", "--source", "bundled", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["verdict"] for row in rows] == ["true"] * 3
    assert "Not checked: '=cmd()': no pattern covers it." in " ".join(said.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([SENTENCE], "does not say when"),
        ([SENTENCE, "--date", "2025-06-11", "--margin", "x"], "neither a number nor NAME=NUMBER"),
        (["the CSI 300 was stable", "--date", "2025-06-11", "--margin", "1"], "margins are decimals: 0.01 is 1%"),
        ([SENTENCE, "--date", "yesterday"], "date='yesterday' is no date"),
        ([], "Missing argument 'SENTENCE...'"),
    ],
)
def test_mistakes_end_with_one_paragraph(arguments: list[str], message: str) -> None:
    out, said = run(*arguments, code=2)
    assert out == "" and message in " ".join(said.split()) and "Traceback" not in said
