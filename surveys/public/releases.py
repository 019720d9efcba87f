"""Release documents and charts as stored: text in, text out; the document is the single source of every page."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from analysis.document import Release
from analysis.published import Document
from analysis.steps import FORMER_STEPS
from surveys.engines import StoreEngine
from surveys.public.tables import Bulletin, Chart, ReleaseDocument


async def document(wave: str) -> dict[str, Any] | None:
    """Read the signed document of a wave as plain JSON, or None before its release.

    Raises
    ------
    ReleaseInvalid
        If what is stored is not as a release is: nothing of it is shown.
    """
    text = await kept(wave)
    return _checked(text).to_json() if text is not None else None


async def read(wave: str) -> Document | None:
    """The signed document of a wave as its readers take it, or None before its release.

    Raises
    ------
    ReleaseInvalid
        As `document`.
    """
    text = await kept(wave)
    return _read(text) if text is not None else None


@lru_cache(maxsize=16)
def _read(text: str) -> Document:
    return _checked(text).read()


@lru_cache(maxsize=16)
def _checked(text: str) -> Release:
    """A release checks itself on construction, from storage too; once for each text."""
    return Release(text)


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


async def keep_charts(engine: StoreEngine, wave: str, charts: Mapping[str, str]) -> None:
    """Store the drawn charts of a wave by name, replacing earlier drawings of the same document."""
    async with engine.transaction():
        await Chart.delete().where(Chart.wave == wave)
        for name, svg in charts.items():
            await Chart.insert(Chart(id=f"{wave}/{name}", wave=wave, svg=svg))


async def chart(wave: str, name: str) -> str | None:
    row = await Chart.select(Chart.svg).where(Chart.id == f"{wave}/{name}").first()
    return str(row["svg"]) if row else None


async def chart_names(wave: str) -> set[str]:
    rows = await Chart.select(Chart.id).where(Chart.wave == wave)
    return {str(row["id"]).removeprefix(f"{wave}/") for row in rows}


async def keep_bulletin(wave: str, counts: Mapping[str, int], digests: list[str]) -> None:
    await Bulletin.delete().where(Bulletin.wave == wave)
    await Bulletin.insert(Bulletin(wave=wave, counts=json.dumps(dict(counts)), digests="\n".join(digests)))


async def bulletin(wave: str) -> tuple[dict[str, int], list[str]] | None:
    """The published counts of a closed wave and the sorted digests of spent codes."""
    row = await Bulletin.select().where(Bulletin.wave == wave).first()
    return (json.loads(row["counts"]), str(row["digests"]).split()) if row else None
