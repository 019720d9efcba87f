"""The register by HR's pages: written, changed, closed, taken away, imported after a look; read by the auditor, refused to everybody else."""

import asyncio
import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import openpyxl
import pytest

from server.certification.register_files import kind_names
from surveys.importing.forms import MEDIA, as_csv, unarmed
from surveys.importing.register import COLUMNS, Row, written_rows
from surveys.lifecycle.context import today
from surveys.public import register, register_log
from surveys.public.register import Record
from surveys.public.register_entry import KINDS, Entry
from surveys.stores import StoreSettings
from tests.server.hr.offices import Offices, offices

NOW = today()
FORM = {
    "kind": "non_conformity",
    "title": "Fogli firma mancanti",
    "clause": "6.3.2",
    "indicator": "1.5",
    "evidence": "Due sedi su sei",
    "owner": "Ufficio formazione",
    "due": str(NOW + timedelta(days=60)),
    "team": "",
}
FOUND = Entry(**(FORM | {"due": NOW + timedelta(days=60)}))  # type: ignore[arg-type]  # a form holds texts, an entry one day
HELD = Entry("review", "Riesame", owner="Presidente", due=NOW, closed_on=NOW, outcome="Piano confermato")
HOSTILE = "<script>alert(1)</script>\u202e\u200b"


async def wrote(here: Offices, *entries: Entry) -> list[Record]:
    numbers = [await register.add(here.engines["public"], entry, "direzione", NOW) for entry in entries]
    return [(await register.everything())[number] for number in numbers]


async def kept() -> dict[int, Entry]:
    return {number: record.entry for number, record in (await register.everything()).items()}


async def seen(here: Offices, path: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', (await here.get(path)).text)
    assert found
    return found[1]


def rows_of(text: str) -> list[str]:
    """Titles of the table, in its order."""
    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', text)


async def test_a_form_that_is_sent_twice_in_one_moment_writes_one_line(sqlite_settings: StoreSettings) -> None:
    """Done from outside: two taps, and the register had the finding under two numbers, for ever in its log."""
    async with offices(sqlite_settings) as here:
        answered = await asyncio.gather(*(here.post("/hr/register", **FORM) for _ in range(4)))
        assert {answer.headers.get("location") for answer in answered} == {"/hr/register/1?done=register_added"}
        assert await kept() == {1: FOUND}
        again = await here.post("/hr/register", "risorse", **FORM)
        assert again.headers["location"] == "/hr/register/2?done=register_added"  # by somebody else it is another one


async def test_a_line_is_written_changed_closed_opened_again_and_taken_away(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        answered = await here.post("/hr/register", **FORM)
        assert (answered.status_code, answered.headers["location"]) == (303, "/hr/register/1?done=register_added")
        assert await kept() == {1: FOUND}
        page = (await here.get("/hr/register/1?lang=it")).text
        assert "6.3.2 Piano strategico (numero da verificare)" in page and "direzione l&#39;ha scritta" in page
        answered = await here.post(
            "/hr/register/1", "risorse", seen=await seen(here, "/hr/register/1"), **FORM | {"owner": "Direzione"}
        )
        assert answered.status_code == 303 and await kept() == {1: replace(FOUND, owner="Direzione")}
        assert "risorse ha cambiato: chi" in (await here.get("/hr/register/1?lang=it")).text
        close = {"closed_on": str(NOW), "outcome": "Fogli raccolti"}
        answered = await here.post("/hr/register/1/close", seen=await seen(here, "/hr/register/1"), **close)
        assert answered.status_code == 303
        assert (await kept())[1] == replace(FOUND, owner="Direzione", closed_on=NOW, outcome="Fogli raccolti")
        answered = await here.post("/hr/register/1/reopen", seen=await seen(here, "/hr/register/1"))
        assert answered.status_code == 303 and (await kept())[1].closed_on is None
        answered = await here.post("/hr/register/1/remove", "risorse", seen=await seen(here, "/hr/register/1"))
        assert answered.headers["location"] == "/hr/register?done=register_removed" and await kept() == {}
        assert "1. Fogli firma mancanti: tolta da risorse" in (await here.get("/hr/register?lang=it")).text
        assert (await here.get("/hr/register/1")).status_code == 404


async def test_what_is_open_comes_first_and_filters_count(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        late = replace(FOUND, title="Tardi", due=NOW - timedelta(days=1), indicator="3.6", kind="observation")
        over = replace(FOUND, title="Finita", closed_on=NOW, outcome="Fatto")
        await wrote(here, over, FOUND, late, HELD)
        page = (await here.get("/hr/register?lang=it")).text
        assert rows_of(page) == ["Tardi", "Fogli firma mancanti", "Riesame", "Finita"]
        assert "4 voci: 2 aperte, 1 in ritardo" in page
        for query, titles, counts in (
            ("state=open", ["Tardi", "Fogli firma mancanti"], ["2", "1", "2", "4"]),
            ("state=late", ["Tardi"], ["2", "1", "2", "4"]),
            ("state=closed&area=1", ["Finita"], ["1", "0", "1", "2"]),
            ("kind=review", ["Riesame"], ["0", "0", "1", "1"]),
            ("area=3", ["Tardi"], ["1", "1", "0", "1"]),
            ("kind=peccato&area=9&state=%3Cscript%3E", ["Tardi", "Fogli firma mancanti", "Riesame", "Finita"], None),
        ):
            text = (await here.get(f"/hr/register?lang=it&{query}")).text
            assert rows_of(text) == titles, query
            assert counts is None or re.findall(r"(?:Aperte|In ritardo|Chiuse|Tutte) (\d+)</a>", text) == counts, query
        assert "Nessuna voce con questi filtri" in (await here.get("/hr/register?lang=it&area=4")).text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"title": ""}, "Rilievo: scrivi"),
        ({"owner": "\u200b"}, "Chi: scrivi"),
        ({"due": "domani"}, "Entro: scrivi una data"),
        ({"due": "1999-01-01"}, "fra il 2000 e il 2099"),
        ({"kind": "<script>"}, "Tipo: sceglilo"),
        ({"indicator": "9.9"}, "Indicatore: scegline"),
        ({"title": "a" * 5000}, "Rilievo: al massimo 300 lettere, qui sono 5000"),
        ({"evidence": "a" * 5000}, "Prova: al massimo 2000 lettere"),
        ({"clause": HOSTILE}, "Clausola: al massimo 20 lettere"),
    ],
)
async def test_what_cannot_be_written_is_refused_by_its_field_with_what_was_typed(
    sqlite_settings: StoreSettings, given: dict[str, str], said: str
) -> None:
    async with offices(sqlite_settings) as here:
        (before,) = await wrote(here, FOUND)
        for path in ("/hr/register?lang=it", "/hr/register/1?lang=it"):
            answered = await here.post(path, seen=before.mark, **FORM | {"owner": "Anna Bianchi"} | given)
            assert answered.status_code == 422 and said in answered.text, path
            assert "<script>" not in answered.text and ('value="Anna Bianchi"' in answered.text or "owner" in given)
        assert await kept() == {1: FOUND}


async def test_several_fields_that_are_wrong_are_told_at_once(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        answered = await here.post("/hr/register?lang=it", kind="x", title="", owner="", due="")
        assert answered.status_code == 422
        for said in ("Tipo: sceglilo", "Rilievo: scrivi", "Chi: scrivi", "Entro: scrivi"):
            assert said in answered.text
        (before,) = await wrote(here, replace(FOUND, kind="internal_audit"))
        answered = await here.post("/hr/register/1/close?lang=it", seen=before.mark, closed_on=str(NOW), outcome="")
        assert (
            answered.status_code == 422 and "Esito: prima" in answered.text and "Gruppo: di un audit" in answered.text
        )
        assert (await kept())[1].closed_on is None


async def test_hostile_words_are_shown_as_words(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        answered = await here.post("/hr/register", **FORM | {"title": HOSTILE, "owner": HOSTILE, "evidence": HOSTILE})
        assert answered.status_code == 303
        assert (await kept())[1].title == "<script>alert(1)</script>"
        for path in ("/hr/register", "/hr/register/1", "/audit/register", "/audit/register/1", "/hr/indicators/1.5"):
            page = (await here.get(f"{path}?lang=it")).text
            assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page and "\u202e" not in page


async def test_a_form_that_is_sent_twice_or_too_late_changes_nothing(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        (before,) = await wrote(here, FOUND)
        close = {"closed_on": str(NOW), "outcome": "Fatto"}
        answered = await asyncio.gather(
            *(here.post("/hr/register/1/close?lang=it", seen=before.mark, **close) for _ in range(5))
        )
        assert sorted(one.status_code for one in answered) == [303, 422, 422, 422, 422]
        assert [one.act for one in await register_log.history(1)] == ["closed", "added"]
        late = await here.post("/hr/register/1?lang=it", seen=before.mark, outcome="Fatto", **FORM | {"title": "Altro"})
        assert late.status_code == 422 and "qualcuno ha cambiato questa voce" in late.text and "Altro" in late.text
        for path in ("", "/close", "/reopen", "/remove"):
            gone = await here.post(f"/hr/register/7{path}", seen=before.mark, **FORM | close)
            assert gone.headers["location"] == "/hr/register?done=register_gone"
        assert len(await kept()) == 1


async def test_documents_are_kept_given_and_taken_away(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await wrote(here, FOUND)
        path, paper = "/hr/register/1/documents", {"title": "Verbale", "day": str(NOW), "link": ""}
        file: Any = {"file": ('ver"b\u202eale.pdf', b"%PDF-1.7")}
        assert (await here.post(path, files=file, **paper)).status_code == 303
        document = (await register.everything())[1].documents[0]
        for base, who in (("/hr", "direzione"), ("/audit", "verifica")):
            given = await here.get(f"{base}/register/1/documents/{document.id}", who)
            assert given.content == b"%PDF-1.7" and given.headers["content-type"] == "application/octet-stream"
            assert given.headers["content-disposition"] == 'attachment; filename="ver_bale.pdf"'
            assert (await here.get(f"{base}/register/2/documents/{document.id}", who)).status_code == 404
        for wrong, said in (
            ({"title": ""}, "titolo"),
            ({"day": "ieri"}, "data"),
            ({"day": str(NOW + timedelta(days=2))}, "oggi"),
            ({"link": "https://example.org"}, "uno dei due"),
        ):
            answered = await here.post(f"{path}?lang=it", files=file, **paper | wrong)
            assert answered.status_code == 422 and said in answered.text
        large: Any = {"file": ("a.pdf", b"a" * (10 * 1024 * 1024 + 1))}
        assert "10 MB" in (await here.post(f"{path}?lang=it", files=large, **paper)).text
        for _ in range(2):
            assert (await here.post(f"{path}/{document.id}/remove")).status_code == 303
        assert [one.act for one in await register_log.history(1)] == ["document_removed", "document_added", "added"]


READS = ("/register", "/register/1", "/register/file/xlsx", "/register/file/csv")
WRITES = ("", "/1", "/1/close", "/1/reopen", "/1/remove", "/1/documents", "/1/documents/x/remove", "/import")


@pytest.mark.parametrize("who", ["verifica", "rappresentante", ""])
async def test_who_is_not_of_hr_writes_nothing(sqlite_settings: StoreSettings, who: str) -> None:
    async with offices(sqlite_settings) as here:
        (before,) = await wrote(here, FOUND)
        here.sessions[""] = "f" * 43
        expected = 403 if who else 303  # to the sign-in
        for path in (*READS, "/register/new", "/register/import", "/register/template/csv"):
            answered = await here.get(f"/hr{path}", who)
            assert answered.status_code == expected and FOUND.title not in answered.text
        for path in WRITES:
            answered = await here.post(f"/hr/register{path}", who, seen=before.mark, **FORM | {"closed_on": str(NOW)})
            assert answered.status_code == expected
        assert await register.everything() == {1: before}


async def test_the_auditor_reads_all_of_it_without_a_form_and_nobody_else_does(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await wrote(here, FOUND)
        for path in READS[:2]:
            page = await here.get(f"/audit{path}?lang=it", "verifica")
            assert page.status_code == 200 and FOUND.title in page.text
            main = page.text.partition("<main>")[2]
            assert not [sign for sign in ('method="post"', "/hr/", "/register/new", "/register/import") if sign in main]
        for path in READS:
            assert (await here.get(f"/audit{path}", "rappresentante")).status_code == 403
        assert (await here.get("/audit/register/file/csv", "verifica")).status_code == 200
        for public in ("/", "/results/", "/trust", "/help"):
            assert FOUND.title not in (await here.client.get(public)).text


async def test_an_indicator_shows_its_open_findings_and_no_other(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        over = replace(FOUND, title="Finita", closed_on=NOW, outcome="Fatto")
        await wrote(here, FOUND, over, replace(FOUND, title="D'altri", indicator="1.6"))
        for base, who in (("/hr", "direzione"), ("/audit", "verifica")):
            page = (await here.get(f"{base}/indicators/1.5?lang=it", who)).text
            assert f'<a href="{base}/register/1?lang=it">Fogli firma mancanti</a>' in page
            assert "Finita" not in page and "D&#39;altri" not in page


@pytest.mark.parametrize(("days", "due"), [(365, False), (366, True)])
async def test_the_register_and_the_overview_say_that_the_yearly_review_is_due(
    sqlite_settings: StoreSettings, days: int, due: bool
) -> None:
    said = "Il riesame annuale della direzione è da fare"
    async with offices(sqlite_settings) as here:
        assert said not in (await here.get("/hr?lang=it")).text
        await wrote(here, replace(HELD, closed_on=NOW - timedelta(days=days)))
        for path, who in (("/hr/register", "direzione"), ("/audit/register", "verifica")):
            assert (said in (await here.get(f"{path}?lang=it", who)).text) is due
        await wrote(here, HELD)
        assert said not in (await here.get("/hr/register?lang=it")).text


def file_of(*rows: Row, kind: str = "csv") -> dict[str, Any]:
    names = {key: " / ".join(both) for key, both in kind_names().items()}
    return {"file": (f"registro.{kind}", as_csv(unarmed(written_rows(rows, names))))}


async def look(here: Offices, files: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The page that shows what a file would change, and what its form says of what was seen."""
    answered = await here.post("/hr/register/import?lang=it", files=files)
    assert answered.status_code == 200
    found = dict(re.findall(r'name="(seen|shown)" value="(\w+)"', answered.text))
    return answered.text, found


async def test_a_file_is_looked_at_before_it_is_taken_in_and_the_second_time_says_nothing_new(
    sqlite_settings: StoreSettings,
) -> None:
    async with offices(sqlite_settings) as here:
        await wrote(here, FOUND, HELD)
        new, said = replace(FOUND, title="Nuova"), replace(FOUND, owner="Anna", clause="6.2")
        files = file_of((1, said), (None, new))
        text, found = await look(here, files)
        assert "1 voce nuova" in text and "1 voce cambiata" in text and "1. Fogli firma mancanti: clausola, chi" in text
        assert await kept() == {1: FOUND, 2: HELD}  # a look writes nothing
        without = await here.post("/hr/register/import?lang=it", files=files, **found)
        assert without.status_code == 422 and "Metti la spunta" in without.text and await kept() == {1: FOUND, 2: HELD}
        other = await here.post("/hr/register/import?lang=it", files=file_of((None, new)), yes="1", **found)
        assert other.status_code == 422 and "non è il file" in other.text and await kept() == {1: FOUND, 2: HELD}
        taken = await here.post("/hr/register/import", files=files, yes="1", **found)
        assert taken.headers["location"] == "/hr/register?done=register_imported"
        assert await kept() == {1: said, 2: HELD, 3: new}
        assert "direzione l&#39;ha scritta (da un file)" in (await here.get("/hr/register/3?lang=it")).text
        again = await here.post("/hr/register/import?lang=it", files=files, yes="1", **found)
        assert again.status_code == 422 and "qualcuno ha cambiato il registro" in again.text
        assert "non c&#39;è niente da importare" in (await look(here, files))[0]
        assert len(await kept()) == 3


async def test_what_is_exported_is_read_back_and_changes_nothing(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        odd = replace(FOUND, title="=1+1", evidence='uno\ndue; "tre"', clause="6.10", owner="'@anna")
        await wrote(here, FOUND, HELD, odd, *(replace(HELD, kind=kind, team="A") for kind in KINDS))
        for kind, media in MEDIA.items():
            for base, who in (("/hr", "direzione"), ("/audit", "verifica")):
                given = await here.get(f"{base}/register/file/{kind}", who)
                assert given.headers["content-type"].partition(";")[0] == media
                text, _ = await look(here, {"file": (f"r.{kind}", given.content)})
                assert "non c&#39;è niente da importare" in text
            empty = await here.get(f"/hr/register/template/{kind}")
            assert (
                await here.post("/hr/register/import", files={"file": (f"r.{kind}", empty.content)})
            ).status_code == 422
        book = openpyxl.load_workbook(io.BytesIO((await here.get("/hr/register/template/xlsx")).content))
        assert [cell.value for cell in book.worksheets[0][1]] == list(COLUMNS.values())
        assert (await here.get("/hr/register/file/exe")).status_code == 404


async def test_a_file_with_faults_names_each_and_takes_nothing_in(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await wrote(here, FOUND)
        names = {key: " / ".join(both) for key, both in kind_names().items()}
        rows = written_rows([(1, replace(FOUND, owner="Anna")), (None, FOUND), (None, HELD)], names)
        rows[2][1], rows[2][7], rows[3][0] = "<script>", "31/02/2026", "99"
        answered = await here.post("/hr/register/import?lang=it", files={"file": ("r.csv", as_csv(rows))})
        assert answered.status_code == 422 and "Ci sono 3 celle da correggere" in answered.text
        for said in ("tipo / kind", "&lt;script&gt;", "scegli un tipo", "31/02/2026", "scrivi una data come", "99"):
            assert said in answered.text
        assert await kept() == {1: FOUND}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (("", b""), "Prima scegli un file."),
        (("a.csv", b""), "vuoto"),
        (("a.xlsx", b"PK\x03\x04"), "rovinato"),
        (("a.csv", b"uno,due\n1,2\n"), "numero / number"),
        (("a.png", b"\x89PNG\0\0"), "CSV"),
    ],
)
async def test_a_file_that_is_no_register_is_refused_in_words(
    sqlite_settings: StoreSettings, file: tuple[str, bytes], said: str
) -> None:
    async with offices(sqlite_settings) as here:
        answered = await here.post("/hr/register/import?lang=it", files={"file": file}, yes="1", shown="x", seen="x")
        assert answered.status_code == 422 and said in answered.text and await kept() == {}
