"""Three findings in words: a unit, what moved, women and men, and where documents and people disagree."""

from collections.abc import Sequence

from analysis.findings import gender_contrasts
from server.certification import scorecard
from server.frame.texts import say
from server.results.findings import gender_line
from server.results.story import Claim, Story, theme_address, trend_claims, unit_claims
from surveys.certification import Standing

THINGS = 3


def things(story: Story, standings: Sequence[Standing]) -> tuple[Claim, ...]:
    """What matters most in a release; standings that speak of another wave say nothing here."""
    language = story.language
    gaps = [
        scorecard.indicator_line(one, language)
        for one in standings
        if one.alignment == "alignment_gap" and one.perception and one.perception.wave == story.wave.id
    ]
    moved, units = trend_claims(story), unit_claims(story)
    found = [*units[:1], *moved[:1]]
    clear = [one for one in gender_contrasts(story.document) if one.clear]
    if clear:
        largest = max(clear, key=lambda one: abs(one.gap))
        name = story.name("areas", largest.statistic)
        found.append(
            Claim(gender_line(story.document, language, most=1), theme_address(story, "areas", largest.statistic), name)
        )
    for gap in sorted(gaps, key=lambda one: -one.gap):
        text = say(language, "hr.overview.gap", id=gap.id, text=gap.text)
        found.append(
            Claim(text, f"/hr/indicators/{gap.id}?lang={language}", say(language, "hr.story.indicator", id=gap.id))
        )
    return tuple([*found, *moved[1:], *units[1:]][:THINGS])
