"""pyproject.toml, requirements.lock and environment.yml name the same libraries, and a wheel is complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").is_file(),
    reason="These tests need the checkout, and this is an installed package.",
)

LOCKED_EXTRAS = ("cluster", "dev", "export", "data")
CONDA_EXTRAS = ("export",)
CONDA_NAMES = {"arch": "arch-py", "kaleido": "python-kaleido"}
# A scheme, or something that looks like a host.
ADDRESS = re.compile(r"\w+://|@ |\b[\w-]+\.(?:com|org|net|io|dev|internal|local|corp)\b", re.IGNORECASE)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict:
    return tomllib.loads(text("pyproject.toml"))["project"]


def wanted(*extras: str) -> list[Requirement]:
    lists = [project()["dependencies"], *(project()["optional-dependencies"][extra] for extra in extras)]
    return [Requirement(line) for lines in lists for line in lines]


def locked() -> list[Requirement]:
    lines = (line.strip() for line in text("requirements.lock").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def version(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    assert specifier.operator == "==", f"{pin} is in requirements.lock without an exact version."
    return specifier.version


def environment() -> tuple[dict[str, Requirement], dict[str, Requirement], list[str]]:
    """The conda libraries, the pip libraries by canonical name, and the other pip lines."""
    lines = yaml.safe_load(text("environment.yml"))["dependencies"]
    (pip,) = [line["pip"] for line in lines if isinstance(line, dict)]
    conda = [Requirement(line) for line in lines if isinstance(line, str)]
    from_pip = [Requirement(line) for line in pip if not line.startswith("-")]
    return (
        {canonicalize_name(r.name): r for r in conda},
        {canonicalize_name(r.name): r for r in from_pip},
        [line for line in pip if line.startswith("-")],
    )


@pytest.mark.parametrize("requirement", wanted(*LOCKED_EXTRAS), ids=lambda r: r.name)
def test_lock_satisfies_project(requirement: Requirement) -> None:
    pins = [pin for pin in locked() if canonicalize_name(pin.name) == canonicalize_name(requirement.name)]
    assert pins, f"{requirement.name} is not in requirements.lock. Run make lock."
    for pin in pins:
        assert requirement.specifier.contains(version(pin)), f"{pin} does not satisfy {requirement}. Run make lock."


def test_lock_leaves_out_what_no_test_needs() -> None:
    names = {canonicalize_name(pin.name) for pin in locked()}
    assert not names & {"akshare"}


@pytest.mark.parametrize("requirement", wanted(*CONDA_EXTRAS), ids=lambda r: r.name)
def test_environment_repeats_project(requirement: Requirement) -> None:
    conda, from_pip, _ = environment()
    found = conda.get(canonicalize_name(CONDA_NAMES.get(requirement.name, requirement.name)))
    found = found or from_pip.get(canonicalize_name(requirement.name))
    assert found, f"{requirement.name} is not in environment.yml."
    assert found.specifier == requirement.specifier, f"environment.yml has {found}, pyproject.toml {requirement}."


def test_environment_names_nothing_else() -> None:
    conda, from_pip, others = environment()
    expected = {canonicalize_name(CONDA_NAMES.get(r.name, r.name)) for r in wanted(*CONDA_EXTRAS)}
    assert conda.keys() | from_pip.keys() == expected | {"python", "pip"}
    assert others == ["-e ."]


def test_environment_uses_conda_forge_only() -> None:
    assert yaml.safe_load(text("environment.yml"))["channels"] == ["conda-forge", "nodefaults"]


def test_python_range_is_the_same_everywhere() -> None:
    conda, _, _ = environment()
    stated = project()["requires-python"]
    assert conda["python"].specifier == Requirement(f"python{stated}").specifier
    assert f"PYTHON_RANGE := {stated}\n" in text("Makefile")


@pytest.mark.parametrize("name", ["requirements.lock", "environment.yml"])
def test_no_address(name: str) -> None:
    assert ADDRESS.findall(text(name)) == []
    assert "--index" not in text(name)
    assert "--find-links" not in text(name)


@pytest.mark.parametrize("line", ["--index-url https://x", "a @ file:///x", "# from files.example.org"])
def test_address_is_recognised(line: str) -> None:
    assert ADDRESS.search(line)


def test_ci_calls_make_test() -> None:
    path = ROOT / ".ci" / "run"
    assert text(".ci/run").rstrip().splitlines()[-1] == "make test"
    assert os.access(path, os.X_OK), f"{path} is not executable. Run chmod +x .ci/run."


def test_hooks_are_local() -> None:
    assert {repo["repo"] for repo in yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]} == {"local"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_wheel_holds_data_and_notebooks(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert {"market_reaction/__init__.py", "market_reaction/_data/instruments.csv"} <= names
    notebooks = {f"market_reaction/_notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks <= names
    assert not [name for name in names if name.startswith("market_reaction/_data/snapshots")]
    assert {name.split("/")[0] for name in names} <= {
        "market_reaction",
        f"market_reaction-{project()['version']}.dist-info",
    }
    assert "market-reaction = market_reaction.cli:main" in metadata


def test_source_archive_holds_what_a_wheel_needs(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    top = f"market_reaction-{project()['version']}"
    with tarfile.open(archive) as tar:
        names = set(tar.getnames())
    expected = ("pyproject.toml", "LICENSE", "data/instruments.csv", "src/market_reaction/__init__.py")
    assert {f"{top}/{name}" for name in expected} <= names
    assert not [name for name in names if name.startswith(f"{top}/data/snapshots")]
