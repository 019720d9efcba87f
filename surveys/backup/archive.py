"""The file of a backup: a tar of few known names, its manifest first, sealed with age (age-encryption.org/v1).

Both are old and plain formats: `age -d -i KEY FILE | tar t` reads one without this program.
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyrage

from surveys import signed
from surveys.backup.contents import database, why_left
from surveys.stores import STORES

MANIFEST = "manifest.json"
SCHEMA = "ascolto-backup-1"
MANIFEST_BYTES = 2**22
CHUNK = 2**20
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BackupRefused(Exception):
    """A backup is not made, or one that is there is not taken: `reason` is the key of a sentence, `values` what it names."""

    def __init__(self, reason: str, /, **values: object) -> None:
        super().__init__(reason)
        self.reason, self.values = reason, values


def recipients_of(texts: Sequence[str]) -> list[Any]:
    """Read the public keys that a backup is sealed to.

    Raises
    ------
    BackupRefused
        ``recipient`` with what was given; ``recipient_secret`` where it is a private key, which is not repeated.
    """
    found = []
    for text in texts:
        if text.strip().upper().startswith("AGE-SECRET-KEY"):
            raise BackupRefused("recipient_secret")
        try:
            found.append(pyrage.x25519.Recipient.from_str(text.strip()))
        except pyrage.RecipientError:
            raise BackupRefused("recipient", text=text) from None
    return found


def identities_of(path: Path) -> list[Any]:
    """Read a file of private keys as `age-keygen` writes it.

    Raises
    ------
    BackupRefused
        ``identity`` if it has none that can be read.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        keys = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (OSError, ValueError, pyrage.IdentityError):
        keys = []
    if not keys:
        raise BackupRefused("identity", file=path)
    return keys


class _Reader:
    """What pyrage reads from: pieces, one after the other."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._rest = iter(pieces), b""

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            try:
                self._rest = next(self._pieces)
            except StopIteration:
                return b""
        end = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:end], self._rest[end:]
        return piece


class _Writer:
    """What pyrage writes to: a file, and what the disk said of it."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self.problem: OSError | None = None

    def write(self, piece: bytes) -> int:
        try:
            return self._target.write(piece)
        except OSError as problem:
            self.problem = problem
            raise

    def flush(self) -> None:
        self._target.flush()


def seal(
    target: IO[bytes], manifest: Mapping[str, Any], contents: Mapping[str, IO[bytes]], recipients: Sequence[Any]
) -> None:
    """Write a backup: the manifest, then each content by its name.

    Raises
    ------
    OSError
        What the disk says, which pyrage gives as a fault of its own.
    """
    kept = _Writer(target)
    try:
        pyrage.encrypt_io(_Reader(stream(manifest, contents)), kept, list(recipients))
    except pyrage.EncryptError:
        if kept.problem is None:
            raise
        raise kept.problem from None


def stream(manifest: Mapping[str, Any], contents: Mapping[str, IO[bytes]]) -> Iterator[bytes]:
    """The archive before it is sealed."""
    about = signed.canonical(dict(manifest)).encode()
    for name, content in {MANIFEST: io.BytesIO(about), **contents}.items():
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = content.seek(0, io.SEEK_END), 0o600  # no owner, no hour
        content.seek(0)
        yield entry.tobuf(tarfile.USTAR_FORMAT)
        yield from _pieces(content)
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    return iter(partial(content.read, CHUNK), b"")


def digest_of(content: IO[bytes]) -> str:
    """SHA-256 of a whole file, in hex."""
    content.seek(0)
    digest = hashlib.sha256()
    for piece in _pieces(content):
        digest.update(piece)
    return digest.hexdigest()


def unseal(source: IO[bytes], identities: Sequence[Any], plain: IO[bytes]) -> None:
    """Decrypt a backup into a file that only this process sees.

    Raises
    ------
    BackupRefused
        ``sealed`` if these keys do not open it; ``damaged`` if it was cut off or changed.
    """
    try:
        pyrage.decrypt_io(source, plain, list(identities))
    except pyrage.DecryptError:
        raise BackupRefused("sealed") from None
    except OSError as problem:
        if problem.errno is not None:
            raise  # a full disk, not the file
        raise BackupRefused("damaged") from None


def unpack(plain: IO[bytes], place: Callable[[str], Path]) -> dict[str, Any]:
    """Lay down what a decrypted backup holds, each file as its manifest says; gives the manifest.

    Anybody who has the public key can seal a backup: nothing in it is believed. Names are those that this program gives, and
    no other, whatever else the archive holds.

    Raises
    ------
    BackupRefused
        ``not_ours``, ``newer``, ``name`` (with it) or ``differs`` (with the name of what is not as the manifest says).
    """
    plain.seek(0)
    try:
        with tarfile.open(fileobj=plain, mode="r:") as archive:
            manifest = _manifest(archive)
            awaited = _files_of(manifest)
            while (member := archive.next()) is not None:
                if member.name not in awaited or member.type != tarfile.REGTYPE or member.issparse():
                    raise BackupRefused("name", name=member.name)
                about, content = awaited.pop(member.name), archive.extractfile(member)
                if (
                    content is None
                    or member.size != about["bytes"]
                    or _write(content, place(member.name)) != about["sha256"]
                ):
                    raise BackupRefused("differs", name=member.name)
    except (tarfile.TarError, UnicodeError, OverflowError):
        raise BackupRefused("not_ours") from None
    if awaited:
        raise BackupRefused("differs", name=sorted(awaited)[0])
    return manifest


def _write(content: IO[bytes], path: Path) -> str:
    digest = hashlib.sha256()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("xb") as file:
        for piece in _pieces(content):
            digest.update(piece)
            file.write(piece)
    path.chmod(0o600)
    return digest.hexdigest()


def _manifest(archive: tarfile.TarFile) -> dict[str, Any]:
    member = archive.next()
    if member is None or member.name != MANIFEST or member.type != tarfile.REGTYPE or member.size > MANIFEST_BYTES:
        raise BackupRefused("not_ours")
    content = archive.extractfile(member)
    try:
        found = json.loads(content.read() if content else b"")
        schema = str(found["schema"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BackupRefused("not_ours") from None
    if schema != SCHEMA:
        raise BackupRefused("newer" if schema.startswith("ascolto-backup-") else "not_ours")
    return dict(found)


def _files_of(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What each file must be, if the manifest has the shape that this version writes and names nothing else."""
    try:
        files = dict(manifest["files"])
        for name, about in files.items():
            stores = {database(store) for store in STORES}
            if name not in stores and why_left(name) is not None:
                raise BackupRefused("name", name=name)
            if not _SHA256.fullmatch(about["sha256"]) or not isinstance(about["bytes"], int):
                raise BackupRefused("not_ours")
        for store in STORES:
            rows, steps = manifest["stores"][store]["rows"], manifest["stores"][store]["steps"]
            if database(store) not in files or not all(isinstance(n, int) for n in rows.values()):
                raise BackupRefused("not_ours")
            if not all(isinstance(step, str) for step in steps):
                raise BackupRefused("not_ours")
        date_and_awaited = (str(manifest["day"]), dict(manifest["left"]), str(manifest["cases_key"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BackupRefused("not_ours") from None
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date_and_awaited[0]):
        raise BackupRefused("not_ours")
    return files
