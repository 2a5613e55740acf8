"""The repository as a package: what is installed, where it is imported from, and how it is locked."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

import assets
import remoteiq_etl
import schemas
from remoteiq_etl import errors

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def names(lines: list[str]) -> set[str]:
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if not line.startswith(("#", "-", " ")))
    return {match[0].lower().replace("_", "-") for match in found if match}


@pytest.mark.parametrize("package", [assets, schemas, remoteiq_etl], ids=lambda package: package.__name__)
def test_the_imported_packages_are_ours(package: object) -> None:
    # `assets` and `schemas` are common names: something installed could stand before them.
    assert Path(str(package.__file__)).parent.parent == ROOT  # type: ignore[attr-defined]


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-use.txt", "requirements-bench.txt"])
def test_a_lock_holds_versions_and_hashes_and_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z])", text)
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|--(index|extra-index|find-links)|@ ?file", text)


def test_every_dependency_of_the_package_is_locked() -> None:
    """And what running needs is all of it: the tools of checks and tests are in the other lock alone."""
    wanted = names((ROOT / "requirements-use.in").read_text(encoding="utf-8").splitlines())
    assert names(PROJECT["project"]["dependencies"]) == wanted - {"hatchling"}
    locks = [
        set((ROOT / lock).read_text(encoding="utf-8").split("\n\n"))
        for lock in ("requirements-use.txt", "requirements.txt")
    ]
    pins = [{line.split(" ")[0] for part in lock for line in part.splitlines() if "==" in line} for lock in locks]
    assert pins[0] < pins[1]
    assert not any(line.startswith(("pytest==", "playwright==", "ruff==", "mypy==")) for line in pins[0])


def test_every_direct_dependency_is_in_the_lock_in_its_version() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    given = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("requirements-use.in", "requirements.in"))
    wanted = re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", given, re.M)
    assert wanted
    for name, version in wanted:
        assert re.search(rf"^{re.escape(name.lower())}(\[.*\])?=={re.escape(version)} ", lock, re.MULTILINE), name


def test_every_error_is_in_the_tree_and_documented_there() -> None:
    tree = [member for member in vars(errors).values() if isinstance(member, type)]
    assert all(issubclass(member, errors.RemoteIQError) for member in tree)
    text = str(errors.__doc__)
    assert [member.__name__ for member in tree if not re.search(rf"\b{member.__name__}\b", text)] == []


def test_this_python_is_supported() -> None:
    assert sys.version_info >= (3, 11)
