"""Comments: apart from all other answers, sealed one by one, let out by two people, never fewer than ten."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox

from surveys.answers.keys import HolderSecret, SecretRefused, holder_key
from surveys.answers.opening import comments_of
from surveys.answers.pairs import ROOM
from surveys.answers.urn import Urn
from surveys.lifecycle import closing, opening, printing
from surveys.lifecycle import comments as reading
from surveys.lifecycle.comments import WordingTooLong, keep_at_update, open_comments, put_forward, sealed_to_team
from surveys.lifecycle.context import Site
from surveys.lifecycle.marking import Mark, marks, name_words, without
from surveys.lifecycle.opening import NotReady
from surveys.lifecycle.planning import GUARANTEE, Wish, draw_secret, plan, take_seat
from surveys.lifecycle.releasing import release_wave
from surveys.people import log, roster
from surveys.public import comments, organisation
from surveys.public.signing import installation_key
from surveys.public.tables import Comment
from surveys.questionnaire import AnswerSheet, InvalidAnswers, Questionnaire, read_form
from surveys.questionnaire.shipped import shipped
from tests.conftest import DAY, ORGANISATION, WAVE, small_cooperative
from tests.rights import right
from tests.urn import anchor, get_ready, make_words, put_in

NAMES = name_words(["Maria Bianchi", "Nido Prato"])


async def _released(site: Site, texts: int, other: int = 0) -> dict[str, HolderSecret]:
    """Thirty people answer; so many of them write to the first open question, and so many to the second."""
    await organisation.save(site.engines["public"], ORGANISATION)
    await roster.replace(site.engines["people"], *small_cooperative(40), DAY - timedelta(days=30))
    await anchor(site)
    await plan(site, Wish(WAVE, {"it": "Autunno"}, DAY, DAY + timedelta(days=14), form="pulse", comments=True))
    secrets = {GUARANTEE: draw_secret()}
    await take_seat(site, WAVE, secrets[GUARANTEE])
    secrets |= await get_ready(site, WAVE)
    record = await opening.open_wave(site, WAVE)
    codes = await printing.print_slips(site, WAVE, 30)
    form = Questionnaire.from_json(dict(record.questionnaire))
    urn = Urn(site.engines["answers"])
    urn.start()
    for place, code in enumerate(codes):
        given = {"CUL1": [str(place % 5 + 1)], "unit": ["po.nido"]}
        if place < texts:
            given["OPN1"] = [f"commento numero {place} di Persona 7"]
        if place < other:
            given["OPN2"] = [f"altro testo {place}"]
        row, envelope = put_in(site, record, code, read_form(form, given).to_bytes())
        await urn.put(right(WAVE, row), b"a" * 16, envelope)
    await urn.stop()
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    await closing.close(late, WAVE, unused_slips=0)
    made = await release_wave(late, WAVE, (secrets["hr"], secrets["recovery"]), lambda _: None)
    assert (made.to_json()["comments"] == "sealed") == (max(texts, other) >= 10)
    return secrets


async def test_no_comment_is_read_by_the_public_before_two_people_let_it_out(site: Site) -> None:
    secrets = await _released(site, 12)
    one, two = replace(site, actor="ada"), replace(site, actor="bea")
    waiting = await open_comments(WAVE, secrets[GUARANTEE])
    assert len(waiting) == 12 and await comments.published(WAVE) == {}
    first = waiting[0]
    assert not await put_forward(one, WAVE, first.id, first.wording, secrets[GUARANTEE])
    assert not await put_forward(one, WAVE, first.id, first.wording, secrets[GUARANTEE])  # twice the same person is one
    assert await comments.published(WAVE) == {}
    assert not await put_forward(two, WAVE, first.id, "un'altra frase", secrets[GUARANTEE])  # not the same wording
    assert await comments.published(WAVE) == {}
    assert await put_forward(one, WAVE, first.id, "un'altra frase", secrets[GUARANTEE])
    assert await comments.published(WAVE) == {"OPN1": ["un'altra frase"]}
    second = waiting[1]
    await put_forward(one, WAVE, second.id, "", secrets[GUARANTEE])
    assert await put_forward(two, WAVE, second.id, "", secrets[GUARANTEE])
    assert await comments.published(WAVE) == {"OPN1": ["un'altra frase"]}
    assert len(await open_comments(WAVE, secrets[GUARANTEE])) == 10
    assert [act.act for act in await log.read()][-2:] == ["comment published", "comment withheld"]
    for row in await Comment.select().where(Comment.state.is_in(["published", "withheld"])):
        assert (bytes(row["sealed"]), bytes(row["proposal"]), row["proposed_by"]) == (b"", b"", "")


async def test_names_are_looked_for_in_the_comment_that_is_shown_and_in_no_other(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand letters of "1 1 1" take two seconds: ten people with three such texts stopped the service for a minute at each page."""
    secrets = await _released(sqlite_site, 12)
    looked: list[str] = []

    def slowly(text: str, _: frozenset[str]) -> list[Mark]:
        looked.append(text)
        return []

    monkeypatch.setattr(reading, "marks", slowly)
    waiting = await open_comments(WAVE, secrets[GUARANTEE])
    assert (len(waiting), looked) == (12, [])
    assert waiting[3].wording == waiting[3].text and waiting[3].marks == ()
    assert looked == [waiting[3].text]


@pytest.mark.parametrize("wording", ["è" * 1000, "x" + "é" * 999, "中" * 1000, "a\0b\0"])
async def test_a_wording_comes_back_as_it_was_sent_and_one_that_is_too_long_is_not_kept(
    sqlite_site: Site, wording: str
) -> None:
    """Done by one of the team: a wording that was cut within a letter could not be read, nor any comment of its wave."""
    secrets = await _released(sqlite_site, 12)
    one = replace(sqlite_site, actor="ada")
    first, second = (await open_comments(WAVE, secrets[GUARANTEE]))[:2]
    await put_forward(one, WAVE, first.id, wording, secrets[GUARANTEE])
    with pytest.raises(WordingTooLong):
        await put_forward(one, WAVE, second.id, "x" + "é" * 1000, secrets[GUARANTEE])
    there = {comment.id: comment.wording for comment in await open_comments(WAVE, secrets[GUARANTEE])}
    assert len(there) == 12 and there[first.id] == wording.replace("\0", "")
    assert there[second.id] == second.wording


async def test_a_wording_that_an_earlier_version_cut_within_a_letter_keeps_no_comment_closed(
    sqlite_site: Site,
) -> None:
    secrets = await _released(sqlite_site, 12)
    key = holder_key(secrets[GUARANTEE], WAVE, GUARANTEE)
    cut = SealedBox(key.public_key).encrypt(("x" + "é" * 2500).encode()[:4096])
    first = (await comments.of_wave(WAVE))[0]
    await comments.propose(sqlite_site.engines["public"], installation_key(sqlite_site.data), first, cut, "ada")
    assert len(await open_comments(WAVE, secrets[GUARANTEE])) == 12


async def test_what_is_stored_of_comments_holds_no_word_and_one_size(site: Site) -> None:
    """Could leak: a word, a length, an order, or a line of the sheet that it came from."""
    await _released(site, 12, 11)
    rows = await Comment.select().order_by(Comment.id)
    assert {len(bytes(row["sealed"])) for row in rows} == {4096 + 48}
    assert set(rows[0]) == {"id", "wave", "item", "state", "sealed", "proposal", "proposed_by", "text", "signature"}
    if (site.data / "public.sqlite").exists():
        assert not any(b"commento numero" in p.read_bytes() for p in site.data.rglob("*") if p.is_file())


async def test_nobody_who_writes_the_store_invents_a_comment_or_alters_one(site: Site) -> None:
    """Done from outside: by one INSERT all staff read an accusation under "two people read each text before it is published"."""
    secrets = await _released(site, 12)
    one, two = replace(site, actor="ada"), replace(site, actor="bea")
    first, second = (await open_comments(WAVE, secrets[GUARANTEE]))[:2]
    await put_forward(one, WAVE, first.id, "una frase", secrets[GUARANTEE])
    await put_forward(two, WAVE, first.id, "una frase", secrets[GUARANTEE])
    assert await comments.published(WAVE) == {"OPN1": ["una frase"]}
    row = await Comment.select().where(Comment.id == first.id).first()
    assert row is not None
    for other in ({"text": "altro"}, {"item": "CUL1"}, {"wave": "altra"}, {"signature": ""}):
        await Comment.insert(Comment(**row | {"id": 7} | other))
        assert await comments.published(WAVE) == {"OPN1": ["una frase"]} and await comments.published("altra") == {}
        await Comment.delete().where(Comment.id == 7)
    await Comment.insert(Comment(**row | {"id": 7}))  # twice the same
    await Comment.update({Comment.text: "altro"}).where(Comment.id == first.id)
    assert await comments.published(WAVE) == {}
    # one of the team, with the store: a proposal in somebody else's name, to which she agrees
    sealed = SealedBox(holder_key(secrets[GUARANTEE], WAVE, GUARANTEE).public_key).encrypt(
        b"inventato".ljust(4096, b"\0")
    )
    forged: dict[Any, Any] = {Comment.state: "proposed", Comment.proposal: sealed, Comment.proposed_by: "bea"}
    await Comment.update(forged).where(Comment.id == second.id)
    assert not await put_forward(one, WAVE, second.id, "inventato", secrets[GUARANTEE])
    assert "inventato" not in str(await comments.published(WAVE))


async def test_what_the_version_before_let_out_is_signed_once(site: Site) -> None:
    secrets = await _released(site, 12)
    first, second, third = (await open_comments(WAVE, secrets[GUARANTEE]))[:3]
    await put_forward(replace(site, actor="ada"), WAVE, second.id, "proposta", secrets[GUARANTEE])
    await Comment.update({Comment.state: "published", Comment.text: "di prima"}).where(Comment.id == first.id)
    await Comment.update({Comment.signature: ""}, force=True)
    await keep_at_update(site)
    assert await comments.published(WAVE) == {"OPN1": ["di prima"]}
    assert await put_forward(replace(site, actor="bea"), WAVE, second.id, "proposta", secrets[GUARANTEE])
    await Comment.update({Comment.state: "published", Comment.text: "di dopo"}).where(Comment.id == third.id)
    await keep_at_update(site)
    assert sorted((await comments.published(WAVE))["OPN1"]) == ["di prima", "proposta"]


async def test_nine_comments_are_destroyed_unread_and_ten_are_kept(site: Site) -> None:
    await _released(site, 9, 10)
    assert {row["item"] for row in await Comment.select()} == {"OPN2"}


async def test_only_the_words_of_the_team_open_comments(site: Site) -> None:
    secrets = await _released(site, 12)
    for seat in ("hr", "representative", "recovery"):
        with pytest.raises(SecretRefused):
            await open_comments(WAVE, secrets[seat])


async def test_open_questions_need_a_team_before_the_wave_opens(sqlite_site: Site) -> None:
    site = sqlite_site
    await organisation.save(site.engines["public"], ORGANISATION)
    await roster.replace(site.engines["people"], *small_cooperative(40), DAY - timedelta(days=30))
    await anchor(site)
    await plan(site, Wish(WAVE, {"it": "A"}, DAY, DAY + timedelta(days=3), form="pulse", comments=True))
    await make_words(site, WAVE)
    with pytest.raises(NotReady) as refused:
        await opening.open_wave(site, WAVE)
    assert refused.value.missing == ("holder.guarantee",)


def test_a_comment_keeps_its_own_words() -> None:
    """What we say we cannot protect from: a way of writing goes through, for only names, numbers and dates are taken out."""
    text = "Ma va là, e chi ve l'ha chiesto?"
    assert without(text, marks(text, NAMES)) == text


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("Ha urlato Maria davanti a tutti", "Ha urlato […] davanti a tutti"),
        ("Al nido di Prato è così", "Al […] di […] è così"),
        ("Chiamami al 055 1234567 o +39 333 1234567", "Chiamami al […] o […]"),
        ("Scrivi a maria.b@coop.example.it", "Scrivi a […]"),
        ("È successo il 12 marzo 2026", "È successo il […]"),
        ("It happened on 12 March 2026", "It happened […]"),
        ("Marianna e primavera restano", "Marianna e primavera restano"),
        ("Sto bene qui, 10 e lode", "Sto bene qui, 10 e lode"),
    ],
)
def test_what_may_name_somebody_is_marked(text: str, wording: str) -> None:
    assert without(text, marks(text, NAMES)) == wording


@given(st.text(max_size=200))
def test_marking_never_breaks_and_never_overlaps(text: str) -> None:
    found = marks(text, NAMES)
    assert all(0 <= mark.start < mark.end <= len(text) for mark in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.lists(st.text(min_size=1, max_size=20).filter(str.strip), min_size=10, max_size=20))
def test_every_comment_comes_out_of_its_envelope_as_it_went_in(texts: list[str]) -> None:
    from nacl.public import SealedBox

    key = PrivateKey.generate()
    sealed = sealed_to_team({"OPN1": texts}, bytes(key.public_key), 10)["OPN1"]
    opened = [SealedBox(key).decrypt(envelope).rstrip(b"\0").decode() for envelope in sealed]
    assert opened == [text.rstrip("\0") for text in texts]


def test_comments_are_shuffled_and_taken_apart_question_by_question() -> None:
    form = shipped("pulse", [], (), comments=True)
    sheets = [AnswerSheet({"OPN1": (str(i),), "OPN2": (str(i),)}) for i in range(100)]
    found = comments_of(sheets, form)
    assert sorted(found["OPN1"], key=int) == [str(i) for i in range(100)] and found["OPN1"] != found["OPN2"]


def test_a_text_of_more_than_a_thousand_characters_is_refused_and_a_full_one_fits_in_every_language() -> None:
    form = shipped("full", [], (), comments=True)
    with pytest.raises(InvalidAnswers) as refused:
        read_form(form, {"OPN1": ["x" * 1001]})
    assert refused.value.problems[0].code == "too_long"
    for letter in ("x", "è", "ж", "م", "好"):
        import random

        dice = random.Random(1)
        texts = {f"OPN{n}": ["".join(chr(ord(letter) + dice.randrange(20)) for _ in range(1000))] for n in (1, 2, 3)}
        assert len(read_form(form, texts).to_bytes()) <= ROOM
