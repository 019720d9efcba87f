"""The moves of a wave's figures are drawn once: a release that was cut off prints the same when it is repeated.

Each figure is moved by a secret whole number before it is printed. Whoever could have it drawn again, and keep both, would
average the move away; with other groups or people each time, he would find a single person between two documents.
"""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from analysis.moves import Below
from surveys import signed
from surveys.lifecycle.context import destroy_file, draw_path, keep_once

SEED_BYTES = 32


class DrawnBefore(Exception):
    """A first attempt had other sheets, groups, headcounts or least sizes before it: nothing is drawn a second time."""


def begin(data: Path, wave: str, of: Mapping[str, Any]) -> Below:
    """Draw the seed of a wave's moves, or take the one of the attempt before; it stands on disk before any figure exists.

    Parameters
    ----------
    data : Path
        The folder that has the folder of keys.
    wave : str
        The wave's id: one seed for each.
    of : mapping
        All that decides what is printed, as JSON: of a repeated attempt it must be the same.

    Raises
    ------
    DrawnBefore
        Also if the file cannot be read.
    """
    mark = signed.digest(signed.canonical(dict(of)))
    drawn = {"v": 1, "wave": wave, "seed": secrets.token_hex(SEED_BYTES), "of": mark}
    keep_once(draw_path(data, wave), signed.canonical(drawn).encode())
    try:
        kept = json.loads(draw_path(data, wave).read_text("utf-8"))
        seed = bytes.fromhex(kept["seed"])
    except (OSError, ValueError, KeyError, TypeError):
        raise DrawnBefore from None
    if kept.get("of") != mark or len(seed) != SEED_BYTES:
        raise DrawnBefore
    return _Stream(seed).below


def derived(key: bytes, of: Mapping[str, Any]) -> Below:
    """The moves of what is released at once from a file: the same for the same file and mapping, whenever it is read.

    Parameters
    ----------
    key : bytes
        What nobody has who reads the document. Whoever has it and the file has the answers too.
    of : mapping
        What was read of the file and by which mapping, as JSON: of anything else the moves are others.
    """
    made = HKDF(
        SHA256(), SEED_BYTES, None, b"ascolto import moves v1 " + signed.digest(signed.canonical(dict(of))).encode()
    )
    return _Stream(made.derive(key)).below


def destroy(data: Path, wave: str) -> None:
    """Overwrite and remove the seed: with it the moves of a published document could be taken back."""
    destroy_file(draw_path(data, wave))


class _Stream:
    """Whole numbers from the key stream of ChaCha20 (RFC 8439): the same seed gives the same ones, and nobody else knows them."""

    def __init__(self, seed: bytes) -> None:
        self._cipher = Cipher(ChaCha20(seed, bytes(16)), mode=None).encryptor()

    def below(self, end: int) -> int:
        """A whole number from 0 to `end` - 1, each as likely as the others."""
        size = (end.bit_length() + 7) // 8
        limit = (1 << 8 * size) // end * end
        while True:
            found = int.from_bytes(self._cipher.update(bytes(size)))
            if found < limit:
                return found % end
