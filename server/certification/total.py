"""The sum of the points in one line."""

from server.certification import scorecard
from server.frame.display import number
from server.frame.texts import say


async def total_line(language: str) -> str:
    """The total in words; compared with the threshold only when nothing is left to assess."""
    card = await scorecard.scores()
    key = "total_open" if card.not_assessed else "total_pass" if card.reaches_threshold else "total_fail"
    return say(
        language, f"points.{key}", earned=number(card.earned, language), open=number(card.not_assessed, language),
        lost=number(card.lost, language),
    )  # fmt: skip
