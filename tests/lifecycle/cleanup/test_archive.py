"""The archive of the state: whole, sealed where there is a key, and a flipped byte is found."""

import contextlib
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from remoteiq_etl.errors import ArchiveBroken
from remoteiq_etl.lifecycle.cleanup import archive
from remoteiq_etl.lifecycle.cleanup.archive import StateArchive
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.sensitive.keys import SealingKeys
from remoteiq_etl.sensitive.sealing import Sealer
from remoteiq_etl.state.schema import State, fixed_tables
from tests.support.migrating import Migration

#: Invented.
KEYS, OTHERS = (SealingKeys((bytes([byte]) * 32,)) for byte in (1, 2))


@pytest.fixture(scope="module")
def session(module_pair: Migration) -> Iterator[Session]:
    with contextlib.closing(module_pair.plan.target.connect()) as found:
        yield found


def made(session: Session, below: Path, keys: SealingKeys | None) -> StateArchive:
    return archive.make(session, State(session.database, "remoteiq_etl"), "default", keys, below)


@pytest.mark.parametrize("keys", [None, KEYS], ids=["clear", "sealed"])
def test_every_table_is_kept_and_read_back(
    session: Session, tmp_path: Path, keys: SealingKeys | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_CHUNK_CHARACTERS", 2_000)
    odd = "remoteiq_etl.orders (source_id, action, actor, reason, fence) VALUES (1, 'pause', 'a', E'line \\u2028 two \\n three', 0)"
    session.execute(f"INSERT INTO {odd}")
    found = made(session, tmp_path, keys)
    manifest = archive.check(found.directory, found.digest, keys)
    tables = {one.table: one for one in manifest.files}
    assert {table.name for table in fixed_tables()} | {"legacy_users_map"} <= tables.keys()
    assert manifest == found.manifest
    assert (manifest.key_id is None) == (keys is None)
    sealer = None if keys is None else Sealer(keys, "default")
    users = [json.loads(row) for row in archive.rows_of(found.directory, tables["legacy_users_map"], sealer)]
    assert len(users) == 40 == tables["legacy_users_map"].rows
    (source,) = [json.loads(row) for row in archive.rows_of(found.directory, tables["sources"], sealer)]
    assert (source["name"], "hash_key" in source) == ("default", False)
    assert {stat.S_IMODE(path.stat().st_mode) for path in found.directory.iterdir()} == {0o600}
    assert stat.S_IMODE(found.directory.stat().st_mode) == 0o700
    text = (found.directory / tables["legacy_users_map"].name).read_bytes()
    key = next(row["new_key"] for row in users if row["new_key"])
    assert key.encode() not in text


@pytest.mark.parametrize("keys", [None, KEYS], ids=["clear", "sealed"])
def test_a_flipped_byte_is_found_and_its_file_named(session: Session, tmp_path: Path, keys: SealingKeys | None) -> None:
    found = made(session, tmp_path, keys)
    for path in [*sorted(found.directory.iterdir())[::6], found.directory / archive.MANIFEST]:
        content = path.read_bytes()
        if not content:
            continue
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        with pytest.raises(ArchiveBroken, match=f"{path.name} is not what was written"):
            archive.check(found.directory, found.digest, keys)
        path.write_bytes(content)
    archive.check(found.directory, found.digest, keys)


def test_what_is_missing_or_cannot_be_opened_is_found(session: Session, tmp_path: Path) -> None:
    found = made(session, tmp_path, KEYS)
    with pytest.raises(ArchiveBroken, match=r"it cannot be opened \(SealingKeyMissing\)"):
        archive.check(found.directory, found.digest, OTHERS)
    with pytest.raises(ArchiveBroken, match="is encrypted: set REMOTEIQ_SEALING_KEY"):
        archive.check(found.directory, found.digest, None)
    (found.directory / "runs.sealed").unlink()
    with pytest.raises(ArchiveBroken, match=r"runs\.sealed is not what was written: it cannot be read"):
        archive.check(found.directory, found.digest, KEYS)
