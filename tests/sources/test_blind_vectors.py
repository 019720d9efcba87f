"""RFC 9474's vectors (appendix A, all four variants), recomputed on the server and by the phone's module in a browser.

Two variants have no salt or no random prefix; ours has both. They test the same arithmetic with other lengths.
"""

import base64
import json
from dataclasses import dataclass
from math import lcm
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route

from server.frame.security import csp
from surveys.blind import (
    PublicKey,
    SigningKey,
    TokenRefused,
    blind_with,
    decode_token,
    generate_key,
    is_signed,
    sign_blinded,
    token_digest,
    unblind,
    verify,
)

MODULE = Path(__file__).parents[2] / "server" / "static" / "blind.js"
PUBLISHED = json.loads((Path(__file__).parents[1] / "vendor" / "rfc9474-vectors.json").read_text())


@dataclass(frozen=True)
class Vector:
    name: str
    msg: bytes
    msg_prefix: bytes
    prepared_msg: bytes
    salt: bytes
    inv: bytes
    blinded_msg: bytes
    blind_sig: bytes
    sig: bytes


VECTORS = [
    Vector(name=v["name"], **{field: bytes.fromhex(value) for field, value in v.items() if field != "name"})
    for v in PUBLISHED["vectors"]
]
P, Q, N, E, D = (int(PUBLISHED["key"][name], 16) for name in ("p", "q", "n", "e", "d"))
KEY = SigningKey(P, Q, D % (P - 1), D % (Q - 1), pow(Q, -1, P))
_EACH = pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.name)

# The module asks for randomness by length; the vectors' blinding factor is its whole answer.
_BLIND = """async ([key, prepared, salt, r]) => {
  const { blind } = await import("/blind.js");
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const given = { bits: 4096, prepared: bytes(prepared), salt: bytes(salt), draw: () => bytes(r) };
  const got = await blind(bytes(key), given);
  return [hex(got.prepared), hex(got.z), hex(got.inverse)];
}"""
_FINALIZE = """async ([key, prepared, signed, inverse, bits, saltLength]) => {
  const { finalize } = await import("/blind.js");
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  try { return await finalize(bytes(key), bytes(prepared), bytes(signed), bytes(inverse), { bits, saltLength }); }
  catch (problem) { return "refused: " + problem.message; }
}"""
_OURS = """async (key) => {
  const { blind } = await import("/blind.js");
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    const got = await blind(bytes(key));
    return [hex(got.prepared), hex(got.z), hex(got.inverse)];
  } catch { return "refused"; }
}"""


async def _page(browser: Browser) -> Page:
    """A page of our policy that may load the module, where WebCrypto is, as on a phone over https."""

    async def answer(route: Route) -> None:
        if route.request.url.endswith("/blind.js"):
            await route.fulfill(body=MODULE.read_text("utf-8"), content_type="text/javascript")
        else:
            page = "<!doctype html>"
            await route.fulfill(body=page, content_type="text/html", headers={"content-security-policy": csp()})

    page = await browser.new_page()
    await page.route("https://localhost/**", answer)
    await page.goto("https://localhost/")
    return page


def test_the_vectors_are_the_rfcs_four_and_their_key_fits_together() -> None:
    assert [v.name for v in VECTORS] == [
        "RSABSSA-SHA384-PSS-Randomized",
        "RSABSSA-SHA384-PSSZERO-Randomized",
        "RSABSSA-SHA384-PSS-Deterministic",
        "RSABSSA-SHA384-PSSZERO-Deterministic",
    ]
    assert (P * Q, E, D * E % lcm(P - 1, Q - 1)) == (N, PublicKey.e, 1)
    assert all(v.prepared_msg == v.msg_prefix + v.msg for v in VECTORS)


@_EACH
def test_the_server_computes_what_the_rfc_prints(vector: Vector) -> None:
    r = pow(int.from_bytes(vector.inv), -1, N)
    assert blind_with(KEY.public, vector.prepared_msg, vector.salt, r) == (vector.blinded_msg, vector.inv)
    assert sign_blinded(KEY, vector.blinded_msg) == vector.blind_sig
    assert unblind(KEY.public, vector.blind_sig, vector.inv) == vector.sig
    assert is_signed(KEY.public, vector.prepared_msg, vector.sig, len(vector.salt))


@_EACH
def test_the_server_refuses_the_rfcs_signature_on_another_message_or_with_another_salt(vector: Vector) -> None:
    assert not is_signed(KEY.public, vector.prepared_msg + b"\0", vector.sig, len(vector.salt))
    assert not is_signed(KEY.public, vector.prepared_msg, vector.sig, 48 - len(vector.salt))


async def test_the_browser_computes_what_the_rfc_prints(browser: Browser) -> None:
    der, got = KEY.public.to_der().hex(), {}
    page = await _page(browser)
    for v in VECTORS:
        r = pow(int.from_bytes(v.inv), -1, N).to_bytes(512)
        blinded = await page.evaluate(_BLIND, [der, v.prepared_msg.hex(), v.salt.hex(), r.hex()])
        parts = [der, v.prepared_msg.hex(), v.blind_sig.hex(), v.inv.hex(), 4096, len(v.salt)]
        token = await page.evaluate(_FINALIZE, parts)
        got[v.name] = [*map(bytes.fromhex, blinded), base64.urlsafe_b64decode(token + "==")]
    assert got == {v.name: [v.prepared_msg, v.blinded_msg, v.inv, v.prepared_msg + v.sig] for v in VECTORS}


async def test_what_the_browser_blinds_the_server_signs_and_the_token_verifies(browser: Browser) -> None:
    key, other = generate_key(), generate_key()
    der = key.public.to_der().hex()
    page = await _page(browser)
    prepared, z, inverse = await page.evaluate(_OURS, der)
    again = await page.evaluate(_OURS, der)
    signed = sign_blinded(key, bytes.fromhex(z))
    token = await page.evaluate(_FINALIZE, [der, prepared, signed.hex(), inverse, 3072, 48])
    forged = sign_blinded(other, (int.from_bytes(bytes.fromhex(z)) % other.public.n).to_bytes(384))
    refused = await page.evaluate(_FINALIZE, [der, prepared, forged.hex(), inverse, 3072, 48])
    short = await page.evaluate(_FINALIZE, [der, prepared, signed[1:].hex(), inverse, 3072, 48])
    assert not set(again) & {prepared, z, inverse}
    assert (refused, short) == ("refused: signature", "refused: length")
    got, signature = decode_token(token)
    assert got.hex() == prepared
    assert verify(key.public, got, signature)
    assert len(token_digest(got)) == 32


async def test_the_browser_blinds_for_no_other_kind_of_key(browser: Browser) -> None:
    good = generate_key().public.to_der()
    keys = [
        good,
        KEY.public.to_der(),  # 4096 bits
        generate_key(2048).public.to_der(),
        good.replace(bytes.fromhex("0203010001"), bytes.fromhex("0203010003")),  # another exponent
        good[:-1],
        b"",
    ]
    page = await _page(browser)
    got = [await page.evaluate(_OURS, key.hex()) for key in keys]
    assert [len(answer) == 3 for answer in got] == [True, False, False, False, False, False]
    assert got[1:] == ["refused"] * 5


def test_the_token_of_a_longer_key_is_no_token() -> None:
    with pytest.raises(TokenRefused):
        decode_token(base64.urlsafe_b64encode(VECTORS[0].prepared_msg + VECTORS[0].sig).decode().rstrip("="))
