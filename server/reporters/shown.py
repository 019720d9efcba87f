"""What a page without a script shows of an opened thread: made in the short-lived process, as texts and days."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from surveys.cases import clocks
from surveys.cases.clocks import Days, State, YearsKept
from surveys.cases.codes import CodeKeys, expand, word_list
from surveys.cases.letters import REPORTER, Letter
from surveys.cases.opening import head_words, redacted_text
from surveys.cases.sealed_case import OpenedCase
from surveys.cases.thread import OpenedFirst
from surveys.public import house as house_file
from surveys.public import keyring, rings
from surveys.public.house import HouseFile
from surveys.public.keyring import Keyring
from surveys.public.readers import vouched
from surveys.public.rings import Chain


def read_lists(given: Mapping[str, Any]) -> tuple[HouseFile | None, Chain | None, list[Keyring]]:
    """Check house, rings and keyrings again, from their texts alone.

    Raises
    ------
    HouseRefused, RingRefused, KeyringRefused
    """
    old: list[Keyring] = []
    for version in given["keyrings"]:
        old.append(keyring.verify(version["text"], version["signatures"], old[-1] if old else None))
    if not given["house"]:
        return None, None, old
    house = house_file.read(given["house"])
    if not given["rings"]:
        return house, None, old
    found = rings.chain([(one["text"], one["signatures"]) for one in given["rings"]], house)
    still = given["still"]
    vouched(Chain(found, None), old)
    if still is None:
        return house, Chain(found, None), old
    newest = rings.lengthened(found[-1], still["text"], still["signatures"], house)
    return house, Chain((*found[:-1], newest), (still["text"], tuple(still["signatures"]))), old


def signers_of(keyrings: list[Keyring]) -> dict[str, set[str]]:
    """Whose signatures count in a case of version 1."""
    found: dict[str, set[str]] = {}
    for ring in keyrings:
        for reader in ring.readers:
            found.setdefault(reader.id, set()).add(reader.signer)
    return found


def shown_first(file: dict[str, Any], case: OpenedFirst) -> dict[str, Any]:
    """A thread of version 1: its letters, and its state as the store says it."""
    letters = [
        {
            "stream": stream,
            "number": m.number,
            "from": m.author,
            "kind": m.kind,
            "day": m.day.isoformat(),
            "text": str(m.content.get("text", "")),
            "files": [f["name"] for f in m.content.get("files", ())],
        }
        for stream in ("diary", "thread")
        for m in case.streams.get(stream, ())
    ]
    return {"letters": letters, "file": file, "notes": ["concern.thread.old_form"], "old": True}


def shown_second(
    file: dict[str, Any], case: OpenedCase, keys: CodeKeys, chain: Chain | None, day: date
) -> dict[str, Any]:
    """A thread of version 2: letters, state, days and readers as they follow from signed letters."""
    letters = [_letter(case, one, "diary") for one in case.diary] + [
        _letter(case, one, "thread") for one in case.thread
    ]
    shown: dict[str, Any] = {
        "letters": letters,
        "file": file,
        "notes": [],
        "old": False,
        "problem_word": case.problem,
        "fails": _fails(case),
    }
    fold = case.fold
    if fold is None:
        return shown | {
            "file": file | {"state": State.DIARY, "dates": {}, "readers": []},
            "lost": bool(case.problem),
        }
    days = Days(
        State(fold.state),
        *(date.fromisoformat(d) if d else None for d in (fold.received, fold.acknowledged, fold.outcome)),
    )
    last, count = fold.last_of("reporter", case.thread)
    names = {reader.id: reader.name for ring in (chain.rings if chain else ()) for reader in ring.readers}
    if chain is not None and chain.newest.is_overdue(day):
        shown["notes"].append("concern.who.overdue")
    return shown | {
        "file": file
        | {
            "state": fold.state,
            "contested": fold.contested,
            "received": fold.received,
            "acknowledged": fold.acknowledged,
            "outcome": fold.outcome,
            "recovered": "",
            "dates": dates_of(days, day, partial(clocks.years_kept, int(file["years"]), file["longer"])),
            "readers": [*(names.get(name, name) for name in fold.readers), *(["recovery"] if fold.recovery else [])],
        },
        "mine": {"day": last, "count": count},
        "head": list(head_words(keys.head, fold, expand, word_list())),
        "names": names,
    }


FAILED = ("epoch_broken", "wrap_not_mine", "key_other")
"""What keys of a change that do not open look like."""


def has_said(case: OpenedCase) -> bool:
    """Whether the reporter has said already that the keys in use do not open for her."""
    claims = case.fold.claims.get(case.fold.act) if case.fold is not None else None
    return REPORTER in case.claimed or (claims is not None and REPORTER in claims.by)


def _fails(case: OpenedCase) -> str:
    """Whether she could say that keys do not open for her, or has said it."""
    if case.fold is None or case.problem not in FAILED or case.fold.act not in case.fold.claims:
        return ""
    return "said" if has_said(case) else "may"


def dates_of(days: Days, day: date, years: YearsKept) -> dict[str, str]:
    """What comes next and by when, in ISO days."""
    found = {}
    if days.received is not None:
        found["acknowledge"] = str(clocks.acknowledge_by(days.received))
        found["outcome"] = str(clocks.outcome_by(days))
    if (late := clocks.overdue_since(days, day)) is not None:
        found["late"] = str(late)
    if days.outcome is not None:
        found["second"] = str(clocks.add_months(days.outcome, clocks.OUTCOME_MONTHS))
        found["keep"] = str(clocks.keep_until(days.outcome, years(days.outcome)))
    return found


def _letter(case: OpenedCase, letter: Letter, stream: str) -> dict[str, Any]:
    content = letter.content or {}
    text = redacted_text(case, letter["number"]) if stream == "thread" else None
    return {
        "stream": stream,
        "number": letter["number"],
        "from": letter["from"],
        "kind": letter["kind"],
        "day": letter["day"],
        "text": str(content.get("text", "")) if text is None else text,
        "taken": text is not None,
        "void": stream == "thread" and case.fold is not None and letter["number"] in case.fold.void,
        "files": [f["name"] for f in content.get("files", ())] if text is None else [],
    }
