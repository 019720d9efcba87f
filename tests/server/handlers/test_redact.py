"""Words are taken out of a case by two: one lays a letter without its content beside the first, another looks and lets it in."""

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import pytest

from surveys.cases import acts, letters
from surveys.cases.opening import redacted_text
from surveys.stores import StoreSettings
from tests.server.handlers.desks import NOBODY, Desks, case_of, desks, is_hers_alone
from tests.surveys.cases import desk_side
from tests.surveys.cases.people import Written


async def _without_content(served: Desks, who: str, written: Written) -> dict[str, Any]:
    """The first letter of the thread without its content, as her device seals it again."""
    opened = await served.opened(who, written)
    assert opened.fold is not None
    sealed = b64decode((await served.file(who, written))["messages"][0]["sealed"])
    plain = desk_side.emptied(letters.plain_of(sealed, opened.keys["thread"][1]))
    return {"number": 1, "sealed": b64encode(letters.seal(plain, opened.fold.to)).decode()}


async def _agreed(served: Desks, written: Written, text: str) -> None:
    """Two say in the thread that these words stand in the first letter's place."""
    content = (await served.opened("anna", written)).thread[0]["content"]
    payload = desk_side.payload_of_redaction(1, content, text, [])
    what = {"what": "redact", "payload": acts.hash_of(payload)}
    made = await served.letter("anna", written, "via il nome", kind="ask", terms=what, payload=payload)
    assert (await served.ask("anna", case_of(written, "/write"), made)).status_code == 200
    asked = (await served.opened("carla", written)).thread[-1].hash
    terms = {"number": 1, "content": content, "text": acts.hash_of(text), "files": [], "asked": asked}
    made = await served.letter("carla", written, text, kind="redact", terms=terms)
    assert (await served.ask("carla", case_of(written, "/write"), made)).status_code == 200


async def _laid(served: Desks, written: Written) -> str:
    """One is laid beside the first letter; gives its digest as a second reader's device says it."""
    made = await _without_content(served, "anna", written)
    assert (await served.ask("anna", case_of(written, "/redact"), made)).json() == {"kept": True}
    shown = (await served.file("bruno", written))["messages"][0]["replacement"]
    assert shown == made["sealed"]
    return sha256(shown.encode()).hexdigest()


async def test_the_words_go_when_a_second_reader_has_looked_and_not_before(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        written = await served.report("un nome di troppo")
        await _agreed(served, written, "un nome")
        digest = await _laid(served, written)
        assert (await served.texts("carla", written))[0] == "un nome di troppo"
        answered = await served.ask("bruno", case_of(written, "/redacted"), {"number": 1, "digest": digest})
        assert answered.json() == {"kept": True}
        opened = await served.opened("carla", written)
        assert (opened.problem, opened.thread[0].content, redacted_text(opened, 1)) == ("", None, "un nome")
        assert (await served.told())[-2:] == [("anna", "redacted"), ("bruno", "redacted")]


async def test_whoever_laid_it_there_does_not_let_it_in(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        digest = await _laid(served, written)
        before = await served.stored()
        alone = await served.ask("anna", case_of(written, "/redacted"), {"number": 1, "digest": digest})
        assert (alone.status_code, alone.json()) == (409, {"refused": True}) and await served.stored() == before


async def test_what_she_did_not_look_at_takes_no_letters_place(sqlite_settings: StoreSettings) -> None:
    """Done by a colleague: another is laid there between her look and her word."""
    async with desks(sqlite_settings) as served:
        written = await served.report()
        digest = await _laid(served, written)
        await _laid(served, written)
        before = await served.stored()
        for given in (digest, "", "0" * 64, "ü"):
            answered = await served.ask("bruno", case_of(written, "/redacted"), {"number": 1, "digest": given})
            assert (answered.status_code, answered.json()) == (409, {"refused": True})
        assert await served.stored() == before


async def test_let_in_twice_it_is_refused_the_second_time(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        said = {"number": 1, "digest": await _laid(served, written)}
        answered = [await served.ask(who, case_of(written, "/redacted"), said) for who in ("bruno", "bruno", "carla")]
        assert [one.status_code for one in answered] == [200, 409, 409]
        assert await served.told() == [("anna", "redacted"), ("bruno", "redacted")]


async def test_nobody_but_a_handler_of_this_session_takes_words_out(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        made = await _without_content(served, "anna", written)
        await is_hers_alone(served, case_of(written, "/redact"), made)
        digest = await _laid(served, written)
        await is_hers_alone(served, case_of(written, "/redacted"), {"number": 1, "digest": digest}, who="carla")


async def test_of_a_case_that_is_none_or_not_hers_no_word_is_taken(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        shut = await served.report(out=("bruno",))
        made = await _without_content(served, "anna", shut)
        for what, said in (
            ("/redact", made),
            ("/redacted", {"number": 1, "digest": await _laid_by_anna(served, shut)}),
        ):
            before = await served.stored()
            found = [await served.ask("bruno", path, said) for path in (f"/case/{NOBODY}{what}", case_of(shut, what))]
            assert [one.status_code for one in found] == [404, 404] and await served.stored() == before


async def _laid_by_anna(served: Desks, written: Written) -> str:
    made = await _without_content(served, "anna", written)
    await served.ask("anna", case_of(written, "/redact"), made)
    return sha256(made["sealed"].encode()).hexdigest()


@pytest.mark.parametrize(
    "other", [{"number": 9}, {"number": 0}, {"number": "1"}, {"sealed": ""}, {"sealed": "QUJD"}, {"x": 1}]
)
async def test_what_is_no_letter_of_the_case_is_refused(sqlite_settings: StoreSettings, other: dict[str, Any]) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        made, before = await _without_content(served, "anna", written), await served.stored()
        answered = await served.ask("anna", case_of(written, "/redact"), made | other)
        assert (answered.status_code, answered.json()) == (400, {"refused": True}) and await served.stored() == before
