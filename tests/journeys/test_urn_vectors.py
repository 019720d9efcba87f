"""The browser's half of the urn held to the frozen vectors: keys of eight words, statements, confirmations, envelopes."""

import json
import time

import pytest
from playwright.async_api import Browser, Page, Route

from server.frame.pages import STATIC
from tests.vectors.urn import FILE

SCRIPTS = ("argon.js", "sealing.js", "concern-protocol.js", "signed.js", "holder.js")
VECTORS = json.loads(FILE.read_text("utf-8"))


async def _page(browser: Browser) -> Page:
    """A page of loopback, where browsers have WebCrypto; nothing is asked of a network."""
    page = await browser.new_page()

    async def give(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name.endswith(".js"):
            await route.fulfill(body=(STATIC / name).read_text("utf-8"), content_type="text/javascript")
        else:
            await route.fulfill(body="<!doctype html>", content_type="text/html")

    await page.route("http://localhost/**", give)
    await page.goto("http://localhost/")
    for name in SCRIPTS:
        await page.add_script_tag(url=f"http://localhost/{name}")
    return page


@pytest.mark.parametrize("place", range(3))
async def test_eight_words_give_the_same_keys_statement_and_confirmation(browser: Browser, place: int) -> None:
    page, one = await _page(browser), VECTORS["holders"][place]
    began = time.monotonic()
    found = await page.evaluate(
        """async ([house, wave, h, plan, hash]) => {
          const keys = await Holder.keysOf(Holder.typed(` ${h.words.toUpperCase().replace(" ", ",  ")}\\n`), house, wave, h.seat);
          return { point: keys.point, signer: keys.signer, seed: Protocol.hex(keys.seed),
            statement: Holder.state(keys, house, wave, h.seat, h.name, h.day), confirm: Holder.confirm(keys, hash, h.seat, h.day),
            mine: Holder.isMine(keys, plan, hash, h.seat), other: Holder.isMine(keys, plan, hash, h.seat === "hr" ? "recovery" : "hr"),
            changed: Holder.isMine(keys, plan.replace("autunno", "inverno"), hash, h.seat) };
        }""",
        [VECTORS["house"], VECTORS["wave"], one, VECTORS["plan"]["text"], VECTORS["plan"]["hash"]],
    )
    print(f"keys of eight words in the browser: {time.monotonic() - began:.2f} s")
    wanted = {name: one[name] for name in ("point", "signer", "seed", "statement", "confirm")}
    assert found == wanted | {"mine": True, "other": False, "changed": False}


async def test_the_points_of_small_and_large_numbers_are_those_of_the_curve(browser: Browser) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from surveys.answers.holders import ORDER

    page = await _page(browser)
    for number in (1, 2, 3, 5, ORDER - 1, ORDER - 2, 2**255, 0xDEADBEEF):
        private = ec.derive_private_key(number, ec.SECP256R1())
        point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()
        assert await page.evaluate("(number) => Holder.pointOf(BigInt(number))", str(number)) == point


async def test_a_sheet_is_sealed_to_the_same_bytes_and_under_another_plan_not_at_all(browser: Browser) -> None:
    page, e = await _page(browser), VECTORS["envelope"]
    found = await page.evaluate(
        """async ([e, text, mark]) => {
          const { planOf, seal } = await import("/pairs.js");
          const { hex, unhex } = Protocol;
          const url = (digits) => btoa(String.fromCharCode(...unhex(digits))).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
          const jwk = { kty: "EC", crv: "P-256", d: url(e.once), x: url(e.x), y: url(e.y), ext: true };
          const privateKey = await crypto.subtle.importKey("jwk", jwk, { name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
          const plan = await planOf(text, mark);
          const fixed = { once: { privateKey }, point: unhex(`04${e.x}${e.y}`), key: unhex(e.key) };
          const sealed = await seal(unhex(e.sheet), unhex(e.proof), plan, fixed);
          const refused = await planOf(text.replace('"people":60', '"people":61'), mark).catch((problem) => problem.message);
          const began = performance.now();
          for (let i = 0; i < 20; i += 1) await seal(unhex(e.sheet), unhex(e.proof), plan);
          return { sealed: hex(sealed), hash: plan.hash, refused, each: (performance.now() - began) / 20 };
        }""",
        [e, VECTORS["plan"]["text"], VECTORS["plan"]["printed"]],
    )
    print(f"a sheet is sealed in {found.pop('each'):.1f} ms")
    assert found == {"sealed": e["sealed"], "hash": VECTORS["plan"]["hash"], "refused": "plan_other"}


async def test_the_proof_of_a_slip_is_the_one_that_the_server_makes(browser: Browser) -> None:
    from surveys.slips import digest, read_code, spent_digest

    page, code = await _page(browser), " abcd-efgh-01lo-zzzz "
    proof = digest(read_code(code))
    found = await page.evaluate(
        """async (code) => {
          const { proofOf, listed } = await import("/pairs.js");
          const proof = await proofOf(code);
          return [Protocol.hex(proof), await listed(proof)];
        }""",
        code,
    )
    assert found == [proof.hex(), spent_digest(proof).hex()]
