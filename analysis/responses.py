"""Raw responses: coded answers and group attributes of one wave, in memory only; they refuse to be shown."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

SKIPPED, PREFER_NOT, DONT_KNOW, NOT_SHOWN = -1, -2, -3, -4
"""Codes of their own, kept apart and out of every mean; values of a scale are 0 or more."""

type Codes = NDArray[np.int16]


class Opaque:
    """A raw type: it holds unprotected numbers and refuses every way of being written out."""

    __slots__ = ()

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("raw numbers are never shown, copied, iterated or stored")

    __repr__ = __str__ = __format__ = __iter__ = __getitem__ = _refuse
    __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = __getstate__ = _refuse


class RawResponses(Opaque):
    """The sheets of one wave as columns.

    Parameters
    ----------
    n : int
        Respondents, 0 or more.
    groups : mapping
        Dimension id to one category code per respondent; "" where she gave none.
    answers : mapping
        Item id to one integer per respondent: a value of the scale, or a special code below 0. An option of a
        question with several answers is a column of 0 and 1.
    """

    __slots__ = ("_answers", "_groups", "_n")

    def __init__(self, n: int, groups: Mapping[str, Sequence[str]], answers: Mapping[str, Sequence[int]]) -> None:
        for column in (*groups.values(), *answers.values()):
            if len(column) != n:
                raise ValueError("every column needs one entry for each respondent")
        self._n = n
        self._groups = {name: tuple(column) for name, column in groups.items()}
        self._answers: dict[str, Codes] = {name: np.asarray(column, dtype=np.int16) for name, column in answers.items()}

    def __len__(self) -> int:
        return self._n

    def dimensions(self) -> tuple[str, ...]:
        return tuple(self._groups)

    def items(self) -> tuple[str, ...]:
        return tuple(self._answers)

    def group(self, dimension: str) -> tuple[str, ...]:
        """The category of each respondent in one dimension."""
        return self._groups[dimension]

    def answer(self, item: str) -> Codes:
        """The code of each respondent for one item."""
        return self._answers[item]
