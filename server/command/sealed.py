"""Commands that need no installation: signers and holders run them on machines of their own, handlers without a browser."""

import argparse
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

from mnemonic import Mnemonic

from server.frame.terminal import LANGUAGE, Run, harmless, refuse, tell
from server.frame.texts import catalogue, say
from surveys import signed
from surveys.cases import memory
from surveys.cases.bundles import KIT_WORDS, HandlerKeys, kit_seed, open_bundle, split
from surveys.cases.export import ReadCase, open_export, read_export
from surveys.cases.opening import handler
from surveys.cases.recovery import open_recovery, pair_of
from surveys.cases.recovery import party as recovery_party
from surveys.cases.sealing import CannotOpen, new_identity, public_of
from surveys.public import house as house_file
from surveys.public import rings, signing, statements
from surveys.public.house import HouseRefused
from surveys.public.keyring import KeyringRefused


def secret(key: str) -> str:
    """Ask for a secret without showing it; from a pipe where there is no terminal."""
    question = say(LANGUAGE, f"cli.{key}")
    return getpass.getpass(question) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


async def signer(_: argparse.Namespace) -> int:
    """Make a signer's key: 24 words to keep on paper, and the public half for the keyring."""
    seed = os.urandom(32)
    print(Mnemonic("italian").to_mnemonic(seed))
    tell("signer_made", key=public_of(seed))
    return 0


async def sign(given: argparse.Namespace) -> int:
    """Show what a ring or a still says, ask for each reader's six words, and add one signature to its file."""
    path = Path(given.file)
    try:
        content = json.loads(path.read_text("utf-8"))
        text, purpose = str(content["text"]), str(content["purpose"])
        house = house_file.read(str(content["house"]))
        ring = rings.read_draft(text, house) if purpose == "ring" else None
    except (OSError, ValueError, KeyError, TypeError):
        return refuse("not_a_keyring", file=given.file)
    tell("house_words", words=" ".join(house.words))
    for reader in ring.readers if ring else ():
        words = " ".join(statements.read_statement(reader.statement, house.hash).words)
        tell("keyring_says", name=reader.name, account=reader.id, words=words)
        if asked("keyring_sure").strip().lower() not in YES:
            return refuse("keyring_unsure", name=reader.name)
    try:
        seed = bytes(Mnemonic("italian").to_entropy(" ".join(secret("signer_words").lower().split())))
    except (ValueError, LookupError):
        return refuse("signer_wrong")
    if public_of(seed) not in {*house.keys.values(), *(ring.signers.values() if ring else ())}:
        tell("signer_later")
    signature = rings.sign(text, seed) if purpose == "ring" else rings.sign_still(text, seed)
    content["signatures"] = [*(s for s in content["signatures"] if s["key"] != signature["key"]), signature]
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    tell("keyring_signed", n=len(content["signatures"]))
    return 0


YES = frozenset({"s", "sì", "si", "y", "yes"})


def asked(key: str) -> str:
    """Ask for a line, from a pipe where there is no terminal."""
    question = say(LANGUAGE, f"cli.{key}")
    return input(question) if sys.stdin.isatty() else sys.stdin.readline()


async def recovery_make(given: argparse.Namespace) -> int:
    """Make one recovery holder's own identity, on her own device: printed once, kept nowhere."""
    identity, recipient = new_identity()
    tell("recovery_made", seat=given.seat, identity=identity, recipient=recipient)
    return 0


async def case_open(given: argparse.Namespace) -> int:
    """Open an exported case with a handler's passphrase, her printed kit, or two recovery holders."""
    try:
        content = read_export(Path(given.file).read_text("utf-8"))
        first = content["file"].get("version", 1) == 1
        printed = house_file.printed_from(given.house) if given.house else ""
        if not first and not printed:
            return refuse("house_needed")
        opened = _opened(given, content, printed, first=first)
    except OSError as problem:
        return refuse("cannot", problem=problem.strerror)
    except UnicodeDecodeError:
        return refuse("case_closed", problem=in_words("not an export of ours"))
    except (CannotOpen, KeyringRefused, HouseRefused) as problem:
        return refuse("case_closed", problem=in_words(str(problem)))
    if given.memory and opened.fold is not None:
        word = memory.checked(Path(given.memory), printed, opened.case, opened.fold, opened.notes)
        if word:
            tell("case_wrong", problem=in_words(word))
    try:
        _show(opened, Path(given.output) if given.output else None)
    except OSError as problem:  # the folder has such a file already, or cannot be written
        return refuse("cannot", problem=f"{problem.strerror}: {problem.filename}")
    return 0


def in_words(word: str) -> str:
    """A protocol's word as a sentence, where there is one."""
    key = f"cases.wrong.{word}"
    return say(LANGUAGE, key) if key in catalogue(LANGUAGE) else word


def _opened(given: argparse.Namespace, content: dict[str, Any], printed: str, *, first: bool) -> ReadCase:
    if given.recovery and not first:
        pair = (
            pair_of(*given.recovery.split("+", 1))
            if "+" in given.recovery
            else pair_of(given.recovery[:1], given.recovery[1:])
        )
        for epoch in content["file"]["epochs"]:
            epoch["wrap"] = epoch.get("pairs", {}).get(pair, "")
        return open_export(content, printed, lambda: recovery_party(secret("holder_first"), secret("holder_second")))
    if given.recovery:
        identity = open_recovery(Path(given.recovery).read_bytes(), (secret("holder_first"), secret("holder_second")))
        return open_export(content, printed, lambda: handler("", identity), identity)
    keys = _keys(content)
    return open_export(content, printed, lambda: handler(str(content.get("handler", "")), keys.identity), keys.identity)


def _keys(content: dict[str, Any]) -> HandlerKeys:
    try:
        bundle, salt = str(content["bundle"]), bytes.fromhex(str(content["salt"]))
    except (KeyError, ValueError) as problem:
        raise CannotOpen("not an export of ours") from problem
    typed = secret("case_secret")
    if len(typed.split()) == KIT_WORDS:
        return open_bundle(bundle, "kit", kit_seed(typed))
    _, wrap = split(typed, salt)
    return open_bundle(bundle, "pass", wrap)


MARKS = {"void": "cases.case.void", "late": "cases.case.note_late"}


def _inside(text: str) -> str:
    """A letter's words, each line set in: none of them can look like the head of another letter."""
    return "\n".join(f"  | {line}" for line in harmless(text).splitlines())


def _show(opened: ReadCase, folder: Path | None) -> None:
    """Print the letters; attachments only into a folder that was asked for."""
    tell("case_opened", case=opened.case, state=opened.state)
    if opened.version == 1:
        tell("case_old")
    if opened.problem:
        tell("case_wrong", problem=in_words(opened.problem))
    for line in opened.lines:
        key = f"concern.kind.{line.kind}"
        kind = say(LANGUAGE, key) if key in catalogue(LANGUAGE) else line.kind
        mark = f" · {say(LANGUAGE, MARKS[line.mark], name=harmless(line.left_by))}" if line.mark else ""
        print(f"\n[{line.stream} {line.number}] {line.day} · {harmless(line.author)} · {kind}{mark}")
        print(_inside(line.content.get("text", "")))
        for name in ("what", "where", "when", "who", "danger", "wish", "consent", "triage"):
            if name in line.content:
                print(_inside(f"{name}: {line.content[name]}"))
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in opened.files.items():
            with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
    for name in opened.files:
        tell("case_file", name=name)
    for name in opened.closed:
        tell("case_file_closed", name=name)


async def proof_verify(given: argparse.Namespace) -> int:
    """Check a proof of filing; with --key, that it is of this installation."""
    try:
        content = json.loads(Path(given.file).read_text("utf-8"))
        text, key, signature = str(content["filing"]), str(content["key"]), str(content["signature"])
        filed = json.loads(text)["filed"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return refuse("proof_wrong")
    # whoever signs with a key of his own says what he likes: no other words stand where a day is told
    if not signed.day(filed):
        return refuse("proof_wrong")
    if not signing.is_signed(key, b"ascolto filing v1\n" + text.encode(), signature) or given.key not in ("", key):
        return refuse("proof_wrong")
    tell("proof_right", day=filed, fingerprint=signing.fingerprint(key))
    return 0


COMMANDS: dict[str, Run] = {
    "keyring signer": signer,
    "keyring sign": sign,
    "recovery make": recovery_make,
    "case open": case_open,
    "proof verify": proof_verify,
}
