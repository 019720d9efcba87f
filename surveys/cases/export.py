"""A case outside the desk: the sealed file that a handler exports, opened and checked without browser, server or network. Pure."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surveys.cases.composing import open_file
from surveys.cases.sealing import CannotOpen
from surveys.cases.thread import STREAMS, Opened, Trust, open_wrap, read_stream
from surveys.public.keyring import Keyring, KeyringRefused, verify


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """All that a reader may read of a case: streams of checked messages, and attachments by name."""

    case: str
    state: str
    streams: Mapping[str, list[Opened]]
    files: Mapping[str, bytes]
    fingerprint: str


def read_export(text: str) -> dict[str, Any]:
    """Read an export.

    Raises
    ------
    CannotOpen
        If it is none.
    """
    try:
        content = json.loads(text)
        if not isinstance(content, dict) or content["v"] != 1:
            raise CannotOpen("not an export of ours")
        _ = content["file"]["epochs"], content["file"]["messages"], content["keyrings"]
    except (ValueError, KeyError, TypeError) as problem:
        raise CannotOpen("not an export of ours") from problem
    return content


def keyrings_of(content: Mapping[str, Any]) -> list[Keyring]:
    """The keyrings inside, each checked against the one before.

    Raises
    ------
    CannotOpen
        If a signature is wrong.
    """
    rings: list[Keyring] = []
    try:
        for version in content["keyrings"]:
            rings.append(verify(version["text"], version["signatures"], rings[-1] if rings else None))
    except (KeyringRefused, KeyError, TypeError) as problem:
        raise CannotOpen(f"the keyring is not valid: {problem}") from problem
    if not rings:
        raise CannotOpen("no keyring")
    return rings


def open_export(content: Mapping[str, Any], identity: str) -> OpenedCase:
    """Open an export with a handler's (or the recovery key's) age identity; everything is checked.

    Raises
    ------
    CannotOpen
        If anything does not open or does not fit.
    """
    rings, file = keyrings_of(content), content["file"]
    handlers: dict[str, set[str]] = {}
    for ring in rings:
        for reader in ring.readers:
            handlers.setdefault(reader.id, set()).add(reader.signer)
    case = int(file["case"], 16)
    streams: dict[str, list[Opened]] = {}
    for stream in STREAMS:
        epochs = [epoch for epoch in file["epochs"] if epoch["stream"] == stream]
        if not epochs:
            continue
        keys = [open_wrap(base64.b64decode(epoch["wrap"]), identity, case, stream, handlers) for epoch in epochs]
        if {key.reporter for key in keys} != {file["signer"]}:
            raise CannotOpen("another reporter")
        sealed = [(m["epoch"], base64.b64decode(m["sealed"])) for m in file["messages"] if m["stream"] == stream]
        trust = Trust(file["signer"], handlers)
        streams[stream] = read_stream(case, stream, sealed, {key.number: key.identity for key in keys}, trust)
    return OpenedCase(file["case"], file["state"], streams, dict(_files(content, streams)), rings[-1].fingerprint)


def _files(content: Mapping[str, Any], streams: Mapping[str, list[Opened]]) -> list[tuple[str, bytes]]:
    found = []
    for messages in streams.values():
        for message in messages:
            for entry in message.content.get("files", ()):
                sealed = content.get("files", {}).get(entry["upload"])
                if sealed is not None:
                    name = f"{message.number}-{entry['upload'][:6]}-{_plain_name(str(entry['name']))}"
                    found.append((name, open_file(base64.b64decode(sealed), entry)))
    return found


def _plain_name(name: str) -> str:
    """A file name that stays in its folder."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)
    return kept.strip("._")[:80] or "file"
