"""What one dishonest reader signs within every form: both languages say the same, and nobody waits for it or is stopped by it for good."""

import asyncio
import base64
import copy
import itertools
import json
from datetime import date
from functools import partial

import pytest
from playwright.async_api import Browser, Page

from server.reporters.shown import dates_of, shown_second
from surveys import signed
from surveys.cases import acts, clocks, codes
from surveys.cases.acts import Change
from surveys.cases.clocks import Days, State
from surveys.cases.letters import REPORTER
from surveys.cases.sealing import encrypt
from tests.journeys import both
from tests.surveys.cases.memory import Kept, World, dice_of, readers_but, report

DAY = date(2026, 12, 2)


async def empty_page(browser: Browser) -> Page:
    made = await (await browser.new_context()).new_page()
    await both.load(made)
    return made


@pytest.fixture
def kept() -> Kept:
    there = report(World(dice_of(19), day=DAY), "prima")
    there.day = DAY
    return there


async def said(page: Page, kept: Kept, name: str) -> tuple[str, int]:
    """The word of what is wrong with a thread, and how many letters are shown: the same in both languages."""
    who = kept.me if name == REPORTER else (name, kept.world.keys[name])
    lists, file = both.lists_of(kept.world.anchor.text, kept.world.found), both.file_of(kept.sealed(name))
    here = both.by_python(lists, file, who, kept.world.anchor.printed)
    assert here == await both.by_browser(page, lists, file, who, kept.world.anchor.printed)
    return str(here.get("refused", here.get("problem"))), len(here.get("texts", ()))


def keys_of_number(kept: Kept, name: str, number: int) -> None:
    """New keys of somebody's own numbering."""
    opened = kept.opened(name)
    assert opened.fold is not None
    opened.fold.highest = number - 1
    wanted = Change(readers_but(kept), opened.fold.recovery)
    made = acts.change(opened, kept.world.ring, kept.world.author(name), wanted, kept.day, kept.world.dice)
    assert made["epochs"][0]["number"] == number
    kept.take(made["letter"], made["epochs"])


@pytest.mark.parametrize("number", [4, 999, 1000])
async def test_new_keys_with_a_number_ahead_of_the_letters_do_not_take_the_last_one(
    browser: Browser, kept: Kept, number: int
) -> None:
    """Done by one reader: his keys had the number 1,000, and nobody could change the keys of that report any more."""
    page = await empty_page(browser)
    keys_of_number(kept, "bruno", number)
    for name in (REPORTER, "anna"):
        assert await said(page, kept, name) == ("place", 1)


async def test_one_number_is_left_out_where_a_row_stood_there_and_keys_go_on_changing(
    browser: Browser, kept: Kept
) -> None:
    page = await empty_page(browser)
    keys_of_number(kept, "bruno", 3)
    for _ in range(3):
        kept.change("anna", readers_but(kept))
    for name in (REPORTER, "carla"):
        assert await said(page, kept, name) == ("", 5)


SPACES = b"x" + b" " * 250_000 + b"x"
"""As much as the server takes of one letter: looking for its filling at each of its places took an engine of 2023 two minutes."""


async def test_spaces_inside_a_letter_or_a_wrap_keep_no_page_waiting(browser: Browser, kept: Kept) -> None:
    """Done by one reader, and by whoever writes the store: wraps are sealed to keys that everybody can read on the list."""
    page = await empty_page(browser)
    fold = kept.opened("bruno").fold
    assert fold is not None
    letter = {"stream": "thread", "number": 2, "sealed": base64.b64encode(encrypt(SPACES, fold.to)).decode()}
    kept.take(letter)
    async with asyncio.timeout(20):
        assert await said(page, kept, "anna") == ("letter_forged", 1)
        assert await said(page, kept, REPORTER) == ("letter_forged", 1)
    kept.rows.pop()
    kept.epochs[0]["wraps"]["anna"] = encrypt(SPACES, kept.world.keys["anna"].recipient)
    async with asyncio.timeout(20):
        assert await said(page, kept, "anna") == ("wrap_not_mine", 0)


LONE = ('{"a":"\\ud83d"}', '{"\\ude00":1}', '{"a":["\\udfff\\ud800"]}')
"""Halves of an emoji, as text that a field cut in the middle of one has them."""


async def test_half_an_emoji_is_refused_by_both_and_written_by_neither(browser: Browser, kept: Kept) -> None:
    """Found from outside: the browser read a letter that Python called forged."""
    page = await empty_page(browser)
    read = "text => { try { Signed.parse(text); return true; } catch (problem) { if (!(problem instanceof Protocol.CannotOpen)) throw problem; return false; } }"
    for text in LONE:
        with pytest.raises(signed.NotSigned):
            signed.parse(text)
        assert await page.evaluate(read, text) is False, text
    assert await page.evaluate(read, '{"a":"\U0001f600"}') is True
    fold = kept.opened(REPORTER).fold
    assert fold is not None
    write = """([place, seed, to, text]) => { const made = Fold.write(place, { name: 'reporter', seed: Protocol.unhex(seed) }, 'message', '2026-12-02', { text, where: text }, Protocol.random(32));
      return Fold.seal(made.plain, to).then((sealed) => Protocol.base64(sealed)); }"""
    ring = {"number": kept.world.ring.number, "hash": kept.world.ring.hash}
    place = {"house": fold.house, "case": fold.case, "start": fold.start, "stream": "thread", "number": 2, "before": fold.head, "epoch": 1, "to": fold.to, "thread": "0" * 64, "ring": ring}  # fmt: skip
    for text in ("ciao \ud83d", "\ude00 ciao"):
        branch = copy.deepcopy(kept)
        given = [place, kept.me.keys.ed25519.hex(), fold.to]
        sealed = await page.evaluate(f"given => ({write})([...given, {json.dumps(text)}])", given)
        branch.take({"stream": "thread", "number": 2, "sealed": sealed})
        assert await said(page, branch, "anna") == ("", 2)
        assert branch.opened("anna").thread[1].content == {
            name: text.replace("\ud83d", "\ufffd").replace("\ude00", "\ufffd") for name in ("text", "where")
        }


DAYS = ("0001-01-01", "0099-12-31", "2024-02-29", "2026-11-30", "9999-06-30", "9999-12-31")


async def test_whatever_day_a_letter_says_what_is_due_is_the_same_in_both(browser: Browser) -> None:
    page = await empty_page(browser)
    rule = {"years": 5, "longer": []}
    for day, state in itertools.product(DAYS, ("received", "acknowledged", "outcome")):
        steps = ("received", "acknowledged", "outcome")
        days = {name: day if steps.index(name) <= steps.index(state) else "" for name in steps}
        there = await page.evaluate(
            "([fold, rule]) => Fold.dates(fold, '2026-12-02', rule)", [{"state": state} | days, rule]
        )
        stood = Days(State(state), *(date.fromisoformat(days[name]) if days[name] else None for name in steps))
        assert there == dates_of(stood, DAY, partial(clocks.years_kept, 5, [])), (day, state)


def test_a_reader_s_letter_of_the_last_day_there_is_takes_the_page_without_a_script_from_nobody(kept: Kept) -> None:
    """Done by one reader: the process that opens her letters ended with a fault, each time."""
    kept.day = date(9999, 12, 31)
    kept.write("bruno", "acknowledge", "preso in carico")
    keys = codes.derive(kept.secret, bytes.fromhex(kept.world.anchor.salt))
    shown = shown_second({"years": 5, "longer": []}, kept.opened(REPORTER), keys, kept.world.chain, DAY)
    assert [one["text"] for one in shown["letters"]] == ["prima", "preso in carico"]
