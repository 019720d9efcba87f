"""The key of the cases store, K_cases: kept outside the database and its backups.

It makes the name on a wrap meaningless without it, and the handlers' log unreadable in a stolen file.
"""

import hmac
import os
from pathlib import Path

from nacl.secret import SecretBox

RECOVERY = "recovery"
REPORTER = "reporter"


class Keeper:
    """Answers with K_cases; never shows it."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("K_cases has 32 bytes")
        self._key = key

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
    path = data / "keys" / "cases.key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(32))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        pass
    return Keeper(path.read_bytes())
