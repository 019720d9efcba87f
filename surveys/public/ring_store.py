"""The rings of this installation, in the public store: read with every check, and put in use (`rings`)."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from surveys.engines import StoreEngine
from surveys.public.house import HouseFile
from surveys.public.rings import Chain, Ring, chain, check_begun, check_names, lengthened, verify
from surveys.public.statements import RingRefused
from surveys.public.tables import Ring as RingRow
from surveys.public.tables import Still as StillRow


def _signatures(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """What stands as the signatures of a text.

    Raises
    ------
    RingRefused
        If they have another shape than any that were made.
    """
    try:
        found: list[dict[str, str]] = msgspec.json.decode(row["signatures"], type=list[dict[str, str]])
    except (TypeError, ValueError, msgspec.MsgspecError) as problem:
        raise RingRefused("a ring: its signatures have another shape") from problem
    return found


async def load(house: HouseFile | None) -> Chain | None:
    """The chain in the public store, each ring checked again; None before the first.

    Raises
    ------
    RingRefused
        If what is stored was changed.
    """
    if house is None:
        return None
    rows = await RingRow.select().order_by(RingRow.number)
    if not rows:
        return None
    rings = chain([(str(row["text"]), _signatures(row)) for row in rows], house)
    row = await StillRow.select().where(StillRow.number == rings[-1].number).first()
    if row is None:
        return Chain(rings, None)
    still = (str(row["text"]), tuple(_signatures(row)))
    return Chain((*rings[:-1], lengthened(rings[-1], *still, house)), still)


async def check_next(house: HouseFile, text: str, signatures: Sequence[Mapping[str, str]], today: date) -> Ring:
    """Check a ring as the one after the newest that is stored.

    Parameters
    ----------
    house, text, signatures : as of `verify`
    today : it has begun by then

    Raises
    ------
    RingRefused
        As of `publish`.
    """
    there = await load(house)
    ring = verify(text, signatures, house, there.newest if there else None)
    check_names(ring, there.rings if there else ())
    check_begun(text, today)
    return ring


async def publish(
    engine: StoreEngine, house: HouseFile, text: str, signatures: Sequence[Mapping[str, str]], today: date
) -> Ring:
    """Put a signed ring in use.

    Parameters
    ----------
    engine : of the public store
    house, text, signatures : as of `verify`; the ring before is the newest that is stored
    today : it has begun by then

    Raises
    ------
    RingRefused
        Also if a stored ring was changed, or this one begins later. Nothing is kept.
    """
    async with engine.transaction():
        ring = await check_next(house, text, signatures, today)
        await RingRow.insert(RingRow(number=ring.number, text=text, signatures=json.dumps(list(signatures))))
    return ring


async def publish_still(
    engine: StoreEngine, house: HouseFile, text: str, signatures: Sequence[Mapping[str, str]], today: date
) -> Ring:
    """Lengthen the ring in use.

    Parameters
    ----------
    engine : of the public store
    house, text, signatures : as of `lengthened`; an older still of the ring goes
    today : it has begun by then

    Raises
    ------
    RingRefused
        Also if there is no ring, a stored one was changed, or this one begins later. Nothing is kept.
    """
    async with engine.transaction():
        there = await load(house)
        if there is None:
            raise RingRefused("there is no ring yet")
        ring = lengthened(there.newest, text, signatures, house)
        check_begun(text, today)
        await StillRow.delete().where(StillRow.number == ring.number)
        await StillRow.insert(StillRow(number=ring.number, text=text, signatures=json.dumps(list(signatures))))
    return ring
