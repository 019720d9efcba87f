"""The key of the cases store, K_cases: kept outside the database and its backups.

It makes the name on a wrap meaningless without it, and the handlers' log unreadable in a stolen file. Beside it lies which cases
are of version 1, fixed at the update to version 2: no writer of the database decides by which rules a case is read.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Collection
from pathlib import Path

from nacl.secret import SecretBox

RECOVERY = "recovery"
REPORTER = "reporter"
FIRST_VERSION, VERSION = 1, 2


class Keeper:
    """Answers with K_cases; never shows it."""

    __slots__ = ("_first", "_key")

    def __init__(self, key: bytes, first: Collection[str] = ()) -> None:
        if len(key) != 32:
            raise ValueError("K_cases has 32 bytes")
        self._key = key
        self._first = frozenset(first)

    def version(self, case: int) -> int:
        """By which rules a case is read: 1 where it was one of those at the update, whatever its row says."""
        return FIRST_VERSION if self.mark(case) in self._first else VERSION

    def mark(self, case: int) -> str:
        """What stands for a case in the list of those of version 1: it names none to whoever has not K_cases."""
        return hmac.digest(self._key, f"version 1 {case:016x}".encode(), "sha256").hex()

    def reader(self, case: int, stream: str, name: str) -> bytes:
        """The name on a wrap: HMAC-SHA256 over the case, the stream and who reads."""
        return hmac.digest(self._key, f"reader {case:016x} {stream} {name}".encode(), "sha256")

    def box(self) -> SecretBox:
        """What seals the lines of the handlers' log."""
        return SecretBox(hmac.digest(self._key, b"log", "sha256"))

    def decoy(self, name: str) -> bytes:
        """A salt for a handler who does not exist: the same at each asking, 16 bytes."""
        return hmac.digest(self._key, f"salt {name}".encode(), "sha256")[:16]


def keeper_at(data: Path) -> Keeper:
    """Read K_cases, made at first use with access for this account only."""
    path = key_path(data)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(32))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        pass
    return Keeper(path.read_bytes(), _first_versions(data))


def key_path(data: Path) -> Path:
    return data / "keys" / "cases.key"


def awaited_path(data: Path) -> Path:
    """Where a restore writes by its digest which key must be brought before anything starts."""
    return data / "keys" / "awaited.json"


def key_digest(key: bytes) -> str:
    """What a backup holds of K_cases, to know it again when it is brought: nothing is read with it."""
    return hashlib.sha256(b"ascolto cases key v1" + key).hexdigest()


class KeyAwaited(Exception):
    """The key that belongs to a restored store is not here; the text says what to do."""


def check_awaited(data: Path) -> None:
    """Wait for K_cases after a restore: a new one would be made without a word, and no reader find the reports of before.

    Raises
    ------
    KeyAwaited
    """
    awaited, key = awaited_path(data), key_path(data)
    if not awaited.exists():
        return
    try:
        wanted = json.loads(awaited.read_text("utf-8"))["cases_key"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise KeyAwaited(f"{awaited} cannot be read: {problem}") from problem
    if not key.exists() or key_digest(key.read_bytes()) != wanted:
        raise KeyAwaited(
            f"this folder was restored from a backup, and a backup never holds the key of the reports: bring the one that is"
            f" kept apart to {key}. Only if it is lost for good remove {awaited}: a new key is made, and no handler will find"
            " the reports of before"
        )
    awaited.unlink()


def first_versions_path(data: Path) -> Path:
    """Where the marks of cases of version 1 lie: written once, at the update."""
    return data / "keys" / "version-1-cases.json"


def _first_versions(data: Path) -> list[str]:
    try:
        found = json.loads(first_versions_path(data).read_text("utf-8"))
    except (OSError, ValueError):
        return []  # none: a case of version 1 is then refused, never another one read as one
    return [mark for mark in found if isinstance(mark, str)] if isinstance(found, list) else []
