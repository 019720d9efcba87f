"""A handler signs a statement of her own keys; nobody states keys for her, and no other keys than hers."""

import pytest

from surveys.cases import handlers
from surveys.cases.tables import Handler
from surveys.public import house
from surveys.stores import StoreSettings
from tests.server.handlers.desks import Desks, desks, is_hers_alone


async def _state(served: Desks, text: str, who: str = "anna") -> tuple[int, object]:
    answered = await served.ask(who, "/statement", {"statement": text})
    return answered.status_code, answered.json()


async def _known(who: str = "anna") -> str | None:
    record = await handlers.load(who)
    assert record is not None
    return record.statement


async def test_her_statement_is_kept_for_the_signers_and_stands_once(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        text = served.team.statement("anna", served.site.day)
        await Handler.update({Handler.statement: ""}, force=True)
        assert await _state(served, text) == await _state(served, text) == (200, {"kept": True})
        assert await _known() == text
        assert (await served.ask("anna", "/desk.json", method="GET")).json()["statement"] == text
        assert await served.told() == [("anna", "stated_keys")] * 2


async def test_a_statement_of_a_colleague_or_of_other_keys_is_refused(sqlite_settings: StoreSettings) -> None:
    """Done by a colleague: her own keys under another's name, for the next list of readers."""
    async with desks(sqlite_settings) as served:
        before = await served.stored()
        for text in (
            served.team.statement("anna", served.site.day),
            served.team.statement("bruno", served.site.day, served.team.new_keys()),
            served.team.statement("anna", served.site.day, served.team.keys["bruno"]),
        ):
            assert await _state(served, text, "bruno") == (400, {"problem": "statement"})
        assert await served.stored() == before


async def test_nobody_but_a_handler_of_this_session_states_keys(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await is_hers_alone(served, "/statement", {"statement": served.team.statement("anna", served.site.day)})


@pytest.mark.parametrize("text", ["", "x", "{}", "[]", "\x00", "è" * 10_000])
async def test_what_is_no_statement_is_refused_by_name(sqlite_settings: StoreSettings, text: str) -> None:
    async with desks(sqlite_settings) as served:
        before = await served.stored()
        assert await _state(served, text) == (400, {"problem": "statement"}) and await served.stored() == before


async def test_a_statement_whose_words_were_changed_is_refused(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        text = served.team.statement("anna", served.site.day)
        changed = text.replace("Anna", "Anja")
        assert changed != text and await _state(served, changed) == (400, {"problem": "statement"})


async def test_before_the_house_is_made_nobody_states_keys(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        text = served.team.statement("anna", served.site.day)
        house.path_of(served.site.data).unlink()
        assert await _state(served, text) == (400, {"problem": "statement"})
