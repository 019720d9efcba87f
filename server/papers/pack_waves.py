"""The waves in the audit pack: plan, questionnaire with its map, notice, coverage, protected results, the signed document."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.document import ReleaseInvalid, canonical
from analysis.published import Document
from server.frame.display import day, text_of
from server.frame.texts import say
from server.papers.pack_archive import plain_name
from server.papers.pack_part import About, Chapter, Gap, Part, Table, row, table
from server.results.exports import as_csv, as_workbook, full_name
from server.results.findings import indicator_text
from server.results.reading import AREAS, band_text, figure_text, interval_text
from server.results.shown import certificate_line, experience_lines, released
from server.results.story import Story, range_text, signed, story_of
from server.results.telling import counted, coverage
from server.results.verifying import frozen_of
from surveys import certification
from surveys.answers.plans import PlanOther
from surveys.lifecycle.ready import checked_row, is_second
from surveys.public import organisation, releases, waves
from surveys.public.organisation import Notice
from surveys.public.questionnaires import members_of, questionnaire_of
from surveys.public.signing import fingerprint
from surveys.public.waves import State, WaveRecord

PART = "releases"
PROMISES = ("promise_link", "promise_link_more", "promise_groups", "promise_groups_more", "promise_readers")
RULES = ("rule_items", "rule_experience", "rule_once", "answers_audit")


@dataclass(frozen=True, slots=True)
class _Wave:
    """What one wave gives: files by their last name, and what it lacks."""

    files: Mapping[str, bytes]
    absent: tuple[Gap, ...]
    broken: tuple[Gap, ...]
    chapter: Chapter


async def waves_part(about: About) -> Part:
    """Every wave with a release, the newest first; one that cannot be believed is said to be broken, and the others come."""
    records = sorted(await waves.in_state(State.RELEASED), key=lambda wave: (str(wave.closed), wave.id), reverse=True)
    if not records:
        return Part(absent=(Gap(PART, "none"),))
    made: list[tuple[str, _Wave]] = []
    broken: list[Gap] = []
    bare: list[tuple[str, bytes]] = []
    for record in records:
        try:
            found = await releases.document(record.id)
        except ReleaseInvalid:
            found = None
        if found is None:
            broken.append(Gap(PART, "not_ours", record.id))
            continue
        try:
            made.append((record.id, await _wave(about, record.id, canonical(found))))
        except ReleaseInvalid:
            bare.append((f"{PART}/{plain_name(record.id)}/release.json", canonical(found)))
            broken.append(Gap(PART, "questions", record.id))
    questions = await _questions(about, [name for name, _ in made]) if about.whole else ()
    return Part(
        files=(
            *bare,
            *(
                (f"{PART}/{plain_name(name)}/{last}", content)
                for name, one in made
                for last, content in one.files.items()
            ),
        ),
        absent=tuple(gap for _, one in made for gap in one.absent),
        broken=(*broken, *(gap for _, one in made for gap in one.broken)),
        chapters=(*(one.chapter for _, one in made), *questions),
    )


def _text(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1).encode()


async def _wave(about: About, name: str, release: bytes) -> _Wave:
    wave, document = await released(name)
    own = document.origin == "ascolto"
    absent, broken = list[Gap](), list[Gap]()
    plan, gap = await _plan(about, wave) if own else ({}, Gap(PART, "imported", name))
    if gap is not None:
        (broken if gap.reason == "plan_other" else absent).append(gap)
    notice = await _notice(wave) if own else None
    if own and notice is None:
        absent.append(Gap(PART, "no_notice", name))
    if not about.whole:
        return _Wave({}, tuple(absent), tuple(broken), Chapter(_title(about, wave, document), "", ""))
    story = await story_of(name, about.language)
    files = plan | {
        "release.json": release,
        "questionnaire.json": _text(asked(wave, document)),
        "results.csv": as_csv(document, story.labels, about.language).encode(),
        "results.xlsx": as_workbook(document, story.labels, about.language),
    }
    if notice is not None:
        files["notice.json"] = _text(notice)
    return _Wave(files, tuple(absent), tuple(broken), _chapter(about, story, files))


def asked(wave: WaveRecord, document: Document) -> dict[str, Any]:
    """The questionnaire as it was asked, in all its languages, and which question informs which theme, area and indicator."""
    if document.origin == "imported":
        told = {name: sorted(one.items) for name, one in document.perception.items()}
        members: dict[str, Any] = {"indicators": told}
    else:
        members = {family: {n: sorted(ids) for n, ids in of.items()} for family, of in members_of(wave).items()}
        del members["items"]
    return {
        "schema": "ascolto-questionnaire/1",
        "wave": wave.id,
        "sha256": document.questionnaire.sha256,
        "questionnaire": dict(wave.questionnaire),
        "informs": members,
    }


async def _plan(about: About, wave: WaveRecord) -> tuple[dict[str, bytes], Gap | None]:
    """What was frozen when it opened, and the text that was signed before, with its signatures."""
    if wave.opened is None or "k" not in wave.rules:
        return {}, Gap(PART, "no_plan", wave.id)
    try:
        await checked_row(about.data, wave)
    except PlanOther:
        return {}, Gap(PART, "plan_other", wave.id)
    files = {"plan.json": canonical(frozen_of(wave))}
    if not is_second(about.data, wave.id):
        return files, Gap(PART, "plan_unsigned", wave.id)
    return files | {"signed-plan.json": wave.signed_plan.encode()}, None


async def _notice(wave: WaveRecord) -> dict[str, Any] | None:
    """What people are told before they answer: the notice of the organisation, and the promises and rules in every language."""
    about, k = await organisation.load(), wave.rules.get("k", {})
    notice = about.notice if about else Notice()
    said = {"controller": notice.controller, "purpose": notice.purpose, "retention": notice.retention}
    if not any(said.values()) or "items" not in k:
        return None
    values = {"rule_experience": k["experience"]}
    return {
        "schema": "ascolto-notice/1",
        "wave": wave.id,
        "notice": said | {"contact": notice.contact},
        "said": {
            language: [say(language, f"staff.wave.{key}", k=values.get(key, k["items"])) for key in (*PROMISES, *RULES)]
            for language in questionnaire_of(wave).languages
        },
    }


def _chapter(about: About, story: Story, files: Mapping[str, bytes]) -> Chapter:
    language, document = about.language, story.document
    where = ", ".join(sorted(files))
    return Chapter(
        _title(about, story.wave, document),
        about.say("lead.wave"),
        f"{PART}/{plain_name(story.wave.id)}/ ({where})",
        (
            *_facts(about, story, hashlib.sha256(files["release.json"]).hexdigest()),
            *_areas(about, story),
            *_indicators(about, document),
            *table(
                about,
                "experience",
                ("question", "people", "women", "others"),
                (6, 2, 2, 2),
                [
                    row(one.text, one.figure, one.women, one.others)
                    for one in experience_lines(document, story.labels, language)
                ],
            ),
            *_groups(about, story),
        ),
    )


def _title(about: About, wave: WaveRecord, document: Document) -> str:
    title = text_of(document.wave.title or wave.title, about.language)
    return row(about.say("chapter.wave", title=title))[0]


def _facts(about: About, story: Story, digest: str) -> tuple[Table, ...]:
    language, document = about.language, story.document
    share, people = counted(document, language)
    k = document.rules.k
    minimum = about.say("minimum", items=k["items"], comments=k["comments"], experience=k["experience"])
    facts = {
        "days": " – ".join(day(one, language) for one in (document.wave.opened, document.wave.closed) if one),
        "coverage": f"{share}, {people}",
        "territories": coverage(document, language),
        "origin": about.say(f"origin.{document.origin}"),
        "minimum": minimum,
        "certificate": certificate_line(document, language),
        "questionnaire": f"{document.questionnaire.id} {document.questionnaire.version} · {document.questionnaire.sha256}",
        "plan": document.wave.plan or "",
        "key": fingerprint(document.key),
        "document": digest,
    }
    rows = [row(about.say(f"fact.{name}"), text) for name, text in facts.items() if text]
    return table(about, "facts", ("what", "value"), (3, 9), rows)


def _areas(about: About, story: Story) -> tuple[Table, ...]:
    """The six areas for everyone, and by gender where both may be shown; the gap with its limits and whether it is clear."""
    language, document = about.language, story.document
    genders = [view.id for view in document.views if document.kind_of(view.id) == "gender"]
    views = {view.id: view for view in document.views}
    rows = []
    for area in (area for area in AREAS if area in document.everyone.areas):
        whole, gap = document.everyone.areas[area], story.difference("areas", "gender:f", area)
        limits = interval_text(whole.ci.index, language)
        sides = [
            figure_text(figure.index, language) if figure else about.say("not_shown")
            for figure in (views[view].areas.get(area) for view in genders)
        ]
        compared = (
            (
                signed(gap.gap, language),
                range_text(gap.low, gap.high, language),
                about.say("clear" if gap.clear else "unclear"),
            )
            if gap
            else (about.say("not_shown"), "", "")
        )
        name = f"{area} {story.name('areas', area)}"
        rows.append(row(name, figure_text(whole.index, language), limits, *sides, *compared))
    heads = (
        about.say("head.area"),
        say(language, "results.everyone"),
        about.say("head.limits"),
        *(row(story.group(view))[0] for view in genders),
        about.say("head.gap"),
        about.say("head.limits"),
        about.say("head.clear"),
    )
    if not rows:
        return ()
    widths = (5, 2, 2, *(2 for _ in genders), 2, 3, 2)
    return (Table(about.say("table.areas"), heads, widths, tuple(rows), about.say("note.areas")),)


def _indicators(about: About, document: Document) -> tuple[Table, ...]:
    rows = []
    for name, record in document.perception.items():
        indicator = certification.named(name)
        text = indicator_text(indicator, about.language) if indicator else ""
        state = say(about.language, f"perception.{record.state}")
        figures = figure_text(record.index, about.language), interval_text(record.ci, about.language)
        rows.append(row(name, text, state, *figures))
    columns = ("indicator", "text", "perceived", "index", "limits")
    return table(about, "perception", columns, (1, 6, 2, 1, 2), rows)


def _groups(about: About, story: Story) -> tuple[Table, ...]:
    """Every group that is shown: its size band, how many took part, its six areas; of the others only how many they are."""
    language, document = about.language, story.document
    areas = [area for area in AREAS if area in document.everyone.areas]
    rows = []
    for view in (view for view in document.views if view.shown):
        figures = (view.areas[area].index if area in view.areas else None for area in areas)
        rows.append(
            row(
                full_name(view.filter, document.plan.dimensions, language),
                band_text(view.n_band),
                figure_text(view.participation, language, " %"),
                *(figure_text(one, language) for one in figures),
            )
        )
    heads = (about.say("head.group"), about.say("head.people"), about.say("head.took_part"), *areas)
    widths = (5, 2, 2, *(1 for _ in areas))
    hidden = say(language, "results.hidden", n=sum(not view.shown for view in document.views))
    return (Table(about.say("table.groups"), heads, widths, tuple(rows), f"{about.say('note.groups')} {hidden}"),)


async def _questions(about: About, names: Iterable[str]) -> tuple[Chapter, ...]:
    """Which question informs which indicator: once for each questionnaire, however many waves asked it."""
    seen: dict[str, list[str]] = {}
    stories: dict[str, Story] = {}
    for name in names:
        story = await story_of(name, about.language)
        digest = story.document.questionnaire.sha256
        seen.setdefault(digest, []).append(name)
        stories.setdefault(digest, story)
    return tuple(_map(about, stories[digest], of) for digest, of in seen.items())


def _map(about: About, story: Story, names: list[str]) -> Chapter:
    content = asked(story.wave, story.document)
    rows = [
        row(indicator, item, text_of(story.labels.items.get(item, {"it": item}), about.language))
        for indicator, items in sorted(content["informs"].get("indicators", {}).items())
        for item in items
    ]
    document = story.document.questionnaire
    languages = ", ".join(content["questionnaire"].get("languages", ()))
    lines = (about.say("languages", languages=languages),) if languages else ()
    return Chapter(
        about.say("chapter.questions", name=f"{document.id} {document.version}"),
        about.say("lead.questions"),
        ", ".join(f"{PART}/{plain_name(name)}/questionnaire.json" for name in names),
        table(about, "map", ("indicator", "item", "question"), (1, 2, 9), rows),
        lines,
    )
