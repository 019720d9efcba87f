"""What a short-lived process does for a reporter whose browser runs no script: it reads her form, derives the keys of her
code, seals or opens, and ends. Words and keys live in its memory alone; nothing is written.

It speaks lines of JSON with `server.reporters.plain`, which does the storing: first line in, the form; then questions out
and answers in, until ``{"end": …}``. Started by nobody else.
"""

import base64
import io
import json
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartParser, parse_options_header

from surveys.cases import composing
from surveys.cases.codes import CodeKeys, NotACode, derive, read_code, to_digits, to_words
from surveys.cases.composing import Entry
from surveys.cases.keeper import REPORTER
from surveys.cases.sealing import CannotOpen
from surveys.cases.thread import EpochKey, Opened, Trust, open_wrap, read_stream
from surveys.public.keyring import Keyring, verify

TEXT_LIMIT = 30_000
PHOTO_LIMIT = 8 * 1024 * 1024
PHOTO_SIDE = 2560
PIXELS = 30_000_000
"""A larger picture is refused at twice this number, before it is drawn."""
DETAILS = ("what", "where", "when", "who", "danger")
REPLIES = ("message", "meeting", "retaliation", "contest", "consent_yes", "consent_no")


class Again(Exception):
    """The form goes back with everything kept; the text is the key of a sentence."""


def _say(message: Mapping[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def _ask(message: Mapping[str, Any]) -> dict[str, Any]:
    _say(message)
    answer: dict[str, Any] = json.loads(sys.stdin.readline())
    return answer


def read_form(body: bytes, kind: str) -> tuple[dict[str, list[str]], tuple[str, bytes] | None]:
    """Read a posted form in memory: fields by name, and a photo if there is one.

    Raises
    ------
    Again
        If it is no form of ours.
    """
    fields: dict[str, list[str]] = {}
    photo = None
    media, options = parse_options_header(kind)
    try:
        if media == "multipart/form-data":
            parser = MultipartParser(
                io.BytesIO(body), options.get("boundary", ""), spool_limit=len(body) + 1, memory_limit=len(body) + 1, disk_limit=0
            )  # fmt: skip
            for part in parser:
                if part.filename is None:
                    fields.setdefault(part.name, []).append(part.value)
                elif part.filename and part.size:
                    photo = (part.filename, part.raw)
        else:
            for name, value in parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200):
                fields.setdefault(name, []).append(value)
    except (MultipartError, ValueError) as problem:
        raise Again("staff.problem.unknown_item") from problem
    return fields, photo


def clean_photo(content: bytes) -> bytes:
    """Draw a picture anew: its pixels and nothing else.

    Raises
    ------
    Again
        If it is too large, or no picture.
    """
    from PIL import Image, ImageOps

    if len(content) > PHOTO_LIMIT:
        raise Again("concern.write.files_large")
    Image.MAX_IMAGE_PIXELS = PIXELS
    try:
        with Image.open(io.BytesIO(content)) as picture:
            drawn = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise Again("concern.write.files_refused") from problem
    drawn.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    plain = Image.new("RGB", drawn.size)
    plain.paste(drawn)
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=85)
    return out.getvalue()


class Child:
    """One request of one reporter."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.day = date.fromisoformat(given["day"])
        self.salt = bytes.fromhex(given["salt"])
        self.keyrings: list[Keyring] = []
        for version in given["keyrings"]:
            before = self.keyrings[-1] if self.keyrings else None
            self.keyrings.append(verify(version["text"], version["signatures"], before))
        self.form: dict[str, list[str]] = {}
        self.form, self.photo = read_form(base64.b64decode(given["body"]), given["kind"])

    def first(self, name: str) -> str:
        return (self.form.get(name) or [""])[0].replace("\r\n", "\n").strip()

    @property
    def keyring(self) -> Keyring:
        return self.keyrings[-1]

    def run(self) -> dict[str, Any]:
        """Do what the form asks for; gives what the page says."""
        try:
            secret = read_code(self.first("code"))
        except NotACode:
            return {"again": "concern.back.bad", "back": True}
        keys = derive(secret, self.salt)
        match self.first("do"):
            case "send" | "diary" as wanted:
                self._confirm(to_words(secret), to_digits(secret))
                return self._new(keys, diary=wanted == "diary")
            case "reply":
                return self._reply(keys)
            case "send_diary":
                return self._send_diary(keys)
            case "proof" | "delete" as wanted:
                return _ask({"do": wanted, **self._proofs(keys)})
            case _:
                return self._show(keys)

    def _proofs(self, keys: CodeKeys) -> dict[str, str]:
        return {"locator": keys.locator.hex(), "auth": keys.auth.hex()}

    def _confirm(self, words: tuple[str, ...], digits: tuple[str, ...]) -> None:
        """Two parts of the code, typed from paper."""
        asked = [int(name[4:]) for name in self.form if name.startswith("part") and name[4:].isdecimal()]
        for n in asked:
            typed = self.first(f"part{n}").lower()
            right = {parts[n - 1] for parts in (words, digits) if 1 <= n <= len(parts)}
            if typed not in right:
                raise Again("concern.code.wrong")
        if len(asked) != 2:
            raise Again("concern.code.wrong")

    def _content(self) -> dict[str, Any]:
        text = self.first("text")
        if not text and self.photo is None:
            raise Again("concern.write.empty")
        if len(text) > TEXT_LIMIT:
            raise Again("concern.write.long")
        content: dict[str, Any] = {"text": text}
        content |= {name: self.first(name) for name in DETAILS if self.first(name)}
        if self.form.get("wish"):
            content["wish"] = self.form["wish"]
        return content

    def _attached(self, content: dict[str, Any]) -> list[str]:
        """Seal a photo and have its pieces kept; it travels in the message under a key of its own."""
        if self.photo is None:
            return []
        sealed, entry = composing.seal_file("photo.jpg", "image/jpeg", clean_photo(self.photo[1]))
        _ask({"piece": base64.b64encode(sealed).decode(), "upload": entry["upload"]})
        content["files"] = [entry]
        return [entry["upload"]]

    def _new(self, keys: CodeKeys, *, diary: bool) -> dict[str, Any]:
        out = set(self.form.get("out", ()))
        if not diary and not composing.readers_left(self.keyring, out):
            raise Again("concern.who.few_stop")
        content = self._content()
        uploads = self._attached(content)
        entry = Entry("diary" if diary else "report", content)
        report = composing.compose(keys, [entry], self.day, None if diary else self.keyring, self.keyring.fingerprint, out)
        answer = _ask({"report": report | {"uploads": uploads}})
        if answer.get("there"):  # the same code again: nothing is lost, it becomes one more message
            return self._append(keys, "diary" if diary else "message", content, uploads)
        return {"sent": "diary" if diary else "report"}

    def _file(self, keys: CodeKeys) -> tuple[dict[str, Any], dict[str, list[Opened]], dict[str, str]]:
        """The case of this code, opened: its file, its streams, the recipient of each stream's newest epoch."""
        file = _ask({"do": "file", **self._proofs(keys)})
        if "unknown" in file:
            raise CaseGone
        handlers: dict[str, set[str]] = {}
        for ring in self.keyrings:
            for reader in ring.readers:
                handlers.setdefault(reader.id, set()).add(reader.signer)
        case, identity = int(file["case"], 16), composing.own_identity(keys)
        opened: dict[str, list[Opened]] = {}
        recipients: dict[str, str] = {}
        for stream in {epoch["stream"] for epoch in file["epochs"]}:
            epochs: list[EpochKey] = []
            for epoch in file["epochs"]:
                if epoch["stream"] == stream:
                    epochs.append(open_wrap(base64.b64decode(epoch["wrap"]), identity, case, stream, handlers))
                    recipients[stream] = epoch["recipient"]
            if any(epoch.reporter != file["signer"] for epoch in epochs):
                raise CannotOpen("another reporter")
            sealed = [(m["epoch"], base64.b64decode(m["sealed"])) for m in file["messages"] if m["stream"] == stream]
            by_number = {epoch.number: epoch.identity for epoch in epochs}
            opened[stream] = read_stream(case, stream, sealed, by_number, Trust(file["signer"], handlers))
        return file, opened, recipients

    def _show(self, keys: CodeKeys) -> dict[str, Any]:
        file, opened, _ = self._file(keys)
        letters = [
            {"stream": stream, "number": letter.number, "from": letter.author, "kind": letter.kind, "day": letter.day.isoformat(),
             "text": str(letter.content.get("text", "")), "files": [f["name"] for f in letter.content.get("files", ())]}
            for stream in ("diary", "thread") for letter in opened.get(stream, ())
        ]  # fmt: skip
        started = next((m.content["keyring"] for m in opened.get("thread", ())), self.keyring.fingerprint)
        changed = started != self.keyring.fingerprint
        return {"letters": letters, "file": file, "changed": changed, "code": self.first("code")}

    def _append(self, keys: CodeKeys, kind: str, content: dict[str, Any], uploads: list[str], extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        file, opened, recipients = self._file(keys)
        stream = "diary" if kind == "diary" else "thread"
        if any(m.author == REPORTER and m.content.get("text") == content["text"] and not uploads for m in opened.get(stream, ())[-1:]):
            return self._show(keys)  # the same form sent twice
        if stream not in recipients:
            raise Again("concern.code.failed")
        made = composing.reply(
            keys, int(file["case"], 16), stream, opened[stream], recipients[stream], Entry(kind, content), self.day, self.keyring.fingerprint
        )  # fmt: skip
        answer = _ask({"reply": made | {"uploads": uploads} | dict(extra or {})})
        if "stale" in answer:
            return self._show(keys) | {"problem": "concern.thread.stale", "text": content["text"]}
        return self._show(keys)

    def _reply(self, keys: CodeKeys) -> dict[str, Any]:
        wanted = self.first("kind")
        if wanted not in (*REPLIES, "diary"):
            wanted = "message"
        content = self._content()
        if wanted.startswith("consent_"):
            content["consent"] = wanted == "consent_yes"
        kind = wanted.partition("_")[0]
        uploads = self._attached(content)
        return self._append(keys, kind, content, uploads, {"contest": kind == "contest"})

    def _send_diary(self, keys: CodeKeys) -> dict[str, Any]:
        file, opened, _ = self._file(keys)
        picked = [m for m in opened.get("diary", ()) if str(m.number) in self.form.get("pick", ())]
        out = set(self.form.get("out", ()))
        if not picked:
            return self._show(keys) | {"problem": "concern.write.empty"}
        if not composing.readers_left(self.keyring, out):
            return self._show(keys) | {"problem": "concern.who.few_stop"}
        content = composing.from_diary(picked)
        case = int(file["case"], 16)
        _, epoch = composing.new_epoch(case, "thread", 1, keys, self.keyring, out)
        made = composing.reply(
            keys, case, "thread", [], epoch["recipient"], Entry("report", content), self.day, self.keyring.fingerprint
        )
        _ask({"reply": made | {"epoch": epoch}})
        return self._show(keys)


class CaseGone(Exception):
    """No case under this code: unknown, wrong or deleted."""


def main() -> None:
    """Serve one form and end."""
    given = json.loads(sys.stdin.readline())
    child = None
    try:
        child = Child(given)
        end = child.run()
    except Again as problem:
        end = {"again": str(problem), "form": child.form if child else {}}
    except CaseGone:
        end = {"again": "concern.back.unknown", "back": True}
    except CannotOpen:
        end = {"again": "concern.back.damaged", "back": True}
    _say({"end": end})


if __name__ == "__main__":
    main()
