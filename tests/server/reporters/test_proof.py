"""The proof of filing: a day and the hash of her key, signed by the installation; for her code and her keys alone."""

import json
from hashlib import sha256

from surveys.public import signing
from surveys.stores import StoreSettings
from tests.server.handlers.desks import desks
from tests.server.reporters.phones import REFUSED, UNKNOWN, Phone, is_by_this_method_alone


def _mine(phone: Phone) -> dict[str, str]:
    return phone.me.proofs | {"signer": phone.me.signer, "reader": phone.me.reader}


async def test_it_says_the_day_and_her_key_and_no_word_or_number_of_the_case(store_settings: StoreSettings) -> None:
    """Could leak: the case's number, the code, or an hour, on a paper that she may have to show."""
    async with desks(store_settings) as served:
        phone = Phone(served)
        await phone.reports("aiuto")
        status, given = await phone.send("/proof", _mine(phone))
        proof = json.loads(given["proof"])
        filing = json.loads(proof["filing"])
        assert (status, filing) == (
            200,
            {"filed": served.site.day.isoformat(), "key": sha256(phone.me.signer.encode()).hexdigest()},
        )
        assert phone.me.case not in given["proof"] and phone.keys.locator.hex() not in given["proof"]
        public = signing.public_text(signing.installation_key(served.site.data))
        assert proof["key"] == public
        assert signing.is_signed(public, b"ascolto filing v1\n" + proof["filing"].encode(), proof["signature"])


async def test_asked_twice_it_is_the_same_and_nothing_is_written(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone = Phone(served)
        await phone.reports()
        before = await served.stored()
        first, again = [await phone.send("/proof", _mine(phone)) for _ in range(2)]
        assert first == again and await served.stored() == before


async def test_for_other_keys_another_code_or_a_diary_there_is_none(sqlite_settings: StoreSettings) -> None:
    """Done by whoever has her proofs: a paper that says another's key filed her report."""
    async with desks(sqlite_settings) as served:
        phone, other, diary = Phone(served), Phone(served), Phone(served)
        await phone.reports()
        await diary.reports(diary=True)
        theirs = {"signer": other.me.signer, "reader": other.me.reader}
        for wrong in (
            _mine(phone) | theirs,
            _mine(phone) | {"signer": other.me.signer},
            _mine(phone) | {"reader": ""},
            _mine(phone) | {"signer": "è"},
            _mine(other),
            _mine(diary),
        ):
            assert await phone.send("/proof", wrong) == UNKNOWN


async def test_what_is_no_proof_of_a_code_is_refused(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        for body in (b"", b"{}", b"\xff", b'{"locator": "x", "auth": "y"}'):
            assert await Phone(served).send("/proof", body=body) == REFUSED
        await is_by_this_method_alone(served, "/proof")
