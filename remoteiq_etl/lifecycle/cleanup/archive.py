"""The archive of our own state: every table as a file with its checksum, encrypted where a sealing key is given, read back.

It outlives the state schema: maps, quarantine, decisions, verdicts, the ledger, archived values. Belongs here: writing and
checking its files. Does not belong here: when it is made (see execute).
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from psycopg import sql

from remoteiq_etl.errors import ArchiveBroken, SealingError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.sensitive.keys import SealingKeys
from remoteiq_etl.sensitive.sealing import Sealer
from remoteiq_etl.state.orders import actor
from remoteiq_etl.state.schema import State, fixed_tables, program_version

MANIFEST = "manifest.json"
_FORM = 1
_SEALED, _CLEAR = ".sealed", ".jsonl.gz"
#: Of one sealed line: small against memory, large against what sealing adds to it.
_CHUNK_CHARACTERS = 1_000_000
#: The key by which rows are hashed has no use outside of its database, and would let hashes of secrets be tried.
_LEFT_OUT = {"sources": ("hash_key",)}


@dataclass(frozen=True)
class ArchivedFile:
    """One table of the state schema as a file. `rows`, `bytes`: of the file; `sha256`: over its bytes, in hexadecimal."""

    name: str
    table: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ArchiveManifest:
    """What an archive holds. `key_id`: which key opens it; None: it is not encrypted."""

    source: str
    made_at: str
    program_version: str
    key_id: str | None
    files: tuple[ArchivedFile, ...]
    form: int = _FORM

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(one.rows for one in self.files)


@dataclass(frozen=True)
class StateArchive:
    """An archive on disk. `digest`: sha256 of its manifest, by which a changed one is told."""

    directory: Path
    digest: str
    manifest: ArchiveManifest


def make(session: Session, state: State, source: str, keys: SealingKeys | None, below: Path) -> StateArchive:
    """Write every table of the state, as of one snapshot, to a new directory that nobody else may read."""
    made_at = datetime.now(UTC)
    directory = below / f"{source}-{made_at:%Y%m%dT%H%M%S%fZ}"
    below.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o700)
    sealer = None if keys is None else Sealer(keys, source)
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        tables = sorted([*(table.name for table in fixed_tables()), *state.maps(session)])
        files = tuple(_write(session, state, table, directory, sealer) for table in tables)
    key_id = None if sealer is None else sealer.key_id
    manifest = ArchiveManifest(source, made_at.isoformat(), program_version(), key_id, files)
    content = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
    with _new_file(directory / MANIFEST) as file:
        file.write(content)
    return StateArchive(directory, hashlib.sha256(content).hexdigest(), manifest)


def check(directory: Path, digest: str, keys: SealingKeys | None) -> ArchiveManifest:
    """Read an archive back: the manifest, and of every file size, checksum, rows, and that it can be opened.

    Raises ArchiveBroken that names the first file that is not as it was written.
    """
    content = _read(directory / MANIFEST)
    if hashlib.sha256(content).hexdigest() != digest:
        raise _broken(directory / MANIFEST, "its checksum is another")
    found = json.loads(content)
    files = tuple(ArchivedFile(**one) for one in found.pop("files"))
    manifest = ArchiveManifest(files=files, **found)
    sealer = None if keys is None else Sealer(keys, manifest.source)
    for one in files:
        _check_file(directory, one, sealer)
    return manifest


def record(session: Session, state: State, source_id: int, archive: StateArchive) -> None:
    """Remember an archive that was read back and found whole."""
    insert = sql.SQL(
        'INSERT INTO {} (source_id, directory, digest, files, "rows", sealed, actor) VALUES (%s, %s, %s, %s, %s, %s, %s)'
    ).format(state.name("state_archives"))
    manifest = archive.manifest
    figures = [len(manifest.files), manifest.rows, manifest.key_id is not None]
    session.execute(insert, [source_id, str(archive.directory), archive.digest, *figures, actor()])


def rows_of(directory: Path, one: ArchivedFile, sealer: Sealer | None) -> Iterator[str]:
    """The rows of a file, each as JSON text. Raises SealingError where it cannot be opened."""
    # JSON has no line feed of its own, but any other character at which splitlines() would split.
    content = _read(directory / one.name)
    if one.name.endswith(_CLEAR):
        yield from gzip.decompress(content).decode().split("\n")[:-1]
        return
    if sealer is None:
        raise ArchiveBroken(
            f"{directory / one.name} is encrypted: set REMOTEIQ_SEALING_KEY to the key that it was sealed with."
        )
    for number, line in enumerate(content.decode().split("\n")[:-1]):
        yield from sealer.open(line, _place(directory, one.table, number)).split("\n")


# --- one file ---------------------------------------------------------------------------------------------------------


def _write(session: Session, state: State, table: str, directory: Path, sealer: Sealer | None) -> ArchivedFile:
    path = directory / (table + (_CLEAR if sealer is None else _SEALED))
    rows = _Counted(_rows(session, state, table))
    lines: Iterable[bytes] = (f"{row}\n".encode() for row in rows)
    with _new_file(path) as file:
        if sealer is None:
            with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
                packed.writelines(lines)
        else:
            for number, chunk in enumerate(_chunks(rows)):
                file.write(f"{sealer.seal(chunk, _place(directory, table, number))}\n".encode())
    content = path.read_bytes()
    return ArchivedFile(path.name, table, rows.count, len(content), hashlib.sha256(content).hexdigest())


def _rows(session: Session, state: State, table: str) -> Iterator[str]:
    left_out = sql.Literal(list(_LEFT_OUT.get(table, ())))
    query = sql.SQL("COPY (SELECT to_jsonb(t) - {}::text[] FROM {} AS t) TO STDOUT").format(left_out, state.name(table))
    session.database.observe(query.as_string(None))
    with session.connection.cursor().copy(query) as copy:
        for row in copy.rows():
            yield str(row[0])


def _chunks(rows: Iterable[str]) -> Iterator[str]:
    """The rows as texts of some size, each row whole."""
    held: list[str] = []
    size = 0
    for row in rows:
        held.append(row)
        size += len(row)
        if size >= _CHUNK_CHARACTERS:
            yield "\n".join(held)
            held, size = [], 0
    if held:
        yield "\n".join(held)


def _place(directory: Path, table: str, number: int) -> tuple[str, ...]:
    """Where a sealed line lies: it opens in no other archive, file or line."""
    return "state_archive", directory.name, table, str(number)


def _check_file(directory: Path, one: ArchivedFile, sealer: Sealer | None) -> None:
    path = directory / one.name
    content = _read(path)
    if len(content) != one.bytes or hashlib.sha256(content).hexdigest() != one.sha256:
        raise _broken(path, "its size or checksum is another")
    try:
        rows = sum(1 for _ in rows_of(directory, one, sealer))
    except (SealingError, OSError, ValueError) as error:
        raise _broken(path, f"it cannot be opened ({type(error).__name__})") from error
    if rows != one.rows:
        raise _broken(path, f"it has {rows:,} rows, {one.rows:,} were written")


def _broken(path: Path, why: str) -> ArchiveBroken:
    return ArchiveBroken(f"{path} is not what was written: {why}. Make the archive again, or restore the file.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _broken(path, f"it cannot be read ({error.strerror})") from error


def _new_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


@dataclass
class _Counted:
    """Rows that are counted as they pass."""

    rows: Iterator[str]
    count: int = 0

    def __iter__(self) -> Iterator[str]:
        for row in self.rows:
            self.count += 1
            yield row
