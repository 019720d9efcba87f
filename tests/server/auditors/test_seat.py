"""The auditor's seat: she reads what HR put there, takes the pack, and changes nothing; nobody else reads it with her."""

import io
import json
import zipfile
from datetime import timedelta

import pytest

from surveys.lifecycle.context import today
from surveys.public import evidence, register
from surveys.stores import StoreSettings
from tests.server.hr.offices import Offices, offices

PAGES = ("", "/indicators", "/indicators/1.1", "/scorecard", "/figures", "/register")
FILES = ("/channel.json", "/register/file/xlsx", "/pack.zip", "/pack.pdf")
MISSING = (
    "/indicators/9.99",
    "/indicators/1.1/documents/none",
    "/scorecard/none",
    "/scorecard/none/signed.json",
    "/figures/1999",
    "/register/99",
    "/register/99/documents/none",
    "/register/file/exe",
    "/results/none/report.pdf",
    "/pack.exe",
)
NOBODY = {"rappresentante"}


async def _document(here: Offices) -> str:
    """HR puts a document beside an indicator; gives its number."""
    day = (today() - timedelta(days=3)).isoformat()
    sent = {"title": "Piano strategico", "day": day, "link": ""}
    file = {"file": ("piano.pdf", b"%PDF-1.7 piano", "application/pdf")}
    answered = await here.post("/hr/indicators/1.1/documents", "direzione", file, **sent)
    assert answered.status_code == 303, answered.text
    return (await evidence.of("1.1")).documents[-1].id


async def test_she_reads_each_page_and_no_form_on_it_changes_anything(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        for path in PAGES:
            page = await here.get(f"/audit{path}", "verifica")
            forms = [part.split(">")[0] for part in page.text.split("<form")[1:]]
            posts = [form for form in forms if "post" in form.lower() and "/account/out" not in form]
            assert (page.status_code, posts) == (200, []), path


async def test_what_hr_put_there_is_what_she_is_given_byte_for_byte(store_settings: StoreSettings) -> None:
    async with offices(store_settings) as here:
        document = await _document(here)
        given = [
            await here.get(f"/audit/indicators/1.1/documents/{document}", who) for who in ("verifica", "direzione")
        ]
        assert [(one.status_code, one.content) for one in given] == [(200, b"%PDF-1.7 piano")] * 2
        assert given[0].headers["content-disposition"].startswith("attachment")
        page = (await here.get("/audit/indicators/1.1", "verifica")).text
        assert "Piano strategico" in page and f"/audit/indicators/1.1/documents/{document}" in page
        pack = zipfile.ZipFile(io.BytesIO((await here.get("/audit/pack.zip", "verifica")).content))
        assert b"%PDF-1.7 piano" in [pack.read(name) for name in pack.namelist()]


async def test_the_same_file_comes_twice(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        for path in ("/channel.json", "/register/file/xlsx"):
            found = [await here.get(f"/audit{path}", "verifica") for _ in range(2)]
            assert [one.status_code for one in found] == [200, 200] and "attachment" in found[0].headers[
                "content-disposition"
            ]
        assert set(json.loads((await here.get("/audit/channel.json", "verifica")).text)) >= {"procedure"}


@pytest.mark.parametrize("path", [*PAGES, *FILES])
async def test_nobody_without_the_seat_reads_it(sqlite_settings: StoreSettings, path: str) -> None:
    async with offices(sqlite_settings) as here:
        assert {who: (await here.get(f"/audit{path}", who)).status_code for who in NOBODY} == dict.fromkeys(NOBODY, 403)
        stranger = await here.client.get(f"/audit{path}")
        assert (stranger.status_code, stranger.headers["location"].split("?")[0]) == (303, "/account/in")


@pytest.mark.parametrize("path", [*PAGES, *FILES])
async def test_by_no_other_method_is_anything_changed(sqlite_settings: StoreSettings, path: str) -> None:
    async with offices(sqlite_settings) as here:
        before = (await evidence.of("1.1"), await register.everything())
        session = {"cookie": f"ascolto={here.sessions['verifica']}"}
        for method in ("PUT", "PATCH", "DELETE"):
            assert (await here.client.request(method, f"/audit{path}", headers=session)).status_code == 405
        assert (await here.post(f"/audit{path}", "verifica", state="met", title="x")).status_code == 405
        assert (await evidence.of("1.1"), await register.everything()) == before


@pytest.mark.parametrize("path", MISSING)
async def test_what_is_not_there_is_not_found(sqlite_settings: StoreSettings, path: str) -> None:
    async with offices(sqlite_settings) as here:
        assert (await here.get(f"/audit{path}", "verifica")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/people",
        "/waves/new",
        "/indicators",
        "/register",
        "/scorecard",
        "/figures",
        "/channel",
        "/organisation",
        "/actions",
    ],
)
async def test_the_auditor_reads_no_page_of_hr(sqlite_settings: StoreSettings, path: str) -> None:
    async with offices(sqlite_settings) as here:
        assert (await here.get(f"/hr{path}", "verifica")).status_code == 403
