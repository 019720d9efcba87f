"""A workbook that HR uploads is read in a process of its own: whatever it holds, the service goes on."""

import asyncio
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import xlsxwriter

from server.demonstration import channel
from server.frame.security import COOKIE, FORM_FIELD
from server.processes import workers
from server.settings import Settings
from surveys.lifecycle.context import Site
from surveys.people import accounts
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.conftest import DAY
from tests.signing_in import next_code

PASSWORD = "una-password-lunga"


def _workbook(rows: int, columns: int = 4) -> bytes:
    """A workbook of one row, and that row again and again: writing a million cells one by one takes ten seconds."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["nome", "territorio", *(f"c{n}" for n in range(columns - 2))])
        sheet.write_row(1, 0, ["Persona 1", "Prato", *["x"] * (columns - 2)])

    def longer(written: bytes) -> bytes:
        before, begin, rest = written.decode().partition('<row r="2">')
        row, end, after = rest.partition("</row>")
        again = (
            begin.replace("2", f"{n + 1}")
            + row.replace('2" t=', f'{n + 1}" t=').replace("Persona 1", f"Persona {n}")
            + end
            for n in range(1, rows + 1)
        )
        return f"{before}{''.join(again)}{after}".encode()

    return _with_sheet(content.getvalue(), longer)


def _with_sheet(workbook: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with its sheet changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, change(content) if name == "xl/worksheets/sheet1.xml" else content)
    return made.getvalue()


def _blown_up(megabytes: int) -> bytes:
    """A small workbook that unpacks to so much: one sheet of empty cells."""
    cell = b'<row><c r="A9"><v>1</v></c></row>'
    cells = cell * (megabytes * 1024 * 1024 // len(cell))
    return _with_sheet(_workbook(3), lambda sheet: sheet.replace(b"</sheetData>", cells + b"</sheetData>"))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: _blown_up(102), "bomb"),
        (lambda: _workbook(50_010), "long"),
        (lambda: _workbook(600, 2000), "long"),
        (lambda: b"PK\x03\x04" + b"x" * 5000, "truncated"),
    ],
    ids=["unpacks to 102 MB", "too many rows", "too many cells", "cut off"],
)
async def test_a_workbook_out_of_bounds_is_refused_for_a_reason(
    tmp_path: Path, make: Callable[[], bytes], reason: str
) -> None:
    file = tmp_path / "personale.xlsx"
    file.write_bytes(make())
    answer = await workers.run(Settings(StoreSettings(tmp_path / "data")), "people", {"path": str(file)}, seconds=240)
    assert answer["unreadable"] == reason


def test_a_list_that_needs_too_much_of_a_processor_is_told_as_too_heavy(tmp_path: Path) -> None:
    file = tmp_path / "personale.xlsx"
    file.write_bytes(_workbook(45_000))
    program = "import sys; from server.command import worker; worker.READING_SECONDS = 1; sys.argv[1:] = ['people']; worker.main()"
    ran = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps({"path": str(file)}), capture_output=True, text=True
    )
    assert (ran.returncode, json.loads(ran.stdout)["result"]) == (0, {"unreadable": "heavy", "params": {}})


async def test_a_worker_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "personale.xlsx"
    file.write_bytes(_workbook(45_000))
    start = time.perf_counter()
    with pytest.raises(workers.WorkFailed, match="slow"):
        await workers.run(Settings(StoreSettings(tmp_path / "data")), "people", {"path": str(file)}, seconds=0.5)
    assert time.perf_counter() - start < 3


async def test_the_service_answers_while_a_workbook_is_read_and_says_why_it_was_refused(
    sqlite_settings: StoreSettings,
) -> None:
    async with stores(sqlite_settings) as engines:
        await accounts.add(engines["people"], "direzione", "hr", PASSWORD)
        secret = await channel.with_codes(Site(engines, sqlite_settings.data, DAY, "hr"), "direzione")
        session = (
            await accounts.sign_in(
                engines["people"], "direzione", PASSWORD, datetime.now(UTC), second=next_code(secret)
            )
        )[0]
    app = create_app(Settings(sqlite_settings))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]  # Litestar is an ASGI application
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test", timeout=90) as client:
        headers = {"sec-fetch-site": "same-origin", "cookie": f"{COOKIE}={session}"}
        form = {FORM_FIELD: accounts.form_token(session)}

        async def upload(content: bytes) -> httpx.Response:
            return await client.post(
                "/hr/people?lang=en", data=form, files={"file": ("staff.xlsx", content)}, headers=headers
            )

        for content, status, sentence in (
            (_workbook(40_000), 200, "What this list changes"),
            (_blown_up(102), 422, "at most 64 MB can be read"),
        ):
            reading = asyncio.create_task(upload(content))
            slowest = 0.0
            while not reading.done():
                start = time.perf_counter()
                assert (await client.get("/health")).status_code == 200
                slowest = max(slowest, time.perf_counter() - start)
                await asyncio.sleep(0.02)
            answered = await reading
            assert (answered.status_code, sentence in answered.text) == (status, True)
            if status == 422:
                assert slowest < 1
        parts = [(f'name="{field}"', value) for field, value in form.items()] + [
            ('name="file"; filename="a.c\0v"', "nome")
        ]
        body = (
            "".join(f"--x\r\nContent-Disposition: form-data; {about}\r\n\r\n{value}\r\n" for about, value in parts)
            + "--x--\r\n"
        )
        odd = await client.post(
            "/hr/people", content=body, headers=headers | {"content-type": "multipart/form-data; boundary=x"}
        )
        assert odd.status_code == 422  # a name with a NUL: no file that can be read, and no fault
