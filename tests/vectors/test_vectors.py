"""The frozen vectors of docs/protocol.md, read by Python and by the browser; neither side can drift with the other."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from surveys import signed
from surveys.cases import age_file, codes, letters, recovery, wraps
from surveys.cases.acts import Reporter
from surveys.cases.bundles import HandlerKeys
from surveys.cases.codes import Secret
from surveys.cases.letters import REPORTER
from surveys.cases.opening import head_words, open_case
from surveys.cases.sealed_case import SealedCase, SealedEpochRow, SealedLetter
from surveys.public import house as house_file
from surveys.public import rings, statements
from tests.journeys import both
from tests.vectors import scenes
from tests.vectors.generate import PLACE, make

V: dict[str, Any] = json.loads(PLACE.read_text("utf-8"))
HOUSE = house_file.read(V["house"]["text"])
LISTS = {
    "house": V["house"]["text"],
    "rings": [{"text": V["ring"]["text"], "signatures": V["ring"]["signatures"]}],
    "still": None,
    "keyrings": [],
}


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    opened = await (await browser.new_context()).new_page()
    await both.load(opened)
    yield opened
    await opened.context.close()


def who(name: str) -> Any:
    if name == REPORTER:
        return Reporter(codes.derive(Secret(bytes.fromhex(V["code"]["secret"])), bytes.fromhex(V["code"]["salt"])))
    return name, HandlerKeys(
        bytes.fromhex(V["handlers"][name]["x25519"]), bytes.fromhex(V["handlers"][name]["ed25519"])
    )


def test_the_generator_makes_the_same_vectors_again() -> None:
    before = age_file.random_bytes
    try:
        assert json.loads(json.dumps(make())) == V
    finally:
        age_file.random_bytes = before


def test_house_ring_still_and_statements_are_what_the_vectors_say() -> None:
    assert (HOUSE.hash, HOUSE.printed, " ".join(HOUSE.words)) == (
        V["house"]["hash"],
        V["house"]["printed"],
        V["house"]["words"],
    )
    ring = rings.verify(V["ring"]["text"], V["ring"]["signatures"], HOUSE, None)
    assert ring.hash == V["ring"]["hash"]
    assert rings.lengthened(ring, V["still"]["text"], V["still"]["signatures"], HOUSE).until > ring.until
    for name, one in V["handlers"].items():
        statement = statements.read_statement(one["statement"], HOUSE.hash)
        assert (statement.id, statement.recipient, statement.signer, " ".join(statement.words)) == (
            name,
            one["recipient"],
            one["signer"],
            one["words"],
        )
        assert signed.public_of(bytes.fromhex(one["ed25519"])) == one["signer"]


def test_a_code_derives_what_the_vectors_say() -> None:
    secret = codes.read_code(V["code"]["words"])
    assert secret.hex() == codes.read_code(V["code"]["digits"]).hex() == V["code"]["secret"]
    me = who(REPORTER)
    derived = {name: getattr(me.keys, name).hex() for name in V["derived"] if name not in ("signer", "reader", "case")}
    assert derived | {"signer": me.signer, "reader": me.reader, "case": me.case} == V["derived"]


def test_letters_read_and_write_to_the_same_bytes() -> None:
    for plain in V["letters"]:
        letter = letters.read(plain)
        outer = json.loads(plain)
        body, head = json.loads(outer["content"]), dict(letter.head.body)
        place = letters.Place(
            head["house"],
            head["case"],
            head["start"],
            head["stream"],
            head["number"],
            head["before"],
            head["epoch"],
            head["to"],
            head["ring"]["number"],
            head["ring"]["hash"],
            head["thread"],
        )
        seed = bytes.fromhex(
            V["derived"]["ed25519"] if head["from"] == REPORTER else V["handlers"][head["from"]]["ed25519"]
        )
        again, _ = letters.write(
            place,
            letters.Author(head["from"], seed),
            head["kind"],
            head["day"],
            body,
            bytes.fromhex(outer["salt"]),
            head["terms"],
        )
        assert again == plain


@pytest.mark.parametrize("name", [REPORTER, "anna", "carla", "esterna", "bruno"])
async def test_each_reader_opens_the_case_of_the_vectors_in_both_languages(page: Page, name: str) -> None:
    here = both.by_python(LISTS, V["files"][name], who(name), HOUSE.printed)
    assert here == await both.by_browser(page, LISTS, V["files"][name], who(name), HOUSE.printed)
    if name == "bruno":
        assert (
            here["problem"] != "" and "Non basta." in V["opened"]["anna"]["texts"] and "Non basta." not in here["texts"]
        )
    else:
        assert here == V["opened"][name]


def test_two_recovery_holders_open_the_case_of_the_vectors() -> None:
    chain = rings.Chain((rings.verify(V["ring"]["text"], V["ring"]["signatures"], HOUSE, None),), None)
    for pair in wraps.PAIRS:
        file = V["files"][wraps.pair_name(pair)]
        import base64

        epochs = [
            SealedEpochRow(e["stream"], e["number"], base64.b64decode(e["wrap"]), base64.b64decode(e["link"]))
            for e in file["epochs"]
        ]
        rows = [
            SealedLetter(m["stream"], m["number"], m["epoch"], base64.b64decode(m["sealed"])) for m in file["messages"]
        ]
        party = recovery.party(V["recovery"][pair[0]], V["recovery"][pair[1]])
        opened = open_case(SealedCase(file["case"], epochs, rows), party, HOUSE.hash, chain)
        assert both.told(opened)["texts"] == V["opened"][REPORTER]["texts"]


async def test_words_and_keys_of_the_vectors_are_the_browser_s_too(page: Page) -> None:
    list_ = (both.STATIC / "words.txt").read_text().strip().split("\n")
    said = await page.evaluate(
        """async ({ V, list }) => {
          const keys = await Protocol.derive(Protocol.readCode(V.code.digits, []), V.code.salt);
          const house = Signed.readHouse(V.house.text, V.house.printed);
          const statement = (one) => Signed.sixWords(Signed.readStatement(one.statement, house.hash).hash, list).join(" ");
          return { words: Signed.wordsOf(house.printed, list).join(" "), code: Protocol.toWords(Protocol.readCode(V.code.digits, []), list).join(" "),
            locator: keys.locator, auth: keys.auth, head: Protocol.hex(keys.head), case: Fold.caseOf(keys.signer, keys.recipient),
            six: Object.fromEntries(Object.entries(V.handlers).map(([name, one]) => [name, statement(one)])),
            until: Signed.readChain([V.ring], V.still, house).newest.until };
        }""",
        {"V": V, "list": list_},
    )
    assert said == {
        "words": V["house"]["words"],
        "code": V["code"]["words"],
        "locator": V["derived"]["locator"],
        "auth": V["derived"]["auth"],
        "head": V["derived"]["head"],
        "case": V["derived"]["case"],
        "six": {name: one["words"] for name, one in V["handlers"].items()},
        "until": json.loads(V["still"]["text"])["until"],
    }


def test_the_two_words_of_the_vectors_follow_from_the_head_key() -> None:
    me, chain = (
        who(REPORTER),
        rings.Chain((rings.verify(V["ring"]["text"], V["ring"]["signatures"], HOUSE, None),), None),
    )
    import base64

    file = V["files"][REPORTER]
    epochs = [
        SealedEpochRow(e["stream"], e["number"], base64.b64decode(e["wrap"]), base64.b64decode(e["link"]))
        for e in file["epochs"]
    ]
    rows = [SealedLetter(m["stream"], m["number"], m["epoch"], base64.b64decode(m["sealed"])) for m in file["messages"]]
    fold = open_case(SealedCase(file["case"], epochs, rows), me.party, HOUSE.hash, chain).fold
    assert fold is not None and list(head_words(me.keys.head, fold, codes.expand, codes.word_list())) == V["head_words"]


SCENES: dict[str, Any] = json.loads(scenes.PLACE.read_text("utf-8"))


def test_the_generator_makes_the_same_scenes_again() -> None:
    before = age_file.random_bytes
    try:
        assert json.loads(json.dumps(scenes.make())) == SCENES
    finally:
        age_file.random_bytes = before


WORDS = {
    "allowed": "",
    "wished_and_left": "",
    "redacted": "",
    "undone": "",
    "newer_ring": "",
    "without_recovery": "",
    "expelled_alone": "expel_refused",
    "let_in_alone": "gain_refused",
    "emptied_alone": "redaction_alone",
    "notes_hidden": "",
    "failed_twice": "",
    "failed_once": "",
    "failing": "",
    "beside": "",
    "gone_back_alone": "epoch_broken",
    "noted_late": "",
}


@pytest.mark.parametrize("scene", sorted(SCENES))
async def test_each_scene_is_read_alike_by_both_and_as_it_was_frozen(page: Page, scene: str) -> None:
    there = SCENES[scene]
    assert {there["opened"][name]["problem"] for name in (REPORTER, "anna")} == {WORDS[scene]}
    assert there["opened"]["anna"]["notesProblem"] == ""
    for name in (REPORTER, "anna", "bruno"):
        if name == REPORTER:
            me: Any = Reporter(codes.derive(Secret(bytes.fromhex(there["secret"])), bytes.fromhex(there["salt"])))
        else:
            me = name, HandlerKeys(*(bytes.fromhex(there["handlers"][name][key]) for key in ("x25519", "ed25519")))
        assert both.by_python(there["lists"], there["files"][name], me, there["printed"]) == there["opened"][name]
        assert (
            await both.by_browser(page, there["lists"], there["files"][name], me, there["printed"])
            == there["opened"][name]
        )
