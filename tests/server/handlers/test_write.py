"""A handler writes in a case: a message, a step of it, a note; each is kept once, with one line in the log that names no case."""

import pytest

from surveys.cases import acts
from surveys.stores import StoreSettings
from tests.server.handlers.desks import NOBODY, case_of, desks, is_hers_alone


async def test_her_message_is_read_by_colleagues_and_is_one_line_of_the_log(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        written = await served.report("che cosa è successo")
        made = await served.letter("anna", written, "la ascoltiamo", "acknowledge")
        assert (await served.ask("anna", case_of(written, "/write"), made)).json() == {"kept": True}
        assert await served.texts("bruno", written) == ["che cosa è successo", "la ascoltiamo"]
        file = await served.file("carla", written)
        assert (file["state"], file["acknowledged"]) == ("acknowledged", served.site.day.isoformat())
        assert await served.told() == [("anna", "moved_acknowledge")]


async def test_a_letter_that_is_sent_twice_is_there_once(sqlite_settings: StoreSettings) -> None:
    """Sent again after a lost answer: a letter of the same number does not stand beside the first."""
    async with desks(sqlite_settings) as served:
        written = await served.report()
        made = await served.letter("anna", written, "una volta")
        first = await served.ask("anna", case_of(written, "/write"), made)
        before = await served.stored()
        again = await served.ask("anna", case_of(written, "/write"), made)
        other = await served.ask("bruno", case_of(written, "/write"), made)
        assert [one.status_code for one in (first, again, other)] == [200, 409, 409]
        assert again.json() == other.json() == {"stale": True} and await served.stored() == before
        assert await served.texts("bruno", written) == ["parole", "una volta"]


async def test_nobody_but_a_handler_of_this_session_writes(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        await is_hers_alone(served, case_of(written, "/write"), await served.letter("anna", written, "non da me"))


async def test_a_case_that_is_none_and_one_that_is_not_hers_answer_alike(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        hers = await served.report(out=("bruno",))
        made, before = await served.letter("anna", hers, "di un'altra"), await served.stored()
        missing = await served.ask("anna", f"/case/{NOBODY}/write", made)
        shut = await served.ask("bruno", case_of(hers, "/write"), made)
        assert (missing.status_code, missing.content) == (shut.status_code, shut.content) == (404, b'{"unknown": true}')
        assert await served.stored() == before


async def test_a_letter_of_one_case_that_is_put_into_another_opens_for_nobody(sqlite_settings: StoreSettings) -> None:
    """Done by a colleague: what was said in one case as if it were said in another."""
    async with desks(sqlite_settings) as served:
        one, other = await served.report("una"), await served.report("altra")
        made = await served.letter("anna", one, "detto nella prima")
        assert (await served.ask("bruno", case_of(other, "/write"), made)).status_code == 200
        assert (await served.opened("carla", other)).problem and await served.texts("carla", other) == ["altra"]
        assert await served.texts("carla", one) == ["una"]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("stream", "diary", 400),
        ("stream", "altro", 400),
        ("number", 0, 409),
        ("number", 7, 409),
        ("number", 2**63, 409),
        ("number", "2", 400),
        ("epoch", 9, 400),
        ("sealed", "", 400),
        ("sealed", "non base64!", 400),
        ("sealed", "QUJD" * 100_000, 400),
        ("move", "caso di Rossi", 400),
        ("move", "x" * 300, 400),
        ("uploads", ["00" * 16], 400),
        ("uploads", ["00" * 16] * 6, 400),
        ("epochs", [{"stream": "notes", "number": 1, "wraps": {}, "link": ""}], 409),
        ("altro", 1, 400),
    ],
)
async def test_what_is_no_letter_is_refused_and_nothing_is_kept(
    sqlite_settings: StoreSettings, field: str, value: object, status: int
) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        made, before = await served.letter("anna", written, "x"), await served.stored()
        answered = await served.ask("anna", case_of(written, "/write"), made | {field: value})
        assert answered.status_code == status and await served.stored() == before


async def test_a_step_that_is_not_open_is_a_letter_and_moves_nothing(sqlite_settings: StoreSettings) -> None:
    """Letters decide: what stands beside the case is put right by whoever opens it."""
    async with desks(sqlite_settings) as served:
        written = await served.report()
        made = await served.letter("anna", written, "troppo presto") | {"move": "final"}
        assert (await served.ask("anna", case_of(written, "/write"), made)).status_code == 200
        assert (await served.file("bruno", written))["state"] == "received"


async def test_a_note_is_read_by_colleagues_and_brings_its_keys_once(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()

        async def noted(who: str, text: str) -> int:
            opened = await served.opened(who, written)
            made = acts.note(
                opened,
                served.team.ring,
                served.team.author(who),
                "note",
                {"text": text},
                served.site.day,
                served.team.dice,
            )
            return (await served.ask(who, case_of(written, "/write"), made)).status_code

        assert [await noted("anna", "tra noi"), await noted("bruno", "anche per me")] == [200, 200]
        opened = await served.opened("carla", written)
        assert [note.content["text"] for note in opened.notes if note.content] == ["tra noi", "anche per me"]
        assert await served.texts("carla", written) == ["parole"]
