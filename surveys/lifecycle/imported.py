"""A wave from another tool's export: coded rows in memory, released at once, no response written."""

import json
from collections.abc import Collection
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from analysis.demographics import Category, Dimension
from analysis.release import Facts
from analysis.responses import RawResponses
from analysis.scoring import Instrument, ItemSpec, ScaleSpec
from analysis.views import ROOT, WEIGHT_GENDER, WEIGHT_UNIT, Plan, View
from surveys import signed
from surveys.importing.mapping import ItemMapping, ResponseMapping
from surveys.importing.responses import ImportedResponses
from surveys.importing.sources import Sketches, is_same
from surveys.lifecycle import drawing
from surveys.lifecycle.context import Site, keep_file
from surveys.lifecycle.releasing import Imported, Progress, release_imported, rename_imported
from surveys.public.releases import WORDS_SIGNED, words_digest
from surveys.public.signing import fingerprint, installation_key, public_text
from surveys.public.waves import State, WaveRecord

_CONTRAST = ("f", "m")
"""Women and men are the last to be hidden."""
_K = {"items": 5, "comments": 10, "experience": 20}


def plan_of(mapping: ResponseMapping) -> Plan:
    """Each group of the mapping by itself: the views of an imported wave."""
    dimensions = tuple(
        Dimension(group.name, tuple(Category(code, group.names.get(code, code)) for code in group.codes))
        for group in mapping.groups
    )
    views = [View(ROOT, (), 1)]
    for dimension in dimensions:
        views += [
            View(
                f"{dimension.id}:{c.code}",
                ((dimension.id, (c.code,)),),
                WEIGHT_GENDER if c.code in _CONTRAST else WEIGHT_UNIT,
            )
            for c in dimension.categories
        ]
    return Plan(dimensions, tuple(views))


def _specs(item: ItemMapping) -> list[ItemSpec]:
    names = [f"{item.name}.{code}" for code in dict.fromkeys(item.options.values())] or [item.name]
    low, high = (0, 1) if item.options else (item.low, item.high)
    return [
        ItemSpec(
            id=name,
            low=low,
            high=high,
            reverse=item.reverse,
            construct=item.construct or None,
            areas=item.areas,
            indicators=item.indicators,
            family="items",
            rare=item.rare,
            outcome=False,
            of=item.name if item.options else None,
            favourable_from=1 if item.options else item.favourable_from,
            dont_know=bool(item.dont_know),
        )
        for name in names
    ]


def instrument_of(mapping: ResponseMapping) -> Instrument:
    """What the analysis needs to know of the mapped items."""
    specs = tuple(spec for item in mapping.items for spec in _specs(item))
    scales = tuple(ScaleSpec(scale.name, tuple(scale.items), scale.min_answered) for scale in mapping.scales)
    indicators = tuple(sorted({indicator for item in mapping.items for indicator in item.indicators}))
    return Instrument(specs, scales, indicators)


def _frozen(mapping: ResponseMapping) -> dict[str, object]:
    """What pages need to name the figures of this wave."""
    return {
        "imported": True,
        "source": mapping.source,
        "licence": mapping.licence,
        "items": {spec.id: dict(item.text) for item in mapping.items for spec in _specs(item)},
        "scales": {scale.name: dict(scale.title) for scale in mapping.scales},
        "reverse": [item.name for item in mapping.items if item.reverse],
    }


class SourceReleased(Exception):
    """The file, or most of its rows, was released before; the first argument is the wave. One source has one catalogue."""


def source_key(data: Path) -> bytes:
    """The key of what is kept to know a file again."""
    return HKDF(SHA256(), 32, None, b"ascolto import sketch v1").derive(installation_key(data).private_bytes_raw())


def sources_path(data: Path) -> Path:
    return data / "keys" / "imports.json"


def moves_path(data: Path) -> Path:
    """Which noted waves have moves that follow from rows and structure; before December 2026 they followed from the mapping's file."""
    return data / "keys" / "imports-moves.json"


def _drawn_by_structure(data: Path) -> set[str]:
    path = moves_path(data)
    return set(json.loads(path.read_text("utf-8"))) if path.exists() else set()


def _remember(site: Site, mapping: ResponseMapping, found: ImportedResponses, there: Collection[str]) -> None:
    """Refuse a source that was noted; else note this one, before it is released: what was cut off there begins anew under its own name.

    Nothing noted is ever forgotten: whoever deletes a wave from the store gets no second document of its source.

    Raises
    ------
    SourceReleased
    """
    path = sources_path(site.data)
    known: dict[str, Sketches] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    drawn = _drawn_by_structure(site.data)
    if mapping.wave in known and not is_same(known[mapping.wave], found.sketches):
        raise SourceReleased(mapping.wave)  # of another source: what was noted of that would be written over
    for wave, before in known.items():
        if (wave in there or wave != mapping.wave or wave not in drawn) and is_same(before, found.sketches):
            raise SourceReleased(wave)
    keep_file(moves_path(site.data), signed.canonical(sorted(drawn | {mapping.wave})).encode())
    kept = known | {mapping.wave: {name: list(sketch) for name, sketch in found.sketches.items()}}
    keep_file(path, signed.canonical(kept).encode())


def _structure(mapping: ResponseMapping) -> dict[str, Any]:
    """What of a mapping decides figures: all but its words."""
    made = instrument_of(mapping)
    return {
        "items": [asdict(spec) for spec in made.items],
        "scales": [asdict(scale) for scale in made.scales],
        "groups": [[group.name, list(group.codes)] for group in mapping.groups],
        "wave": [mapping.wave, mapping.opened, mapping.closed],
    }


def _ready(site: Site, mapping: ResponseMapping, found: ImportedResponses) -> Imported:
    raw = RawResponses(found.n, found.groups, found.answers)
    facts = Facts(
        installation=fingerprint(public_text(installation_key(site.data))),
        origin="imported",
        wave={"id": mapping.wave, "title": dict(mapping.title), "opened": mapping.opened, "closed": mapping.closed},
        questionnaire={"id": mapping.wave, "version": WORDS_SIGNED, "sha256": words_digest(_frozen(mapping))},
        participation={"invited": 0, "issued": 0, "drawn": 0, "received": found.n, "unreadable": 0},
        headcounts=None,
    )
    plan = plan_of(mapping)
    record = WaveRecord(
        id=mapping.wave,
        title=dict(mapping.title),
        state=State.RELEASED,
        released=site.day,
        origin="imported",
        questionnaire=_frozen(mapping),
        plan=plan.to_json(),
        rules={"k": _K},
    )
    of = {"groups": found.groups, "answers": found.answers, "structure": _structure(mapping)}
    below = drawing.derived(installation_key(site.data).private_bytes_raw(), of)
    return Imported(record, raw, instrument_of(mapping), facts, below)


async def release_file(site: Site, mapping: ResponseMapping, found: ImportedResponses, progress: Progress) -> None:
    """Protect, audit and publish an imported file as a wave of its own.

    Raises
    ------
    DisclosureError, TooFew, WrongState, AlreadyReleasing, SourceReleased
        Nothing was kept.
    """
    await release_imported(site, _ready(site, mapping, found), progress, partial(_remember, site, mapping, found))


async def correct_words(site: Site, mapping: ResponseMapping, found: ImportedResponses, progress: Progress) -> None:
    """Put other titles and names to the figures of an imported wave: the same file, and a mapping that differs in words alone.

    The figures are computed once more, from the same moves, and must be those that were published: a document takes the place
    of the one before only where no figure differs.

    Raises
    ------
    FiguresDiffer
        Rows, items, groups or days are others, or it was imported before December 2026: nothing was changed.
    NoSuchWave, WrongState, ReleaseInvalid
    """
    await rename_imported(site, _ready(site, mapping, found), progress)
