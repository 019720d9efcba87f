"""Walls of the web process: what it loads, which addresses are closed, what a page may hold."""

import dataclasses
import re
import subprocess
import sys
import typing
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from server.frame.pages import MessagePage
from server.settings import Settings, from_environment
from surveys.stores import StoreSettings
from tests.apps import create_app

STAFF = {
    "/",
    "/help",
    "/trust",
    "/wave/{wave_id:str}",
    "/wave/{wave_id:str}/bulletin.txt",
    "/wave/{wave_id:str}/plan.json",
    "/answer",
    "/answer/language",
    "/thanks",
    "/answer/words",
    "/answer/link",
    "/answer/token",
    "/answer/sealed",
    "/answer-worker.js",
    "/results/{wave_id:str}",
    "/results/{wave_id:str}/release.json",
    "/results/{wave_id:str}/charts/{name:str}",
    "/static/{name:str}",
    "/.well-known/ascolto",
    "/.well-known/security.txt",
    "/health",
    "/ready",
    "/account/in",
    "/concern",
    "/concern/keyring.json",
    "/concern/sealed",
    "/concern/thread",
    "/concern/reply",
    "/concern/file",
    "/concern/proof",
    "/concern/diary/delete",
    "/concern/piece/{upload:str}",
    "/concern/piece/{upload:str}/{number:int}",
    "/cases/in",
    "/cases/setup",
    "/cases/salt",
    "/cases/second",
}


def test_the_web_process_loads_neither_scipy_nor_charts_nor_the_typesetter(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys, json; from pathlib import Path\n"
        "from server.app import create_app; from server.settings import Settings; from surveys.stores import StoreSettings\n"
        f"app = create_app(Settings(StoreSettings(Path({str(tmp_path / 'data')!r}))))\n"
        "async def main():\n    async with app.lifespan(): pass\n"
        "asyncio.run(main())\n"
        "print(sorted({'scipy', 'vl_convert', 'typst', 'openpyxl', 'xlsxwriter', 'docx', 'PIL'} & set(sys.modules)))"
    )
    # the first start migrates; what counts is a start on migrated stores
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    second = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert second.stdout.strip() == "[]"


def test_what_is_loaded_before_serving_is_never_looked_through_again_by_the_collector(tmp_path: Path) -> None:
    """Was: one request in two hundred waited 140 ms for it."""
    program = (
        "import asyncio, gc, os; from pathlib import Path\n"
        "from server.command.running import _serve; from server.settings import Settings; from surveys.stores import StoreSettings\n"
        "async def main():\n"
        f"    serving = asyncio.ensure_future(_serve(Settings(StoreSettings(Path({str(tmp_path)!r}))), '127.0.0.1', 0))\n"
        "    while not gc.get_freeze_count() and not serving.done(): await asyncio.sleep(0.05)\n"
        "    print(gc.get_freeze_count() > len(gc.get_objects()), flush=True); os._exit(0)\n"
        "asyncio.run(main())\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.strip() == "True"


async def test_every_address_asks_for_a_sign_in_unless_it_is_for_staff(tmp_path: Path) -> None:
    app = create_app(Settings(StoreSettings(tmp_path)))
    opened = set()
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        for route in app.routes:
            for handler in getattr(route, "route_handlers", ()):
                for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                    answered = await client.request(method, re.sub(r"\{[^}]+\}", "1", route.path))
                    asks = answered.status_code == 303 and answered.headers["location"].startswith("/account/in")
                    if not asks:
                        opened.add(route.path)
    assert opened == STAFF


def _pages() -> list[type]:
    modules = (
        "respondents.door",
        "respondents.helping",
        "respondents.answer",
        "respondents.sheet",
        "respondents.results",
        "respondents.trust",
        "hr.overview",
        "hr.results",
        "hr.indicators",
        "hr.preview",
        "hr.waves",
        "hr.people",
        "hr.organisation",
        "hr.channel",
        "keyholders.ceremony",
        "keyholders.comments",
        "keyholders.desk_log",
        "keyholders.sheet",
        "auditors.pack",
        "accounts.own",
        "accounts.signin",
        "reporters.page",
        "reporters.letters",
        "reporters.plain",
        "handlers.door",
        "handlers.inbox",
    )
    found: list[object] = [MessagePage]
    for name in modules:
        module = import_module(f"server.{name}")
        found += [
            x
            for x in vars(module).values()
            if dataclasses.is_dataclass(x) and "template" in getattr(x, "__annotations__", {}) and x not in found
        ]
    return [page for page in found if isinstance(page, type)]


def _plain(kind: object) -> bool:
    """Text, numbers to place a mark, and tuples or frozen dataclasses of these: nothing raw, nothing mutable."""
    if kind in (str, int, float, bool, type(None)):
        return True
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is not None:
        return all(_plain(argument) for argument in arguments if argument is not Ellipsis)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        fields = typing.get_type_hints(kind)
        return kind.__module__.startswith("server") and all(_plain(fields[f.name]) for f in dataclasses.fields(kind))
    return False


@pytest.mark.parametrize("page", _pages(), ids=lambda page: page.__name__)
def test_a_page_holds_text_and_never_a_raw_type(page: type) -> None:
    hints = typing.get_type_hints(page)
    wrong = [f.name for f in dataclasses.fields(page) if not _plain(hints[f.name])]
    assert wrong == []
    assert dataclasses.fields(page)
    assert page.__dataclass_params__.frozen  # type: ignore[attr-defined]  # every dataclass has its parameters


def test_a_password_in_the_database_address_or_a_missing_store_is_refused() -> None:
    with pytest.raises(ValueError, match="must hold"):
        from_environment({"ASCOLTO_DATABASE_URL": "postgresql://host/one"})
    settings = from_environment(
        {"ASCOLTO_DATABASE_URL": "postgresql://a_{store}@h/a_{store}", "ASCOLTO_PASSWORD_PEOPLE": "x"}
    )
    assert settings.stores.passwords == {"people": "x"}
