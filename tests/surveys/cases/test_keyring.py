"""The list of readers and the gate: two signatures, an unbroken line of versions, and nothing opens before its time."""

import json
import os
from dataclasses import replace
from datetime import date, timedelta

import pytest

from surveys.cases import handlers
from surveys.cases.sealing import public_of
from surveys.lifecycle.channel import ChannelNotReady, gaps, open_channel, publish_keyring
from surveys.lifecycle.context import House
from surveys.public import channel, keyring, organisation
from surveys.public.channel import ChannelRecord
from surveys.public.keyring import KeyringRefused, Signer
from surveys.public.tables import Keyring as Row
from tests.conftest import DAY, ORGANISATION
from tests.surveys.cases.people import INSIDE, OUTSIDE, opened, team


def test_a_keyring_needs_both_signatures_of_its_own_signers() -> None:
    made = team(DAY)
    text, (legal, staff) = made.ring.text, made.ring.signatures
    assert keyring.verify(text, [staff, legal]).fingerprint == made.ring.fingerprint
    stranger = keyring.sign(text, os.urandom(32))
    for signatures in ([], [legal], [staff, staff], [legal, stranger], [legal, "zz"]):
        with pytest.raises(KeyringRefused, match="signature"):
            keyring.verify(text, signatures)
    with pytest.raises(KeyringRefused):
        keyring.verify(text.replace("Anna", "Capo"), [legal, staff])


def test_a_new_keyring_follows_the_one_before_and_its_signers_too_must_sign() -> None:
    made = team(DAY)
    text = made.next_text(DAY, [*INSIDE[:2], OUTSIDE])
    assert keyring.verify(text, made.signatures(text), made.ring).number == 2
    with pytest.raises(KeyringRefused, match="number 1"):
        keyring.verify(text, made.signatures(text))
    other = team(DAY)
    with pytest.raises(KeyringRefused, match="follow"):
        keyring.verify(text, made.signatures(text), other.ring)
    seeds = {seat: os.urandom(32) for seat in ("legal", "staff")}
    signers = [Signer(seat, "nuova", public_of(seed)) for seat, seed in seeds.items()]
    taken = keyring.draft(DAY, signers, made.ring.readers, before=made.ring)
    alone = [keyring.sign(taken, seed) for seed in seeds.values()]
    with pytest.raises(KeyringRefused, match="signature"):
        keyring.verify(taken, alone, made.ring)
    assert keyring.verify(taken, [*alone, *made.signatures(taken)], made.ring).signers[0].name == "nuova"


@pytest.mark.parametrize("names", [["anna", OUTSIDE], ["anna", "bruno", "carla"]])
def test_a_channel_has_two_handlers_inside_and_a_substitute_outside(names: list[str]) -> None:
    with pytest.raises(KeyringRefused):
        team(DAY).next_text(DAY, names)


def test_two_signers_with_one_key_or_two_readers_with_one_key_are_refused() -> None:
    made = team(DAY)
    seed = os.urandom(32)
    with pytest.raises(KeyringRefused, match="same key"):
        keyring.draft(DAY, [Signer("legal", "a", public_of(seed)), Signer("staff", "b", public_of(seed))], made.ring.readers)
    twin = replace(made.ring.readers[1], recipient=made.ring.readers[0].recipient)
    with pytest.raises(KeyringRefused, match="same recipient"):
        keyring.draft(DAY, made.ring.signers, [made.ring.readers[0], twin, *made.ring.readers[2:]])


async def test_a_keyring_changed_in_the_database_is_noticed(house: House) -> None:
    await opened(house, ORGANISATION)
    row = await Row.select().first()
    assert row is not None
    await Row.update({Row.text: row["text"].replace("Bruno", "Spia")}).where(Row.number == 1)
    with pytest.raises(KeyringRefused):
        await keyring.current()


async def test_the_channel_opens_only_when_unions_were_heard_readers_trained_and_numbers_checked(sqlite_house: House) -> None:
    house = sqlite_house
    assert set(await gaps(house)) == {"hearing_day", "hearing_document", "keyring", "trained", "help_checked"}
    made = await opened(house, ORGANISATION)
    assert await gaps(house) == () and (await channel.load()).opened == house.day.isoformat()
    record = await channel.load()
    await channel.save(house.engines["public"], replace(record, opened="", hearing_day=""))
    with pytest.raises(ChannelNotReady, match="hearing_day"):
        await open_channel(house)
    await channel.save(house.engines["public"], replace(record, opened=""))
    later = replace(house, day=date(house.day.year + 2, house.day.month, house.day.day) + timedelta(days=1))
    with pytest.raises(ChannelNotReady) as problem:
        await open_channel(later)
    assert problem.value.gaps == ("trained", "help_checked")
    await organisation.save(house.engines["public"], replace(ORGANISATION, help_checked_on=later.day.isoformat()))
    for name in made.keys:
        await handlers.set_training(name, later.day)
    assert (await open_channel(later)).is_open


async def test_the_salt_of_codes_never_changes(sqlite_house: House) -> None:
    public = sqlite_house.engines["public"]
    first = await channel.save(public, ChannelRecord(""))
    assert len(bytes.fromhex(first.salt)) == 16
    assert (await channel.save(public, replace(first, salt="00" * 16, retention_years=2))).salt == first.salt


async def test_a_keyring_without_its_signatures_changes_nothing(sqlite_house: House) -> None:
    made = await opened(sqlite_house, ORGANISATION)
    text = made.next_text(DAY, [*INSIDE[:2], OUTSIDE])
    with pytest.raises(KeyringRefused):
        await publish_keyring(sqlite_house, text, [])
    assert [ring.number for ring in await keyring.versions()] == [1]
    assert json.loads(made.ring.text)["readers"][0]["id"] == "anna"
