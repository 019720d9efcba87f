"""What a short-lived process does for a reporter whose browser runs no script: it reads her form, derives the keys of her
code, seals or opens, and ends. Words and keys live in its memory alone; nothing is written.

It speaks lines of JSON with `server.reporters.plain`, which does the storing: first line and form in; then questions out
and answers in, until ``{"end": …}``. Started by nobody else.
"""

import base64
import json
import os
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from server.reporters.opened import Opened1, Opened2, is_last, open_first, open_second
from server.reporters.posted import Again, Posted, clean_photo, read_form
from server.reporters.shown import has_said, read_lists, shown_first, shown_second, signers_of
from surveys.cases import acts, composing, letters
from surveys.cases.acts import Reporter
from surveys.cases.codes import (
    CodeKeys,
    NotACode,
    Secret,
    derive,
    read_code,
)
from surveys.cases.composing import Entry
from surveys.cases.incoming import FILES
from surveys.cases.sealing import CannotOpen
from surveys.public.house import HouseFile
from surveys.public.rings import Chain

REPLIES = ("message", "meeting", "retaliation", "contest", "consent_yes", "consent_no")


def _say(message: Mapping[str, Any]) -> None:
    print(json.dumps(message) + "\n", end="", flush=True)


def _ask(message: Mapping[str, Any]) -> dict[str, Any]:
    _say(message)
    answer: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    return answer


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
        self.posted = Posted(*read_form(body, given["kind"]))

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
            secret = read_code(self.posted.first("code"))
        except NotACode:
            return {"again": "concern.back.bad", "back": True}
        self.secret = secret
        keys = derive(secret, self.salt)
        match self.posted.first("do"):
            case "send" | "diary" as wanted:
                self.posted.confirm(secret)
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

    def _attached(self, content: dict[str, Any]) -> list[str]:
        """Seal a photo and have its pieces kept; it travels in the message under a key of its own."""
        if self.posted.photo is None:
            return []
        sealed, entry = composing.seal_file("photo.jpg", "image/jpeg", clean_photo(self.posted.photo[1]))
        if "full" in _ask({"piece": base64.b64encode(sealed).decode(), "upload": entry["upload"]}):
            raise Again("concern.write.files_full")
        content["files"] = [entry]
        return [entry["upload"]]

    def _new(self, keys: CodeKeys, *, diary: bool) -> dict[str, Any]:
        house, chain = self.anchored
        out = self.posted.kept_out()
        if not diary and not self.posted.asked_for(chain.newest):
            raise Again("concern.who.changed")
        if not diary and not acts.readers_left(chain.newest, out):
            raise Again("concern.who.few_stop")
        content = self.posted.content(self.secret)
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

    def _opened(self, keys: CodeKeys) -> Opened1 | Opened2:
        """The case of this code, opened by the rules of its version."""
        file = _ask({"do": "file", **Reporter(keys).proofs})
        if "unknown" in file:
            raise CaseGone
        if file["version"] == 1:
            return open_first(keys, file, signers_of(self.keyrings))
        house, chain = self.anchored
        return open_second(keys, file, house.hash, chain)

    def _show(self, keys: CodeKeys) -> dict[str, Any]:
        """The letters; a page that may have been sent before is told that its words were kept, and shown none."""
        if not self.shown:
            wrote = self.posted.first("do") in ("send", "diary", "reply", "send_diary")
            diary = self.posted.first("do") == "diary" or self.posted.first("kind") == "diary"
            return {"sent": "diary" if diary else "report"} if wrote else {"again": "concern.back.again", "back": True}
        opened = self._opened(keys)
        shown = shown_first(opened.file, opened.case) if isinstance(opened, Opened1) else self._shown(keys, opened)
        return shown | {"code": self.posted.first("code")}

    def _refused(self, keys: CodeKeys, problem: str, unseen: str = "") -> dict[str, Any]:
        """The letters, and above them what was not taken; a page that shows no letter says `unseen` alone, and never that it arrived."""
        if not self.shown:
            return {"again": unseen or problem, "back": True}
        return self._show(keys) | {"problem": problem}

    def _shown(self, keys: CodeKeys, opened: Opened2) -> dict[str, Any]:
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
        if not uploads and any(is_last(opened, stream, one, content, self.day) for one in (kind, again)):
            return self._show(keys)  # the same form sent twice
        made = (
            self._reply_first(keys, opened, stream, kind, content)
            if isinstance(opened, Opened1)
            else self._reply_second(keys, opened, kind, content)
        )
        answer = _ask({"reply": made | {"uploads": uploads} | dict(extra or {})})
        if "stale" in answer or "unknown" in answer:
            problem = "concern.thread.stale" if "stale" in answer else "concern.code.failed"
            return self._refused(keys, problem, "concern.back.not_taken") | self.posted.written()
        return self._show(keys)

    def _reply_first(
        self, keys: CodeKeys, opened: Opened1, stream: str, kind: str, content: dict[str, Any]
    ) -> dict[str, Any]:
        if stream not in opened.case.newest:
            raise Again("concern.code.failed")
        fingerprint = self.keyrings[-1].fingerprint if self.keyrings else ""
        identity = opened.case.newest[stream][1]
        return composing.reply(
            keys, keys.case, stream, opened.case.streams[stream], identity, Entry(kind, content), self.day, fingerprint
        )

    def _reply_second(self, keys: CodeKeys, opened: Opened2, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        house, chain = self.anchored
        me, case = Reporter(keys), opened.case
        if kind == "diary" and not case.problem:
            return acts.diary(me, house.hash, content, self.day, os.urandom, case)
        if case.fold is None or case.problem:
            raise CannotOpen(case.problem or "gone")
        return me.proofs | acts.letter(case.fold, chain.newest, me.author, kind, content, self.day, os.urandom)

    def _reply(self, keys: CodeKeys) -> dict[str, Any]:
        wanted = self.posted.first("kind")
        if wanted not in (*REPLIES, "diary"):
            wanted = "message"
        try:
            content = self.posted.content(self.secret)
            uploads = self._attached(content)
        except Again as problem:
            return self._refused(keys, str(problem)) | self.posted.written()
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
        picked = [letter for letter in opened.case.diary if str(letter["number"]) in self.posted.form.get("pick", ())]
        out = self.posted.kept_out()
        content = acts.from_diary(picked)
        problems = {
            "concern.write.empty": not picked,
            "concern.who.changed": not self.posted.asked_for(chain.newest),
            "concern.who.few_stop": not acts.readers_left(chain.newest, out),
            "concern.write.files_many": len(content.get("files", ())) > FILES,
            "concern.write.long": not letters.fits(content),
        }
        if problem := next((key for key, is_so in problems.items() if is_so), ""):
            answers = {name: given for name, given in self.posted.form.items() if name.startswith("reads.")}
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
            end |= {"form": process.posted.form, "photo": process.posted.photo is not None}
    except CaseGone:
        end = {"again": "concern.back.unknown", "back": True}
    except CannotOpen:
        end = {"again": "concern.back.damaged", "back": True}
    _say({"end": end})


if __name__ == "__main__":
    main()
