"""Taking in one sheet: a right is made by verification alone, and a sheet is kept with it or not at all."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from surveys import blind
from surveys.answers import pairs
from surveys.answers.filling import Receipt
from surveys.answers.intake import NotSealed, receive
from surveys.answers.opening import SheetsMissing, most_accepted, most_missing
from surveys.answers.rights import OpenWave, Right
from surveys.answers.tables import Slot, Spent
from surveys.answers.urn import Urn
from surveys.lifecycle import accepting
from surveys.lifecycle.context import Site
from surveys.public import waves
from surveys.public.waves import State
from surveys.questionnaire import AnswerSheet
from surveys.slips import NotACode, digest, new_code, spent_digest
from tests.conftest import WAVE, Opened, open_a_wave
from tests.urn import proof_of

SHEET = AnswerSheet({"CUL1": ("1",)})
OTHER = AnswerSheet({"CUL1": ("2",)})
FIRST, SECOND = b"a" * 16, b"b" * 16


@asynccontextmanager
async def _open(site: Site) -> AsyncIterator[tuple[Opened, OpenWave, Urn]]:
    made = await open_a_wave(site)
    accepting.begin(site.data)
    wave = await accepting.to_answer(WAVE)
    assert wave is not None
    urn = Urn(site.engines["answers"])
    urn.start()
    try:
        yield made, wave, urn
    finally:
        await urn.stop()


async def _taken() -> int:
    taken: int = await Slot.count().where(Slot.taken.eq(True))
    return taken


async def _sheet() -> bytes:
    row = await Slot.select(Slot.sheet).where(Slot.taken.eq(True)).first()
    assert row is not None
    return bytes(row["sheet"])


def _token(key: blind.SigningKey, message: bytes) -> str:
    """A token as a phone makes it: prepared, blinded, signed, unblinded."""
    prepared = blind.prepare(message)
    z, inverse = blind.blind(key.public, prepared)
    signature = blind.finalize(key.public, prepared, blind.sign_blinded(key, z), inverse)
    return blind.encode_token(prepared, signature)


def _with_key(wave: OpenWave, key: blind.SigningKey) -> OpenWave:
    return OpenWave(wave.id, wave.questionnaire, key.public.to_der(), wave.messages, wave.plan, wave.wave_key)


@pytest.mark.parametrize(
    ("spent", "unasked", "by_two"),
    [(10, 3, 10), (109, 3, 10), (110, 3, 11), (399, 3, 39), (400, 4, 40), (5000, 50, 500)],
)
def test_so_many_sheets_may_be_missing_unasked_and_so_many_if_two_keepers_say_so(
    spent: int, unasked: int, by_two: int
) -> None:
    """Decision 0027: three, or one in a hundred; ten, or one in ten."""
    assert (most_missing(spent), most_accepted(spent)) == (unasked, by_two)
    assert SheetsMissing(by_two, spent).acceptable and not SheetsMissing(by_two + 1, spent).acceptable


def test_nobody_makes_a_right_but_by_showing_something() -> None:
    with pytest.raises(TypeError, match="verifying"):
        Right()
    with pytest.raises(TypeError, match="verifying"):
        Right("wave", b"row", True)


@pytest.mark.opened
async def test_a_right_says_nothing_of_itself(sqlite_site: Site) -> None:
    async with _open(sqlite_site) as (made, wave, _):
        right = Right.verified(made.codes[0], wave)
        shown = f"{right!r} {right!s}"
        assert shown == "<Right> <Right>"
        assert right.proof.hex() not in shown and made.codes[0] not in shown


@pytest.mark.opened
@pytest.mark.parametrize("text", ["", "   ", "ABC", "0000-0000-0000-0000-0", "è" * 16, "x" * 600, "A" * 540])
async def test_what_is_neither_code_nor_token_is_refused(sqlite_site: Site, text: str) -> None:
    async with _open(sqlite_site) as (_, wave, _urn):
        with pytest.raises(NotACode):
            Right.verified(text, wave)


@pytest.mark.opened
async def test_a_token_is_a_right_under_its_wave_s_key_alone(sqlite_site: Site) -> None:
    mine, foreign = blind.generate_key(), blind.generate_key()
    async with _open(sqlite_site) as (_, wave, urn):
        wave = _with_key(wave, mine)
        text = _token(mine, b"m" * 32)
        assert Right.verified(text, wave).is_token
        assert await receive(urn, Right.verified(text, wave), SHEET, FIRST) == Receipt.RECEIVED
        broken = text[:-9] + ("A" if text[-9] != "A" else "B") + text[-8:]
        for bad in (_token(foreign, b"m" * 32), broken):
            with pytest.raises(NotACode, match="of this wave"):
                Right.verified(bad, wave)
        with pytest.raises(NotACode, match="of this wave"):
            Right.verified(text, _with_key(wave, foreign))
        assert await _taken() == 1


@pytest.mark.opened
async def test_a_code_that_was_never_printed_is_unknown_and_a_token_needs_no_row(site: Site) -> None:
    key = blind.generate_key()
    async with _open(site) as (made, wave, urn):
        never = new_code(os.urandom)
        assert not Right.verified(never, wave).is_token
        assert await receive(urn, Right.verified(never, wave), SHEET, FIRST) == Receipt.UNKNOWN
        assert await _taken() == 0 and await Spent.count() == 0
        assert await receive(urn, Right.verified(made.codes[0], wave), SHEET, FIRST) == Receipt.RECEIVED
        assert (
            await receive(urn, Right.verified(_token(key, b"n" * 32), _with_key(wave, key)), SHEET, FIRST)
            == Receipt.RECEIVED
        )
        assert await _taken() == 2


@pytest.mark.opened
async def test_the_same_form_is_received_again_and_another_one_is_told_that_the_code_was_used(site: Site) -> None:
    async with _open(site) as (made, wave, urn):
        right = Right.verified(made.codes[0], wave)
        assert await receive(urn, right, SHEET, FIRST) == Receipt.RECEIVED
        kept = await _sheet()
        assert await receive(urn, right, OTHER, FIRST) == Receipt.RECEIVED
        assert await receive(urn, right, OTHER, SECOND) == Receipt.USED
        assert await _sheet() == kept
        assert await _taken() == 1


@pytest.mark.opened
async def test_what_a_phone_sealed_goes_in_as_it_is_and_what_is_no_sealed_sheet_spends_nothing(
    sqlite_site: Site,
) -> None:
    async with _open(sqlite_site) as (made, wave, urn):
        assert wave.plan is not None
        right = Right.verified(made.codes[0], wave)
        sealed = pairs.seal(SHEET.to_bytes(), right.proof, wave.plan.hash, wave.plan.points)
        for bad in (b"", b"\0" * len(sealed), sealed[:-1], sealed + b"\0"):
            with pytest.raises(NotSealed):
                await receive(urn, right, bad, FIRST)
        for attempt in (b"", b"a" * 15, b"a" * 17):
            with pytest.raises(NotSealed):
                await receive(urn, right, sealed, attempt)
        assert await Spent.count() == 0
        assert await receive(urn, right, sealed, FIRST) == Receipt.RECEIVED
        envelope = await _sheet()
        assert pairs.without_layer(envelope, wave.wave_key) == sealed


@pytest.mark.opened
async def test_a_form_of_a_wave_that_closed_meanwhile_is_of_that_wave_and_of_no_other(site: Site) -> None:
    """Could go astray: her sheet would be read as one of the wave that is open now."""
    async with _open(site) as (_, wave, _):
        await waves.change(site.engines["public"], WAVE, State.OPEN, state=State.CLOSED)
        assert await accepting.to_answer(WAVE) is None and await accepting.to_send(WAVE) is wave
        accepting.begin(site.data)
        assert await accepting.to_send(WAVE) is None


async def test_the_row_of_a_spent_code_is_not_the_proof_that_its_sheet_carries(sqlite_site: Site) -> None:
    async with _open(sqlite_site) as (made, wave, urn):
        right = Right.verified(made.codes[0], wave)
        assert await receive(urn, right, SHEET, FIRST) == Receipt.RECEIVED
        row = await Spent.select(Spent.digest).first()
        assert row is not None
        kept = bytes(row["digest"])
        assert (kept, right.proof) == (spent_digest(proof_of(made.codes[0])), digest(made.codes[0]))
        assert kept != right.proof
