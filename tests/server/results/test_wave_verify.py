"""`ascolto wave verify`: what an honest installation gives out passes, and what is no document is said to be none."""

import argparse
import asyncio
import base64
import json
import string
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.command.proving import wave_verify
from server.command.sealed import proof_verify
from server.frame.terminal import LANGUAGE
from server.frame.texts import say
from server.settings import Settings
from surveys.lifecycle import closing, printing, two_keys
from surveys.lifecycle.context import Site
from surveys.lifecycle.releasing import release_wave
from surveys.lifecycle.witness import path_of
from surveys.people import two_keys as acts
from surveys.public import releases, signing
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.conftest import DAY, WAVE, open_a_wave
from tests.surveys.test_releasing import fill


def _said(bulletin: Path, release: Path) -> int:
    return asyncio.run(wave_verify(argparse.Namespace(bulletin=str(bulletin), release=str(release), code="")))


async def _given_out(settings: StoreSettings, folder: Path) -> tuple[Path, Path]:
    """Bulletin and release of a wave of which the printer spoiled a batch of slips."""
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "hr")
        opened = await open_a_wave(site, slips=40)
        await printing.print_slips(site, WAVE, 20)
        await two_keys.ask_void(site, WAVE, 2, 20)
        await two_keys.confirm(replace(site, actor="rsu"), (await acts.of_wave(WAVE))[0].id)
        await fill(site, opened, 40)
        late = replace(site, day=DAY + timedelta(days=15))
        await closing.end(late, WAVE)
        await closing.close(late, WAVE, unused_slips=0)
        await release_wave(late, WAVE, (opened.secrets["hr"], opened.secrets["recovery"]), lambda _: None)
        document = folder / "release.json"
        document.write_text(await releases.kept(WAVE) or "", "utf-8")
    app = create_app(Settings(settings))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        bulletin = folder / "bulletin.txt"
        bulletin.write_text((await client.get(f"/wave/{WAVE}/bulletin.txt")).text, "utf-8")
    return bulletin, document


def test_the_bulletin_of_a_wave_with_void_slips_passes_beside_its_release(
    sqlite_settings: StoreSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bulletin, document = asyncio.run(_given_out(sqlite_settings, tmp_path))
    assert "void_slips 20" in bulletin.read_text("utf-8")
    assert _said(bulletin, document) == 0, capsys.readouterr()
    bulletin.write_text(bulletin.read_text("utf-8").replace("drawn 40", "drawn 41"), "utf-8")
    assert _said(bulletin, document) == 1
    kept = document.read_text("utf-8")
    for other in ("[]", "null", '{"participation": 1}', "7"):
        document.write_text(json.dumps(json.loads(other)), "utf-8")
        assert _said(bulletin, document) == 1
    good = bulletin.read_text("utf-8").replace("drawn 41", "drawn 40")
    bulletin.write_text(f"drawn 99\n{good}", "utf-8")  # a reader would see the first, the command looked at the last
    document.write_text(kept, "utf-8")
    assert _said(bulletin, document) == 1
    left_out = [line for line in good.partition("\n\n")[0].splitlines() if not line.startswith("void_slips")]
    passed = []
    for line in left_out:  # whoever gives out the file left out how many second codes two people gave, or were invited
        bulletin.write_text(good.replace(f"{line}\n", "", 1), "utf-8")
        passed += [line] if _said(bulletin, document) == 0 else []
    for line in left_out:
        name, _, number = line.partition(" ")
        bulletin.write_text(good.replace(f"{line}\n", f"{name} 0{number}\n", 1), "utf-8")
        passed += [f"{name} 0{number}"] if asyncio.run(_alone(bulletin)) == 0 else []
    assert len(left_out) >= 6 and passed == []


def test_of_a_bulletin_that_is_in_order_is_said_that_nobody_signed_it_and_by_what_it_is_known_again(
    sqlite_settings: StoreSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Done from outside: other digests, sorted, passed beside the release with the same sentence as those of the closing."""
    bulletin, document = asyncio.run(_given_out(sqlite_settings, tmp_path))
    kept = json.loads(path_of(sqlite_settings.data, WAVE).read_text("utf-8"))["bulletin"]
    head, _, body = bulletin.read_text("utf-8").partition("\n\n")
    others = sorted(sha256(mark.encode()).hexdigest() for mark in body.split())
    other = sha256(json.dumps(others, separators=(",", ":")).encode()).hexdigest()
    for listed, fingerprint in ((body.split(), kept), (others, other)):
        bulletin.write_text(f"{head}\n\n" + "\n".join(listed) + "\n", "utf-8")
        assert _said(bulletin, document) == 0
        told = [say(LANGUAGE, "cli.bulletin.good"), say(LANGUAGE, "cli.bulletin.limits", fingerprint=fingerprint)]
        assert capsys.readouterr().out.splitlines() == told
    assert kept != other


async def _alone(bulletin: Path) -> int:
    return await wave_verify(argparse.Namespace(bulletin=str(bulletin), release="", code=""))


@pytest.mark.parametrize("field", ["key", "signature"])
@pytest.mark.parametrize("more", ["AAAA", "=", " ", "\n", "-"])
def test_a_signed_file_has_one_writing(field: str, more: str) -> None:
    """Found from outside: a document to whose signature something was added was the one that was signed."""
    key = Ed25519PrivateKey.generate()
    written = {"key": signing.public_text(key), "signature": signing.sign(key, b"text")}
    assert signing.is_signed(written["key"], b"text", written["signature"])
    written[field] += more
    assert not signing.is_signed(written["key"], b"text", written["signature"])


@pytest.mark.parametrize("field", ["key", "signature"])
def test_bits_that_base64_does_not_read_are_not_free(field: str) -> None:
    key = Ed25519PrivateKey.generate()
    written = {"key": signing.public_text(key), "signature": signing.sign(key, b"text")}
    text, signs = written[field], f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}+/"
    last = text.rstrip("=")[-1]
    other = text.rstrip("=")[:-1] + signs[signs.index(last) ^ 1] + "=" * text.count("=")
    assert other != text and base64.b64decode(other, validate=True) == base64.b64decode(text)
    written[field] = other
    assert not signing.is_signed(written["key"], b"text", written["signature"])


@pytest.mark.parametrize("filed", ["2026-03-01. Chiave dell'installazione: 1111 2222", "ieri", "2026-02-30", 3, None])
def test_a_proof_of_filing_says_a_day_and_no_other_words(
    filed: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Found from outside: a proof under a key of one's own told the key of the installation in the place of its day."""
    key, file = Ed25519PrivateKey.generate(), tmp_path / "proof.json"

    def said(day: object) -> int:
        filing = json.dumps({"filed": day})
        signature = signing.sign(key, b"ascolto filing v1\n" + filing.encode())
        file.write_text(json.dumps({"filing": filing, "key": signing.public_text(key), "signature": signature}))
        return asyncio.run(proof_verify(argparse.Namespace(file=str(file), key="")))

    assert said("2026-03-01") == 0
    capsys.readouterr()
    assert said(filed) == 1
    assert "1111" not in capsys.readouterr().out
