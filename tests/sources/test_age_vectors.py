"""The age format's public test vectors (C2SP CCTV, package cctv-age 0.2.0, 0BSD), on the server and in the browser's bundle.

Taken: every vector for an X25519 identity that is not armoured; passphrases, armour and post-quantum keys are not used here.
"""

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser

from surveys.cases.sealing import CannotOpen, decrypt

VENDOR = Path(__file__).parents[1] / "vendor"
STATIC = Path(__file__).parents[2] / "server" / "static"


@dataclass(frozen=True)
class Vector:
    name: str
    opens: bool
    payload: str
    identities: tuple[str, ...]
    content: bytes


def _vectors() -> list[Vector]:
    found = []
    for name, text in json.loads((VENDOR / "age-vectors.json").read_text()).items():
        head, _, content = base64.b64decode(text).partition(b"\n\n")
        lines = [line.partition(": ")[::2] for line in head.decode().splitlines()]
        fields = dict(lines)
        identities = tuple(value for key, value in lines if key == "identity")
        if "armored" in fields or not identities or any(not i.startswith("AGE-SECRET-KEY-1") for i in identities):
            continue
        if fields.get("compressed") == "zlib":
            content = zlib.decompress(content)
        found.append(Vector(name, fields["expect"] == "success", fields.get("payload", ""), identities, content))
    return found


VECTORS = _vectors()


def test_there_are_vectors_of_both_kinds() -> None:
    assert (sum(v.opens for v in VECTORS), sum(not v.opens for v in VECTORS)) == (14, 53)
    assert {"stream_last_chunk_empty", "stream_missing_tag", "stream_trailing_garbage_long", "x25519_low_order"} <= {
        v.name for v in VECTORS
    }


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.name)
def test_the_server_opens_what_opens_and_refuses_what_does_not(vector: Vector) -> None:
    assert _opened(vector) == (vector.payload if vector.opens else None)


def _opened(vector: Vector) -> str | None:
    for identity in vector.identities:
        try:
            return hashlib.sha256(decrypt(vector.content, identity)).hexdigest()
        except CannotOpen:
            continue
    return None


async def test_the_browsers_bundle_opens_what_opens_and_refuses_what_does_not(browser: Browser) -> None:
    script = """async ([content, identities]) => {
      for (const identity of identities) {
        try { return Protocol.hash(await Protocol.decrypt(Protocol.unbase64(content), identity)); } catch (problem) { continue; }
      }
      return null;
    }"""
    page = await browser.new_page()
    await page.route(
        "https://localhost/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html")
    )
    await page.goto("https://localhost/")  # where WebCrypto is, as on a phone over https
    for name in ("sealing.js", "concern-protocol.js"):
        await page.add_script_tag(content=(STATIC / name).read_text("utf-8"))
    got = {
        v.name: await page.evaluate(script, [base64.b64encode(v.content).decode(), list(v.identities)]) for v in VECTORS
    }
    assert got == {v.name: v.payload if v.opens else None for v in VECTORS}


def test_the_bundles_are_those_of_the_npm_lock() -> None:
    """`make vendor` writes these hashes; a file edited by hand does not pass."""
    for line in (VENDOR / "BUNDLES").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest
