"""Who reads concern reports by what is published: the newest ring, or the last keyring of version 1 while there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from surveys.public import house, keyring, ring_store, rings
from surveys.public.house import HouseFile, HouseRefused
from surveys.public.keyring import Keyring, KeyringRefused
from surveys.public.rings import NONE, Chain, Ring
from surveys.public.statements import RingRefused

FEWEST_INSIDE = rings.FEWEST_INSIDE


@dataclass(frozen=True, slots=True)
class Readers:
    """The anchor, the chain of rings, and the keyrings of version 1 that old cases are read by."""

    house: HouseFile | None
    chain: Chain | None
    keyrings: tuple[Keyring, ...]

    @property
    def current(self) -> Mapping[str, bool]:
        """Accounts on the list in use, and whether they are outside."""
        if self.chain is not None:
            return {reader.id: reader.outside for reader in self.chain.newest.readers}
        return {reader.id: reader.outside for reader in self.keyrings[-1].readers} if self.keyrings else {}

    def with_before(self, text: str) -> tuple[Ring, Mapping[str, str | None]]:
        """The ring of this text, and who read by the list before it: each with her key, or None where it was a keyring of version 1.

        Raises
        ------
        StopIteration
            If no ring has this text.
        """
        assert self.chain is not None, "there is a ring"
        place = next(n for n, ring in enumerate(self.chain.rings) if ring.text == text)
        if place:
            before: Mapping[str, str | None] = {one.id: one.recipient for one in self.chain.rings[place - 1].readers}
        else:
            before = {one.id: None for one in self.keyrings[-1].readers} if self.keyrings else {}
        return self.chain.rings[place], before

    @property
    def ever(self) -> frozenset[str]:
        """Accounts that were on any list."""
        named = {reader.id for ring in self.chain.rings for reader in ring.readers} if self.chain else set()
        return frozenset(named | {reader.id for ring in self.keyrings for reader in ring.readers})

    @property
    def names(self) -> Mapping[str, str]:
        """Readers' names by account; the newest list says them last."""
        found = {reader.id: reader.name for ring in self.keyrings for reader in ring.readers}
        return found | (
            {reader.id: reader.name for ring in self.chain.rings for reader in ring.readers} if self.chain else {}
        )


class ListsRefused(Exception):
    """What is stored of who reads was changed; the text says what. Pages and commands say it in words."""


async def load(data: Path) -> Readers:
    """Read and check all that says who reads.

    Raises
    ------
    ListsRefused
        If house file, rings or keyrings are not what was signed.
    """
    try:
        anchor = house.load(data)
        chain, old = await ring_store.load(anchor), await keyring.versions()
        vouched(chain, old)
    except (HouseRefused, RingRefused, KeyringRefused) as problem:
        raise ListsRefused(str(problem)) from problem
    return Readers(anchor, chain, old)


def vouched(chain: Chain | None, old: Sequence[Keyring]) -> None:
    """Check that the first ring names the last keyring of version 1: by itself a keyring is anchored nowhere.

    Raises
    ------
    KeyringRefused
        If it names another one or none. Whoever writes the store could else have old cases, or new ones that he
        rewrites as old, read by keys of his own.
    """
    if chain is not None and chain.rings[0].before != (old[-1].fingerprint if old else NONE):
        raise KeyringRefused("the first ring vouches for other keyrings")
