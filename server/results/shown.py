"""What every page that shows results says in the same way: charts beside their tables, experiences, the certificate."""

from dataclasses import dataclass, replace

from litestar.exceptions import NotFoundException

from analysis.document import ReleaseInvalid
from analysis.published import Document
from server.frame.display import text_of
from server.frame.texts import say
from server.results.findings import lead_of_areas, lead_of_scales
from server.results.reading import Labels, figure_text
from surveys.public import releases
from surveys.public.questionnaires import digest_of
from surveys.public.releases import WORDS_SIGNED, words_digest
from surveys.public.waves import WaveRecord
from surveys.public.waves import get as get_wave


@dataclass(frozen=True, slots=True)
class ChartPicture:
    """One stored chart in light and dark, with what it says for those who do not see it."""

    name: str
    light: str
    dark: str
    label: str


async def released(wave_id: str) -> tuple[WaveRecord, Document]:
    """A wave and its document, or 404: an unreleased wave has no page to speak of.

    Raises
    ------
    ReleaseInvalid
        If the document is not ours, or of other questions than the wave's row has now: they would stand beside its figures.
    """
    wave = await get_wave(wave_id)
    document = await releases.read(wave_id)
    if document is None:
        raise NotFoundException
    if _asked(wave, document) != document.questionnaire.sha256:
        raise ReleaseInvalid(["signed for other questions"])
    return replace(wave, origin=document.origin, title=document.wave.title or wave.title), document


def _asked(wave: WaveRecord, document: Document) -> str | None:
    """The digest of the questions that the row has now; None where it has none. Of an imported wave of before they were not signed."""
    if document.origin == "imported":
        signed_words = document.questionnaire.version == WORDS_SIGNED
        return words_digest(wave.questionnaire) if signed_words else document.questionnaire.sha256
    try:
        return None if wave.questionnaire.get("imported") else digest_of(wave)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


async def charts_of(wave: str, document: Document, labels: Labels, language: str) -> tuple[ChartPicture, ...]:
    """The charts drawn at the release, in this language."""
    there = await releases.chart_names(wave)
    leads = {"areas": lead_of_areas(document, language), "scales": lead_of_scales(document, language, labels)}
    return tuple(
        ChartPicture(
            name,
            f"/results/{wave}/charts/{name}.{language}.light.svg",
            f"/results/{wave}/charts/{name}.{language}.dark.svg",
            lead,
        )
        for name, lead in leads.items()
        if f"{name}.{language}.light" in there
    )


@dataclass(frozen=True, slots=True)
class ExperienceLine:
    """One experience of the whole organisation: how many in a band, or of a follow-up question a share; by gender where shown."""

    text: str
    band: str
    share: str
    figure: str
    women: str
    others: str


def experience_lines(document: Document, labels: Labels, language: str) -> tuple[ExperienceLine, ...]:
    """The experience questions for the whole organisation: bands in words, nothing finer."""
    lines = []
    for item, record in document.experience.items():
        name = text_of(labels.items.get(item.partition(".")[0], {"it": item}), language)
        if item in labels.options:
            name = f"{name} · {text_of(labels.options[item], language)}"
        share = figure_text(record.share, language, " %") if record.share is not None else ""
        figure = share if record.band is None else say(language, "results.people_band", band=record.band)
        others = next((side.band for side_of, side in record.gender.items() if side_of != "f"), "")
        women = record.gender["f"].band if "f" in record.gender else ""
        lines.append(ExperienceLine(name, record.band or "", share, figure, women, others))
    return tuple(lines)


def certificate_line(document: Document, language: str) -> str:
    """What was checked and what was not, in words."""
    groups = say(language, "results.certificate", auditor=document.certificate.auditor)
    return groups + " " + say(language, f"results.answers_{document.answers_verdict}")
