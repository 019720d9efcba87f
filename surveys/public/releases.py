"""Release documents and charts as stored: text in, text out; the document is the single source of every page.

Whoever writes the store could exchange them, so what is read is held against the installation's key, which no store holds.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from analysis.document import Release, ReleaseInvalid, canonical
from analysis.published import Document
from analysis.steps import FORMER_STEPS
from surveys.engines import StoreEngine
from surveys.odd import reading
from surveys.public.signing import is_signed, sign
from surveys.public.tables import Bulletin, Chart, ReleaseDocument

WORDS_SIGNED = "mapping/2"
"""The questionnaire's version in a document of an imported wave whose digest is of the words that pages put beside its figures;
before, it was of the mapping's file."""


def words_digest(frozen: Mapping[str, Any]) -> str:
    """The digest of what pages call items and scales of an imported wave."""
    return hashlib.sha256(canonical(frozen)).hexdigest()


class _Own:
    """The public half of this installation's key, as text; nothing is believed before it is known."""

    key = ""


def begin(public: str) -> None:
    """Begin with the key that signed what lies here."""
    _Own.key = public


def own_key() -> str:
    """The public half of the key that signs what this installation says."""
    return _Own.key


async def document(wave: str) -> dict[str, Any] | None:
    """Read the signed document of a wave as plain JSON, or None before its release.

    Raises
    ------
    ReleaseInvalid
        If what is stored is not as a release is, or not what this installation signed for this wave: nothing of it is shown.
    """
    text = await kept(wave)
    return _checked(text, wave, _Own.key).to_json() if text is not None else None


async def read(wave: str) -> Document | None:
    """The signed document of a wave as its readers take it, or None before its release.

    Raises
    ------
    ReleaseInvalid
        As `document`.
    """
    text = await kept(wave)
    return _read(text, wave, _Own.key) if text is not None else None


async def ours(wave: str) -> Document | None:
    """The release of a wave if it is here and this installation signed it; for lists, which leave out what is not."""
    try:
        return await read(wave)
    except ReleaseInvalid:
        return None


@lru_cache(maxsize=16)
def _read(text: str, wave: str, key: str) -> Document:
    return _checked(text, wave, key).read()


@lru_cache(maxsize=16)
def _checked(text: str, wave: str, key: str) -> Release:
    """A release checks itself on construction, from storage too; here also whose it is. Once for each text."""
    made = Release(text)
    found = made.to_json()
    unsigned = canonical({name: part for name, part in found.items() if name != "signature"})
    if found.get("key") != key or not is_signed(key, unsigned, str(found.get("signature"))):
        raise ReleaseInvalid(["not signed by this installation"])
    if found["wave"]["id"] != wave:
        raise ReleaseInvalid(["signed for another wave"])
    return made


async def kept(wave: str) -> str | None:
    """The text of a release as it lies here, unchecked."""
    row = await ReleaseDocument.select(ReleaseDocument.document).where(ReleaseDocument.wave == wave).first()
    return str(row["document"]) if row else None


async def is_one_from_before() -> bool:
    """Whether a document is here whose figures did not move: it is spoken of where people read what may follow."""
    return await ReleaseDocument.exists().where(ReleaseDocument.document.like(f'%"steps":"{FORMER_STEPS}"%'))


async def keep(wave: str, text: str, pattern: str) -> None:
    """Store the document; inside the caller's transaction."""
    await ReleaseDocument.insert(ReleaseDocument(wave=wave, document=text, pattern=pattern))


async def replace(wave: str, text: str) -> None:
    """Put a document with other words in the place of the one before; inside the caller's transaction. Its charts go."""
    await ReleaseDocument.update({ReleaseDocument.document: text}).where(ReleaseDocument.wave == wave)
    await Chart.delete().where(Chart.wave == wave)


async def keep_charts(engine: StoreEngine, wave: str, charts: Mapping[str, str], key: Ed25519PrivateKey) -> None:
    """Sign and store the drawn charts of a wave by name, replacing earlier drawings of the same document."""
    async with engine.transaction():
        await Chart.delete().where(Chart.wave == wave)
        for name, svg in charts.items():
            row = f"{wave}/{name}"
            await Chart.insert(Chart(id=row, wave=wave, svg=svg, signature=sign(key, _chart(row, svg))))


def _chart(row: str, svg: str) -> bytes:
    """What is signed of a chart: its name too, so that none stands for another."""
    return f"ascolto chart 1\n{row}\n{svg}".encode()


async def chart(wave: str, name: str) -> str | None:
    """A chart as this installation drew it; None where there is none, or another."""
    row = await Chart.select(Chart.id, Chart.svg, Chart.signature).where(Chart.id == f"{wave}/{name}").first()
    if row is None or not is_signed(_Own.key, _chart(row["id"], row["svg"]), row["signature"]):
        return None
    return str(row["svg"])


async def chart_names(wave: str) -> set[str]:
    """Which charts of a wave are here and signed."""
    rows = await Chart.select(Chart.id).where((Chart.wave == wave) & (Chart.signature != ""))
    return {str(row["id"]).removeprefix(f"{wave}/") for row in rows}


async def without_charts(waves: Iterable[str]) -> list[str]:
    """Those of these waves whose charts were not drawn, or before charts were signed."""
    signed = {row["wave"] for row in await Chart.select(Chart.wave).where(Chart.signature != "").distinct()}
    return [wave for wave in waves if wave not in signed]


async def keep_bulletin(wave: str, counts: Mapping[str, int], digests: list[str]) -> None:
    await Bulletin.delete().where(Bulletin.wave == wave)
    await Bulletin.insert(Bulletin(wave=wave, counts=json.dumps(dict(counts)), digests="\n".join(digests)))


async def bulletin(wave: str) -> tuple[dict[str, int], list[str]] | None:
    """The published counts of a closed wave and the sorted digests of spent codes.

    Raises
    ------
    StoreOdd
    """
    row = await Bulletin.select().where(Bulletin.wave == wave).first()
    if row is None:
        return None
    with reading("bulletin"):
        return msgspec.json.decode(row["counts"], type=dict[str, int]), str(row["digests"]).split()
