"""What each file of a pack must agree with: the signed release, the evidence, the index. Every check gives "" or what is wrong."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import msgspec

from analysis import published
from analysis.document import canonical
from analysis.pdr125 import quantities
from analysis.pdr125.year_figures import from_json
from analysis.published import Document
from server.papers.pack_archive import Reader, plain_name
from server.papers.pack_evidence import agrees
from server.papers.pack_register import agrees as line_agrees
from server.papers.pack_signers import HOUSE, RINGS, is_of
from server.papers.pack_waves import asked
from server.results.exports import FIGURES, as_csv
from server.results.reading import labels_of
from server.results.verifying import verify
from surveys import certification, signed
from surveys.answers import plans
from surveys.certification import Ground
from surveys.lifecycle import heads
from surveys.public import evidence_state, rings
from surveys.public import house as house_file
from surveys.public.evidence_state import EvidenceState
from surveys.public.house import HouseFile
from surveys.public.releases import WORDS_SIGNED, words_digest
from surveys.public.rings import Ring
from surveys.public.scorecards import Scorecard, believed, parts_of
from surveys.public.waves import State, WaveRecord
from surveys.questionnaire import Questionnaire
from surveys.scorecards import drawn_up

OTHER = "other"
_WAVE = r"releases/[^/]+"
_ABOUT = 3
_WORDS = frozenset(_ABOUT + FIGURES.index(name) for name in ("group", "kind", "text"))
"""The columns of the long table that hold words alone; before them stand three of the wave."""


class Pack:
    """A pack whose hashes hold, and what is read of it more than once."""

    def __init__(self, archive: Reader, index: Mapping[str, Any]) -> None:
        self._archive, self.index = archive, index
        self.key: str = index["key"]
        self.day = date.fromisoformat(index["day"])
        self.told_broken = {one["what"] for one in index["broken"] if one["reason"] == "record"}
        """Indicators of which the pack itself says that their record is not what their acts left."""
        self.told_of_cards = {one["what"] for one in index["broken"] if one["part"] == "scorecards"}
        """Kept scorecards of which the pack itself says that they are missing, or not as they were signed."""
        self.sha256 = {one["path"]: one["sha256"] for one in index["files"]}

    def text(self, path: str) -> str:
        return self._archive.content(path).decode()

    def json(self, path: str) -> Any:
        return json.loads(self.text(path))

    def beside(self, path: str, name: str) -> str:
        """The path of another file in the same folder.

        Raises
        ------
        KeyError
            If it is not in the pack.
        """
        found = f"{path.rpartition('/')[0]}/{name}"
        return found if found in self.sha256 else _missing(found)

    @cached_property
    def stored(self) -> dict[str, EvidenceState]:
        """The evidence as it stood; nothing where there is none."""
        path = "evidence/evidence.json"
        if path not in self.sha256:
            return {}
        return {name: evidence_state.from_plain(record) for name, record in self.json(path)["records"].items()}

    @cached_property
    def house(self) -> HouseFile:
        """The house file."""
        return house_file.read(self.text(HOUSE))

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        """The rings, each signed by two seats of the one before, the first by those of the house."""
        return rings.chain([(one["text"], one["signatures"]) for one in self.json(RINGS)["rings"]], self.house)

    def release(self, path: str) -> Document:
        """The signed document in the folder of a path."""
        return published.read(self.json(self.beside(path, "release.json")))

    def release_of(self, wave: str) -> Document | None:
        """The document of a wave, wherever it lies."""
        for path in self.sha256:
            if path.endswith("/release.json") and self.json(path)["wave"]["id"] == wave:
                return published.read(self.json(path))
        return None


def _missing(path: str) -> str:
    raise KeyError(path)


@dataclass(frozen=True, slots=True)
class Held:
    """A kind of file: where it lies, the key of its sentence, and its check."""

    path: re.Pattern[str]
    key: str
    check: Callable[[Pack, str], str]


def _house(pack: Pack, path: str) -> str:
    return "" if is_of(pack.house, pack.key) else OTHER


def _rings(pack: Pack, path: str) -> str:
    return "" if all(ring.number == place for place, ring in enumerate(pack.rings, 1)) else OTHER


def _release(pack: Pack, path: str) -> str:
    document = pack.json(path)
    if canonical(document) != pack.text(path).encode() or path.split("/")[1] != plain_name(document["wave"]["id"]):
        return OTHER
    return "; ".join(verify(document, pack.key))


def _plan(pack: Pack, path: str) -> str:
    document = pack.json(pack.beside(path, "release.json"))
    return "; ".join(verify(document, pack.key, pack.json(path)))


def _signed_plan(pack: Pack, path: str) -> str:
    """Two seats of its ring signed it; its digest stands in the signed document; it names questions, groups, rules by their digests."""
    content, document = pack.json(path), pack.release(path)
    text = content["plan"]
    ring = pack.rings[plans.read(text, pack.house.hash).ring - 1]
    plans.verify(text, content["signatures"], pack.house.hash, ring)
    plan = signed.parse(text)
    frozen = pack.json(pack.beside(path, "plan.json"))
    asked_of = pack.json(pack.beside(path, "questionnaire.json"))["questionnaire"]
    same = (
        signed.digest(text) == document.wave.plan,
        plan["wave"] == document.wave.id,
        plan["questionnaire"] == plans.hash_of(asked_of),
        plan["groups"] == plans.hash_of(frozen["plan"]),
        all(document.rules.k[family] >= k for family, k in plan["rules"].items()),
    )
    return "" if all(same) else OTHER


def _questionnaire(pack: Pack, path: str) -> str:
    content, document = pack.json(path), pack.release(path)
    frozen = content["questionnaire"]
    if document.origin != "imported":
        digest = Questionnaire.from_json(frozen).sha256()
    else:
        digest = (
            words_digest(frozen) if document.questionnaire.version == WORDS_SIGNED else document.questionnaire.sha256
        )
    wave = WaveRecord(document.wave.id, document.wave.title, State.RELEASED, questionnaire=frozen)
    same = digest == document.questionnaire.sha256 and content == json.loads(json.dumps(asked(wave, document)))
    return "" if same else OTHER


def _notice(pack: Pack, path: str) -> str:
    content = pack.json(path)
    same = content["wave"] == pack.release(path).wave.id and set(content["notice"]) and set(content["said"])
    return "" if same else OTHER


def _table(pack: Pack, path: str) -> str:
    """The figures of the table, in its order; words may be those of another version."""
    document, frozen = pack.release(path), pack.json(pack.beside(path, "questionnaire.json"))["questionnaire"]
    wave = WaveRecord(document.wave.id, document.wave.title, State.RELEASED, questionnaire=frozen)
    language = pack.index["language"]
    return "" if _cells(pack.text(path)) == _cells(as_csv(document, labels_of(wave), language)) else OTHER


def _cells(text: str) -> list[tuple[str, ...]]:
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter)
    return [tuple(_figure(cell) for at, cell in enumerate(cells) if at not in _WORDS) for cells in list(rows)[1:]]


def _figure(cell: str) -> str:
    """A cell that says something of figures; "not shown" in words is none."""
    return cell if any(letter.isdigit() for letter in cell) or cell == "" else "-"


def _hashed(pack: Pack, path: str) -> str:
    """A file whose form is not read: its hash was compared."""
    return "" if path in pack.sha256 else OTHER


def _evidence(pack: Pack, path: str) -> str:
    content = pack.json(path)
    papers = {one.id: one for state in pack.stored.values() for one in state.documents}
    placed = {document: papers[document].sha256 for document in content["files"]}
    named = all(name.startswith(f"evidence/files/{placed[document]}-") for document, name in content["files"].items())
    there = {path for path in pack.sha256 if path.startswith("evidence/files/")}
    reviewed = all(
        state.reviewed_mark in ("", state.mark) and name == state.indicator for name, state in pack.stored.items()
    )
    same = named and reviewed and there == set(content["files"].values()) and content["day"] == pack.index["day"]
    return "" if same else OTHER


def _evidence_log(pack: Pack, path: str) -> str:
    """Numbers without a gap, and the last act of each indicator says what stands now."""
    last: dict[str, Mapping[str, Any]] = {}
    for act in pack.json(path)["acts"]:
        before = last.get(act["indicator"])
        if act["number"] != (before["number"] + 1 if before else 1) or date.fromisoformat(act["day"]) > pack.day:
            return OTHER
        last[act["indicator"]] = act
    for name, act in last.items():  # records of before there was a log have no act, and acts of before marks no mark
        if name not in pack.told_broken and not agrees(pack.stored.get(name, EvidenceState(name)), act["after"]):
            return OTHER
    return ""


def _evidence_file(pack: Pack, path: str) -> str:
    return "" if path.rpartition("/")[2].startswith(f"{pack.sha256[path]}-") else OTHER


def _register(pack: Pack, path: str) -> str:
    """Acts without a gap, each line what its last act left, and its files where it says."""
    content = pack.json(path)
    lines = {one["number"]: one["line"] for one in content["lines"]}
    last: dict[int, Mapping[str, Any]] = {}
    for act in content["acts"]:
        before = last.get(act["line"])
        if act["number"] != (before["number"] + 1 if before else 1) or date.fromisoformat(act["day"]) > pack.day:
            return OTHER
        last[act["line"]] = act
    told = {number for number in {*lines, *last} if f"#{number}" in pack.told_broken}
    if any(number not in last or not line_agrees(lines.get(number), last[number]) for number in {*lines, *last} - told):
        return OTHER
    papers = {one["id"]: one["sha256"] for line in lines.values() for one in line["documents"]}
    named = all(name.startswith(f"register/files/{papers[one]}-") for one, name in content["files"].items())
    there = {path for path in pack.sha256 if path.startswith("register/files/")}
    return "" if named and there == set(content["files"].values()) and content["day"] == pack.index["day"] else OTHER


def _today(pack: Pack, path: str) -> str:
    """Computed again from the evidence and the release that it names."""
    card = msgspec.json.decode(pack.text(path), type=Scorecard)
    document = pack.release_of(card.wave) if card.wave else None
    if card.wave and document is None:
        return OTHER
    again = drawn_up(Ground(pack.day, pack.stored, card.band, document), "")
    return "" if again == card and pack.index["edition"] == card.edition else OTHER


def _card(pack: Pack, path: str) -> str:
    text, signature = parts_of(pack.text(path))
    name = path.rpartition("/")[2].removesuffix(".json")
    card = believed(text, signature, pack.key, name)
    document = pack.release_of(card.wave)  # of a wave that is here it must be the same document
    same = document is None or document.signature == card.wave_signature
    return "" if same and _before_is_here(pack, card) else OTHER


def _before_is_here(pack: Pack, card: Scorecard) -> bool:
    """Whether the scorecard that was kept before this one is in the pack as it was then, or the pack says what is wrong with it."""
    named = card.named_before()
    if named is None or named[0] in pack.told_of_cards:
        return True
    path = f"scorecards/{plain_name(named[0])}.json"
    return path in pack.sha256 and hashlib.sha256(parts_of(pack.text(path))[0].encode()).hexdigest() == named[1]


def _figures(pack: Pack, path: str) -> str:
    """They can be read, and every quantitative indicator can be computed of them, or says what lacks."""
    found = from_json(pack.json(path)["figures"])
    if path != f"figures/{found.year}.json":
        return OTHER
    size = max(band.number for band in certification.catalogue().bands)
    return (
        "" if quantities.measure(certification.catalogue().indicators(size), {found.year: found}, found.year) else OTHER
    )


def _log(pack: Pack, path: str) -> str:
    content = pack.json(path)
    head = heads.read_line(content["head"], pack.key)
    if head is None or head.day >= pack.day or content["before"] != pack.index["day"]:
        return OTHER
    numbers = [act["number"] for act in content["acts"]]
    rising = numbers == sorted(set(numbers)) and all(1 <= number <= head.number for number in numbers)
    past = all(date.fromisoformat(act["day"]) < pack.day for act in content["acts"])
    return "" if rising and past and len(numbers) <= content["entries"] <= head.number else OTHER


def _schema(name: str) -> Callable[[Pack, str], str]:
    return lambda pack, path: "" if pack.json(path)["schema"] == f"ascolto-{name}/1" else OTHER


def _held(pattern: str, key: str, check: Callable[[Pack, str], str]) -> Held:
    return Held(re.compile(pattern), key, check)


HELD: tuple[Held, ...] = (
    _held(r"house\.json", "house", _house),
    _held(r"rings\.json", "rings", _rings),
    _held(rf"{_WAVE}/release\.json", "release", _release),
    _held(rf"{_WAVE}/plan\.json", "plan", _plan),
    _held(rf"{_WAVE}/signed-plan\.json", "signed_plan", _signed_plan),
    _held(rf"{_WAVE}/questionnaire\.json", "questionnaire", _questionnaire),
    _held(rf"{_WAVE}/notice\.json", "form", _notice),
    _held(rf"{_WAVE}/results\.csv", "table", _table),
    _held(rf"{_WAVE}/results\.xlsx", "hashed", _hashed),
    _held(r"evidence/evidence\.json", "evidence", _evidence),
    _held(r"evidence/log\.json", "evidence_log", _evidence_log),
    _held(r"register/register\.json", "register", _register),
    _held(r"(?:evidence|register)/files/[^/]+", "evidence_file", _evidence_file),
    _held(r"scorecards/today\.json", "today", _today),
    _held(r"scorecards/\d{4}-\d+\.json", "card", _card),
    _held(r"figures/\d{4}\.json", "figures", _figures),
    _held(r"actions\.json", "form", _schema("actions")),
    _held(r"promises\.json", "form", _schema("promises")),
    _held(r"channel\.json", "form", _schema("channel")),
    _held(r"log\.json", "log", _log),
)
"""In the order in which they are told. A file that none of these is, no pack has."""
