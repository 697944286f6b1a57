"""The public surface: its names, and what importing it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import market_reaction as mr


def test_every_public_name_can_be_imported() -> None:
    assert mr.__all__ == sorted(mr.__all__)
    for name in mr.__all__:
        assert getattr(mr, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'reakt'"):
        mr.reakt  # noqa: B018


def test_no_public_name_is_hidden_by_a_module_of_the_same_name() -> None:
    assert not {name for name in mr.__all__ if name in {path.stem for path in Path(mr.__file__).parent.iterdir()}}


def test_importing_the_package_imports_no_heavy_library() -> None:
    code = "import sys, market_reaction; print(sorted({'pandas', 'numpy', 'plotly', 'yfinance'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
