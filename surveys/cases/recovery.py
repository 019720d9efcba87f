"""The organisation's recovery key, for the day when every handler lost hers: any two of three holders open it.

No new cryptography: three age files, each sealed to one holder and then to another (A+B, A+C, B+C). Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from surveys.cases.sealing import CannotOpen, decrypt, encrypt, new_identity

SEATS = ("a", "b", "c")


@dataclass(frozen=True, slots=True, repr=False)
class Recovery:
    """The public recipient for the keyring; each holder's own identity, to print; three nested files, in hex, by pair."""

    recipient: str
    holders: Mapping[str, str]
    files: Mapping[str, str]


def make_recovery() -> Recovery:
    """Make a recovery key; its private half exists in the three files alone."""
    identity, recipient = new_identity()
    made = {seat: new_identity() for seat in SEATS}
    files = {
        f"{first}{second}": encrypt(encrypt(identity.encode(), made[second][1]), made[first][1]).hex()
        for first, second in combinations(SEATS, 2)
    }
    return Recovery(recipient, {seat: pair[0] for seat, pair in made.items()}, files)


def open_recovery(nested: bytes, identities: tuple[str, str]) -> str:
    """Open one of the three files with its two holders' identities, in any order.

    Raises
    ------
    CannotOpen
        If these two do not open it.
    """
    for first, second in (identities, identities[::-1]):
        try:
            return decrypt(decrypt(nested, first.strip()), second.strip()).decode()
        except CannotOpen:
            continue
    raise CannotOpen("these two holders do not open this file")
