"""Several machines on one PostgreSQL: those that share a folder of keys serve together, a second folder is refused."""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.command import running as command
from server.frame.texts import say
from server.settings import Settings
from surveys.stores import FolderRefused, StoreSettings, close_stores, open_stores
from tests import postgres
from tests.server.operation import machines
from tests.server.operation.machines import PEOPLE, Machine, SlowInbox, until
from tests.server.operation.test_away import Server
from tests.surveys.backed_up import Keys

REFUSED = say("en", "cli.other_folder")


@contextmanager
def _ended(*started: Machine) -> Iterator[None]:
    try:
        yield
    finally:
        for one in started:
            one.process.send_signal(signal.SIGCONT)
            one.end()


async def _each_has_one_letter_that_works(settings: StoreSettings, inbox: SlowInbox) -> None:
    assert Counter(inbox.addresses().values()) == {1: PEOPLE}
    assert await machines.work(settings, inbox.links()) == [True] * PEOPLE


@pytest.mark.parametrize("second", ["empty", "copied"])
async def test_a_second_folder_of_keys_is_refused_in_words_and_everybody_has_one_letter(
    tmp_path: Path, postgres_server: str, second: str
) -> None:
    """Done from outside: 120 people had 232 letters, half of them with links that led nowhere, from two keys."""
    url = postgres.fresh_databases(postgres_server, f"folders_{second}")
    one, other = StoreSettings(tmp_path / "one", url), tmp_path / "other"
    await machines.put_out(one)
    if second == "copied":
        shutil.copytree(one.data, other)
    with machines.mail() as (inbox, smtp):
        serving = Machine(one.data, url, smtp)
        serving.comes_up()
        refused = Machine(other, url, smtp)
        with _ended(serving, refused):
            assert refused.process.wait(60) == 1
            assert refused.said() == f"{REFUSED}\n"
            until(lambda: len(inbox.arrived) >= PEOPLE, serving.said)
    assert second == "copied" or not (other / "keys").exists()
    await _each_has_one_letter_that_works(one, inbox)


async def test_every_command_of_a_second_folder_is_refused(tmp_path: Path, postgres_server: str) -> None:
    url = postgres.fresh_databases(postgres_server, "commands")
    one = StoreSettings(tmp_path / "one", url)
    serving = Machine(one.data, url)
    with _ended(serving):
        serving.comes_up()
        owner = Keys(tmp_path / "owner").public
        for command in (
            ["init", "--name", "Altra"],
            ["account", "add", "rosa", "--role", "hr"],
            ["wave", "list"],
            ["backup", str(tmp_path), "--to", owner],
            ["demo-serve", "--port", str(postgres.free_port())],
        ):
            (tmp_path / "other").mkdir(exist_ok=True)
            refused = Machine(tmp_path / "other", url, command=command)
            assert refused.process.wait(60) == 1 and refused.said().endswith(f"{REFUSED}\n"), command
            shared = Machine(one.data, url, command=["wave", "list"])
            assert shared.process.wait(60) == 0, shared.said()


async def test_of_two_folders_that_start_at_the_same_moment_one_serves(tmp_path: Path, postgres_server: str) -> None:
    url = postgres.fresh_databases(postgres_server, "moment")
    pair = [Machine(tmp_path / name, url) for name in ("one", "other")]
    with _ended(*pair):
        until(lambda: any(one.process.poll() is not None for one in pair), pair[0].said)
        refused, serving = sorted(pair, key=lambda one: one.process.poll() is None)
        assert (refused.process.returncode, refused.said()) == (1, f"{REFUSED}\n")
        serving.comes_up()


async def test_between_the_two_openings_of_a_start_no_other_folder_comes_in(postgres_settings: StoreSettings) -> None:
    other = StoreSettings(postgres_settings.data.with_name("other"), postgres_settings.database_url)
    async with command._opened_once(Settings(postgres_settings)):
        with pytest.raises(FolderRefused):
            await open_stores(other)
    await close_stores(await open_stores(other))


async def test_two_processes_of_one_folder_serve_together_and_everybody_has_one_letter(
    tmp_path: Path, postgres_server: str
) -> None:
    url = postgres.fresh_databases(postgres_server, "together")
    one = StoreSettings(tmp_path / "one", url)
    await machines.put_out(one)
    with machines.mail() as (inbox, smtp):
        pair = [Machine(one.data, url, smtp), Machine(one.data, url, smtp)]
        with _ended(*pair):
            for machine in pair:
                machine.comes_up()
            until(lambda: len(inbox.arrived) >= PEOPLE, pair[0].said)
            keys = {str(machine.read("/.well-known/ascolto")) for machine in pair}
    assert len(keys) == 1
    await _each_has_one_letter_that_works(one, inbox)


async def test_when_the_one_that_sends_is_killed_the_other_goes_on_and_one_letter_comes_twice(
    tmp_path: Path, postgres_server: str
) -> None:
    """Killed where it is worst: the mail server has the letter, and the sender has not noted it."""
    url = postgres.fresh_databases(postgres_server, "killed")
    one = StoreSettings(tmp_path / "one", url)
    await machines.put_out(one)
    with machines.mail() as (inbox, smtp):
        inbox.holds_at = 20
        first = Machine(one.data, url, smtp)
        first.comes_up()
        second = Machine(one.data, url, smtp)
        with _ended(first, second):
            second.comes_up()
            until(lambda: len(inbox.arrived) == 20, first.said)
            first.process.kill()
            assert first.process.wait(20) == -signal.SIGKILL
            inbox.holds_at = 0
            until(lambda: len(inbox.arrived) == PEOPLE + 1, second.said)
            await machines.none_waits(one)
    found = inbox.addresses()
    assert (len(found), found.total()) == (PEOPLE, PEOPLE + 1)
    assert all(await machines.work(one, list(inbox.newest().values())))
    [twice] = [to for to, n in found.items() if n == 2]
    assert inbox.newest()[twice] != inbox.links()[19] and not any(await machines.work(one, [inbox.links()[19]]))


async def test_after_a_restart_of_postgresql_the_folder_is_held_again_and_a_second_one_is_refused(
    tmp_path: Path,
) -> None:
    with postgres.server() as address:
        url = postgres.fresh_databases(address, "restarted")
        one, server = StoreSettings(tmp_path / "one", url), Server(address)
        await machines.put_out(one)
        with machines.mail() as (inbox, smtp):
            serving = Machine(one.data, url, smtp)
            with _ended(serving):
                serving.comes_up()
                until(lambda: len(inbox.arrived) >= 20, serving.said)
                server.end()
                until(lambda: serving.read("/ready")["folder"] == "unheld", serving.said)
                assert len(inbox.arrived) < PEOPLE
                again = server.start()
                try:
                    until(lambda: serving.read("/ready")["folder"] == "ok", serving.said)
                    refused = Machine(tmp_path / "other", url, smtp)
                    assert (refused.process.wait(60), refused.said()) == (1, f"{REFUSED}\n")
                    until(lambda: len(inbox.addresses()) == PEOPLE, serving.said)
                    await machines.none_waits(one)
                    await _each_has_one_letter_that_works(one, inbox)
                    serving.end()
                finally:
                    again.send_signal(signal.SIGINT)
                    again.wait(20)


async def test_a_folder_whose_place_was_taken_while_postgresql_was_away_takes_nothing_until_the_other_is_gone(
    tmp_path: Path,
) -> None:
    with postgres.server() as address:
        url = postgres.fresh_databases(address, "taken")
        one, server = StoreSettings(tmp_path / "one", url), Server(address)
        serving = Machine(one.data, url)
        with _ended(serving):
            serving.comes_up()
            os.kill(serving.process.pid, signal.SIGSTOP)  # so that the other is first
            server.end()
            again = server.start()
            other = Machine(tmp_path / "other", url)
            try:
                with _ended(other):
                    other.comes_up()
                    os.kill(serving.process.pid, signal.SIGCONT)
                    until(lambda: serving.read("/ready")["folder"] == "other", serving.said)
                    page = serving.get("/")
                    assert page is not None and page.status_code == 503
                until(lambda: serving.read("/ready")["folder"] == "ok", serving.said)
                page = serving.get("/")
                assert page is not None and page.status_code == 200
                serving.end()
            finally:
                again.send_signal(signal.SIGINT)
                again.wait(20)
