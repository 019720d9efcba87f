"""The house file: the anchor of everything that is signed. It lies in `keys/house.json`, in no database.

Its hash names the installation. Half of it (128 bits) is printed on posters, kits and signers' papers, as twelve words and as
the fragment of a QR code; a phone that has scanned it believes nothing else (docs/protocol.md).
"""

import os
from dataclasses import dataclass
from pathlib import Path

from mnemonic import Mnemonic

from surveys import signed
from surveys.signed import NotSigned, exactly, hexed, object_of, shaped

SEATS = ("legal", "staff", "reserve")
"""Legal representative, staff representative, and a reserve kept outside; two of them sign."""
PRINTED_HEX = 32
_SHAPE = {
    "v": exactly(2),
    "install": hexed(32),
    "salt": hexed(16),
    "keys": object_of({seat: hexed(32) for seat in SEATS}),
}


class HouseRefused(ValueError):
    """A house file cannot be read or made; the text says why."""


@dataclass(frozen=True, slots=True)
class HouseFile:
    """The installation's public key, the salt of codes, and the first keys of the three seats of signers (all hex)."""

    install: str
    salt: str
    keys: dict[str, str]
    text: str

    @property
    def hash(self) -> str:
        """What every signed text names; 64 hex."""
        return signed.digest(self.text)

    @property
    def printed(self) -> str:
        """The 128 bits that are printed, in hex."""
        return self.hash[:PRINTED_HEX]

    @property
    def words(self) -> tuple[str, ...]:
        """The same as twelve Italian words (BIP39)."""
        return words_of(self.printed)


def words_of(printed: str) -> tuple[str, ...]:
    """128 bits in hex as twelve Italian words."""
    return tuple(Mnemonic("italian").to_mnemonic(bytes.fromhex(printed)).split())


def printed_from(words: str) -> str:
    """Read twelve words, or 32 hex digits, as a person types them.

    Raises
    ------
    HouseRefused
        If they are neither.
    """
    typed = "".join(words.lower().split())
    if len(typed) == PRINTED_HEX and hexed(16)(typed):
        return typed
    try:
        return bytes(Mnemonic("italian").to_entropy(" ".join(words.lower().split()))).hex()
    except (ValueError, LookupError) as problem:
        raise HouseRefused("these are not the twelve words of a house") from problem


def read(text: str) -> HouseFile:
    """Read a house file's text.

    Raises
    ------
    HouseRefused
    """
    try:
        content = shaped(signed.parse(text), _SHAPE)
    except NotSigned as problem:
        raise HouseRefused(str(problem)) from problem
    keys = {seat: str(content["keys"][seat]) for seat in SEATS}
    if len(set(keys.values())) != len(SEATS):
        raise HouseRefused("the three seats need three different keys")
    return HouseFile(content["install"], content["salt"], keys, text)


def draft(install: str, salt: str, keys: dict[str, str]) -> HouseFile:
    """Write a house file's text (docs/protocol.md, 2).

    Parameters
    ----------
    install : the installation's Ed25519 key, 64 hex
    salt : of codes, 32 hex
    keys : of the three `SEATS`, 64 hex each, all different

    Raises
    ------
    HouseRefused
        If one has another form, or two seats the same key.
    """
    return read(signed.canonical({"v": 2, "install": install, "salt": salt, "keys": keys}))


def path_of(data: Path) -> Path:
    return data / "keys" / "house.json"


def load(data: Path) -> HouseFile | None:
    """The house file of an installation; None before it is made.

    Raises
    ------
    HouseRefused
        If it is damaged.
    """
    try:
        return read(path_of(data).read_text("utf-8"))
    except FileNotFoundError:
        return None


def keep(data: Path, made: HouseFile) -> None:
    """Write the house file durably, once; it never changes.

    Raises
    ------
    HouseRefused
        If there is one already.
    """
    path = path_of(data)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(made.text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise HouseRefused("there is a house file already") from None
