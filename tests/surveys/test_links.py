"""Personal links and blind tokens on both engines: issued once, never linked, gone at closing."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from surveys import blind
from surveys.answers.filling import Receipt
from surveys.answers.tables import Spent
from surveys.answers.urn import Urn
from surveys.lifecycle import closing, issuing, opening, printing
from surveys.lifecycle.context import Site
from surveys.lifecycle.issuing import LinkRefused
from surveys.lifecycle.planning import PlanRefused, Wish, plan
from surveys.lifecycle.releasing import release_wave
from surveys.people import links, log, roster, sending
from surveys.people.links import Invitation
from surveys.people.sending import Claims, Waiting
from surveys.people.tables import Outbox, Panel
from surveys.public import organisation, releases
from surveys.public.waves import WaveRecord
from surveys.questionnaire import AnswerSheet
from surveys.slips import Digest, spent_digest
from tests.conftest import DAY, ORGANISATION, WAVE, small_cooperative
from tests.rights import right
from tests.urn import anchor, get_ready, sealed

SECRETS: dict[str, str] = {}


async def _open(site: Site, people: int = 40) -> WaveRecord:
    """Half of the people have an e-mail, a quarter a phone; letters are not offered."""
    units, persons = small_cooperative(people)
    contacts = ("a{}@prova.invalid", "b{}@prova.invalid", "+39 333 00000{:02d}", "")
    persons = [replace(person, contact=contacts[i % 4].format(i)) for i, person in enumerate(persons)]
    await organisation.save(site.engines["public"], ORGANISATION)
    await roster.replace(site.engines["people"], units, persons, DAY - timedelta(days=30))
    await anchor(site)
    wish = Wish(WAVE, {"it": "Autunno"}, DAY, DAY + timedelta(days=14), form="pulse", channels=("email", "sms"))
    await plan(site, wish)
    SECRETS.update(await get_ready(site, WAVE))
    return await opening.open_wave(site, WAVE)


async def _token(site: Site, record: WaveRecord, link: str) -> tuple[bytes, bytes]:
    public = blind.PublicKey.from_der(record.token_key)
    prepared = blind.prepare(b"m" * 31 + link[:1].encode())
    z, inverse = blind.blind(public, prepared)
    return prepared, blind.finalize(public, prepared, await issuing.issue(site, link, z), inverse)


async def _links(site: Site) -> list[Invitation]:
    by_mail = await links.draw(site.engines["people"], await links.members_of(WAVE, "email", only_missing=False))
    return await issuing.hand_over(site, WAVE, "sms") + by_mail


async def test_each_person_has_one_channel_and_slips_are_counted_for_those_without_a_link(site: Site) -> None:
    record = await _open(site)
    assert record.panel["by_channel"] == {"email": 20, "sms": 10, "slip": 10}
    assert printing.slip_people(record) == 10
    with pytest.raises(printing.TooManySlips):
        await printing.print_slips(site, WAVE, 11)


async def test_a_link_gives_one_token_and_the_same_again_for_the_same_value(site: Site) -> None:
    record = await _open(site)
    link = (await issuing.hand_over(site, WAVE, "sms"))[0].link
    public = blind.PublicKey.from_der(record.token_key)
    z, _ = blind.blind(public, blind.prepare(b"a" * 32))
    other, _ = blind.blind(public, blind.prepare(b"b" * 32))
    first = await issuing.issue(site, link, z)
    assert await issuing.issue(site, link, z) == first
    with pytest.raises(LinkRefused, match="taken"):
        await issuing.issue(site, link, other)
    assert await links.issued(WAVE) == 1


async def test_nobody_has_a_token_and_a_slip(site: Site) -> None:
    """Done by an attacker: of 120 people who asked for both at once 18 had both."""
    record = await _open(site)
    whom = [
        (int(row["person"]), one.link)
        for one in await issuing.hand_over(site, WAVE, "sms")
        for row in await Panel.select(Panel.person).where(Panel.link == links.link_digest(one.link))
    ]
    person, link = whom.pop()
    entry = await links.find(link)
    assert entry is not None and await issuing.switch_to_slip(site, WAVE, person)
    assert not await links.mark_issued(
        site.engines["people"], entry.row, link, b"a", b"s", DAY
    )  # the link went while it was signed
    public = blind.PublicKey.from_der(record.token_key)
    z, _ = blind.blind(public, blind.prepare(b"a" * 32))
    await asyncio.gather(
        *(issuing.issue(site, link, z) for _, link in whom),
        *(issuing.switch_to_slip(site, WAVE, person) for person, _ in whom),
        return_exceptions=True,
    )
    rows = await Panel.select(Panel.channel, Panel.issued).where(Panel.person.is_in([person for person, _ in whom]))
    assert len(rows) == 9 and all((row["channel"] == links.SLIP) is (row["issued"] is None) for row in rows)


async def test_twenty_askings_at_once_for_one_link_give_one_token(site: Site) -> None:
    record = await _open(site)
    link = (await issuing.hand_over(site, WAVE, "sms"))[0].link
    public = blind.PublicKey.from_der(record.token_key)
    values = [blind.blind(public, blind.prepare(bytes([i]) * 32))[0] for i in range(20)]
    answers = await asyncio.gather(*(issuing.issue(site, link, z) for z in values), return_exceptions=True)
    assert sum(isinstance(answer, bytes) for answer in answers) == 1
    assert all(isinstance(answer, bytes | LinkRefused) for answer in answers)


async def test_looking_at_a_link_changes_nothing(site: Site) -> None:
    """A mail scanner opens every address: the state of the panel stays as it was."""
    await _open(site)
    link = (await issuing.hand_over(site, WAVE, "sms"))[0].link
    before = await Panel.select().order_by(Panel.id)
    state = await links.find(link)
    assert state is not None and state.issued is None
    assert await Panel.select().order_by(Panel.id) == before


@pytest.mark.parametrize("link", ["", "x" * 22, "../../etc/passwd", "x" * 4000])
async def test_an_invented_link_is_unknown(site: Site, link: str) -> None:
    await _open(site)
    with pytest.raises(LinkRefused, match="unknown"):
        await issuing.issue(site, link, bytes(384))


@pytest.mark.parametrize("z", [b"", bytes(384), b"\xff" * 384, b"z" * 383, b"z" * 385])
async def test_a_blinded_value_that_does_not_fit_is_refused_and_the_link_is_still_good(site: Site, z: bytes) -> None:
    record = await _open(site)
    link = (await issuing.hand_over(site, WAVE, "sms"))[0].link
    with pytest.raises(LinkRefused, match="broken"):
        await issuing.issue(site, link, z)
    await _token(site, record, link)


async def test_what_is_kept_of_an_issue_is_a_day_and_two_blinded_values(site: Site) -> None:
    """Could leak: the token or its digest beside the person. Neither store has anything of the other."""
    record = await _open(site)
    link = (await issuing.hand_over(site, WAVE, "sms"))[0].link
    prepared, signature = await _token(site, record, link)
    row = await Panel.select().where(Panel.issued.is_not_null()).first()
    assert row is not None and row["issued"] == DAY
    kept = b"".join(bytes(row[name]) for name in ("link", "asked", "signed"))
    for secret in (link.encode(), prepared, prepared[32:], signature, blind.token_digest(prepared)):
        assert secret not in kept


async def test_a_token_is_spent_once_and_its_sheet_counts_whoever_sealed_it(site: Site) -> None:
    """Links through the whole life of a wave: 30 tokens, each spent once."""
    record = await _open(site)
    urn = Urn(site.engines["answers"])
    urn.start()
    sheet = AnswerSheet({"CUL1": ("4",)}).to_bytes()
    for invitation in await _links(site):
        prepared, signature = await _token(site, record, invitation.link)
        assert blind.verify(blind.PublicKey.from_der(record.token_key), prepared, signature)
        proof = Digest(blind.token_digest(prepared))
        digest, envelope = spent_digest(proof), sealed(site, record, sheet, proof)
        assert await urn.put(right(WAVE, digest, token=True), b"a" * 16, envelope) == Receipt.RECEIVED
        assert await urn.put(right(WAVE, digest, token=True), b"b" * 16, envelope) == Receipt.USED
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    await closing.close(late, WAVE, unused_slips=0)
    assert (
        await urn.put(
            right(WAVE, Digest(hashlib.sha256(b"late").digest()), token=True), b"a" * 16, sealed(site, record, sheet)
        )
        == Receipt.UNKNOWN
    )
    await urn.stop()
    bulletin = await releases.bulletin(WAVE)
    assert bulletin is not None and bulletin[0] == {
        "invited": 40,
        "issued": 30,
        "drawn": 0,
        "received": 30,
        "second_codes": 0,
        "spare_slips": 0,
    }
    document = (await release_wave(late, WAVE, (SECRETS["hr"], SECRETS["recovery"]), lambda _: None)).to_json()
    assert document["participation"] == bulletin[0] | {"unreadable": 0}


async def test_a_phone_envelope_of_noise_is_counted_as_unreadable(site: Site) -> None:
    record = await _open(site)
    urn = Urn(site.engines["answers"])
    urn.start()
    sheet = AnswerSheet({"CUL1": ("4",)}).to_bytes()
    for place, invitation in enumerate((await _links(site))[:12]):
        prepared, _ = await _token(site, record, invitation.link)
        content = b"no sheet at all" if place == 0 else sheet
        proof = Digest(blind.token_digest(prepared))
        await urn.put(right(WAVE, spent_digest(proof), token=True), b"a" * 16, sealed(site, record, content, proof))
    await urn.stop()
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    await closing.close(late, WAVE, unused_slips=0)
    document = (await release_wave(late, WAVE, (SECRETS["hr"], SECRETS["recovery"]), lambda _: None)).to_json()
    assert (document["participation"]["received"], document["participation"]["unreadable"]) == (12, 1)


async def test_closing_ends_links_keys_and_messages(site: Site) -> None:
    record = await _open(site)
    invitation = (await issuing.hand_over(site, WAVE, "sms"))[0]
    await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=False)
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    with pytest.raises(LinkRefused, match="over"):
        await _token(site, record, invitation.link)
    await closing.close(late, WAVE, unused_slips=0)
    with pytest.raises(LinkRefused, match="unknown"):
        await _token(site, record, invitation.link)
    assert not issuing.key_file(site, WAVE).exists()
    assert await Outbox.count() == 0
    assert all(not bytes(row["link"]) and not bytes(row["asked"]) for row in await Panel.select())


async def test_a_new_message_carries_a_new_link_and_ends_the_old_one(site: Site) -> None:
    record = await _open(site)
    first = (await issuing.hand_over(site, WAVE, "sms"))[0]
    again = next(i for i in await issuing.hand_over(site, WAVE, "sms") if i.contact == first.contact)
    with pytest.raises(LinkRefused, match="unknown"):
        await _token(site, record, first.link)
    await _token(site, record, again.link)


async def test_who_is_in_a_second_print_does_not_tell_who_has_a_code(site: Site) -> None:
    """Done from outside: letters made a second time were for those alone who had none, by name."""
    record = await _open(site)
    first = await issuing.hand_over(site, WAVE, "sms")
    await _token(site, record, first[0].link)
    second = await issuing.hand_over(site, WAVE, "sms")
    assert sorted(one.contact for one in second) == sorted(one.contact for one in first)
    hers = next(one for one in second if one.contact == first[0].contact)
    with pytest.raises(LinkRefused, match="taken"):
        await _token(site, record, hers.link)
    assert [act.details["n"] for act in await log.read() if act.act == "links made"] == ["10", "10"]


@pytest.mark.parametrize("everybody", [True, False])
async def test_for_whom_a_message_was_is_wiped_when_it_leaves_and_stays_of_one_that_failed_if_everybody_got_it(
    site: Site, everybody: bool
) -> None:
    """Of a reminder to those alone without a token a name that stayed would say who has none."""
    await _open(site)
    if not everybody:
        first = (await links.members_of(WAVE, "email", only_missing=True))[0]
        await Panel.update({Panel.issued: DAY}).where(Panel.id == first)
    assert await issuing.invite_by_mail(site, WAVE, "reminder", only_missing=True) == (20 if everybody else 19)
    left, lost, *_ = batch = await Claims().due(20, 0)
    people = site.engines["people"]

    async def taken(message: Waiting) -> Waiting:
        mine = await sending.claim(people, message)
        assert mine is not None
        return mine

    await sending.delivered(people, await taken(left), DAY)
    await sending.not_delivered(people, await taken(lost), DAY, for_good=True)
    for _ in range(sending.TRIES):
        await sending.not_delivered(people, await taken(batch[2]), DAY, for_good=False)
    assert await links.outbox_counts(WAVE) == {"waiting": len(batch) - 3, "sent": 1, "failed": 2}
    rows = {int(row["id"]): int(row["member"]) for row in await Outbox.select().where(Outbox.state != "waiting")}
    assert (rows[left.row], rows[lost.row]) == (0, lost.member if everybody else 0) and left.member


async def test_somebody_may_change_to_a_slip_while_no_token_was_issued(site: Site) -> None:
    record = await _open(site)
    drawn = await issuing.hand_over(site, WAVE, "sms")
    rows = await Panel.select().where(Panel.channel == "sms").order_by(Panel.id)
    await _token(site, record, drawn[0].link)
    issued = next(int(r["person"]) for r in await Panel.select().where(Panel.issued.is_not_null()))
    free = next(int(row["person"]) for row in rows if int(row["person"]) != issued)
    assert not await issuing.switch_to_slip(site, WAVE, issued)
    assert await issuing.switch_to_slip(site, WAVE, free)
    assert [act.act for act in await log.read()].count("switched to slip") == 1
    assert (await links.counts(WAVE))["slip"] == 11


async def test_more_sheets_than_codes_keep_a_wave_from_closing(site: Site) -> None:
    """Could hide: sheets written by somebody who holds the signing key and no link."""
    record = await _open(site)
    urn = Urn(site.engines["answers"])
    urn.start()
    for i in range(3):
        await urn.put(
            right(WAVE, Digest(hashlib.sha256(bytes([i])).digest()), token=True), b"a" * 16, sealed(site, record, b"s")
        )
    await urn.stop()
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    with pytest.raises(PlanRefused, match="drawn"):
        await closing.close(late, WAVE, unused_slips=0)
    assert await Spent.count() == 3


async def test_twenty_sendings_of_one_token_at_once_are_one_answer(site: Site) -> None:
    record = await _open(site)
    prepared, _ = await _token(site, record, (await issuing.hand_over(site, WAVE, "sms"))[0].link)
    urn = Urn(site.engines["answers"])
    urn.start()
    digest, envelope = Digest(blind.token_digest(prepared)), sealed(site, record, b"sheet")
    receipts = await asyncio.gather(
        *(urn.put(right(WAVE, digest, token=True), bytes([i]) * 16, envelope) for i in range(20))
    )
    await urn.stop()
    assert (receipts.count(Receipt.RECEIVED), receipts.count(Receipt.USED)) == (1, 19)
