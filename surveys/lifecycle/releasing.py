"""The release: the urn is opened once, in memory; what comes out is the protected, signed document, or nothing.

Runs in a short-lived process of its own: it loads scipy, and its memory is gone when it ends.
"""

import json
import resource
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.document import Release, canonical
from analysis.moves import Below
from analysis.release import Facts, release
from analysis.responses import RawResponses
from analysis.rules import Rules
from analysis.scoring import Instrument
from analysis.views import Plan
from surveys.answers import wave as urn_of
from surveys.answers.holders import HolderKeys, holder_keys
from surveys.answers.keys import SEATS, HolderSecret, SecretRefused, read_secret, unwrap
from surveys.answers.opening import Comments, SheetsForged, open_all, open_responses
from surveys.answers.plans import SignedPlan
from surveys.answers.wave import Contents
from surveys.lifecycle import destroying, drawing, frozen, pins, steps, witness
from surveys.lifecycle.comments import sealed_to_team
from surveys.lifecycle.context import Site, over_path, read_wave_key, read_wraps
from surveys.lifecycle.drawing import DrawnBefore
from surveys.lifecycle.instrument import instrument_of
from surveys.lifecycle.planning import GUARANTEE, anchored
from surveys.lifecycle.ready import checked_plan, is_second
from surveys.lifecycle.released import IMPORT, RELEASE, WORDS, end_import, end_release, end_words
from surveys.people import log, panel
from surveys.public import comments, releases, waves
from surveys.public.signing import fingerprint, installation_key, public_text, sign
from surveys.public.waves import State, WaveRecord, WrongState
from surveys.questionnaire import Questionnaire
from surveys.signed import digest

type Progress = Callable[[str], None]


class ReleaseLost(Exception):
    """The store says that it kept the document, and it is not there. Nothing was destroyed."""


class MoreSheetsThanCodes(Exception):
    """The urn holds more sheets than codes were spent: somebody wrote into it. Nothing is released."""


def forbid_traces() -> None:
    """No core dump of this process: its memory holds the answers for a moment."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


async def release_wave(
    site: Site, wave: str, secrets: tuple[str, str], progress: Progress, without: int = 0
) -> Release:
    """Open, protect, audit, commit, destroy; before the commit a failure leaves the urn sealed as it was.

    Parameters
    ----------
    secrets : tuple of str
        Of two different holders, as typed.
    without : int
        So many sheets that are missing the two have been told of and release without (`open_all`).

    Raises
    ------
    SecretRefused, WrongState, AlreadyReleasing, StepUnderWay, DisclosureError, TooFew, MoreSheetsThanCodes, FileNotFoundError,
    PlanOther, ClosingOther, SheetsForged, SheetsMissing, DrawnBefore, ReleaseLost
        Nothing was released and nothing destroyed.
    """
    forbid_traces()
    async with destroying.alone(site), steps.alone(site, wave):
        await steps.finish(site, wave)  # of a release that was cut off after its commit
        record = await waves.get(wave)
        if record.state != State.CLOSED:
            raise WrongState(wave, record.state, (State.CLOSED,))
        if over_path(site.data, wave).exists():
            raise DrawnBefore  # it was released, or ended otherwise, and its row put back
        questionnaire = Questionnaire.from_json(dict(record.questionnaire))
        typed = read_secret(secrets[0]), read_secret(secrets[1])
        published, there = await releases.bulletin(wave), await urn_of.contents(wave)
        await witness.check(site.data, wave, published, there)
        await frozen.check(site.data, record)
        await frozen.check_raises(record)
        second = is_second(site.data, wave)
        if second and (published is None or tuple(published[1]) != there.spent):
            raise SheetsForged  # codes were added or taken away between the bulletin and what was kept at an update
        opened = _open if second else _open_first
        raw, texts, unreadable, plan = await opened(site, record, questionnaire, typed, there, progress, without)
        sheets = urn_of.marks_of(there.sheets)
        del there  # a whole urn need not lie in memory while the numbers are computed
        participation = {
            **{name: n for name, n in (published[0] if published else {}).items() if name != "void_slips"},
            "received": len(raw) + unreadable,
            "unreadable": unreadable,
        }
        facts = Facts(
            installation=fingerprint(public_text(installation_key(site.data))),
            origin="ascolto",
            wave={"id": wave, "title": dict(record.title), "opened": _iso(record.opened), "closed": _iso(record.closed)}
            | plan,
            questionnaire={"id": questionnaire.id, "version": questionnaire.version, "sha256": questionnaire.sha256()},
            participation=participation,
            headcounts=await panel.headcounts(wave),
        )
        step = await steps.begin(site, wave, RELEASE)
        await log.record(site.engines["people"], site.day, site.actor, "release begun", wave=wave)
        try:
            below = drawing.begin(site.data, wave, _decides(record, facts, sheets))
            made = await _compute_and_commit(
                site, record, raw, texts, instrument_of(questionnaire), facts, progress, below
            )
        except Exception:
            await steps.over(site, step)
            raise
        progress("destroying")
        await end_release(site, step)
    return made


def _decides(record: WaveRecord, facts: Facts, sheets: Sequence[str]) -> dict[str, Any]:
    """All that decides what is printed: of an attempt that is repeated it must be the same."""
    return {
        "sheets": list(sheets),
        "questionnaire": dict(record.questionnaire),
        "plan": dict(record.plan),
        "k": dict(record.rules["k"]),
        "headcounts": dict(facts.headcounts or {}),
        "participation": dict(facts.participation),
    }


type _Opened = tuple[RawResponses, Comments, int, dict[str, str]]


async def _open(
    site: Site,
    record: WaveRecord,
    questionnaire: Questionnaire,
    typed: tuple[HolderSecret, HolderSecret],
    there: Contents,
    progress: Progress,
    without: int,
) -> _Opened:
    """Version 2: hold plan, words, sheets, spent codes and bulletin against each other; gives the plan's hash too."""
    progress("keys")
    plan, (anchor, _) = await checked_plan(site.data, record), await anchored(site.data)
    keys = _two_holders(typed, anchor.hash, plan)
    wave_key = read_wave_key(site.data, record.id)
    progress("opening")
    if len(there.sheets) > len(there.spent):
        raise MoreSheetsThanCodes
    raw, texts, missing = open_all(there, questionnaire, plan, wave_key, keys, without)
    return raw, texts, missing, {"plan": plan.hash}


def _two_holders(typed: tuple[HolderSecret, HolderSecret], house: str, plan: SignedPlan) -> dict[str, HolderKeys]:
    """Derive the keys of two holders and find them in the plan, both halves.

    Raises
    ------
    SecretRefused
    """
    found = {}
    for secret in typed:
        for seat in SEATS:
            keys, stated = holder_keys(secret, house, plan.wave, seat), plan.holder(seat)
            if (keys.point, keys.signer) == (stated.point, stated.signer):
                found[seat] = keys
                break
        else:
            raise SecretRefused("these words belong to no holder of this plan")
    if len(found) != 2:
        raise SecretRefused("the words of two different holders are needed")
    return found


async def _open_first(
    site: Site,
    record: WaveRecord,
    questionnaire: Questionnaire,
    typed: tuple[HolderSecret, HolderSecret],
    there: Contents,
    progress: Progress,
    _without: int,
) -> _Opened:
    """Version 1: a wave that was under way when version 2 came, with the keys that were pinned then."""
    progress("keys")
    pins.check(site.data, record)
    key = unwrap(typed, record.id, read_wraps(site, record.id), record.holder_keys())
    progress("opening")
    raw, texts, unreadable = open_responses(there, questionnaire, key)
    if len(raw) + unreadable > len(there.spent):
        raise MoreSheetsThanCodes
    return raw, texts, unreadable, {}


async def _compute_and_commit(
    site: Site,
    record: WaveRecord,
    raw: RawResponses,
    texts: Comments,
    instrument: Instrument,
    facts: Facts,
    progress: Progress,
    below: Below,
) -> Release:
    rules = Rules(**{f"k_{family}": k for family, k in record.rules["k"].items()})
    made = release(raw, Plan.from_json(dict(record.plan)), instrument, rules, facts, progress=progress, below=below)
    progress("committing")
    team = record.holders.get(GUARANTEE)
    sealed = sealed_to_team(texts, bytes.fromhex(team["key"]), rules.k_comments) if team else {}
    if sealed:
        made = Release.from_json(made.to_json() | {"comments": "sealed"})
    text = signed(site, made.to_json())
    public = site.engines["public"]
    async with public.transaction():
        await releases.keep(record.id, text, "")
        await comments.keep(public, record.id, sealed)
        await waves.change(public, record.id, record.state, state=State.RELEASED, released=site.day)
    if await releases.kept(record.id) != text or (await waves.get(record.id)).state != State.RELEASED:
        raise ReleaseLost  # whoever writes the store took it out again: nothing may be destroyed
    return made


def signed(site: Site, document: Mapping[str, Any]) -> str:
    """Sign a document with the installation's key; its canonical text, signature included."""
    key = installation_key(site.data)
    body = {**document, "key": public_text(key)}
    return canonical({**body, "signature": sign(key, canonical(body))}).decode()


def _iso(day: object) -> str:
    return str(day) if day else ""


class FiguresDiffer(Exception):
    """Other words were asked for, and a figure would be another too."""


def _figures(document: Mapping[str, Any]) -> dict[str, Any]:
    """A release document without its words and its seal."""
    found = json.loads(
        json.dumps({name: value for name, value in document.items() if name not in ("key", "signature")})
    )
    del found["wave"]["title"], found["questionnaire"]["sha256"], found["questionnaire"]["version"]
    for dimension in found["plan"]["dimensions"]:
        for category in dimension["categories"]:
            del category["name"]
    return dict(found)


@dataclass(frozen=True, slots=True)
class Imported:
    """An imported file, ready for its release: the row that it becomes, what is computed from, and where its moves come from."""

    record: WaveRecord
    raw: RawResponses
    instrument: Instrument
    facts: Facts
    below: Below

    def released(self, progress: Progress) -> Release:
        """Its document: the same again for the same file and mapping."""
        rules = Rules(**{f"k_{family}": k for family, k in self.record.rules["k"].items()})
        plan = Plan.from_json(dict(self.record.plan))
        return release(self.raw, plan, self.instrument, rules, self.facts, progress=progress, below=self.below)


async def rename_imported(site: Site, given: Imported, progress: Progress) -> None:
    """Put other words to the figures of an imported wave; its charts are drawn anew by the caller.

    Parameters
    ----------
    site : its stores, keys and day
    given : the same file, with its new words
    progress : told what is done

    Raises
    ------
    FiguresDiffer, NoSuchWave, WrongState, ReleaseInvalid
        Nothing was changed.
    """
    forbid_traces()
    async with destroying.alone(site), steps.alone(site, given.record.id):
        record = given.record
        await steps.finish(site, record.id)
        before, published = await waves.get(record.id), await releases.document(record.id)
        if before.origin != "imported" or before.state != State.RELEASED or published is None:
            raise WrongState(record.id, before.state, (State.RELEASED,))
        made = given.released(progress).to_json()
        if _figures(made) != _figures(published):
            raise FiguresDiffer
        public, text = site.engines["public"], signed(site, made)
        step = await steps.begin(site, record.id, WORDS, document=digest(text))
        async with public.transaction():
            await waves.change(
                public,
                record.id,
                State.RELEASED,
                title=record.title,
                questionnaire=record.questionnaire,
                plan=record.plan,
            )
            await releases.replace(record.id, text)
        await end_words(site, step)


async def release_imported(
    site: Site, given: Imported, progress: Progress, remember: Callable[[Collection[str]], None]
) -> Release:
    """Release a wave that came from another tool's file; it never was in an urn.

    Parameters
    ----------
    site : its stores, keys and day
    given : the file as it was read
    progress : told what is done
    remember : told the waves that are here, while nothing else is released; it notes the file, or raises if it was released before

    Raises
    ------
    WrongState
        If a wave of this id is here already.
    """
    forbid_traces()
    async with destroying.alone(site), steps.alone(site, given.record.id):
        await steps.finish(site, given.record.id)
        record, there = given.record, {wave.id for wave in await waves.everything()}
        if record.id in there:
            raise WrongState(record.id, State.RELEASED, (State.DRAFT,))
        remember(there)
        made = given.released(progress)
        progress("committing")
        text = signed(site, made.to_json())
        public = site.engines["public"]
        step = await steps.begin(site, record.id, IMPORT)
        async with public.transaction():
            await waves.add(public, record)
            await releases.keep(record.id, text, "")
        await end_import(site, step)
    return made
