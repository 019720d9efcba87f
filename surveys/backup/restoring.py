"""Putting a backup back: looked at wholly before a single file stands where it will be used."""

import fcntl
import glob
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pysqlite3.dbapi2 as sqlite

from surveys import signed
from surveys.backup.archive import BackupRefused, identities_of, unpack, unseal
from surveys.backup.contents import INSTALLATION_KEY, REVIEWS, Left, database
from surveys.backup.making import settled
from surveys.cases.keeper import awaited_path
from surveys.public.signing import fingerprint, installation_key, public_text
from surveys.public.waves import State
from surveys.stores import STORES, StoresUnavailable, refuse_other_versions

HELD = "restore.lock"
"""Lies in a folder in which a backup is laid out, locked as long as somebody does."""
UNDER_WAY = (State.OPEN, State.ENDED, State.CLOSED)


@dataclass(frozen=True, slots=True)
class Found:
    """What a backup holds, counted in its stores themselves. Of cases the number alone."""

    day: str
    last_act: str
    """The day of the last act in the log."""
    fingerprint: str
    """Of the key that signs for the installation, as posters have it: a stranger's backup has another."""
    waves: tuple[tuple[str, str], ...]
    """Id and state of each."""
    people: int
    cases: int
    documents: int
    """Files kept with the evidence and with the register of the audit."""
    releases: int
    under_way: tuple[str, ...]
    """Waves whose sheets are sealed in it."""
    cases_key: str
    """The digest of the K_cases that belongs to it; empty if there was none."""
    left: Mapping[str, Left]
    taken_out: Mapping[str, Sequence[str]]
    """Triggers and views that lay in a store, by store. Ascolto has none; a trigger writes down who sent what, and when."""


def restore(file: Path, identity: Path, target: Path) -> Found:
    """Put a backup into a new data folder.

    Parameters
    ----------
    file : Path
        The sealed backup.
    identity : Path
        A file of private age keys.
    target : Path
        A folder that is not there yet, or is empty.

    Raises
    ------
    BackupRefused
        Nothing was written.
    OSError
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupRefused("not_empty", folder=target)
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _staging(target.parent, f".{target.name}.") as staging:
        found = _checked(file, identity, staging)
        if found.cases_key:
            awaited_path(staging).write_text(signed.canonical({"v": 1, "cases_key": found.cases_key}))
            awaited_path(staging).chmod(0o600)
        if REVIEWS in found.left:  # a backup of before it was in
            (staging / REVIEWS).write_bytes(b"[]")
            (staging / REVIEWS).chmod(0o600)
        for path in [*staging.rglob("*"), staging]:
            _to_disk(path)
        staging.rename(target)
        (target / HELD).unlink()  # not before: by it the next one finds what a killed one left
    settled(target)
    settled(target.parent)
    return found


def look(file: Path, identity: Path) -> Found:
    """Prove what is in a backup; what was laid out for that is gone at the end.

    Raises
    ------
    BackupRefused
    OSError
    """
    with _staging(Path(tempfile.gettempdir()), "ascolto-") as staging:
        return _checked(file, identity, staging)


@contextmanager
def _staging(parent: Path, prefix: str) -> Iterator[Path]:
    """A closed folder in which a backup is laid out; what those left that were killed goes first."""
    for left in parent.glob(f"{glob.escape(prefix)}*/{HELD}"):
        _clear(left)
    staging = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))  # 0700
    try:
        with (staging / f"{HELD}.new").open("wb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            Path(handle.name).rename(staging / HELD)  # under this name it is held from the first moment on
            yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _clear(held: Path) -> None:
    """Remove what somebody of this account laid out who is gone: stores without a seal, and a key."""
    with suppress(OSError):  # it goes in this moment, or is another's
        if held.parent.lstat().st_uid != os.geteuid() or held.parent.is_symlink():
            return
        with held.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(held.parent, ignore_errors=True)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _checked(file: Path, identity: Path, staging: Path) -> Found:
    identities = identities_of(identity)
    try:
        source = file.open("rb")
    except OSError:
        raise BackupRefused("no_file", file=file) from None
    with source, tempfile.TemporaryFile(dir=staging) as plain:
        unseal(source, identities, plain)
        return laid_out(plain, staging)


def laid_out(plain: IO[bytes], staging: Path) -> Found:
    """Lay an opened backup out in an empty folder and prove it.

    Raises
    ------
    BackupRefused
    OSError
    """
    manifest = unpack(plain, lambda name: staging / name)
    for store in STORES:
        _check_store(staging / database(store), store, manifest["stores"][store])
    try:
        return _found(staging, manifest, {store: _without_strange(staging / database(store)) for store in STORES})
    except (sqlite.DatabaseError, ValueError, OSError):
        raise BackupRefused("not_ours") from None


def _check_store(path: Path, store: str, about: Mapping[str, Any]) -> None:
    try:
        refuse_other_versions(store, set(about["steps"]))
    except StoresUnavailable as problem:
        raise BackupRefused("version", problem=problem) from None
    try:
        with _reading(path) as there:
            if there.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                raise BackupRefused("differs", name=path.name)
            steps = [str(row[0]) for row in there.execute("SELECT name FROM migration ORDER BY name")]
            names = there.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            rows = {
                name: there.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                for (name,) in names.fetchall()
                if '"' not in name
            }
    except sqlite.DatabaseError:
        raise BackupRefused("differs", name=path.name) from None
    if steps != about["steps"] or rows != about["rows"]:
        raise BackupRefused("differs", name=path.name)


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    there = sqlite.connect(str(path), isolation_level=None)
    try:
        there.execute("PRAGMA trusted_schema = OFF")
        there.execute("PRAGMA query_only = ON")
        yield there
    finally:
        there.close()


def _without_strange(path: Path) -> list[str]:
    """Take out what does something by itself; a table only lies there, and `ascolto check` names it."""
    strange = "SELECT name, type FROM sqlite_schema WHERE type IN ('trigger', 'view') ORDER BY type, name"
    there = sqlite.connect(str(path), isolation_level=None)
    try:
        there.execute("PRAGMA trusted_schema = OFF")
        found = there.execute(strange).fetchall()
        for name, kind in found:
            quoted = str(name).replace('"', '""')
            there.execute(f'DROP {kind} IF EXISTS "{quoted}"')
    finally:
        there.close()
    return sorted(str(name) for name, _ in found)


def _found(folder: Path, manifest: Mapping[str, Any], taken_out: Mapping[str, Sequence[str]]) -> Found:
    if not (folder / INSTALLATION_KEY).is_file():
        raise BackupRefused("differs", name=INSTALLATION_KEY)
    rows = {store: manifest["stores"][store]["rows"] for store in STORES}
    with _reading(folder / database("public")) as public, _reading(folder / database("people")) as people:
        waves = [(str(w), str(s)) for w, s, _ in _waves(public)]
        under_way = [str(w) for w, s, origin in _waves(public) if origin == "ascolto" and s in UNDER_WAY]
        last = people.execute("SELECT max(day) FROM log_entry").fetchone()[0]
    return Found(
        str(manifest["day"]),
        str(last or ""),
        fingerprint(public_text(installation_key(folder))),
        tuple(waves),
        rows["people"]["person"],
        rows["cases"]["case"],
        rows["public"]["evidence_document"] + rows["public"].get("register_document", 0),
        rows["public"]["release_document"],
        tuple(under_way),
        str(manifest["cases_key"]),
        {str(name): Left(why) for name, why in manifest["left"].items()},
        taken_out,
    )


def _waves(public: Any) -> Sequence[tuple[str, str, str]]:
    found: Sequence[tuple[str, str, str]] = public.execute("SELECT id, state, origin FROM wave ORDER BY id").fetchall()
    return found


def by_state(waves: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How many waves are in each state."""
    return dict(sorted(Counter(state for _, state in waves).items()))
