"""Restoring: what is not a whole backup of ours is refused in words, and then nothing was written."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

from server.command import cli
from server.frame.terminal import LANGUAGE
from server.frame.texts import catalogue, say
from surveys import backup
from surveys.backup import contents
from surveys.backup.archive import MANIFEST, BackupRefused, digest_of
from surveys.backup.contents import Left
from surveys.backup.restoring import look, restore
from surveys.cases.keeper import keeper_at
from surveys.lifecycle import reviews
from surveys.lifecycle.context import Site
from surveys.public import evidence
from surveys.public.tables import Evidence
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE, open_a_wave
from tests.postgres import free_port
from tests.surveys.backed_up import Keys, backed_up, everything_under, rows, write

MOVE = {"move_there", "move_url", "move_password", "move_running"}
"""Reasons of the command alone."""
type Change = Callable[[dict[str, Any], dict[str, bytes]], None]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "owner")


@pytest.fixture
async def kept(sqlite_site: Site, keys: Keys, tmp_path: Path) -> Path:
    await open_a_wave(sqlite_site)
    keeper_at(sqlite_site.data)
    return backed_up(sqlite_site.data, tmp_path / "kept", keys).file


def _refused(file: Path, keys: Keys, tmp_path: Path) -> str:
    before = everything_under(tmp_path)
    for target in (tmp_path / "new", tmp_path / "deeper" / "new"):
        with pytest.raises(BackupRefused) as problem:
            restore(file, keys.file, target)
        with pytest.raises(BackupRefused):
            look(file, keys.file)
        say("it", f"backup.refused.{problem.value.reason}", **problem.value.values)
        assert not target.exists()
    assert everything_under(tmp_path) - before <= {"deeper"}
    return problem.value.reason


@pytest.mark.opened
@pytest.mark.parametrize("before", [False, True])
async def test_a_review_that_somebody_wrote_into_the_store_is_none_after_a_restore(
    sqlite_site: Site, keys: Keys, tmp_path: Path, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done from outside: a restored copy took reviews down a second time, as at the update, and so signed each that was written into
    the store. `before`: a backup of the version that left the file out."""
    await reviews.keep_at_update(sqlite_site)
    await Evidence.insert(Evidence(indicator="1.1", state="met", set_by="maria", reviewed_by="paolo", reviewed_on=DAY))
    assert (await evidence.of("1.1")).reviewed_by == ""
    if before:
        monkeypatch.setattr(contents, "_KEPT", re.compile(contents._KEPT.pattern.replace("|reviews", "")))
    found = restore(backed_up(sqlite_site.data, tmp_path / "kept", keys).file, keys.file, tmp_path / "new")
    assert (contents.REVIEWS in found.left) == before  # in the archive itself, since it was found
    async with stores(StoreSettings(tmp_path / "new")) as engines:
        await reviews.keep_at_update(Site(engines, tmp_path / "new", DAY, "hr"))
        assert (await evidence.of("1.1")).reviewed_by == ""


@pytest.mark.opened
async def test_another_key_a_changed_byte_and_a_cut_off_file_open_nothing(
    kept: Path, keys: Keys, tmp_path: Path
) -> None:
    whole, changed = kept.read_bytes(), tmp_path / "changed.age"
    changed.write_bytes(b"")
    assert _refused(kept, Keys(tmp_path / "stranger"), tmp_path) == "sealed"
    for place in (30, 120, 300, len(whole) // 2, len(whole) - 1):
        changed.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert _refused(changed, keys, tmp_path) in ("sealed", "damaged")
    for length in (0, 50, 70_000, 65_536 * 2, len(whole) - 1):
        changed.write_bytes(whole[:length])
        assert _refused(changed, keys, tmp_path) in ("sealed", "damaged")


def _rebuilt(kept: Path, keys: Keys, target: Path, change: Change, *more: tarfile.TarInfo) -> Path:
    """What a stranger can make who has the public key: a backup with anything in it."""
    with tarfile.open(fileobj=io.BytesIO(keys.plain(kept))) as archive:
        contents = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]  # files all
    manifest = json.loads(contents.pop(MANIFEST))
    change(manifest, contents)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        for name, content in {MANIFEST: json.dumps(manifest).encode(), **contents}.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            made.addfile(about, io.BytesIO(content))
        for about in more:
            made.addfile(about)
    target.write_bytes(pyrage.encrypt(out.getvalue(), [keys.identity.to_public()]))
    return target


def _with(name: str, content: bytes = b"hostile", *, listed: bool = True) -> Change:
    def change(manifest: dict[str, Any], contents: dict[str, bytes]) -> None:
        contents[name] = content
        if listed:
            manifest["files"][name] = {"sha256": digest_of(io.BytesIO(content)), "bytes": len(content)}

    return change


def _nothing(_: dict[str, Any], __: dict[str, bytes]) -> None:
    return None


@pytest.mark.opened
@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/tmp/evil",
        "keys/../../evil.plan",
        "keys/cases.key",
        f"keys/{WAVE}.wave.key",
        "keys/a/b.plan",
        "x" * 300,
    ],
)
async def test_no_name_leads_out_of_the_new_folder_or_brings_a_key(
    kept: Path, keys: Keys, tmp_path: Path, name: str, listed: bool
) -> None:
    assert (
        _refused(_rebuilt(kept, keys, tmp_path / "hostile.age", _with(name, listed=listed)), keys, tmp_path) == "name"
    )


@pytest.mark.opened
async def test_links_and_second_files_of_a_name_are_refused(kept: Path, keys: Keys, tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE):
        about = tarfile.TarInfo("keys/house.json" if kind != tarfile.DIRTYPE else "keys")
        about.type, about.linkname = kind, "../../outside"
        hostile = _rebuilt(kept, keys, tmp_path / "hostile.age", _nothing, about)
        assert _refused(hostile, keys, tmp_path) == "name"


def _other_hash(manifest: dict[str, Any], _: dict[str, bytes]) -> None:
    manifest["files"]["people.sqlite"]["sha256"] = "0" * 64


def _other_count(manifest: dict[str, Any], _: dict[str, bytes]) -> None:
    manifest["stores"]["people"]["rows"]["person"] += 1


def _file_missing(_: dict[str, Any], contents: dict[str, bytes]) -> None:
    del contents["keys/installation.pem"]


def _newer_step(manifest: dict[str, Any], _: dict[str, bytes]) -> None:
    manifest["stores"]["answers"]["steps"].append("2099-01-01T00:00:00:000000")


def _newer_schema(manifest: dict[str, Any], _: dict[str, bytes]) -> None:
    manifest["schema"] = "ascolto-backup-2"


def _no_schema(manifest: dict[str, Any], _: dict[str, bytes]) -> None:
    del manifest["schema"]


def _no_stores(manifest: dict[str, Any], _: dict[str, bytes]) -> None:
    manifest["stores"] = []


@pytest.mark.opened
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_other_hash, "differs"),
        (_other_count, "differs"),
        (_file_missing, "differs"),
        (_newer_step, "version"),
        (_newer_schema, "newer"),
        (_no_schema, "not_ours"),
        (_no_stores, "not_ours"),
        (_with("answers.sqlite", b"no database"), "differs"),
    ],
)
async def test_a_backup_that_is_not_as_its_list_says_is_refused(
    kept: Path, keys: Keys, tmp_path: Path, change: Change, reason: str
) -> None:
    assert _refused(_rebuilt(kept, keys, tmp_path / "hostile.age", change), keys, tmp_path) == reason


@pytest.mark.opened
async def test_what_is_rebuilt_without_a_change_is_taken(kept: Path, keys: Keys, tmp_path: Path) -> None:
    """So that what is refused above is refused for what was changed."""
    same = _rebuilt(kept, keys, tmp_path / "same.age", _nothing)
    assert look(same, keys.file) == restore(kept, keys.file, tmp_path / "new")


@pytest.mark.opened
async def test_a_store_of_a_newer_version_and_a_folder_that_is_not_empty_are_refused(
    sqlite_site: Site, kept: Path, keys: Keys, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("stays")
    with pytest.raises(BackupRefused, match="not_empty"):
        restore(kept, keys.file, tmp_path / "full")
    assert everything_under(tmp_path / "full") == {"mine.txt"}
    write(
        sqlite_site.data,
        "cases",
        "INSERT INTO migration (name, app_name, ran_on) VALUES ('2099-01-01T00:00:00:000000', 'cases', '2099-01-01')",
    )
    newer = backed_up(sqlite_site.data, tmp_path / "kept", keys).file
    assert _refused(newer, keys, tmp_path) == "version"


@pytest.mark.opened
def test_a_trigger_in_a_backup_is_not_in_the_restored_stores_and_is_named(
    sqlite_settings: StoreSettings,
    keys: Keys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Came back: whoever wrote into the stores once had his trigger in every backup, and in what was made new from one."""
    write(
        sqlite_settings.data,
        "answers",
        "CREATE TABLE seen (what TEXT, at TEXT)",
        "CREATE TRIGGER sees AFTER INSERT ON spent BEGIN INSERT INTO seen VALUES (hex(new.digest), datetime()); END",
        "CREATE VIEW peek AS SELECT * FROM spent",
        'CREATE TRIGGER "o""dd" INSTEAD OF INSERT ON peek BEGIN SELECT 1; END',
    )
    file = backed_up(sqlite_settings.data, tmp_path / "kept", keys).file
    monkeypatch.delenv("ASCOLTO_DATABASE_URL", raising=False)
    assert _run("restore", str(file), "--identity", str(keys.file), "--data", str(tmp_path / "new")) == 0
    kinds = "SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'view')"
    assert rows(tmp_path / "new", "answers", kinds) == []
    named = 'answers: o"dd, peek, sees'
    assert say(LANGUAGE, "backup.taken_out", names=named) in capsys.readouterr().out


_LOOK = (
    "import sys; from pathlib import Path; from surveys.backup.restoring import look; look(*map(Path, sys.argv[1:]))"
)
_RESTORE = "import sys; from pathlib import Path; from surveys.backup.restoring import restore; restore(*map(Path, sys.argv[1:]))"


@pytest.mark.opened
@pytest.mark.parametrize("looking", [True, False], ids=["look", "restore"])
async def test_what_a_killed_look_or_restore_laid_out_goes_with_the_next_one(
    sqlite_site: Site, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looking: bool
) -> None:
    """Done from outside: three of eight looks that were killed left the stores, unsealed, and the installation's key for good."""
    keeper_at(sqlite_site.data)
    write(
        sqlite_site.data,
        "public",
        "INSERT INTO evidence_document (id, indicator, title, content) VALUES ('a', '1.1', 'grande', randomblob(100000000))",
    )
    kept = backed_up(sqlite_site.data, tmp_path / "kept", keys).file
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    command = [sys.executable, "-c", _LOOK if looking else _RESTORE, str(kept), str(keys.file)]
    running = subprocess.Popen(
        command if looking else [*command, str(place / "new")], env=os.environ | {"TMPDIR": str(place)}
    )
    while not list(place.glob("*/*.sqlite")) and not list(place.glob(".*/*.sqlite")):
        assert running.poll() is None
        time.sleep(0.001)
    os.kill(running.pid, signal.SIGSTOP)
    left = list(place.iterdir())
    look(kept, keys.file)
    assert list(place.iterdir()) == left  # of one that goes on nothing is taken
    running.kill()
    running.wait()
    if looking:
        look(kept, keys.file)
    else:
        restore(kept, keys.file, place / "new")
    assert [path.name for path in place.iterdir()] == ([] if looking else ["new"])
    assert looking or {path.name for path in (place / "new").iterdir()} == {
        "answers.sqlite",
        "cases.sqlite",
        "keys",
        "people.sqlite",
        "public.sqlite",
    }


_KILLED = """
import os, sys
from pathlib import Path
from surveys.backup import restoring
flush = restoring._to_disk
def dies(path):
    if path.name == sys.argv[4]:
        os._exit(9)
    flush(path)
restoring._to_disk = dies
restoring.restore(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
"""


@pytest.mark.opened
@pytest.mark.parametrize(
    ("at", "name"), [("answers.sqlite", "new"), ("cases.sqlite", "new"), ("installation.pem", "new [2026]")]
)
async def test_what_a_restore_left_that_was_killed_while_it_went_to_the_disk_goes_with_the_next_one(
    sqlite_site: Site, keys: Keys, tmp_path: Path, at: str, name: str
) -> None:
    """Done from outside: killed in its last seconds it had taken its mark away already, and nothing ever removed the open stores."""
    kept = backed_up(sqlite_site.data, tmp_path / "kept", keys).file
    place = tmp_path / "place"
    place.mkdir()
    command = [sys.executable, "-c", _KILLED, str(kept), str(keys.file), str(place / name), at]
    assert subprocess.run(command, check=False).returncode == 9
    [left] = place.iterdir()
    assert (left / "answers.sqlite").exists()
    restore(kept, keys.file, place / name)
    assert [path.name for path in place.iterdir()] == [name] and not list((place / name).glob("*.lock"))


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.opened
def test_the_commands_say_what_is_in_and_what_is_not(
    sqlite_settings: Any,
    keys: Keys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keeper_at(sqlite_settings.data)
    monkeypatch.setenv("ASCOLTO_DATA", str(sqlite_settings.data))
    monkeypatch.delenv("ASCOLTO_DATABASE_URL", raising=False)
    folder = tmp_path / "kept"
    folder.mkdir()
    assert _run("backup", str(folder)) == 1
    assert capsys.readouterr().err == say(LANGUAGE, "backup.refused.to") + "\n"
    assert _run("backup", str(folder), "--to", "age1x") == 1
    assert capsys.readouterr().err == say(LANGUAGE, "backup.refused.recipient", text="age1x") + "\n"
    assert _run("backup", str(folder), "--to", keys.public, "--keep", "2") == 0
    said, (file,) = capsys.readouterr().out, folder.iterdir()
    assert file.name in said and say(LANGUAGE, "backup.left.cases_key", names="keys/cases.key") in said
    before = everything_under(tmp_path)
    assert _run("restore", str(file), "--identity", str(keys.file), "--look") == 0
    said = capsys.readouterr().out
    assert say(LANGUAGE, "backup.counts", people=60, cases=0, documents=0, releases=0) in said
    assert say(LANGUAGE, "backup.looked") in said and everything_under(tmp_path) == before
    assert _run("restore", str(file), "--identity", str(keys.file), "--data", str(tmp_path / "new")) == 0
    said = capsys.readouterr().out
    for sentence in ("cases_key", "released", "sessions"):
        assert say(LANGUAGE, f"backup.bring.{sentence}") in said
    assert say(LANGUAGE, "backup.bring.wave_key", wave=WAVE) in said
    monkeypatch.setenv("ASCOLTO_DATABASE_URL", f"postgresql://127.0.0.1:{free_port()}/{{store}}")
    assert _run("backup", str(folder), "--to", keys.public) == 1
    away = say(LANGUAGE, "backup.refused.away", store="public", kind="ConnectionRefusedError")
    assert capsys.readouterr().err == away + "\n"


def test_every_reason_and_every_file_left_out_has_its_sentence() -> None:
    sources = "".join(path.read_text("utf-8") for path in Path(backup.__file__).parent.glob("*.py"))
    reasons = (
        set(re.findall(r'BackupRefused\("(\w+)"', sources))
        | {
            "newer",
            "not_ours",
            "keep",
            "to",
            "disk",
        }
        | MOVE
    )
    known = {key.split(".")[-1] for key in catalogue("it") if key.startswith("backup.refused.")}
    assert reasons == known
    assert {key.split(".")[-1] for key in catalogue("it") if key.startswith("backup.left.")} == {
        why.value for why in Left if why is not Left.MADE_AGAIN
    }
