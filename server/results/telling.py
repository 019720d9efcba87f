"""What a release lets be said of a group, of women and men, of who took part, and how far its numbers hold.

The pages of the desks and the printed papers say it with these sentences, so that none says more than another.
"""

import math
from collections.abc import Iterable

from babel.lists import format_list

from analysis.findings import gender_contrasts
from analysis.published import Document
from analysis.steps import Figure, as_number, ends_low, is_coded
from server.frame.display import number
from server.frame.texts import say
from server.results.findings import gender_line
from server.results.reading import figure_text
from server.results.story import (
    CLAIMED,
    Dot,
    Story,
    address_of,
    range_text,
    signed,
    theme_address,
    trend_claims,
    unit_claims,
)

NARROW = (20.0, 80.0)
"""An axis for those whose figures all lie on it: of 430 people, limits of three points vanish on 0-100."""


def axis_of(dots: Iterable[Dot]) -> tuple[float, float]:
    """The ends of one axis for all of them."""
    places = [at for one in dots for at in (one.at, one.low, one.high, one.before) if at is not None]
    return NARROW if places and NARROW[0] <= min(places) and max(places) <= NARROW[1] else (0.0, 100.0)


def listed(names: Iterable[str], language: str) -> str:
    """Names in a row, as the language joins them."""
    return format_list(list(names), locale=language.replace("-", "_"))


def group_heading(story: Story, view: str) -> str:
    """The finding that the page of a group begins with, or that nothing is clear."""
    claims = [claim.text for claim in unit_claims(story) if claim.address == address_of(story, view)]
    return claims[0].rstrip(".") if claims else say(story.language, "hr.story.flat_group", group=story.group(view))


def theme_heading(story: Story, family: str, statistic: str, value: str) -> tuple[str, str]:
    """What the page of an area or a theme begins with, and what follows in small: the finding and the value, or the value alone."""
    here = theme_address(story, family, statistic)
    claims = [claim.text for claim in trend_claims(story) if claim.address == here]
    return (claims[0].rstrip("."), value) if claims else (value, "")


def group_lines(story: Story, view: str) -> tuple[str, ...]:
    """What may be said of a group's areas, in a few sentences."""
    language = story.language
    compared = [found for area in story.document.everyone.areas if (found := story.difference("areas", view, area))]
    moved = {area: story.trend("areas", view, area) for area in story.document.everyone.areas}
    said = {
        "below": [one.statistic for one in compared if one.clear and one.gap < 0],
        "above": [one.statistic for one in compared if one.clear and one.gap > 0],
        "fell": [area for area, trend in moved.items() if trend.word == "fell"],
        "rose": [area for area, trend in moved.items() if trend.word == "rose"],
        "unsure": [one.statistic for one in compared if not one.clear and one.low * one.high > 0],
    }
    return tuple(
        say(
            language,
            f"hr.group.{key}",
            areas=listed((f"«{story.name('areas', area)}»" for area in sorted(areas)), language),
            when=story.when,
        )
        for key, areas in said.items()
        if areas
    )


def is_clear(story: Story, view: str) -> bool:
    """Whether anything of a group's areas is clear: against the whole organisation, or against the wave before."""
    areas = story.document.everyone.areas
    return any(
        ((found := story.difference("areas", view, area)) is not None and found.clear)
        or story.trend("areas", view, area).word in CLAIMED
        for area in areas
    )


def gender_of(story: Story, family: str, statistic: str) -> str:
    """Women against the contrast on one area or theme, in the words that all pages use."""
    one = story.difference(family, "gender:f", statistic)
    if one is None:
        return say(story.language, "results.gender.hidden")
    others = one.against.partition(":")[2]
    return say(
        story.language,
        f"hr.theme.{'differ' if one.clear else 'same'}_{others}",
        gap=signed(one.gap, story.language),
        range=range_text(one.low, one.high, story.language),
    )


def gender_count(story: Story) -> str:
    """Women and men over all areas, in one line: in how many the difference is clear."""
    language, found = story.language, gender_contrasts(story.document)
    clear = [one for one in found if one.clear]
    if not clear:
        return gender_line(story.document, language)
    key = f"hr.overview.gender_{found[0].against.partition(':')[2]}"
    return say(language, key, count=len(clear), of=len(found))


def counted(document: Document, language: str) -> tuple[str, str]:
    """How many answered, in percent and in people."""
    received, invited = document.participation["received"], document.participation.get("invited")
    if not invited:
        return number(received, language), say(language, "hr.overview.sheets")
    words = say(language, "hr.overview.counted", received=number(received, language), invited=number(invited, language))
    return f"{round(100 * received / invited)} %", words


def coverage(document: Document, language: str) -> str:
    """The least and the most of the territories whose participation is shown."""
    shares = [
        (figure_text(view.participation, language, " %"), str(view.participation))
        for view in document.views
        if view.participation is not None and document.kind_of(view.id) == "territory"
    ]
    if not shares:
        return ""
    ordered = sorted(shares, key=lambda pair: int(pair[1].lstrip(">=")))
    return say(language, "hr.overview.coverage", least=ordered[0][0], most=ordered[-1][0])


def quality_lines(story: Story) -> tuple[str, ...]:
    """How far the numbers hold: which themes do, and what was left out."""
    language, quality = story.language, story.document.quality
    lines = [
        say(
            language,
            "hr.results.hold",
            scale=story.name("scales", scale),
            reading=say(language, f"hr.results.reading_{record.reading}"),
        )
        for scale, record in quality.reliability.items()
        if record.reading != "items"
    ]
    if share := figure_text(quality.nonresponse.get("items"), language, " %"):
        lines.append(say(language, "hr.results.left_out", share=share))
    if share := figure_text(quality.careless, language, " %"):
        lines.append(say(language, "hr.results.careless", share=share))
    return tuple(lines)


def driver_lines(story: Story) -> tuple[str, ...]:
    """Which themes go together with each outcome, in one sentence each; it never says that one brings about the other."""
    language, lines = story.language, []
    for outcome, themes in story.document.quality.drivers.items():
        named = {
            word: format_list(
                [f"«{story.name('scales', theme)}»" for theme, said in themes.items() if said == word],
                locale=language.replace("-", "_"),
            )
            for word in ("more", "less")
            if word in themes.values()
        }
        key = "_".join(["driver", *named]) if named else "driver_alike"
        lines.append(say(language, f"hr.results.{key}", outcome=story.name("items", outcome), **named))
    return tuple(lines)


def worst_case(document: Document, favourable: Figure | None) -> tuple[int, int] | None:
    """Between what a favourable share of everybody invited can lie, whatever those who did not answer think (Manski's bounds).

    Parameters
    ----------
    document : a release with both counts
    favourable : the published share of those who answered, in [0, 100]

    Returns
    -------
    Whole percents, outward; None without a share or a count.

    References
    ----------
    .. [1] C. F. Manski, Partial Identification of Probability Distributions (2003), ch. 1: [r p, r p + 1 - r].
    """
    received, invited = document.participation["received"], document.participation.get("invited")
    if favourable is None or not invited or received > invited:
        return None
    low = 0.0 if ends_low(favourable) else as_number(favourable)
    high = 100.0 if is_coded(favourable) and not ends_low(favourable) else as_number(favourable)
    rate = received / invited
    return math.floor(rate * low), math.ceil(rate * high + 100 * (1 - rate))
