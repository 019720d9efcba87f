"""Somebody changes a pack: whatever is changed, swapped, taken away, added, rolled back or signed again, the check is red and names it."""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.document import canonical
from server.papers.pack import INDEX, Listed, mark_of, signed_bytes
from server.papers.pack_archive import ArchiveRefused, Reader, Writer
from server.papers.pack_check import Check, Verdict, verify
from surveys.public.scorecards import parts_of
from surveys.public.signing import fingerprint, installation_key, public_text, sign
from surveys.stores import StoreSettings
from tests import once
from tests.conftest import WAVE
from tests.server.papers import packed

type Files = dict[str, bytes]
TODAY, EVIDENCE = "scorecards/today.json", "evidence/evidence.json"
FIRST, SECOND = "scorecards/2026-1.json", "scorecards/2026-2.json"
REGISTER = "register/register.json"
OWN = f"releases/{WAVE}"


def _make(folder: Path) -> None:
    import asyncio

    shutil.copytree(packed.stored(), folder / "data")
    asyncio.run(packed.pack_of(StoreSettings(folder / "data"), folder / "a.zip"))


@cache
def whole() -> bytes:
    """The pack of everything, made once."""
    return (once.made("pack", _make) / "a.zip").read_bytes()


@cache
def own_key() -> Ed25519PrivateKey:
    """The installation's own key: a keeper of the installation who lies has it."""
    return installation_key(once.made("pack", _make) / "data")


def files_of() -> Files:
    return packed.contents_of(whole())


def failed(made: bytes, key: str = "") -> list[tuple[str, str]]:
    """The keys of what failed, and of which file."""
    verdict = verify(io.BytesIO(made), key)
    assert verdict.holds == all(check.holds for check in verdict.checks)
    return [(check.key, check.what) for check in verdict.checks if not check.holds]


def resigned(files: Files, key: Ed25519PrivateKey, **other: Any) -> bytes:
    """The same files under a new index, signed with this key: what only its keeper can do."""
    index = json.loads(files[INDEX])
    rest = {name: content for name, content in files.items() if name != INDEX}
    listed = [Listed(name, hashlib.sha256(content).hexdigest(), len(content)) for name, content in sorted(rest.items())]
    index |= {"key": public_text(key), "files": [asdict(one) for one in listed], "mark": mark_of(listed)} | other
    index["signature"] = sign(key, signed_bytes(index))
    return packed.again(rest | {INDEX: canonical(index)})


def test_the_pack_as_it_was_made_holds_with_the_key_of_the_installation_and_no_other() -> None:
    own = fingerprint(public_text(own_key()))
    assert failed(whole()) == failed(whole(), own) == failed(whole(), own.replace(" ", "").upper()) == []
    words = verify(io.BytesIO(whole())).words
    assert len(words.split()) == 12 and failed(whole(), words) == failed(whole(), words.upper()) == []
    other = fingerprint(public_text(Ed25519PrivateKey.generate()))
    for wrong in (other, "parole a caso", words.replace(words.split()[0], words.split()[1]), "\u202e"):
        assert failed(whole(), wrong) == [("index_key", own)]


def test_words_of_a_house_that_names_another_key_are_worth_nothing() -> None:
    """Somebody signs a pack with a key of his own and leaves the house in it, whose words are on the posters."""
    words = verify(io.BytesIO(whole())).words
    made = resigned(files_of(), Ed25519PrivateKey.generate())
    assert ("house", "house.json") in failed(made)
    assert "index_key" in {key for key, _ in failed(made, words)} and verify(io.BytesIO(made)).words == ""


KINDS = (
    "README.txt",
    "actions.json",
    "channel.json",
    "evidence/evidence.json",
    "evidence/files/",
    "evidence/log.json",
    "figures/2025.json",
    "house.json",
    "index.json",
    "log.json",
    "pack.pdf",
    "promises.json",
    "register/files/",
    "register/register.json",
    "rings.json",
    f"{OWN}/notice.json",
    f"{OWN}/plan.json",
    f"{OWN}/questionnaire.json",
    f"{OWN}/release.json",
    f"{OWN}/results.csv",
    f"{OWN}/results.xlsx",
    f"{OWN}/signed-plan.json",
    "scorecards/2026-",
    "scorecards/today.json",
)


def _name(kind: str) -> str:
    return next(name for name in sorted(files_of()) if name.startswith(kind))


def test_every_kind_of_file_is_among_those_that_are_changed_below() -> None:
    own = {name for name in files_of() if not name.startswith(("releases/adesso/", "releases/prima/"))}
    assert [name for name in own if not name.startswith(KINDS)] == [] and {_name(kind) for kind in KINDS} <= own


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_byte_of_any_file_is_found_and_named(kind: str) -> None:
    files, name = files_of(), _name(kind)
    content = bytearray(files[name])
    content[len(content) // 2] ^= 1
    made = packed.again(files | {name: bytes(content)})
    if name == INDEX:
        assert {key for key, _ in failed(made)} & {"index", "index_signature"}
    else:
        assert failed(made) == [("hash_bad", name)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_was_taken_away_is_missed_by_name(kind: str) -> None:
    files, name = files_of(), _name(kind)
    del files[name]
    assert failed(packed.again(files)) == [("index", "") if name == INDEX else ("missing", name)]


def test_a_file_that_was_added_is_named() -> None:
    made = packed.again(files_of() | {"releases/other/release.json": files_of()[f"{OWN}/release.json"]})
    assert failed(made) == [("extra", "releases/other/release.json")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("releases/adesso/release.json", "releases/prima/release.json"),
        (f"{OWN}/plan.json", f"{OWN}/signed-plan.json"),
        ("scorecards/2026-1.json", TODAY),
        ("releases/adesso/results.csv", "releases/prima/results.csv"),
        ("actions.json", "promises.json"),
    ],
)
def test_two_files_that_were_swapped_are_both_named(one: str, other: str) -> None:
    files = files_of()
    files[one], files[other] = files[other], files[one]
    assert failed(packed.again(files)) == sorted([("hash_bad", one), ("hash_bad", other)])


def test_an_index_of_before_over_the_files_of_now_is_found() -> None:
    files = files_of()
    changed = files | {"actions.json": files["actions.json"].replace(b"Anna", b"Bice")}
    now = packed.contents_of(resigned(changed, own_key()))
    assert failed(packed.again(now)) == []
    assert failed(packed.again(now | {INDEX: files[INDEX]})) == [("hash_bad", "actions.json")]


def test_signed_again_with_another_key_every_signed_part_says_so_even_without_a_key_to_compare() -> None:
    other = Ed25519PrivateKey.generate()
    found = failed(resigned(files_of(), other))
    assert [what for key, what in found if key == "release"] == [
        f"releases/{wave}/release.json" for wave in ("adesso", WAVE, "prima")
    ]
    assert ("card", "scorecards/2026-1.json") in found and ("log", "log.json") in found
    assert failed(whole(), fingerprint(public_text(other))) != []


def _json(change: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        found = json.loads(content)
        change(found)
        return json.dumps(found, ensure_ascii=False).encode()

    return changed


def _met(found: Any) -> None:
    found["records"]["2.1"]["state"] = "met"


def _more_points(found: Any) -> None:
    found["areas"][0]["earned"] += 5


def _other_indicator(found: Any) -> None:
    found["informs"]["indicators"]["1.6"] = found["informs"]["indicators"].pop("1.1")


def _other_words(found: Any) -> None:
    found["questionnaire"]["sections"][0]["items"][0]["text"]["it"] = "Tutto va bene?"


def _other_rule(found: Any) -> None:
    found["k"]["items"] += 1


def _other_act(found: Any) -> None:
    found["acts"][-1]["number"] += 1


def _later(found: Any) -> None:
    found["acts"][-1]["day"] = "2027-12-31"


def _other_groups(found: Any) -> None:
    body = json.loads(found["plan"])
    body["panel"]["people"] += 1
    found["plan"] = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _one_signature(found: Any) -> None:
    found["signatures"].pop()


def _one_seat(found: Any) -> None:
    found["rings"][0]["signatures"].pop()


def _figure(found: Any) -> None:
    found["figures"]["headcount"]["women"] = 10**9


@pytest.mark.parametrize(
    ("name", "change", "key"),
    [
        (f"{OWN}/release.json", lambda content: content.replace(b'"received":40', b'"received":41'), "release"),
        (f"{OWN}/plan.json", _json(_other_rule), "plan"),
        (f"{OWN}/plan.json", _json(lambda found: found.update(opened="2026-11-01")), "plan"),
        (f"{OWN}/plan.json", _json(lambda found: found.update(opened={})), "plan"),
        (f"{OWN}/signed-plan.json", _json(_other_groups), "signed_plan"),
        (f"{OWN}/signed-plan.json", _json(_one_signature), "signed_plan"),
        ("rings.json", _json(_one_seat), "rings"),
        (f"{OWN}/questionnaire.json", _json(_other_words), "questionnaire"),
        (f"{OWN}/questionnaire.json", _json(_other_indicator), "questionnaire"),
        (f"{OWN}/notice.json", _json(lambda found: found.update(wave="adesso")), "form"),
        ("releases/adesso/results.csv", lambda content: content.replace(b";50;", b";60;", 1), "table"),
        (EVIDENCE, _json(_met), "shape"),
        (EVIDENCE, _json(lambda found: found["files"].popitem()), "evidence"),
        ("evidence/log.json", _json(_other_act), "evidence_log"),
        ("evidence/log.json", _json(_later), "evidence_log"),
        ("evidence/log.json", _json(lambda found: found["acts"].pop()), "evidence_log"),
        (REGISTER, _json(lambda found: found["lines"][0]["line"].update(title="Tutto bene")), "register"),
        (REGISTER, _json(lambda found: found["acts"].pop()), "register"),
        (REGISTER, _json(lambda found: found["files"].popitem()), "register"),
        (TODAY, _json(_more_points), "today"),
        ("scorecards/2026-1.json", lambda content: content.replace(b'"band":', b'"bend":'), "card"),
        ("figures/2025.json", _json(_figure), "shape"),
        ("log.json", _json(lambda found: found["acts"].reverse()), "log"),
        ("log.json", _json(lambda found: found.update(head="")), "log"),
        ("actions.json", lambda content: b"[1]", "shape"),
        ("promises.json", lambda content: b'{"schema": "x"}', "form"),
        ("channel.json", lambda content: b"\xff", "shape"),
    ],
)
def test_who_holds_the_key_and_changes_one_file_is_found_by_the_others(
    name: str, change: Callable[[bytes], bytes], key: str
) -> None:
    """A keeper of the installation who lies: hashes and index are right, and what was signed before says something else."""
    files = files_of()
    changed = change(files[name])
    assert changed != files[name]
    assert (key, name) in failed(resigned(files | {name: changed}, own_key()))


def test_a_state_that_was_made_better_with_its_mark_is_found_by_the_log_and_by_the_scorecard() -> None:
    from surveys.public.evidence_state import EvidenceState, from_plain

    files = files_of()
    found = json.loads(files[EVIDENCE])
    record = found["records"]["2.1"]
    state = from_plain(record)
    better = EvidenceState(
        **{name: getattr(state, name) for name in EvidenceState.__dataclass_fields__} | {"state": "met"}
    )
    found["records"]["2.1"] = better.as_it_stands() | {"reviewed_mark": better.mark}
    made = resigned(files | {EVIDENCE: json.dumps(found).encode()}, own_key())
    assert failed(made) == [("evidence_log", "evidence/log.json"), ("today", TODAY)]


def test_a_release_that_the_keeper_signs_anew_is_not_the_one_that_a_kept_scorecard_saw() -> None:
    files, name = files_of(), "releases/adesso/release.json"
    document = {part: value for part, value in json.loads(files[name]).items() if part != "signature"}
    document["installation"] = "un'altra"
    document["signature"] = sign(own_key(), canonical(document))
    assert failed(resigned(files | {name: canonical(document)}, own_key())) == [("card", FIRST), ("card", SECOND)]


def test_a_kept_scorecard_that_the_keeper_takes_out_or_writes_anew_is_missed_by_the_one_after_it() -> None:
    files = files_of()
    without = {name: content for name, content in files.items() if name != FIRST}
    assert failed(resigned(without, own_key())) == [("card", SECOND)]
    said = [*json.loads(files[INDEX])["broken"], {"part": "scorecards", "reason": "missing", "what": "2026-1"}]
    assert failed(resigned(without, own_key(), broken=said)) == []  # the pack tells its reader itself
    text, _ = parts_of(files[FIRST].decode())
    better = text.replace('"kept_by":"', '"kept_by":"altra ')
    signature = sign(own_key(), f"ascolto scorecard 1\n{better}".encode())
    anew = f'{{"scorecard":{better},"signature":"{signature}"}}'
    assert better != text and parts_of(anew) == (better, signature)
    assert failed(resigned(files | {FIRST: anew.encode()}, own_key())) == [("card", SECOND)]


def test_another_house_than_the_one_that_rings_and_plans_name_is_found_by_both() -> None:
    files = files_of()
    other = files["house.json"].replace(b'"salt":"00', b'"salt":"01')
    made = resigned(files | {"house.json": other}, own_key())
    assert failed(made) == [("rings", "rings.json"), ("signed_plan", f"{OWN}/signed-plan.json")]


def test_a_document_under_another_s_hash_is_found() -> None:
    files = files_of()
    name = next(one for one in files if one.startswith("evidence/files/"))
    made = resigned(files | {name: b"un altro documento"}, own_key())
    assert failed(made) == [("evidence_file", name)]


def test_a_kind_of_file_that_no_pack_has_is_named_even_if_it_is_signed() -> None:
    made = resigned(files_of() | {"releases/adesso/setup.exe": b"MZ"}, own_key())
    assert failed(made) == [("unknown", "releases/adesso/setup.exe")]


@settings(max_examples=120)
@given(st.data())
def test_any_bit_that_is_flipped_anywhere_in_the_file_is_found(data: st.DataObject) -> None:
    """Headers, names, places, contents, the list at the end: a pack has no byte that may be otherwise."""
    made = bytearray(whole())
    at = data.draw(st.one_of(st.integers(0, len(made) - 1), st.integers(len(made) - 4000, len(made) - 1)))
    made[at] ^= 1 << data.draw(st.integers(0, 7))
    assert not verify(io.BytesIO(bytes(made))).holds


@settings(max_examples=60)
@given(st.data())
def test_a_byte_of_any_entry_that_is_flipped_is_found_in_that_entry(data: st.DataObject) -> None:
    files = files_of()
    name = data.draw(st.sampled_from(sorted(set(files) - {INDEX})))
    content = bytearray(files[name])
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    assert failed(packed.again(files | {name: bytes(content)})) == [("hash_bad", name)]


def _zipped(files: Files, **how: Any) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", **how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (lambda: b"", "no_zip"),
        (lambda: b"PK" * 4000, "no_zip"),
        (lambda: whole() + b"x", "no_zip"),
        (lambda: b"x" + whole(), "no_zip"),
        (lambda: whole()[:-1], "no_zip"),
        (lambda: _zipped(files_of()), "repacked"),
        (lambda: _zipped({"bomb": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED), "repacked"),
        (lambda: _zipped({"../a": b"x"}), "name"),
        (lambda: _zipped({"/etc/passwd": b"x"}), "name"),
        (lambda: _zipped({"a\u202eb": b"x"}), "name"),
        (lambda: _zipped({"a\x1b[2Jb": b"x"}), "name"),
        (lambda: _zipped({"a" * 300: b"x"}), "name"),
        (lambda: packed.again({"a": b"", "A": b""}), "twice"),
        (lambda: packed.again({str(n): b"" for n in range(3000)}), "index"),
        (lambda: packed.again({INDEX: b"[" * 100_000}), "index"),
        (lambda: packed.again({INDEX: b'{"schema":"ascolto-pack/1"}'}), "index"),
        (lambda: packed.again({INDEX: b"\xff\xfe"}), "index"),
    ],
)
def test_what_is_no_pack_is_refused_in_words(made: Callable[[], bytes], key: str) -> None:
    """A bomb, a path that leads out, a name that paints over the terminal, two names that are one on some machines."""
    assert [check.key for check in verify(io.BytesIO(made())).checks if not check.holds] == [key]


def test_an_entry_that_says_it_is_larger_than_the_file_reads_nothing_beyond() -> None:
    target = io.BytesIO()
    writer = Writer(target)
    writer.add("a", b"x" * 100)
    writer.end()
    made = bytearray(target.getvalue())
    for at in (18, 22):
        made[at : at + 4] = (2**31).to_bytes(4, "little")
    with pytest.raises(ArchiveRefused):
        Reader(io.BytesIO(bytes(made)))


def test_the_shell_checks_a_pack_without_any_installation_and_says_what_it_did_not_check() -> None:
    own = fingerprint(public_text(own_key()))
    with TemporaryDirectory() as folder:
        good, bad, data = Path(folder) / "a.zip", Path(folder) / "b.zip", Path(folder) / "none"
        good.write_bytes(whole())
        files = files_of()
        bad.write_bytes(packed.again(files | {"actions.json": files["actions.json"] + b" "}))
        environment = dict(os.environ) | {"ASCOLTO_DATA": str(data), "LC_ALL": "en"}

        def ran(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "server.command.cli", "pack", "verify", *words]
            return subprocess.run(command, env=environment, capture_output=True, text=True)

        found = ran(str(good))
        assert found.returncode == 0 and "Traceback" not in found.stderr
        assert f"✓ {OWN}/release.json" in found.stdout and "✗" not in found.stdout
        assert (
            "Not checked: whose key it is" in found.stdout
            and "Not checked: the protection of small groups" in found.stdout
        )
        known, other = ran(str(good), "--key", own), ran(str(good), "--key", "0" * 32)
        assert known.returncode == 0 and "whose key it is" not in known.stdout and own in known.stdout
        assert other.returncode == 1 and "✗ Does not hold: The key is the one that was given" in other.stdout
        red, none = ran(str(bad)), ran(str(Path(folder) / "no.zip"))
        assert red.returncode == 1 and "✗ Hash: actions.json" in red.stdout and "IT DOES NOT HOLD" in red.stdout
        assert none.returncode == 1 and "cannot be read" in none.stdout and none.stderr == ""
        assert not data.exists()


def test_a_verdict_that_looked_at_nothing_does_not_hold() -> None:
    assert not Verdict(()).holds and Verdict((Check("archive", True),)).holds
    assert base64.b64decode(json.loads(files_of()[INDEX])["key"])
