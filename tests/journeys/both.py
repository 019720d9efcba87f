"""One sealed case opened twice: by Python and by the browser's scripts, on the same bytes; for tests of the protocol."""

import base64
import json
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from surveys.cases.acts import Reporter
from surveys.cases.bundles import HandlerKeys
from surveys.cases.letters import REPORTER
from surveys.cases.opening import handler, open_case
from surveys.cases.sealed_case import OpenedCase, SealedCase, SealedEpochRow, SealedLetter
from surveys.cases.sealing import CannotOpen, identity_text
from surveys.public import rings
from surveys.public.house import HouseRefused
from surveys.public.house import read as read_house
from surveys.public.statements import RingRefused

STATIC = Path(__file__).parents[2] / "server" / "static"
SCRIPTS = ("sealing.js", "concern-protocol.js", "signed.js", "fold.js")
OPEN = """
async ({ lists, file, me, printed }) => {
  try {
    const house = Signed.readHouse(lists.house, printed);
    const chain = Signed.readChain(lists.rings, lists.still, house);
    const opened = await Fold.openCase(file, me, house.hash, chain);
    const f = opened.fold;
    const claims = Object.fromEntries([...(f ? f.claims : [])].filter(([, one]) => one.by.size).map(([change, one]) => [change, [...one.by].sort()]));
    const marks = { late: [...opened.lateNotes.keys()].sort((a, b) => a - b), claimed: [...opened.claimed].sort(), claims };
    const marked = Object.fromEntries(Object.entries(marks).filter(([, found]) => Object.keys(found).length));
    return { ...marked, problem: opened.problem, notesProblem: opened.notesProblem, texts: [...opened.diary, ...opened.thread, ...opened.notes].map((one) => (one.content ? one.content.text : null)),
      fold: f && { epoch: f.epoch, state: f.state, readers: [...f.readers.keys()].sort(), head: f.head, count: f.count, days: [f.received, f.acknowledged, f.outcome] } };
  } catch (problem) {
    if (!(problem instanceof Protocol.CannotOpen)) throw problem;
    return { refused: problem.message };
  }
}
"""


async def load(page: Page) -> None:
    """Put the scripts into an empty page of a place that browsers trust as they trust https; nothing is asked of any network."""
    await page.route("**/*", lambda route: route.fulfill(content_type="text/html", body="<title>empty</title>"))
    await page.goto("http://localhost/")
    for name in SCRIPTS:
        # a const at the top of a classic script is seen by what is evaluated later, as on the real pages
        await page.add_script_tag(content=(STATIC / name).read_text("utf-8"))


def lists_of(house: str, chain: list[rings.Ring]) -> dict[str, Any]:
    """House and rings as the server hands them out."""
    found = [{"text": ring.text, "signatures": [dict(s) for s in ring.signatures]} for ring in chain]
    return {"house": house, "rings": found, "still": None, "keyrings": []}


def file_of(case: SealedCase) -> dict[str, Any]:
    """A sealed case as JSON."""
    return {
        "case": case.case,
        "epochs": [
            {"stream": e.stream, "number": e.number, "wrap": _b64(e.wrap), "link": _b64(e.link)}
            | ({"at": e.at} if e.at else {})
            for e in case.epochs
        ],
        "messages": [
            {"stream": m.stream, "number": m.number, "epoch": m.epoch, "sealed": _b64(m.sealed)} for m in case.letters
        ],
    }


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def by_python(
    lists: dict[str, Any], file: dict[str, Any], who: Reporter | tuple[str, HandlerKeys], printed: str
) -> dict[str, Any]:
    """What Python says of a case file."""
    try:
        house = read_house(lists["house"])
        if house.printed != printed:
            return {"refused": "house_other"}
        found = rings.chain([(one["text"], one["signatures"]) for one in lists["rings"]], house)
        if not found:
            return {"refused": "ring_broken"}
    except HouseRefused:
        return {"refused": "house_other"}
    except RingRefused:
        return {"refused": "ring_broken"}
    epochs = [
        SealedEpochRow(
            e["stream"], e["number"], base64.b64decode(e["wrap"]), base64.b64decode(e["link"]), e.get("at", 0)
        )
        for e in file["epochs"]
    ]
    letters = [
        SealedLetter(m["stream"], m["number"], m["epoch"], base64.b64decode(m["sealed"])) for m in file["messages"]
    ]
    party = who.party if isinstance(who, Reporter) else handler(who[0], who[1].identity)
    try:
        return told(open_case(SealedCase(file["case"], epochs, letters), party, house.hash, rings.Chain(found, None)))
    except CannotOpen as problem:
        return {"refused": str(problem)}


def told(opened: OpenedCase) -> dict[str, Any]:
    fold = opened.fold
    claims = {change: sorted(one.by) for change, one in fold.claims.items() if one.by} if fold else {}
    marks = {"late": sorted(opened.late_notes), "claimed": sorted(opened.claimed), "claims": claims}
    marked = {name: found for name, found in marks.items() if found}
    return {
        "problem": opened.problem,
        "notesProblem": opened.notes_problem,
        "texts": [
            one.content["text"] if one.content else None for one in (*opened.diary, *opened.thread, *opened.notes)
        ],
        "fold": None
        if fold is None
        else {
            "epoch": fold.epoch,
            "state": fold.state,
            "readers": sorted(fold.readers),
            "head": fold.head,
            "count": fold.count,
            "days": [fold.received, fold.acknowledged, fold.outcome],
        },
    } | marked


async def by_browser(
    page: Page, lists: dict[str, Any], file: dict[str, Any], who: Reporter | tuple[str, HandlerKeys], printed: str
) -> dict[str, Any]:
    """What the browser says of the same."""
    if isinstance(who, Reporter):
        keys = who.keys
        me: dict[str, Any] = {
            "name": REPORTER,
            "identity": identity_text(keys.x25519),
            "signer": who.signer,
            "reader": who.reader,
            "first": {"thread": identity_text(keys.thread), "diary": identity_text(keys.diary)},
        }
    else:
        me = {"name": who[0], "identity": who[1].identity, "first": {}, "signer": "", "reader": ""}
    said: dict[str, Any] = await page.evaluate(OPEN, {"lists": lists, "file": file, "me": me, "printed": printed})
    plain: dict[str, Any] = json.loads(json.dumps(said))
    return plain
