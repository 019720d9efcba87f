"""Whatever stands in a cell of the cases store, no handler's page and no reporter's thread breaks over it.

The public and the people store have `test_every_cell`. Here a row is not hers alone: what was put for a colleague's salt stopped every
desk and every thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from surveys.cases import codes
from surveys.cases.acts import Reporter
from surveys.cases.bundles import split
from surveys.cells import octets
from surveys.public import house
from tests.journeys.acting import open_first
from tests.journeys.channel import Channel, at_desk, phone, running
from tests.journeys.test_proofs import report, store
from tests.signing_in import session_of

VALUES = ("'x'", "5", "''", "1e308", "X''", "X'ff00fe'", "'{\"a\": 1}'")
"""A text, a number, nothing of two kinds, more than a number may be, bytes that are no text, JSON of something else."""
UPLOAD = "00" * 16


@dataclass(frozen=True, slots=True)
class Pages:
    """The served channel: a handler's session, and the only report's proofs and number."""

    client: httpx.Client
    session: dict[str, str]
    proofs: dict[str, str]
    case: str

    def all(self) -> dict[str, int]:
        """What each page that reads the store answers."""
        desk = ("desk.json", f"case/{self.case}", f"case/{self.case}/file/{UPLOAD}", "salt?name=ascolto1")
        found = {path: self.client.get(f"/cases/{path}", headers=self.session).status_code for path in desk}
        hold = self.client.post(f"/cases/case/{self.case}/hold", json={"wanted": False}, headers=self.session)
        found |= {"hold": hold.status_code}
        asked: tuple[tuple[str, dict[str, str]], ...] = (
            ("thread", {}),
            ("file", {"upload": UPLOAD}),
            ("proof", {"signer": "00" * 32}),
        )
        return found | {
            path: self.client.post(f"/concern/{path}", json=self.proofs | more).status_code for path, more in asked
        }


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


@contextmanager
def _pages(channel: Channel, secret: codes.Secret) -> Iterator[Pages]:
    name = "ascolto1"
    with store(channel) as rows:
        [(salt,)] = rows.execute("SELECT salt FROM handler WHERE name = ?", (name,)).fetchall()
    login = split(channel.known["handlers"][name]["passphrase"], bytes(salt))[0]
    anchor = house.load(channel.data)
    assert anchor is not None
    proofs = Reporter(codes.derive(secret, bytes.fromhex(anchor.salt))).proofs
    with httpx.Client(base_url=channel.address, timeout=60, headers={"origin": channel.address}) as client:
        entered = client.post("/cases/in", json={"name": name, "login": login, "second": channel.second(name)})
        client.cookies.clear()
        session = {"cookie": f"ascolto={session_of(entered)}"}
        desk = client.get("/cases/desk.json", headers=session).json()
        yield Pages(client, session | {"x-form": desk["form"]}, proofs, desk["inbox"][0]["case"])


def _cells(channel: Channel) -> Iterator[tuple[str, str, int]]:
    """One cell of each column of each table that has a row: of the last, and of the handlers a colleague's."""
    with store(channel) as rows:
        tables = rows.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'migration'").fetchall()
        for (table,) in tables:
            [(row,)] = rows.execute(f'SELECT MAX(rowid) FROM "{table}"').fetchall()
            for _, column, kind, _, _, is_key in rows.execute(f"PRAGMA table_info('{table}')").fetchall():
                if row is not None and not (is_key and kind == "INTEGER"):
                    yield table, column, row


def _put(channel: Channel, cell: tuple[str, str, int], value: str) -> Any:
    """Write a value of SQL into a cell; gives what stood there, as SQL says it."""
    table, column, row = cell
    with store(channel) as rows:
        [(before,)] = rows.execute(f'SELECT quote("{column}") FROM "{table}" WHERE rowid = {row}').fetchall()
        rows.execute(f'UPDATE OR IGNORE "{table}" SET "{column}" = {value} WHERE rowid = {row}')
    return before


async def test_whatever_stands_in_a_cell_of_the_cases_store_no_desk_and_no_thread_breaks(channel: Channel) -> None:
    secret, broken, looked = await report(channel, "parole"), [], 0
    with _pages(channel, secret) as pages:
        with store(channel) as rows:
            rows.execute(
                'INSERT INTO piece (id, upload, "case", number, sealed) VALUES (1, ?, ?, 0, ?)',
                (bytes.fromhex(UPLOAD), int(pages.case, 16), b"sealed"),
            )
        before = pages.all()
        for cell in list(_cells(channel)):
            for value in VALUES:
                stood = _put(channel, cell, value)
                found = pages.all()
                broken += [(*cell[:2], value, path) for path, status in found.items() if status >= 500]
                looked += len(found)
                _put(channel, cell, stood)
        assert pages.all() == before
    assert broken == []
    assert looked > 1000


def test_a_number_in_a_cell_of_bytes_is_not_taken_for_how_many() -> None:
    """`bytes(3_000_000_000)` are three gigabytes of nothing, at each look at a case."""
    assert [octets(cell) for cell in (b"ab", memoryview(b"ab"), 5, 3_000_000_000, "ab", None, 1.5)] == [
        b"ab",
        b"ab",
        *[b""] * 5,
    ]


async def test_a_day_that_cannot_be_beside_one_case_hides_no_other(browser: Browser, channel: Channel) -> None:
    """Done from outside: the list of every handler stayed empty, without a word."""
    await report(channel, "la prima")
    await report(channel, "la seconda")
    with store(channel) as rows:
        rows.execute('UPDATE "case" SET received = \'9999-12-31\' WHERE id = (SELECT MIN(id) FROM "case")')
    desk = await at_desk(browser, channel, "ascolto1")
    assert await desk.locator("#board table button").count() == 2
    await open_first(desk)


async def test_what_is_odd_in_the_store_is_said_as_such_to_both_and_not_laid_to_the_network(
    browser: Browser, channel: Channel
) -> None:
    """Done from outside: the desk said that the case is not there, the phone that the network is to be looked at."""
    secret = await report(channel, "parole")
    desk = await at_desk(browser, channel, "ascolto1")
    with store(channel) as rows:
        rows.execute("UPDATE message SET number = ''")
    await desk.click("#board table button")
    await desk.wait_for_selector("#wrong:has-text('è stato cambiato e non si apre')")
    _, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it#back")
    await page.fill("#typed", " ".join(codes.to_words(secret)))
    await page.click("#open")
    await page.wait_for_selector("#wrong:has-text('è stato cambiato e non si apre')")
    with store(channel) as rows:
        rows.execute("UPDATE message SET number = 1")
        rows.execute("UPDATE \"case\" SET received = 'x'")
    await desk.evaluate("Board.showInbox()")
    await desk.wait_for_selector("#board .bad:has-text('qualcosa che nessuna pagina scrive')")
    assert "Nessun caso per te" not in await desk.inner_text("#board")


@pytest.mark.parametrize("odd", ["received = 'x'", "outcome = x'ff'", "recovered = 1e308"])
async def test_beside_a_case_that_cannot_be_read_the_others_are_listed_and_opened(
    browser: Browser, channel: Channel, odd: str
) -> None:
    """Done from outside: one row, and every handler's list answered 409 in place of all cases."""
    for words in ("la prima", "la seconda", "la terza"):
        await report(channel, words)
    with store(channel) as rows:
        rows.execute(f'UPDATE "case" SET {odd} WHERE id = (SELECT MIN(id) FROM "case")')
        [(case,)] = rows.execute('SELECT MIN(id) FROM "case"').fetchall()
    for name in ("ascolto1", "ascolto2"):
        desk = await at_desk(browser, channel, name)
        assert await desk.locator("#board table button").count() == 2
        number = f"{case:016x}"[:8].upper()
        said = await desk.locator("#board .bad").all_inner_texts()
        assert len(said) == 1 and f"{number[:4]}-{number[4:]}" in said[0]
        assert "manca" not in await desk.inner_text("#board")
        for line in (0, 1):
            await desk.locator("#board table button").nth(line).click()
            await desk.wait_for_selector(".letter")
            await desk.click('#board button:has-text("Tutti i casi")')
            await desk.wait_for_selector("#board table button")
    desk = await at_desk(browser, channel, "esterna")
    assert await desk.locator("#board table button, #board .bad").count() == 0
