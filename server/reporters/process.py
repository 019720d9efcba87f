"""What a short-lived process does for a reporter whose browser runs no script: it reads her form, derives the keys of her
code, seals or opens, and ends. Words and keys live in its memory alone; nothing is written.

It speaks lines of JSON with `server.reporters.plain`, which does the storing: first line and form in; then questions out
and answers in, until ``{"end": …}``. Started by nobody else.
"""

import base64
import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartParser, parse_options_header

from server.reporters.shown import has_said, read_lists, shown_first, shown_second, signers_of
from surveys.cases import acts, composing, letters
from surveys.cases.acts import Reporter
from surveys.cases.codes import (
    CodeKeys,
    NotACode,
    Secret,
    derive,
    holds_code,
    in_our_digits,
    read_code,
    to_digits,
    to_words,
)
from surveys.cases.composing import Entry
from surveys.cases.incoming import FILES
from surveys.cases.keeper import RECOVERY, REPORTER
from surveys.cases.opening import open_case
from surveys.cases.sealed_case import OpenedCase, SealedCase, SealedEpochRow, SealedLetter
from surveys.cases.sealing import CannotOpen
from surveys.cases.thread import OpenedFirst, open_first_version
from surveys.public.house import HouseFile
from surveys.public.rings import Chain, Ring

TEXT_LIMIT = 30_000
PHOTO_LIMIT = 8 * 1024 * 1024
PHOTO_SIDE = 2560
PIXELS = 30_000_000
"""A larger picture is refused at twice this number, before it is drawn."""
PICTURES = ("JPEG", "PNG", "WEBP", "GIF")
"""What phones send. Of the others some take long to draw from very little, and one is a program that another program would run."""
DETAILS = ("what", "where", "when", "who", "danger")
REPLIES = ("message", "meeting", "retaliation", "contest", "consent_yes", "consent_no")


class Again(Exception):
    """The form goes back with everything kept; the text is the key of a sentence."""


def _say(message: Mapping[str, Any]) -> None:
    print(json.dumps(message) + "\n", end="", flush=True)


def _ask(message: Mapping[str, Any]) -> dict[str, Any]:
    _say(message)
    answer: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
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
                io.BytesIO(body),
                options.get("boundary", ""),
                spool_limit=len(body) + 1,
                memory_limit=len(body) + 1,
                disk_limit=0,
            )
            for part in parser:
                if part.filename is None:
                    fields.setdefault(part.name, []).append(part.value)
                elif part.filename and part.size:
                    photo = (part.filename, part.raw)
        else:
            for name, value in parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200):
                fields.setdefault(name, []).append(value)
    except (MultipartError, ValueError, LookupError) as problem:  # LookupError: an encoding that nobody knows
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
        with Image.open(io.BytesIO(content), formats=PICTURES) as picture:
            drawn = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise Again("concern.write.files_refused") from problem
    drawn.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    plain = Image.new("RGB", drawn.size)
    plain.paste(drawn)
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=85)
    return out.getvalue()


class LetterProcess:
    """One request of one reporter."""

    def __init__(self, given: Mapping[str, Any], body: bytes) -> None:
        self.shown = bool(given["shown"])
        if given["patient"]:
            os.nice(10)  # photos of strangers must not hold up answers
        self.day = date.fromisoformat(given["day"])
        self.salt = bytes.fromhex(given["salt"])
        self.house, self.chain, self.keyrings = read_lists(given["lists"])
        self.secret: Secret | None = None
        self.form: dict[str, list[str]] = {}
        self.form, self.photo = read_form(body, given["kind"])

    def first(self, name: str) -> str:
        return (self.form.get(name) or [""])[0].replace("\r\n", "\n").strip()

    @property
    def anchored(self) -> tuple[HouseFile, Chain]:
        """The house and its rings.

        Raises
        ------
        Again
            If the list was not signed anew since version 1: nothing new is written.
        """
        if self.house is None or self.chain is None:
            raise Again("concern.page.paused")
        return self.house, self.chain

    def run(self) -> dict[str, Any]:
        """Do what the form asks for; gives what the page says."""
        try:
            secret = read_code(self.first("code"))
        except NotACode:
            return {"again": "concern.back.bad", "back": True}
        self.secret = secret
        keys = derive(secret, self.salt)
        match self.first("do"):
            case "send" | "diary" as wanted:
                self._confirm(to_words(secret), to_digits(secret))
                return self._new(keys, diary=wanted == "diary")
            case "reply":
                return self._reply(keys)
            case "fails":
                return self._fails(keys)
            case "send_diary":
                return self._send_diary(keys)
            case "proof":
                return self._proof(keys)
            case "delete":
                return _ask({"do": "delete", **self._proofs(keys)})
            case _:
                return self._show(keys)

    def _proofs(self, keys: CodeKeys) -> dict[str, str]:
        me = Reporter(keys)
        return me.proofs | {"signer": me.signer, "reader": me.reader}

    def _proof(self, keys: CodeKeys) -> dict[str, Any]:
        """The proof of filing, unless its day is another one than that of her own first letter."""
        opened, given = self._opened(keys), _ask({"do": "proof", **self._proofs(keys)})
        if "proof" in given and isinstance(opened, Opened2) and opened.case.fold is not None:
            filed = date.fromisoformat(json.loads(json.loads(given["proof"])["filing"])["filed"])
            written = date.fromisoformat(opened.case.fold.received)
            if not written <= filed <= written + timedelta(days=1):  # it may have been on its way at midnight
                return self._show(keys) | {"problem": "concern.thread.proof_other"}
        return given

    def _confirm(self, words: tuple[str, ...], digits: tuple[str, ...]) -> None:
        """Two parts of the code, typed from paper."""
        asked = {
            int(name[4:]) for name in self.form if name.startswith("part") and len(name) == 5 and name[4].isdecimal()
        }
        for n in asked:
            typed = in_our_digits(self.first(f"part{n}")).lower()
            right = {parts[n - 1] for parts in (words, digits) if 1 <= n <= len(parts)}
            if typed not in right:
                raise Again("concern.code.wrong")
        if len(asked) != 2:
            raise Again("concern.code.wrong")

    def _kept_out(self) -> set[str]:
        """Whom the reporter answered "no" for."""
        return {
            name.removeprefix("reads.")
            for name, given in self.form.items()
            if name.startswith("reads.") and given[0] == "no"
        }

    def _asked_for(self, ring: Ring) -> bool:
        """Whether she was asked about everybody who would get a key, and nobody else: her page may show another list."""
        wanted = {reader.id for reader in ring.readers} | ({RECOVERY} if ring.recovery else set())
        return {name.removeprefix("reads.") for name in self.form if name.startswith("reads.")} == wanted

    def _content(self) -> dict[str, Any]:
        text = self.first("text")
        if not text and self.photo is None:
            raise Again("concern.write.empty")
        if len(text) > TEXT_LIMIT:
            raise Again("concern.write.long")
        content: dict[str, Any] = {"text": text}
        content |= {name: self.first(name) for name in DETAILS if self.first(name)}
        if holds_code("\n".join(content.values()), self.secret):
            raise Again("concern.write.code_inside")
        if self.form.get("wish"):
            content["wish"] = self.form["wish"]
        if not letters.fits(content):
            raise Again("concern.write.long")
        return content

    def _attached(self, content: dict[str, Any]) -> list[str]:
        """Seal a photo and have its pieces kept; it travels in the message under a key of its own."""
        if self.photo is None:
            return []
        sealed, entry = composing.seal_file("photo.jpg", "image/jpeg", clean_photo(self.photo[1]))
        if "full" in _ask({"piece": base64.b64encode(sealed).decode(), "upload": entry["upload"]}):
            raise Again("concern.write.files_full")
        content["files"] = [entry]
        return [entry["upload"]]

    def _new(self, keys: CodeKeys, *, diary: bool) -> dict[str, Any]:
        house, chain = self.anchored
        out = self._kept_out()
        if not diary and not self._asked_for(chain.newest):
            raise Again("concern.who.changed")
        if not diary and not acts.readers_left(chain.newest, out):
            raise Again("concern.who.few_stop")
        content = self._content()
        uploads = self._attached(content)
        me = Reporter(keys)
        if diary:
            made = acts.diary(me, house.hash, content, self.day, os.urandom)
        else:
            made = acts.report(me, chain.newest, house.hash, out, content, self.day, os.urandom)
        answer = _ask({"report": made | {"uploads": uploads}})
        if answer.get("there"):  # the same code again: nothing is lost, it becomes one more message
            return self._append(
                keys, "diary" if diary else "message", content, uploads, again="" if diary else "report"
            )
        if "unknown" in answer:  # refused: nothing of it was kept
            raise Again("concern.code.failed")
        return {"sent": "diary" if diary else "report"}

    def _opened(self, keys: CodeKeys) -> "Opened1 | Opened2":
        """The case of this code, opened by the rules of its version."""
        file = _ask({"do": "file", **Reporter(keys).proofs})
        if "unknown" in file:
            raise CaseGone
        if file["version"] == 1:
            return self._opened_first(keys, file)
        house, chain = self.anchored
        epochs = [
            SealedEpochRow(
                e["stream"], e["number"], base64.b64decode(e["wrap"]), base64.b64decode(e["link"]), e.get("at", 0)
            )
            for e in file["epochs"]
        ]
        rows = [
            SealedLetter(m["stream"], m["number"], m["epoch"], base64.b64decode(m["sealed"])) for m in file["messages"]
        ]
        opened = open_case(SealedCase(file["case"], epochs, rows), Reporter(keys).party, house.hash, chain)
        return Opened2(file, opened)

    def _opened_first(self, keys: CodeKeys, file: dict[str, Any]) -> "Opened1":
        if int(file["case"], 16) != keys.case:
            raise CannotOpen("place")
        epochs = [(e["stream"], e["number"], base64.b64decode(e["wrap"])) for e in file["epochs"]]
        rows = [(m["stream"], m["epoch"], base64.b64decode(m["sealed"])) for m in file["messages"]]
        identity, signer = composing.own_identity(keys), Reporter(keys).signer
        return Opened1(file, open_first_version(keys.case, epochs, rows, identity, signers_of(self.keyrings), signer))

    def _show(self, keys: CodeKeys) -> dict[str, Any]:
        """The letters; a page that may have been sent before is told that its words were kept, and shown none."""
        if not self.shown:
            wrote = self.first("do") in ("send", "diary", "reply", "send_diary")
            diary = self.first("do") == "diary" or self.first("kind") == "diary"
            return {"sent": "diary" if diary else "report"} if wrote else {"again": "concern.back.again", "back": True}
        opened = self._opened(keys)
        shown = shown_first(opened.file, opened.case) if isinstance(opened, Opened1) else self._shown(keys, opened)
        return shown | {"code": self.first("code")}

    def _refused(self, keys: CodeKeys, problem: str, unseen: str = "") -> dict[str, Any]:
        """The letters, and above them what was not taken; a page that shows no letter says `unseen` alone, and never that it arrived."""
        if not self.shown:
            return {"again": unseen or problem, "back": True}
        return self._show(keys) | {"problem": problem}

    def _written(self) -> dict[str, Any]:
        """What she wrote into a letter that was not taken."""
        return {"text": self.first("text"), "kept": {"kind": [self.first("kind")]}, "photo": self.photo is not None}

    def _shown(self, keys: CodeKeys, opened: "Opened2") -> dict[str, Any]:
        return shown_second(opened.file, opened.case, keys, self.chain, self.day)

    def _append(
        self,
        keys: CodeKeys,
        kind: str,
        content: dict[str, Any],
        uploads: list[str],
        extra: Mapping[str, Any] | None = None,
        again: str = "",
    ) -> dict[str, Any]:
        opened = self._opened(keys)
        stream = "diary" if kind == "diary" else "thread"
        if not uploads and any(_is_last(opened, stream, one, content, self.day) for one in (kind, again)):
            return self._show(keys)  # the same form sent twice
        made = (
            self._reply_first(keys, opened, stream, kind, content)
            if isinstance(opened, Opened1)
            else self._reply_second(keys, opened, kind, content)
        )
        answer = _ask({"reply": made | {"uploads": uploads} | dict(extra or {})})
        if "stale" in answer or "unknown" in answer:
            problem = "concern.thread.stale" if "stale" in answer else "concern.code.failed"
            return self._refused(keys, problem, "concern.back.not_taken") | self._written()
        return self._show(keys)

    def _reply_first(
        self, keys: CodeKeys, opened: "Opened1", stream: str, kind: str, content: dict[str, Any]
    ) -> dict[str, Any]:
        if stream not in opened.case.newest:
            raise Again("concern.code.failed")
        fingerprint = self.keyrings[-1].fingerprint if self.keyrings else ""
        identity = opened.case.newest[stream][1]
        return composing.reply(
            keys, keys.case, stream, opened.case.streams[stream], identity, Entry(kind, content), self.day, fingerprint
        )

    def _reply_second(self, keys: CodeKeys, opened: "Opened2", kind: str, content: dict[str, Any]) -> dict[str, Any]:
        house, chain = self.anchored
        me, case = Reporter(keys), opened.case
        if kind == "diary" and not case.problem:
            return acts.diary(me, house.hash, content, self.day, os.urandom, case)
        if case.fold is None or case.problem:
            raise CannotOpen(case.problem or "gone")
        return me.proofs | acts.letter(case.fold, chain.newest, me.author, kind, content, self.day, os.urandom)

    def _reply(self, keys: CodeKeys) -> dict[str, Any]:
        wanted = self.first("kind")
        if wanted not in (*REPLIES, "diary"):
            wanted = "message"
        try:
            content = self._content()
            uploads = self._attached(content)
        except Again as problem:
            return self._refused(keys, str(problem)) | self._written()
        if wanted.startswith("consent_"):
            content["consent"] = wanted == "consent_yes"
        kind = wanted.partition("_")[0]
        return self._append(keys, kind, content, uploads, {"contest": kind == "contest"})

    def _fails(self, keys: CodeKeys) -> dict[str, Any]:
        """She cannot open the keys in use: said under the ones before, once."""
        opened = self._opened(keys)
        if isinstance(opened, Opened2) and not has_said(opened.case):
            me, rows = Reporter(keys), sum(one["stream"] == "thread" for one in opened.file["messages"])
            made = acts.fails(opened.case, self.anchored[1].newest, me.author, rows, self.day, os.urandom)
            _ask({"reply": me.proofs | made | {"uploads": []}})
        return self._show(keys)

    def _send_diary(self, keys: CodeKeys) -> dict[str, Any]:
        opened = self._opened(keys)
        if isinstance(opened, Opened1):
            raise Again("concern.thread.old_diary")
        house, chain = self.anchored
        picked = [letter for letter in opened.case.diary if str(letter["number"]) in self.form.get("pick", ())]
        out = self._kept_out()
        content = acts.from_diary(picked)
        problems = {
            "concern.write.empty": not picked,
            "concern.who.changed": not self._asked_for(chain.newest),
            "concern.who.few_stop": not acts.readers_left(chain.newest, out),
            "concern.write.files_many": len(content.get("files", ())) > FILES,
            "concern.write.long": not letters.fits(content),
        }
        if problem := next((key for key, is_so in problems.items() if is_so), ""):
            answers = {name: given for name, given in self.form.items() if name.startswith("reads.")}
            return self._refused(keys, problem) | {"kept": answers}  # whom she kept out stays out
        me = Reporter(keys)
        epoch, sealed = acts.first_letter(me, chain.newest, house.hash, out, content, self.day, os.urandom)
        reply = {
            **me.proofs,
            "stream": "thread",
            "number": 1,
            "epoch": 1,
            "sealed": sealed,
            "uploads": [],
            "epochs": [epoch],
        }
        answer = _ask({"reply": reply})
        if {"stale", "unknown"} & set(answer):
            return self._refused(keys, "concern.code.failed", "concern.back.not_taken")
        return self._show(keys)


@dataclass(frozen=True, slots=True)
class Opened1:
    """An opened case of version 1."""

    file: dict[str, Any]
    case: OpenedFirst


@dataclass(frozen=True, slots=True)
class Opened2:
    """An opened case of version 2."""

    file: dict[str, Any]
    case: OpenedCase


def _is_last(opened: Opened1 | Opened2, stream: str, kind: str, content: Mapping[str, Any], day: date) -> bool:
    """Whether the reporter's last letter is just this, of this day: a form sent twice."""
    if isinstance(opened, Opened1):
        last = opened.case.streams.get(stream, [])[-1:]
        said = [(m.author, m.kind, m.day.isoformat(), m.content) for m in last]
    else:
        letters = (opened.case.diary if stream == "diary" else opened.case.thread)[-1:]
        said = [(one["from"], one["kind"], one["day"], one.content or {}) for one in letters]
    return said == [(REPORTER, kind, day.isoformat(), content)]


class CaseGone(Exception):
    """No case under this code: unknown, wrong or deleted."""


def main() -> None:
    """Serve one form and end."""
    given = json.loads(sys.stdin.buffer.readline())
    process = None
    try:
        process = LetterProcess(given, sys.stdin.buffer.read(given["length"]))
        end = process.run()
    except Again as problem:
        end = {"again": str(problem)}
        if process is not None and process.shown:
            end |= {"form": process.form, "photo": process.photo is not None}
    except CaseGone:
        end = {"again": "concern.back.unknown", "back": True}
    except CannotOpen:
        end = {"again": "concern.back.damaged", "back": True}
    _say({"end": end})


if __name__ == "__main__":
    main()
