"""The organisation's recovery key, for the day when every handler lost hers: any two of three holders open it. Pure.

No key of the organisation exists: each holder makes an identity of her own on a device of her own, and each epoch is sealed
for each pair of them, first to the second and then to the first (`wraps.make_recovery`). Version 1 had one key in three
nested files; old cases are still opened by it.
"""

from surveys.cases import wraps
from surveys.cases.letters import RECOVERY, SEATS
from surveys.cases.sealed_case import Party
from surveys.cases.sealing import CannotOpen, decrypt


def open_recovery(nested: bytes, identities: tuple[str, str]) -> str:
    """Open one of version 1's three files with its two holders' identities, in any order.

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


def pair_of(first: str, second: str) -> str:
    """The pair of two seats, in their order.

    Raises
    ------
    CannotOpen
        If they are not two different seats.
    """
    pair = "".join(sorted((first, second)))
    if pair not in wraps.PAIRS or not {first, second} <= set(SEATS):
        raise CannotOpen("two different seats are needed")
    return pair


def party(first: str, second: str) -> Party:
    """Two holders together; identities in the order of their seats."""
    return Party(
        RECOVERY,
        lambda sealed, stream, number: wraps.open_recovery(sealed, first.strip(), second.strip(), stream, number),
    )
