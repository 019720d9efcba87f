"""What was done, in the audit pack: actions and what became of them, answers to staff, the channel's counts, the log of acts."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from server.concern.facts import band_lines, for_auditor
from server.frame.display import day
from server.frame.texts import catalogue, say
from server.papers.pack_part import About, Chapter, Gap, Part, row, table
from server.results.effects import effects
from server.results.promise import in_words
from surveys.lifecycle import heads
from surveys.people import log
from surveys.people.log import Act
from surveys.public import actions, channel, promises, waves
from surveys.public.readers import ListsRefused
from surveys.public.waves import State

READABLE: Mapping[str, tuple[str, ...]] = {
    "wave planned": ("wave",),
    "plan signed": ("wave", "words"),
    "plan confirmed": ("wave", "seat"),
    "secret made": ("wave", "seat"),
    "wave opened": ("wave", "invited"),
    "wave extended": ("wave", "ends"),
    "wave ended": ("wave",),
    "wave closed": ("wave", "received"),
    "wave too few": ("wave", "received"),
    "wave cancelled": ("wave",),
    "closing kept": ("wave", "mark", "issued", "drawn", "received"),
    "closing kept later": ("wave", "mark", "issued", "drawn", "received"),
    "raise asked": ("wave", "family", "k"),
    "raised": ("wave", "family", "k"),
    "release begun": ("wave",),
    "wave released": ("wave",),
    "urn destroyed": ("wave",),
    "secret destroyed": ("wave", "seat"),
    "keys restored": ("wave",),
    "wave imported": ("wave",),
    "imported words corrected": ("wave",),
    "results exported": ("wave", "kind"),
    "pack exported": ("kind",),
    "figures kept": ("year",),
    "scorecard kept": ("card", "sha256"),
    "figures removed": ("year",),
    "open channel": (),
    "channel rules": ("heard", "years"),
    "handler trained": ("handler", "on"),
}
"""The acts that an auditor reads, each with the details that go with it: what makes a wave, its results and the evidence. Never whom
a link, a slip or a message went to, who signed in, or what was done to an account."""
PRINTED = 300
"""So many acts are printed, the newest; the file has all."""


def _text(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1, default=str).encode()


async def actions_part(about: About) -> Part:
    """Every action, and the figure that it was about before and after."""
    found, odd = await actions.look()
    broken = tuple(Gap("actions", "record", name) for name in odd)
    if not found:
        return Part(absent=() if odd else (Gap("actions", "none"),), broken=broken)
    if not about.whole:
        return Part(chapters=(Chapter(about.say("chapter.actions"), "", ""),), broken=broken)
    became = await effects(found, about.language)
    listed = [
        {
            "wave": one.wave,
            "indicator": one.indicator,
            "area": one.area,
            "group": one.unit,
            "text": one.text,
            "owner": one.owner,
            "due": one.due,
            "set_on": one.set_on,
            "changed_on": one.changed_on,
            "done": one.done,
            "done_on": one.done_on,
            "answers": became[one.id].what,
            "became": became[one.id].words,
        }
        for one in found
    ]
    rows = [
        row(
            one.text,
            one.owner,
            day(one.due, about.language),
            _state(about, one.done, one.is_late(about.day), day(one.done_on, about.language)),
            became[one.id].what,
            became[one.id].words,
        )
        for one in found
    ]
    chapter = Chapter(
        about.say("chapter.actions"),
        about.say("lead.actions"),
        "actions.json",
        table(about, "actions", ("action", "owner", "due", "state", "answers", "became"), (5, 2, 2, 2, 3, 3), rows),
        (say(about.language, "actions.method"),),
    )
    plain = {"schema": "ascolto-actions/1", "day": about.day, "actions": listed}
    return Part(files=(("actions.json", _text(plain)),), broken=broken, chapters=(chapter,))


def _state(about: About, done: bool, late: bool, on: str) -> str:
    if done:
        return say(about.language, "actions.done", day=on)
    return say(about.language, "actions.late" if late else "actions.open")


async def promises_part(about: About) -> Part:
    """By when the management answers each wave, and on which day it did; a released wave without a promise is said to have none."""
    found = await promises.everything()
    promised = {one.wave for one in found}
    none = sorted(wave.id for wave in await waves.in_state(State.RELEASED) if wave.id not in promised)
    absent = tuple(Gap("promises", "wave", wave) for wave in none)
    if not found:
        return Part(absent=absent or (Gap("promises", "none"),))
    rows = []
    for one in found:
        said = in_words(one, about.language, about.day)
        answered = day(one.answered_on, about.language) or "–"
        dates = day(one.signed_on, about.language), said.due, answered
        rows.append(row(one.wave, one.signed_by, *dates, said.line))
    columns = ("wave", "signed_by", "signed_on", "due", "answered_on", "state")
    chapter = Chapter(
        about.say("chapter.promises"),
        about.say("lead.promises"),
        "promises.json",
        table(about, "promises", columns, (2, 2, 2, 2, 2, 5), rows),
    )
    plain = {"schema": "ascolto-promises/1", "promises": [asdict(one) for one in found]}
    return Part(files=(("promises.json", _text(plain)),), absent=absent, chapters=(chapter,))


async def channel_part(about: About) -> Part:
    """The channel's procedure, training and yearly bands: counts alone, and no case."""
    record = await channel.load()
    if not record.is_open:
        return Part(absent=(Gap("channel", "closed"),))
    try:
        found = await for_auditor(about.day, about.data)
    except ListsRefused:
        return Part(broken=(Gap("channel", "lists"),))
    bands = [row(*line) for line in band_lines(record, about.language)]
    people = [
        row(
            one["name"],
            one["role"],
            about.say("outside" if one["outside"] else "inside"),
            day(one["trained"], about.language) or "–",
        )
        for one in found["handlers"]
    ]
    chapter = Chapter(
        about.say("chapter.channel"),
        about.say("lead.channel"),
        "channel.json",
        (
            *table(about, "bands", ("year", "cases", "times"), (1, 3, 5), bands),
            *table(about, "handlers", ("name", "role", "where", "trained"), (3, 3, 2, 2), people),
        ),
        (about.say("opened", day=day(record.opened, about.language)), *(() if bands else (about.say("no_years"),))),
    )
    plain = {"schema": "ascolto-channel/1", "channel": found}
    return Part(files=(("channel.json", _text(plain)),), chapters=(chapter,))


async def log_part(about: About) -> Part:
    """The acts of whole days before this one that concern waves, results and evidence, and the signed head of the log.

    Today's are left out: a pack does not tell when somebody works at a desk, and two of one day are the same.
    """
    every = [act for act in await log.read() if act.day < about.day]
    if not every:
        return Part(absent=(Gap("log", "empty"),))
    broken = next((act.number for act in every if not act.intact), None)
    if broken is not None:
        return Part(broken=(Gap("log", "chain", str(broken)),))
    head = await log.head(before=about.day)
    readable = [act for act in every if act.act in READABLE]
    plain = {
        "schema": "ascolto-log/1",
        "before": about.day,
        "head": heads.line_of(about.data, head) if head else "",
        "entries": len(every),
        "acts": [
            {"number": one.number, "day": one.day, "who": one.actor, "act": one.act, "details": _details(one)}
            for one in readable
        ],
    }
    rows = [row(str(one.number), day(one.day, about.language), one.actor, _sentence(about, one)) for one in readable]
    more = (about.say("more_acts", n=len(rows) - PRINTED),) if len(rows) > PRINTED else ()
    about_head = (
        (about.say("head_line", n=head.number, day=day(head.day, about.language), head=head.short),) if head else ()
    )
    chapter = Chapter(
        about.say("chapter.log"),
        about.say("lead.log"),
        "log.json",
        table(about, "log", ("number", "day", "who", "act"), (1, 3, 3, 9), rows[-PRINTED:][::-1]),
        (*about_head, *more),
    )
    return Part(files=(("log.json", _text(plain)),), chapters=(chapter,))


def _details(act: Act) -> dict[str, str]:
    return {name: str(act.details[name]) for name in READABLE[act.act] if name in act.details}


def _sentence(about: About, act: Act) -> str:
    key = f"desk.act.{act.act.replace(' ', '_')}"
    try:
        return say(about.language, key, **_details(act)) if key in catalogue(about.language) else act.act
    except KeyError:
        return act.act
