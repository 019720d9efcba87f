"""The answer sheet: the codes one respondent chose. Opaque: it cannot be printed, logged or turned into JSON."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec

from surveys.legible import legible
from surveys.questionnaire.form import Check, Questionnaire

SKIP_EXPERIENCE = "_skip_experience"
_LARGEST = 64 * 1024
"""A sheet unpacks to no more than this many bytes, whatever was sent."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a form: ``unknown_item``, ``wrong_code``, ``too_many``, ``exclusive`` or ``too_long``."""

    item_id: str
    code: str


class InvalidAnswers(ValueError):
    """A form is no sheet of this questionnaire; holds every problem, never an answer."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


class SheetUnreadable(Exception):
    """The bytes hold no sheet of this questionnaire."""


class AnswerSheet:
    """One respondent's answers; only the opening of the urn looks inside."""

    __slots__ = ("_codes",)

    def __init__(self, codes: Mapping[str, tuple[str, ...]]) -> None:
        self._codes = dict(codes)

    @property
    def answered(self) -> int:
        """How many items have an answer."""
        return len(self._codes)

    def codes(self) -> Mapping[str, tuple[str, ...]]:
        """The chosen codes by item, for the opening alone."""
        return self._codes

    def to_bytes(self) -> bytes:
        """Pack the sheet, items sorted: two equal sheets give equal bytes."""
        return zlib.compress(msgspec.msgpack.encode({item: list(self._codes[item]) for item in sorted(self._codes)}), 9)

    @classmethod
    def from_bytes(cls, data: bytes, questionnaire: Questionnaire) -> "AnswerSheet":
        """Unpack a sheet and check it again. A phone writes JSON, packed where its browser can.

        Raises
        ------
        SheetUnreadable
        """
        try:
            packed = data if data.startswith(b"{") else _unpacked(data)
            decode = msgspec.json.decode if packed.startswith(b"{") else msgspec.msgpack.decode
            codes = decode(packed, type=dict[str, list[str]])
            return read_form(questionnaire, codes)
        except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, InvalidAnswers) as problem:
            raise SheetUnreadable("no sheet of this questionnaire") from problem

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnswerSheet) and self._codes == other._codes

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("an answer sheet is never shown, copied or stored in clear")

    __repr__ = __str__ = __format__ = __iter__ = __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = _refuse


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    packed = unpacker.decompress(data, _LARGEST)
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise SheetUnreadable("too large or cut off")
    return packed


def read_form(questionnaire: Questionnaire, form: Mapping[str, Sequence[str]]) -> AnswerSheet:
    """Check a form: names that begin with "_" are the page's own; empty values count as not answered."""
    skips_experience = SKIP_EXPERIENCE in form
    problems: list[Problem] = []
    codes: dict[str, tuple[str, ...]] = {}
    for name, values in form.items():
        given = tuple(value for value in values if value)
        if not given or name.startswith("_"):
            continue
        check = questionnaire.checks.get(name)
        if check is None:
            problems.append(Problem(name[:40], "unknown_item"))
        elif check.max_chars:
            text = legible(given[0], lines=True)
            if len(given) > 1 or len(text) > check.max_chars:
                problems.append(Problem(name, "too_long"))
            elif text:
                codes[name] = (text,)
        elif problem := _problem(check, given):
            problems.append(Problem(name, problem))
        elif not (skips_experience and check.experience):
            codes[name] = given if len(given) == 1 else tuple(sorted(set(given), key=check.codes.__getitem__))
    if problems:
        raise InvalidAnswers(tuple(problems))
    return AnswerSheet(codes)


def _problem(check: Check, given: tuple[str, ...]) -> str | None:
    if len(given) == 1 and given[0] in check.codes:
        return None
    if any(code not in check.codes for code in given):
        return "wrong_code"
    if len(given) > 1 and not check.multiple:
        return "too_many"
    if len(set(given)) > 1 and not check.exclusive.isdisjoint(given):
        return "exclusive"
    return None
