"""Commands that need no installation: signers and holders run them on machines of their own, handlers without a browser."""

import argparse
import getpass
import json
import os
import sys
from pathlib import Path

from mnemonic import Mnemonic

from server.cli import LANGUAGE, Run, refuse, tell
from server.texts import catalogue, say
from surveys.cases.bundles import KIT_WORDS, kit_seed, open_bundle, split
from surveys.cases.export import OpenedCase, open_export, read_export
from surveys.cases.recovery import make_recovery, open_recovery
from surveys.cases.sealing import CannotOpen, public_of
from surveys.public import keyring, signing
from surveys.public.keyring import KeyringRefused


def _secret(key: str) -> str:
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
    """Show what a keyring says and add one signature to its file."""
    path = Path(given.file)
    try:
        content = json.loads(path.read_text("utf-8"))
        text = str(content["text"])
        told = json.loads(text)
        readers = [f"{one['name']} ({one['id']})" for one in told["readers"]]
        keys = [one["key"] for one in told["signers"]]
    except (OSError, ValueError, KeyError, TypeError):
        return refuse("not_a_keyring", file=given.file)
    tell("keyring_says", readers=", ".join(readers), fingerprint=keyring.fingerprint_of(text))
    try:
        seed = bytes(Mnemonic("italian").to_entropy(" ".join(_secret("signer_words").lower().split())))
    except (ValueError, LookupError):
        return refuse("signer_wrong")
    if public_of(seed) not in keys:
        return refuse("signer_other")
    content["signatures"] = [*content["signatures"], keyring.sign(text, seed)]
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    tell("keyring_signed", n=len(content["signatures"]))
    return 0


async def recovery_make(given: argparse.Namespace) -> int:
    """Make the recovery key: three files to keep, three identities to print, one recipient for the keyring."""
    made, folder = make_recovery(), Path(given.output)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for pair, nested in made.files.items():
        (folder / f"recovery-{pair}.age").write_bytes(bytes.fromhex(nested))
    for seat, identity in made.holders.items():
        tell("recovery_holder", seat=seat.upper(), identity=identity)
    tell("recovery_made", recipient=made.recipient, folder=folder)
    return 0


async def case_open(given: argparse.Namespace) -> int:
    """Open an exported case with a handler's passphrase, her printed kit, or the recovery key."""
    try:
        content = read_export(Path(given.file).read_text("utf-8"))
        opened = open_export(content, _identity(given, content))
    except OSError as problem:
        return refuse("cannot", problem=problem.strerror)
    except (CannotOpen, KeyringRefused) as problem:
        return refuse("case_closed", problem=problem)
    _show(opened, Path(given.output) if given.output else None)
    return 0


def _identity(given: argparse.Namespace, content: dict[str, object]) -> str:
    if given.recovery:
        nested = Path(given.recovery).read_bytes()
        return open_recovery(nested, (_secret("holder_first"), _secret("holder_second")))
    typed = _secret("case_secret")
    if len(typed.split()) == KIT_WORDS:
        return open_bundle(str(content["bundle"]), "kit", kit_seed(typed)).identity
    _, wrap = split(typed, bytes.fromhex(str(content["salt"])))
    return open_bundle(str(content["bundle"]), "pass", wrap).identity


def _show(opened: OpenedCase, folder: Path | None) -> None:
    """Print the letters; attachments only into a folder that was asked for."""
    tell("case_opened", case=opened.case, state=opened.state, fingerprint=opened.fingerprint)
    for stream, messages in opened.streams.items():
        for message in messages:
            key = f"concern.kind.{message.kind}"
            kind = say(LANGUAGE, key) if key in catalogue(LANGUAGE) else message.kind
            print(f"\n[{stream} {message.number}] {message.day} · {message.author} · {kind}")
            print(message.content.get("text", ""))
            for name in ("what", "where", "when", "who", "danger", "wish", "consent", "triage"):
                if name in message.content:
                    print(f"  {name}: {message.content[name]}")
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in opened.files.items():
            with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
    for name in opened.files:
        tell("case_file", name=name)


async def proof_verify(given: argparse.Namespace) -> int:
    """Check a proof of filing; with --key, that it is of this installation."""
    try:
        content = json.loads(Path(given.file).read_text("utf-8"))
        text, key, signature = str(content["filing"]), str(content["key"]), str(content["signature"])
        filed = json.loads(text)["filed"]
    except (OSError, ValueError, KeyError, TypeError):
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
