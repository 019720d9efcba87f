"""What the program may propose as evidence. A person decides: a proposal never sets a state."""

from dataclasses import dataclass

VALID_DAYS = 365
"""Indicator 1.6 asks for an analysis "in the last year"."""
WEAK_PERCENT = 30
"""Below this response the pack says weak representativeness; still a fact for the auditor to judge."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An indicator a wave or procedure can be evidence of, and what the pack still lacks.

    `lacks` holds analysis, feedback, actions, in that order. `weak` says that few answered.
    """

    indicator: str
    lacks: tuple[str, ...]
    weak: bool

    @property
    def complete(self) -> bool:
        """Whether nothing is missing: a person may now confirm the indicator."""
        return not self.lacks


def propose_survey(
    *,
    closed_on: int,
    today: int,
    origin: str,
    invited: int | None,
    received: int,
    has_analysis: bool,
    has_feedback: bool,
    has_actions: bool,
) -> Proposal | None:
    """Propose 1.6 (analisi della percezione delle pari opportunità) from a released wave.

    Parameters
    ----------
    closed_on, today : int
        Day numbers. The wave must have closed at most 365 days ago, and not after today.
    origin : str
        ``ascolto`` for a wave of our own; an imported one proposes nothing.
    invited : int or None
        Headcount of the panel, ``invited >= received``; None or 0 if unknown, which counts as weak.
    received : int
        Sheets received. What they say plays no part.
    has_analysis, has_feedback, has_actions : bool
        Whether results were computed, told to staff, and followed by actions; what is not there is named as lacking.

    Raises
    ------
    ValueError
        If a count is negative.
    """
    if received < 0 or (invited or 0) < 0:
        raise ValueError("counts are not negative")
    if origin != "ascolto" or not 0 <= today - closed_on <= VALID_DAYS:
        return None
    present = {"analysis": has_analysis, "feedback": has_feedback, "actions": has_actions}
    weak = not invited or 100 * received < WEAK_PERCENT * invited
    return Proposal("1.6", tuple(name for name, there in present.items() if not there), weak)


def propose_channel(*, procedure_documents: int) -> Proposal | None:
    """Propose 1.2 (esprimere opinioni e suggerimenti, anche in anonimo) from a documented procedure.

    Having this program installed, or a wave run, is no procedure: without a document nothing is proposed.
    """
    return Proposal("1.2", (), False) if procedure_documents > 0 else None
