"""`ascolto check` on what stops an installation: a full disk, a mail server that is away, data of a newer program, an old server."""

from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from server.check import State, database, machine
from server.settings import Settings
from surveys.stores import STORES, StoreSettings, bind
from tests.postgres import free_port


async def test_a_store_that_a_newer_program_wrote_is_named_on_both_engines(store_settings: StoreSettings) -> None:
    found = list(await database.judge_versions(store_settings))
    assert [(one.key, one.state) for one in found] == [("store_version", State.GOOD)] * 4
    newer = (
        "INSERT INTO migration (name, app_name, ran_on) VALUES ('2031-01-01T00:00:00:000000', 'cases', '2031-01-01')"
    )
    await bind(store_settings)["cases"]._run_in_new_connection(newer)
    wrong = [one for one in await database.judge_versions(store_settings) if one.state is State.FAILED]
    assert [str(one.values["problem"]) for one in wrong] == [
        "the cases store was written by a newer version: install that version again"
    ]


async def test_looking_at_versions_makes_no_store(tmp_path: Path) -> None:
    found = list(await database.judge_versions(StoreSettings(tmp_path)))
    assert [one.state for one in found] == [State.UNSURE] * len(STORES) and list(tmp_path.iterdir()) == []


def test_a_disk_with_little_room_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "RESERVE_BYTES", 0)
    assert machine.judge_disk(tmp_path).state is State.GOOD
    monkeypatch.setattr(machine, "RESERVE_BYTES", 2**60)
    assert machine.judge_disk(tmp_path).state is State.FAILED


def test_a_mail_server_that_answers_is_good_and_one_that_is_away_fails(tmp_path: Path) -> None:
    settings, port = StoreSettings(tmp_path), free_port()
    assert machine.judge_mail(Settings(settings)).state is State.UNSURE
    away = machine.judge_mail(Settings(settings, smtp=f"smtp://127.0.0.1:{port}"))
    assert (away.state, away.values) == (State.FAILED, {"why": "ConnectionRefusedError"})
    server = Controller(Sink(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        assert machine.judge_mail(Settings(settings, smtp=f"smtp://127.0.0.1:{port}")).state is State.GOOD
    finally:
        server.stop()


@pytest.mark.parametrize(("value", "state"), [("on", State.GOOD), ("off", State.FAILED)])
def test_a_postgresql_that_may_lose_what_it_confirmed_is_named(value: str, state: State) -> None:
    told = {"answers": database.ServerSettings({"synchronous_commit": value, "server_version_num": "150004"})}
    found = [one for one in database.judge_settings(told) if one.values.get("name") == "synchronous_commit"]
    assert [one.state for one in found] == [state]


@pytest.mark.parametrize(("number", "state"), [("120022", State.FAILED), ("150004", State.GOOD)])
def test_a_postgresql_that_nobody_mends_is_named(number: str, state: State) -> None:
    found = database.judge_server_version({"answers": database.ServerSettings({"server_version_num": number})})
    assert found.state is state
