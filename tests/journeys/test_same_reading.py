"""What Python and the browser's scripts take a text for is the same."""

import base64
import copy
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyrage
import pytest
from playwright.async_api import Browser

from server.frame.texts import say
from surveys import signed
from surveys.cases import clocks, codes
from surveys.cases.letters import REPORTER
from surveys.cases.sealing import CannotOpen, decrypt, decrypt_ours, encrypt, identity_text, recipient_of_identity
from surveys.signed import HIDING, alike, named
from tests.journeys import both
from tests.journeys.channel import Channel, phone, running
from tests.server.frame.test_terminal import PAINTS
from tests.surveys.cases.memory import Kept, World, dice_of, readers_but, report
from tests.surveys.cases.test_fold import ANOTHER, KEPT_OUT, LOOKS_THE_SAME, returning

SECRET = codes.Secret(bytes(range(11)))
ZEROS = "0٠۰০०๐០０𝟎"


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


async def test_a_code_in_the_digits_of_any_script_is_found_on_the_phone_as_on_the_server(browser: Browser) -> None:
    """Done by an attacker: a reporter with an Arabic keyboard sent her own code to the handlers."""
    page = await (await browser.new_context()).new_page()
    await both.load(page)
    holds = "({ text, secret }) => Protocol.holdsCode(text, new Uint8Array(secret), null)"
    for zero in ZEROS:
        typed = " ".join("".join(chr(ord(zero) + int(digit)) for digit in group) for group in codes.to_digits(SECRET))
        for text in (f"il mio codice: {typed}", f"il mio codice: {typed[:-1]}", f"1{typed}"):
            found = await page.evaluate(holds, {"text": text, "secret": list(SECRET)})
            assert found == codes.holds_code(text, SECRET), (zero, text)
            assert found == (not text.endswith(typed[:-1]))


async def test_a_code_that_is_typed_in_the_digits_of_any_script_opens_in_both(browser: Browser) -> None:
    """Found from outside: the page in Arabic called a right code wrong, where the phone's keyboard has Arabic digits."""
    page = await (await browser.new_context()).new_page()
    await both.load(page)
    reads = "typed => { try { return Protocol.hex(Protocol.readCode(typed, [])); } catch (problem) { return problem.message; } }"
    for zero in ZEROS:
        typed = " ".join("".join(chr(ord(zero) + int(digit)) for digit in group) for group in codes.to_digits(SECRET))
        assert codes.read_code(typed) == SECRET
        assert await page.evaluate(reads, typed) == SECRET.hex(), zero


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
async def test_a_report_is_sent_where_the_parts_of_the_code_are_typed_in_arabic_digits(
    browser: Browser, channel: Channel, script: bool
) -> None:
    context, page = await phone(browser, "ar", script=script)
    await page.goto(f"{channel.address}/concern?lang=ar")
    await page.click('a[href="#who"]')
    await page.click('#who a[href="#write"]')
    await page.fill("#text", "كلمات")
    await page.click("#to-check")
    if script:
        await page.click('#check a[href="#code"]')
    await page.wait_for_selector(".secret span")
    parts = await page.locator(".secret span").all_inner_texts()
    for part in (2, 6):
        await page.fill(f"#part{part}", parts[part - 1].translate({48 + n: 0x660 + n for n in range(10)}))
    await page.click("#send" if script else "button[value=send]")
    await page.wait_for_selector(f'h1:text-is("{say("ar", "concern.sent.title")}")')
    await context.close()


async def test_somebody_kept_out_who_returns_under_a_name_that_looks_the_same_is_refused_by_both(
    browser: Browser,
) -> None:
    page = await (await browser.new_context()).new_page()
    await both.load(page)
    for name in (*LOOKS_THE_SAME, *ANOTHER):
        assert await page.evaluate("name => Signed.alike(name)", name) == alike(name), ascii(name)
        assert (alike(name) == alike(KEPT_OUT)) is (name in LOOKS_THE_SAME), ascii(name)
        kept = returning(name)
        lists, file = both.lists_of(kept.world.anchor.text, kept.world.found), both.file_of(kept.sealed(REPORTER))
        said = both.by_python(lists, file, kept.me, kept.world.anchor.printed)
        assert said["problem"] == ("out_returns" if name in LOOKS_THE_SAME else "")
        assert said == await both.by_browser(page, lists, file, kept.me, kept.world.anchor.printed), ascii(name)


MARK = "\ufeff".encode()


def _marked(kept: Kept, what: str) -> Kept:
    """The case with a byte order mark before what is sealed: its first letter, Anna's wraps, the link of its second epoch."""
    first = identity_text(kept.me.keys.thread)
    branch = copy.deepcopy(kept)
    if what == "letter":
        row = branch.rows[0]
        branch.rows[0] = replace(row, sealed=encrypt(MARK + decrypt(row.sealed, first), recipient_of_identity(first)))
    elif what == "wrap":
        anna = kept.world.keys["anna"]
        for epoch in branch.epochs:
            epoch["wraps"]["anna"] = encrypt(MARK + decrypt(epoch["wraps"]["anna"], anna.identity), anna.recipient)
    if what in ("link", "no wrap"):
        del branch.epochs[0]["wraps"]["anna"]  # she comes to the first epoch by the link alone
    if what == "link":
        second = _identity_of(kept)
        branch.epochs[1]["link"] = encrypt(
            MARK + decrypt(kept.epochs[1]["link"], second), recipient_of_identity(second)
        )
    return branch


def _identity_of(kept: Kept) -> str:
    """The second epoch's private half, from Anna's wrap."""
    anna = kept.world.keys["anna"]
    found = signed.read(decrypt(kept.epochs[1]["wraps"]["anna"], anna.identity).decode().rstrip(" "), "wrap")
    return str(found.body["identity"])


async def test_a_byte_order_mark_before_what_is_signed_is_refused_by_both(browser: Browser) -> None:
    """Done by an attacker: the browser took the mark off and showed the letter, Python refused it."""
    page = await (await browser.new_context()).new_page()
    await both.load(page)
    world = World(dice_of(9))
    kept = report(world, "la storia")
    kept.change("carla", readers_but(kept))
    lists, printed = both.lists_of(world.anchor.text, world.found), world.anchor.printed
    unread = {("letter", REPORTER), ("letter", "anna"), ("wrap", "anna"), ("link", "anna")}
    for what in ("nothing", "letter", "wrap", "no wrap", "link"):
        for who, name in ((kept.me, REPORTER), (("anna", world.keys["anna"]), "anna")):
            file = both.file_of(_marked(kept, what).sealed(name))
            said = both.by_python(lists, file, who, printed)
            assert said == await both.by_browser(page, lists, file, who, printed), (what, name)
            assert ("la storia" in said.get("texts", [])) is ((what, name) not in unread), (what, name, said)
    assert (
        await page.evaluate("bytes => Protocol.text(new Uint8Array(bytes))", list(MARK + b"{}"))
        == (MARK + b"{}").decode()
    )


async def test_one_name_of_every_letter_has_one_form_in_both(browser: Browser) -> None:
    """Every assigned character of the first plane that a name may hold, each between two letters."""
    page = await (await browser.new_context()).new_page()
    await both.load(page)
    names = [
        f"a{chr(n)}b C" for n in range(32, 0xFFFE) if unicodedata.category(chr(n)) not in {*HIDING, "Cs", "Cn", "Co"}
    ]
    found = await page.evaluate("names => names.map(Signed.alike)", names)
    assert len(names) > 50_000
    assert [ascii(name) for name, form in zip(names, found, strict=True) if form != alike(name)] == []


async def test_a_name_that_could_paint_over_others_is_refused_by_both(browser: Browser) -> None:
    page = await (await browser.new_context()).new_page()
    await both.load(page)
    good = ("Marta Inventata", "مرتا", "O’Brien-Łukasz", "Anna\u00a0Maria", "王芳", "😀")
    for name, fits in (
        [(one, True) for one in good]
        + [(f"Marta{paints}", False) for paints in PAINTS]
        + [("", False), ("a" * 121, False)]
    ):
        assert (named(1, 120)(name), await page.evaluate("name => Signed.is.named(1, 120)(name)", name)) == (
            fits,
            fits,
        ), repr(name)


NUMBERS = '{"n":%s}'
TIRING = {
    "lists in lists": "[" * 40_000 + "]" * 40_000,
    "objects in objects": '{"a":' * 3000 + "1" + "}" * 3000,
    "just too deep": "[" * 33 + "]" * 33,
    "5,000 digits": NUMBERS % ("1" * 5000),
    "minus 5,000 digits": NUMBERS % ("-" + "9" * 5000),
    "17 digits": NUMBERS % ("1" * 17),
}
FINE = ["[" * 32 + "]" * 32, NUMBERS % (2**53 - 1), NUMBERS % -(2**53 - 1), '{"text":"[[[[{{{{\\\\\\"[[["}']


async def test_what_would_tire_a_reader_out_is_refused_by_both(browser: Browser) -> None:
    """Done by an attacker: a letter nested 40,000 deep opened nothing in the browser; a number of 5,000 digits was a fault of the server."""
    page = await (await browser.new_context()).new_page()
    await both.load(page)
    read = "text => { try { Signed.parse(text); return true; } catch (problem) { if (!(problem instanceof Protocol.CannotOpen)) throw problem; return false; } }"
    for name, text in TIRING.items():
        with pytest.raises(signed.NotSigned):
            signed.parse(text)
        assert await page.evaluate(read, text) is False, name
    for text in FINE:
        signed.parse(text)
        assert await page.evaluate(read, text) is True, text[:40]


async def test_an_age_file_with_another_way_in_is_refused_by_both(browser: Browser) -> None:
    """Done by an attacker: a stanza beside the one made a letter that one language showed and the other refused."""
    page = await (await browser.new_context()).new_page()
    await both.load(page)
    identity = identity_text(bytes(range(32)))
    mine = recipient_of_identity(identity)
    keys = [
        pyrage.x25519.Recipient.from_str(one)
        for one in (mine, recipient_of_identity(identity_text(bytes(range(1, 33)))))
    ]
    opens = """async ({ sealed, identity }) => { try { return Protocol.text(await Protocol.decryptOurs(Protocol.unbase64(sealed), identity)); } catch (problem) { return ""; } }"""
    for sealed, fine in (
        (encrypt(b"parole", mine), "parole"),
        (pyrage.encrypt(b"parole", keys), ""),
        (pyrage.encrypt(b"parole", keys[:1]), ""),
    ):
        try:
            here = decrypt_ours(sealed, identity).decode()
        except CannotOpen:
            here = ""
        assert (
            here
            == await page.evaluate(opens, {"sealed": base64.b64encode(sealed).decode(), "identity": identity})
            == fine
        )


def test_a_private_half_has_one_form() -> None:
    half = identity_text(bytes(range(32)))
    assert signed.private_half(half) and not signed.private_half(half.lower()) and not signed.private_half(half[:-1])


async def test_the_day_until_which_a_case_is_kept_is_the_same_on_her_page_and_in_the_sweep(browser: Browser) -> None:
    """Could lie to her: years that were made fewer hold for cases that end later, and her page says the day."""
    page = await (await browser.new_context()).new_page()
    await both.load(page)
    longer = [("2026-03-31", 5), ("2026-09-30", 3)]
    keep = "([outcome, rule]) => Fold.dates({ state: 'outcome', received: '2026-01-01', outcome }, '2026-12-01', rule).keep"
    said = {}
    for outcome in ("2026-03-31", "2026-04-01", "2026-09-30", "2026-10-01", "2024-02-29"):
        day = date.fromisoformat(outcome)
        said[outcome] = await page.evaluate(keep, [outcome, {"years": 2, "longer": longer}])
        assert said[outcome] == str(clocks.keep_until(day, clocks.years_kept(2, longer, day)))
    assert said["2026-03-31"] == "2031-03-31" and said["2026-10-01"] == "2028-10-01"
