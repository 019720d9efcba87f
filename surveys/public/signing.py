"""The installation's Ed25519 key: signs release documents. The public half is at /.well-known/ascolto."""

import base64
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


def installation_key(folder: Path) -> Ed25519PrivateKey:
    """Read the key of this installation, making it the first time (readable by its owner alone)."""
    path = folder / "keys" / "installation.pem"
    if not path.exists():
        _make(path)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path.name} is not an Ed25519 key")
    return key


def _make(path: Path) -> None:
    """Make the key unless somebody did in this moment; whoever reads finds a whole one or none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)  # fails where a file is, as a renaming would not
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half, base64 of its 32 bytes."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def key_for(key: Ed25519PrivateKey, purpose: str) -> bytes:
    """A secret of 32 bytes for one purpose inside this installation, by HKDF-SHA256 (RFC 5869); it tells nothing of the key."""
    return HKDF(SHA256(), 32, None, f"ascolto {purpose}".encode()).derive(key.private_bytes_raw())


def fingerprint(public: str) -> str:
    """The first 128 bits of SHA-256 of the public half, as 32 hex digits in groups of four: printed on pages and posters."""
    text = hashlib.sha256(base64.b64decode(public)).hexdigest()
    return " ".join(text[i : i + 4] for i in range(0, 32, 4))


def sign(key: Ed25519PrivateKey, message: bytes) -> str:
    return base64.b64encode(key.sign(message)).decode()


def is_signed(public: str, message: bytes, signature: str) -> bool:
    """Check a signature; anything malformed is simply not signed.

    Parameters
    ----------
    public : base64 of 32 bytes
    message : what was signed
    signature : base64 of 64 bytes
    """
    try:
        Ed25519PublicKey.from_public_bytes(_exact(public)).verify(_exact(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _exact(text: str) -> bytes:
    """What base64 says, in its one writing: else a file that somebody altered would still be the one that was signed.

    Raises
    ------
    ValueError
        If it is written otherwise.
    """
    found = base64.b64decode(text)
    if base64.b64encode(found).decode() != text:
        raise ValueError("not as base64 writes it")
    return found
