"""Where evidence and perception of one indicator stand to each other: a word and a size for sorting, never a score."""

NOT_ASSESSABLE = "not_assessable"
PERCEPTIONS = ("supportive", "mixed", "critical", "insufficient")

_WORDS = {
    ("met", "supportive"): "aligned",
    ("met", "mixed"): "watch",
    ("met", "critical"): "alignment_gap",
    ("partly", "supportive"): "finish_and_document",
    ("partly", "mixed"): "in_progress",
    ("partly", "critical"): "priority",
    ("not_met", "supportive"): "evidence_gap",
    ("not_met", "mixed"): "missing",
    ("not_met", "critical"): "missing_urgent",
    ("not_assessed", "supportive"): "assess_first",
    ("not_assessed", "mixed"): "assess_first",
    ("not_assessed", "critical"): "assess_first_urgent",
}
_LOW_AWARENESS = {
    "met": "awareness_gap",
    "partly": "explain_while_finishing",
    "not_met": "missing",
    "not_assessed": "assess_first",
}
_EVIDENCE_VALUE = {"met": 100.0, "partly": 50.0, "not_met": 0.0}

WORDS = tuple(dict.fromkeys((*_WORDS.values(), *_LOW_AWARENESS.values(), NOT_ASSESSABLE)))
"""Every word `align` can give."""


def align(evidence: str, perception: str | None, *, awareness_low: bool = False) -> str:
    """Find the word for an indicator.

    Parameters
    ----------
    evidence : str
        Assessed evidence state: met, partly, not_met or not_assessed.
    perception : str or None
        supportive, mixed, critical, insufficient; None where it is not shown or no survey informs the indicator.
    awareness_low : bool
        Whether at least 30 % of the staff do not know; decides whatever the perception, once it is shown.

    Returns
    -------
    str
        A word of `WORDS`. What is not shown, or rests on too few answers, is ``not_assessable``: never low.

    Raises
    ------
    ValueError
        If a state is unknown.
    """
    if evidence not in _LOW_AWARENESS or perception not in (None, *PERCEPTIONS):
        raise ValueError(f"no such pair of states: {evidence!r}, {perception!r}")
    if perception is None or perception == "insufficient":
        return NOT_ASSESSABLE
    return _LOW_AWARENESS[evidence] if awareness_low else _WORDS[evidence, perception]


def gap(evidence: str, index: float | None) -> float | None:
    """Distance of evidence from perception, in [-100, 100]: e - P with e = 100, 50, 0 for met, partly, not met.

    For sorting only; it is shown beside both and added to nothing. None if nothing was assessed or the index is not
    shown, so that a group that is not shown never looks like a gap.

    Raises
    ------
    ValueError
        If the state is unknown or the index outside [0, 100].
    """
    if evidence not in _LOW_AWARENESS:
        raise ValueError(f"no such state: {evidence!r}")
    if index is None or evidence == "not_assessed":
        return None
    if not 0 <= index <= 100:
        raise ValueError(f"an index lies in [0, 100], not {index}")
    return _EVIDENCE_VALUE[evidence] - index
