"""Waves of version 1, as the version before opened them: for tests of what goes on after the update alone."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

from nacl.public import PublicKey, SealedBox

from surveys.answers import wave as urn_of
from surveys.answers.keys import SEATS, HolderSecret, SealedUrnKey, UrnKey, holder_key, new_secret
from surveys.lifecycle.context import Site, keep_wraps
from surveys.lifecycle.issuing import make_token_key
from surveys.lifecycle.opening import slots
from surveys.people import panel
from surveys.public import waves
from surveys.public.waves import State, WaveRecord


def make_urn_key(holders: Mapping[str, bytes]) -> SealedUrnKey:
    """Make the key pair of an urn, wrapped for any two of the three holders' public keys.

    Raises
    ------
    ValueError
        If a seat has no key, or two seats have the same.
    """
    if set(holders) != set(SEATS) or len(set(holders.values())) != len(SEATS):
        raise ValueError("three holders with three different keys are needed")
    private = UrnKey.generate()
    wraps = {}
    for first, second in combinations(SEATS, 2):
        inner = SealedBox(PublicKey(holders[second])).encrypt(private.to_bytes())
        wraps[f"{first}+{second}"] = SealedBox(PublicKey(holders[first])).encrypt(inner)
    return SealedUrnKey(private.public, wraps, private.phone_public)


async def open_first(site: Site, wave: str) -> tuple[WaveRecord, dict[str, HolderSecret]]:
    """Open a planned wave as version 1 did, with an urn key that the server makes."""
    from secrets import randbelow

    record = await waves.get(wave)
    words = {seat: new_secret(randbelow) for seat in SEATS}
    keys = {seat: bytes(holder_key(secret, wave, seat).public_key) for seat, secret in words.items()}
    sealed = make_urn_key(keys)
    keep_wraps(site, wave, sealed)
    chosen = await panel.members(record.panel["unit"])
    await urn_of.fill_urn(site.engines["answers"], wave, slots(len(chosen)))
    await panel.invite(site.engines["people"], wave, chosen, ())
    holders = {seat: {"key": key.hex(), "holder": seat, "day": site.day.isoformat()} for seat, key in keys.items()}
    changed = replace(
        record,
        state=State.OPEN,
        opened=site.day,
        invited=len(chosen),
        seal_key=sealed.public,
        phone_key=sealed.phone,
        token_key=make_token_key(site, wave),
        holders=holders,
    )
    names = ("state", "opened", "invited", "seal_key", "phone_key", "token_key", "holders")
    await waves.change(site.engines["public"], wave, State.PLANNED, **{name: getattr(changed, name) for name in names})
    return changed, words
